package bundle

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"

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

// live is what is on the heap and in use.
func live() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // pools let go at the second
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func manyRef(i int) verify.Ref {
	return verify.Ref{Bucket: "b", Key: fmt.Sprintf("AWSLogs/111122223333/CloudTrail/eu-west-%d/2026/03/%02d/111122223333_CloudTrail_eu-west-%d_%08d.json.gz", i%7, i%28, i%7, i)}
}

// What is held does not grow with the number of objects, but for one part of the
// index in 512 of them: neither in writing nor in reading. It is measured where it is
// most: after the last object, and after all was read.
func TestMemoryIsFlat(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: many objects are not written in a short run")
	}
	measure := func(n int) (written, read int64) {
		name := filepath.Join(t.TempDir(), "x.tar")
		before := live()
		w := create(t, name)
		for i := range n {
			if _, err := w.Put(Record{Ref: manyRef(i), Object: &Object{Size: 4}}, bytes.NewReader([]byte("body"))); err != nil {
				t.Fatal(err)
			}
		}
		written = live() - before
		commit(t, w)
		w = nil
		before = live()
		r := open(t, name)
		if got := alterations(r); len(got) > 0 {
			t.Errorf("%q", got)
		}
		read = live() - before
		runtime.KeepAlive(r)
		return written, read
	}
	const few, many = 70_000, 140_000 // both more than openChunks*chunkRecords, which are held at a time
	w1, r1 := measure(few)
	w2, r2 := measure(many)
	t.Logf("writing: %d KiB for %d, %d KiB for %d; reading: %d and %d KiB", w1>>10, few, w2>>10, many, r1>>10, r2>>10)
	if w2-w1 > 1<<20 || r2-r1 > 4<<20 || w2 > 40<<20 || r2 > 100<<20 {
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
