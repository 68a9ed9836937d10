package bundle

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// growth is how many bytes a function allocates.
func growth(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// peak is the most that lives on the heap while a function runs, as far as is seen.
func peak(f func()) uint64 {
	var most atomic.Uint64
	done := make(chan struct{})
	look := func() {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		most.Store(max(most.Load(), m.HeapAlloc))
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-done:
				return
			case <-time.After(100 * time.Millisecond):
				look()
			}
		}
	}()
	f()
	close(done)
	<-stopped
	return most.Load()
}

func manyRef(i int) verify.Ref {
	return verify.Ref{Bucket: "b", Key: fmt.Sprintf("AWSLogs/111122223333/CloudTrail/eu-west-%d/2026/03/%02d/111122223333_CloudTrail_eu-west-%d_%08d.json.gz", i%7, i%28, i%7, i)}
}

// Memory does not grow with the number of objects: neither in writing nor in reading.
func TestMemoryIsFlat(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: many objects are not written in a short run")
	}
	measure := func(n int) (written, read uint64) {
		name := filepath.Join(t.TempDir(), "x.tar")
		written = peak(func() {
			w := create(t, name)
			for i := range n {
				if _, err := w.Put(Record{Ref: manyRef(i), Object: &Object{Size: 4}}, bytes.NewReader([]byte("body"))); err != nil {
					t.Fatal(err)
				}
			}
			commit(t, w)
		})
		read = peak(func() {
			r := open(t, name)
			if got := alterations(r); len(got) > 0 {
				t.Errorf("%q", got)
			}
		})
		return written, read
	}
	const few, many = 40_000, 200_000
	w1, r1 := measure(few)
	w2, r2 := measure(many)
	t.Logf("writing: %d MiB for %d, %d MiB for %d; reading: %d and %d MiB", w1>>20, few, w2>>20, many, r1>>20, r2>>20)
	if w2 > 120<<20 || r2 > 150<<20 || r2 > 2*r1+60<<20 {
		t.Errorf("it grows")
	}
}

func BenchmarkPut(b *testing.B) {
	body := bytes.Repeat([]byte("0123456789abcdef"), 2<<10) // 32 KiB
	for _, form := range forms {
		b.Run(form, func(b *testing.B) {
			w := create(b, filepath.Join(b.TempDir(), form))
			defer w.Close()
			b.SetBytes(int64(len(body)))
			var n atomic.Int64
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if _, err := w.Put(Record{Ref: manyRef(int(n.Add(1))), Object: &Object{Size: 1}}, bytes.NewReader(body)); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

// benched is a bundle of so many objects of 32 KiB.
func benched(b *testing.B, form string, n int) *Reader {
	name := filepath.Join(b.TempDir(), form)
	w := create(b, name)
	body := bytes.Repeat([]byte("0123456789abcdef"), 2<<10)
	for i := range n {
		if _, err := w.Put(Record{Ref: manyRef(i), Object: &Object{Size: 1}}, bytes.NewReader(body)); err != nil {
			b.Fatal(err)
		}
	}
	commit(b, w)
	return open(b, name)
}

func BenchmarkGet(b *testing.B) {
	r := benched(b, "x.tar", 5000)
	for i := 0; b.Loop(); i++ {
		if _, ok, err := r.Get(manyRef(i % 5000)); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

func BenchmarkBody(b *testing.B) {
	for _, form := range forms {
		b.Run(form, func(b *testing.B) {
			r := benched(b, form, 500)
			rec, _, err := r.Get(manyRef(77))
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(rec.Size)
			for b.Loop() {
				body, err := r.Body(rec)
				if err != nil {
					b.Fatal(err)
				}
				io.Copy(io.Discard, body)
				body.Close()
			}
		})
	}
}
