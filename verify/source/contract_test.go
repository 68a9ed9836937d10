package source

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
)

// TestContract holds every store to what verify.Store promises.
func TestContract(t *testing.T) {
	t.Run("S3", func(t *testing.T) {
		contract(t, func(t *testing.T, files map[string]string) verify.Store {
			f := newFake(t)
			f.pageSize = 3
			for key, data := range files {
				f.put("bucket", key, data)
			}
			return f.open(t)
		})
	})
	t.Run("Directory", func(t *testing.T) {
		contract(t, func(t *testing.T, files map[string]string) verify.Store {
			dir := filepath.Join(t.TempDir(), "bucket")
			for key, data := range files {
				writeFile(t, dir, key, data)
			}
			return openDir(t, dir)
		})
	})
}

func writeFile(t testing.TB, dir, name, data string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

func openDir(t testing.TB, dir string) *Directory {
	t.Helper()
	d, err := OpenDirectory(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// keys lists a prefix without the bucket; an error is its last element.
func keys(s verify.Store, at verify.Ref, after, until string) []string {
	var all []string
	for e, err := range s.List(context.Background(), at, after, until) {
		if err != nil {
			return append(all, err.Error())
		}
		if e.Bucket != at.Bucket {
			all = append(all, e.Bucket)
		}
		all = append(all, e.Key)
	}
	return all
}

func contract(t *testing.T, open func(t *testing.T, files map[string]string) verify.Store) {
	ctx := context.Background()
	const base = "AWSLogs/111122223333/"
	names := []string{
		base + "CloudTrail/a-b/2026/01/01/f1.gz", base + "CloudTrail/a-b/2026/01/01/f2.gz", base + "CloudTrail/a-b/2026/01/02/f.gz",
		base + "CloudTrail/a-b.gz", base + "CloudTrail/a-b0/f.gz", base + "CloudTrail/a b+c/ü%41.gz",
		base + "CloudTrail/odd\x01\xff\n/\u202e.gz", "AWSLogs/o-abcdefghij/444455556666/x.gz", base + "CloudTrail-Digest/a-b/d.gz",
	}
	files := map[string]string{}
	for _, n := range names {
		files[n] = "data of " + n
	}
	slices.Sort(names)
	s := open(t, files)

	t.Run("roots", func(t *testing.T) {
		roots, err := s.Roots(ctx)
		if err != nil || !slices.Equal(roots, []verify.Ref{{Bucket: "bucket"}}) {
			t.Errorf("%q, %v", roots, err)
		}
	})
	t.Run("list", func(t *testing.T) {
		if got := keys(s, verify.Ref{Bucket: "bucket"}, "", ""); !slices.Equal(got, names) {
			t.Errorf("%q\nwant\n%q", got, names)
		}
		for e, err := range s.List(ctx, verify.Ref{Bucket: "bucket"}, "", "") {
			want := int64(len(files[e.Key]))
			if e.Size == 0 && !strings.Contains(e.Key, "/CloudTrail-Digest/") {
				want = 0 // a copy need not look
			}
			if err != nil || e.Size != want {
				t.Errorf("%+v, %v", e, err)
			}
		}
	})
	t.Run("bounds", func(t *testing.T) {
		prefixes := []string{"", "AWSLogs/", base, base + "CloudTrail", base + "CloudTrail/", base + "CloudTrail/a-b", base + "CloudTrail/a-b/2026/01/01/f", "AWSLogs/nothing/"}
		edges := append([]string{"", "A", "AWSLogs/", base + "CloudTrail/a-b/2026", base + "CloudTrail/a-b/2026/01/01/", "AWSLogs/~", "~"}, names...)
		for _, p := range prefixes {
			for _, after := range edges {
				for _, until := range edges {
					var want []string
					for _, n := range names {
						if strings.HasPrefix(n, p) && n > after && (until == "" || n < until) {
							want = append(want, n)
						}
					}
					if got := keys(s, verify.Ref{Bucket: "bucket", Key: p}, after, until); !slices.Equal(got, want) {
						t.Fatalf("prefix %q from %q to %q: %q, want %q", p, after, until, got, want)
					}
				}
			}
		}
	})
	t.Run("dirs", func(t *testing.T) {
		for _, p := range []string{"", "AWSLogs/", base, base + "CloudTrail/", base + "CloudTrail/a-b/2026/", "AWSLogs/nothing/"} {
			var want []string
			for _, n := range names {
				if rest, ok := strings.CutPrefix(n, p); ok && strings.Contains(rest, "/") {
					want = append(want, rest[:strings.Index(rest, "/")+1])
				}
			}
			slices.Sort(want)
			got, err := s.Dirs(ctx, verify.Ref{Bucket: "bucket", Key: p})
			if err != nil || !slices.Equal(got, slices.Compact(want)) {
				t.Errorf("%q: %q, %v, want %q", p, got, err, slices.Compact(want))
			}
		}
	})
	t.Run("read", func(t *testing.T) {
		before := s.Requests()["get"]
		for _, n := range names {
			got, o, err := read(s, verify.Ref{Bucket: "bucket", Key: n})
			if err != nil || got != files[n] || o.Size != int64(len(got)) {
				t.Errorf("%q: %q, %v", n, got, err)
			}
		}
		if n := s.Requests()["get"] - before; n != int64(len(names)) {
			t.Errorf("%d GETs for %d files", n, len(names))
		}
	})
	t.Run("not found", func(t *testing.T) {
		for _, key := range []string{base + "CloudTrail/none.gz", base + "CloudTrail/a-b/2026/01/01/f1.gz/below", "AWSLogs/none/none"} {
			ref := verify.Ref{Bucket: "bucket", Key: key}
			_, _, err := read(s, ref)
			var missing *verify.NotFoundError
			if !errors.As(err, &missing) || missing.Ref != ref {
				t.Errorf("%q: %v", key, err)
			}
		}
	})
	t.Run("use", func(t *testing.T) {
		want := errors.New("mine")
		err := s.Read(ctx, verify.Ref{Bucket: "bucket", Key: names[0]}, func(verify.Object) error { return want })
		if err != want {
			t.Error(err)
		}
	})
	t.Run("ended", func(t *testing.T) {
		over, cancel := context.WithCancel(ctx)
		cancel()
		if err := s.Read(over, verify.Ref{Bucket: "bucket", Key: names[0]}, func(verify.Object) error { return nil }); err != context.Canceled {
			t.Error("read:", err)
		}
		if _, err := s.Dirs(over, verify.Ref{Bucket: "bucket", Key: base}); err != context.Canceled {
			t.Error("dirs:", err)
		}
		for _, err := range s.List(over, verify.Ref{Bucket: "bucket", Key: base}, "", "") {
			if err != context.Canceled {
				t.Error("list:", err)
			}
		}
	})
	t.Run("holds", func(t *testing.T) {
		a, b := verify.Ref{Bucket: "bucket", Key: names[0]}, verify.Ref{Bucket: "bucket", Key: names[1]}
		if !s.Holds(a, a) || s.Holds(a, b) {
			t.Error("a place holds what was written to it and nothing else")
		}
	})
	t.Run("many", func(t *testing.T) {
		done := make(chan error)
		for i := range 32 {
			go func() {
				got, _, err := read(s, verify.Ref{Bucket: "bucket", Key: names[i%len(names)]})
				if err == nil && got != files[names[i%len(names)]] {
					err = fmt.Errorf("got %q", got)
				}
				done <- err
			}()
		}
		for range 32 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}
