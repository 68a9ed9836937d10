package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// read reads an object to its end.
func read(s verify.Store, ref verify.Ref) (string, verify.Object, error) {
	var data []byte
	var object verify.Object
	err := s.Read(context.Background(), ref, func(o verify.Object) (err error) {
		object = o
		data, err = io.ReadAll(o.Body)
		return err
	})
	return string(data), object, err
}

func reason(err error) verify.Reason {
	var u *verify.UnreadableError
	if errors.As(err, &u) {
		return u.Reason
	}
	return verify.Reason(fmt.Sprint(err))
}

// TestKeys signs and sends keys of every sort; the fake checks the signature
// over the request line as it came.
func TestKeyEscaping(t *testing.T) {
	f := newFake(t)
	s := f.open(t)
	for _, key := range []string{
		"plain.json.gz", "with space", "plus+plus", "percent%41", "a//b", "/leading", "//two", "a/../b", "../up", "./a", "a/.", "..",
		"ünïcödé/日本", "bad\xff\xfeutf8", "ctl\x01\x1f\x7f", "new\nline", "q?x=1&y", "frag#ment", "semi;colon:at@", "star*(paren)'q'!",
		"~tilde_under-dash.dot", "tab\t", "back\\slash", "end/", "=,$", "é", "\u202e",
	} {
		ref := f.put("bucket", key, "content of "+key)
		got, _, err := read(s, ref)
		if err != nil || got != "content of "+key {
			t.Errorf("%q: %q, %v", key, got, err)
		}
	}
}

func TestReadGivesMetadata(t *testing.T) {
	f := newFake(t)
	ref := f.put("bucket", "k", "data", "x-amz-meta-Signature", "abc", "X-Amz-Meta-signature-algorithm", "SHA256withRSA",
		"x-amz-version-id", "v1", "Content-Encoding", "gzip", "Content-Type", "application/json")
	_, o, err := read(f.open(t), ref)
	if err != nil || o.Size != 4 || o.Version != "v1" || len(o.Metadata) != 2 ||
		o.Metadata["signature"] != "abc" || o.Metadata["signature-algorithm"] != "SHA256withRSA" {
		t.Errorf("%+v, %v", o, err)
	}
}

// TestBrokenBodies cuts bodies of both sizes; use must see a whole one in the
// end, or never be believed.
func TestBrokenBodies(t *testing.T) {
	for _, size := range []int{5000, 3 << 20} {
		for _, times := range []int{0, 1, 2, 100} {
			t.Run(fmt.Sprint(size, " broken ", times), func(t *testing.T) {
				f := newFake(t)
				data := make([]byte, size)
				rand.NewChaCha8([32]byte{}).Read(data)
				ref := f.put("bucket", "k", string(data))
				f.before = func(w http.ResponseWriter, r *http.Request, n int) bool {
					if n > times {
						return false
					}
					w.Header().Set("Content-Length", fmt.Sprint(size))
					w.Write(data[:size/2])
					panic(http.ErrAbortHandler)
				}
				s := f.open(t)
				var got []byte
				err := s.Read(context.Background(), ref, func(o verify.Object) error {
					got, _ = io.ReadAll(o.Body) // ignores the error, as a careless user would
					return nil
				})
				if times == 100 {
					if reason(err) != verify.ReadFailed || f.requests("GET object") != defaultAttempts {
						t.Errorf("%v after %d requests", err, f.requests("GET object"))
					}
				} else if err != nil || !bytes.Equal(got, data) || f.requests("GET object") != times+1 {
					t.Errorf("%d bytes, %v after %d requests", len(got), err, f.requests("GET object"))
				}
			})
		}
	}
}

func TestStalledBody(t *testing.T) {
	for _, size := range []int{5000, 3 << 20} {
		f := newFake(t)
		ref := f.put("bucket", "k", strings.Repeat("x", size))
		release := make(chan struct{})
		f.before = func(w http.ResponseWriter, r *http.Request, n int) bool {
			if n > 1 {
				return false
			}
			w.Header().Set("Content-Length", fmt.Sprint(size))
			w.Write(make([]byte, 100))
			w.(http.Flusher).Flush()
			<-release
			return true
		}
		s := f.open(t)
		s.wire.stall = 100 * time.Millisecond
		got, _, err := read(s, ref)
		close(release)
		if err != nil || len(got) != size {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	}
}

// TestErrorOfUse passes through untouched, and reads once.
func TestErrorOfUse(t *testing.T) {
	for _, size := range []int{10, 3 << 20} {
		f := newFake(t)
		ref := f.put("bucket", "k", strings.Repeat("x", size))
		want := errors.New("mine")
		err := f.open(t).Read(context.Background(), ref, func(verify.Object) error { return want })
		if err != want || len(f.seen) != 1 {
			t.Errorf("%v after %v", err, f.seen)
		}
	}
}

func TestCancelledRead(t *testing.T) {
	f := newFake(t)
	ctx, cancel := context.WithCancel(context.Background())
	f.before = func(w http.ResponseWriter, r *http.Request, n int) bool {
		cancel()
		<-r.Context().Done()
		return true
	}
	s := f.open(t)
	if err := s.Read(ctx, f.put("bucket", "k", "x"), nil); err != context.Canceled {
		t.Error(err)
	}
	for _, err := range s.List(ctx, verify.Ref{Bucket: "bucket"}, "", "") {
		if err != context.Canceled {
			t.Error(err)
		}
	}
	if _, err := s.Dirs(ctx, verify.Ref{Bucket: "bucket"}); err != context.Canceled {
		t.Error(err)
	}
}

func TestUnsignedAndRequesterPays(t *testing.T) {
	f := newFake(t)
	f.unsigned = true
	var auth, payer atomic.Int64
	f.before = func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		if r.Header.Get("Authorization") != "" {
			auth.Add(1)
		}
		if r.Header.Get("x-amz-request-payer") == "requester" {
			payer.Add(1)
		}
		return false
	}
	s := f.open(t, func(o *S3Options) { o.NoSignRequest, o.RequestPayer = true, true })
	ref := f.put("bucket", "k", "data")
	if _, _, err := read(s, ref); err != nil {
		t.Error(err)
	}
	if _, err := s.Dirs(context.Background(), verify.Ref{Bucket: "bucket"}); err != nil {
		t.Error(err)
	}
	if auth.Load() != 0 || payer.Load() != 2 {
		t.Errorf("%d signed, %d paid", auth.Load(), payer.Load())
	}
}

// TestConcurrentReads keeps to the cap of requests in flight and leaves no
// body unread: connections are used again.
func TestConcurrentReads(t *testing.T) {
	f := newFake(t)
	var inFlight, most, connections atomic.Int64
	var known sync.Map
	f.before = func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		if _, old := known.LoadOrStore(r.RemoteAddr, true); !old {
			connections.Add(1)
		}
		n := inFlight.Add(1)
		defer inFlight.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(time.Millisecond)
		return false
	}
	s := f.open(t, func(o *S3Options) { o.Concurrency = 20 })
	ref := f.put("bucket", "k", strings.Repeat("x", 10_000))
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			for range 10 {
				if got, _, err := read(s, ref); err != nil || len(got) != 10_000 {
					t.Error(len(got), err)
				}
			}
		})
	}
	wg.Wait()
	if most.Load() > 20 || connections.Load() > 40 || s.Requests()["get"] != 500 || s.Requests()["retry"] != 0 {
		t.Errorf("%d in flight, %d connections, %v", most.Load(), connections.Load(), s.Requests())
	}
	if s.limiter.inFlight != 0 || !s.buffers.budget.TryAcquire(budgetBytes) {
		t.Error("slots or buffers were not given back")
	}
}

// TestNothingIsLeftBehind: whatever happens to reads and listings, no
// goroutine outlives them and the idle connections.
func TestNothingIsLeftBehind(t *testing.T) {
	f := newFake(t)
	f.pageSize = 1
	small, big := f.put("bucket", "a", "data"), f.put("bucket", "b", strings.Repeat("x", 3<<20))
	f.before = func(w http.ResponseWriter, _ *http.Request, n int) bool {
		if n%5 == 0 {
			w.Header().Set("Content-Length", "1000")
			w.Write(make([]byte, 10))
			panic(http.ErrAbortHandler)
		}
		return false
	}
	before := runtime.NumGoroutine()
	s := f.open(t)
	for range 10 {
		read(s, small)
		read(s, big)
		s.Read(context.Background(), big, func(verify.Object) error { return nil }) // unread
		ctx, cancel := context.WithCancel(context.Background())
		s.Read(ctx, big, func(o verify.Object) error {
			cancel()
			_, err := io.ReadAll(o.Body)
			return err
		})
		for range s.List(context.Background(), verify.Ref{Bucket: "bucket"}, "", "") {
			break
		}
	}
	if s.limiter.inFlight != 0 || !s.buffers.budget.TryAcquire(budgetBytes) {
		t.Error("slots or buffers were not given back")
	}
	s.Close()
	f.CloseClientConnections()
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before+1; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
	}
}
