package kms

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"runtime"
	"testing"
)

// benchSizes are a usual log file's, compressed, and a very large one's.
var benchSizes = []struct {
	name string
	n    int
}{{"24KB", 24 << 10}, {"32MiB", 32 << 20}}

// BenchmarkPlainHash is what an object costs that is not sealed: its SHA-256. It
// is far less than the work of a real run, which also receives and inflates.
func BenchmarkPlainHash(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(size.name, func(b *testing.B) {
			plain := random(size.n)
			b.SetBytes(int64(size.n))
			b.ReportAllocs()
			for b.Loop() {
				sha256.Sum256(plain)
			}
		})
	}
}

func benchmarkOpen(b *testing.B, seal func(s sealer, plain []byte) (map[string]string, []byte), stream bool) {
	for _, size := range benchSizes {
		b.Run(size.name, func(b *testing.B) {
			k := newTable()
			meta, body := seal(sealer{k}, random(size.n))
			o := &Opener{KMS: k, AnyKey: true}
			b.SetBytes(int64(size.n))
			b.ReportAllocs()
			for b.Loop() {
				in := inMemoryObject(meta, body)
				if stream {
					in.Body = struct{ io.Reader }{in.Body}
				}
				opened, err := o.Open(context.Background(), in)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, opened.Body); err != nil {
					b.Fatal(err)
				}
				k.calls = nil
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N), "µs/object")
		})
	}
}

func gcmV2(s sealer, plain []byte) (map[string]string, []byte) {
	return s.v2(cipherGCM, someContext, plain)
}

// BenchmarkOpenGCM opens without hashing: what it takes beside BenchmarkPlainHash
// is what the envelope costs. The body is in memory.
func BenchmarkOpenGCM(b *testing.B) { benchmarkOpen(b, gcmV2, false) }

// BenchmarkOpenGCMStream is the same of a body that comes as a stream.
func BenchmarkOpenGCMStream(b *testing.B) { benchmarkOpen(b, gcmV2, true) }

func BenchmarkOpenCBC(b *testing.B) {
	benchmarkOpen(b, func(s sealer, plain []byte) (map[string]string, []byte) { return s.v2(cipherCBC, someContext, plain) }, false)
}

func BenchmarkOpenMessage(b *testing.B) {
	benchmarkOpen(b, func(s sealer, plain []byte) (map[string]string, []byte) {
		return nil, s.message(messageForm{suite: 0x0578, frame: 4096, context: someContext, keys: []string{arn1}}, plain)
	}, false)
}

// An object of 32 MiB needs its own size in memory, whether its size is known or
// not, and whether it comes in memory or as a stream.
func TestMemoryOfLargeObject(t *testing.T) {
	const size, allowed = 32 << 20, 100 << 20
	s := sealer{newTable()}
	plain := bytes.Repeat(random(1<<10), size>>10)
	meta, body := s.v2(cipherGCM, someContext, plain)
	for how, c := range map[string]struct {
		reader func([]byte) (io.Reader, int64)
		most   uint64 // bytes allocated in all
	}{"memory": {readers["memory"], size + 1<<20}, "known size": {readers["known size"], size + 1<<20}, "stream": {readers["stream"], 10 * size}} {
		in := Sealed{Metadata: meta}
		in.Body, in.Size = c.reader(body)
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		opened, err := (&Opener{KMS: s, AnyKey: true}).Open(context.Background(), in)
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatal(err)
		}
		if total := after.TotalAlloc - before.TotalAlloc; total > c.most {
			t.Errorf("%s: %d bytes allocated", how, total)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if held := after.HeapAlloc - min(before.HeapAlloc, after.HeapAlloc); held > size+allowed {
			t.Errorf("%s: %d bytes held", how, held)
		}
		sum := sha256.New()
		io.Copy(sum, opened.Body)
		if want := sha256.Sum256(plain); !bytes.Equal(sum.Sum(nil), want[:]) {
			t.Errorf("%s: other content", how)
		}
	}
}
