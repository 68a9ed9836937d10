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

// A path that was met is never forgotten, and few others are taken for it.
func TestCrowd(t *testing.T) {
	c := newCrowd()
	wrong := 0
	const n = 1_000_000
	for i := range n {
		if c.meet(fmt.Sprint("s3/b/", i)) {
			wrong++
		}
	}
	if wrong > n/10_000 {
		t.Errorf("%d of %d paths are taken for others", wrong, n)
	}
	for i := range n {
		if !c.has(fmt.Sprint("S3/b/", i)) {
			t.Fatal("one was forgotten")
		}
	}
	for i := n; i < 4*n; i++ {
		c.meet(fmt.Sprint("s3/b/", i))
	}
	wrong = 0
	for i := range n {
		if c.has(fmt.Sprint("s3/c/", i)) {
			wrong++
		}
	}
	if wrong > n/200 {
		t.Errorf("of four million: %d of %d", wrong, n)
	}
}

// A hundred million objects have a manifest that can be read.
func TestHeadOfManyObjects(t *testing.T) {
	const inHead = 436 // bytes of a chunk, indented
	size := 0
	for n, records := 0, 0; records < 100_000_000; n++ {
		records += min(recordsIn(n), chunkBytes/1000) // a record has some 650 to 1,000 bytes
		size += inHead
		if recordsIn(n) > mostRecords {
			t.Fatal("it holds more than is read")
		}
	}
	if size > maxHead {
		t.Errorf("%d bytes", size)
	}
}

// BenchmarkIndex sorts and writes down what was noted of 20,000 objects.
func BenchmarkIndex(b *testing.B) {
	const n = 20_000
	w := create(b, filepath.Join(b.TempDir(), "x.tar"))
	defer w.Close()
	header := map[string][]string{"Content-Length": {"32768"}, "Content-Type": {"application/json"}, "Etag": {`"0123456789abcdef0123456789abcdef"`}, "Last-Modified": {"Tue, 10 Mar 2026 00:00:00 GMT"}}
	for i := range n {
		if _, err := w.Put(Record{Ref: manyRef(i * 7919 % n), Listed: true, ListedSize: 1, Modified: collected, Object: &Object{Size: 1, Header: header}}, bytes.NewReader([]byte("x"))); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.flush(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		var head Head
		if err := w.writeIndex(&head); err != nil || head.Records != n {
			b.Fatal(head.Records, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/object")
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
