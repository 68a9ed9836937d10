package report

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
)

// many tells a writer of n log files that are not kept, and of findings.
func many(w verify.Sink, n int) error {
	for i := range n {
		err := w.File(verify.File{Kind: "log", URI: fmt.Sprintf("%seu-west-1/2026/03/10/%09d.json.gz", logs, i),
			Verdict: verify.Deleted, Reason: verify.NotFound, Reasons: []verify.Reason{verify.NotFound}, Class: verify.Tampering})
		if err == nil && i%10 == 0 {
			err = w.Finding(verify.Finding{Kind: verify.Junk, URI: fmt.Sprintf("%s%d", digests, i), Message: "named almost like a digest"})
		}
		if err != nil {
			return err
		}
	}
	return w.Chain(verify.Chain{Account: "111122223333", Region: "eu-west-1", Trail: "main", Logs: by{verify.Deleted: n}})
}

// BenchmarkMillion writes a report of 1,000,000 files that are not kept and
// tells how much memory was in use before its end.
func BenchmarkMillion(b *testing.B) {
	for _, format := range Formats() {
		for _, all := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/all=%v", format, all), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					w, err := New(format, io.Discard, Options{All: all, TempDir: b.TempDir()})
					if err != nil {
						b.Fatal(err)
					}
					if err := errors.Join(w.Start(aHeader()), many(w, 1_000_000)); err != nil {
						b.Fatal(err)
					}
					b.ReportMetric(float64(heap())/(1<<20), "MiB-in-use")
					if err := errors.Join(w.End(tamperedRun().end), w.Close()); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestFlatMemory: what a report holds does not grow with its length, and
// nothing is left in the temporary directory.
func TestFlatMemory(t *testing.T) {
	for _, format := range Formats() {
		dir := t.TempDir()
		w, err := New(format, io.Discard, Options{All: true, TempDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		before := heap()
		if err := errors.Join(w.Start(aHeader()), many(w, 100_000)); err != nil {
			t.Fatal(err)
		}
		if grown := int64(heap()) - int64(before); grown > 3*spoolMemory {
			t.Errorf("%s holds %d bytes after 100,000 files", format, grown)
		}
		if err := errors.Join(w.End(tamperedRun().end), w.Close()); err != nil {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%s leaves %v behind: %v", format, left, err)
		}
	}
}

// TestManyAlikeAreTold tells of files that are alike as one, but never less
// than how many there are.
func TestManyAlikeAreTold(t *testing.T) {
	r := tamperedRun()
	r.events = []event{func(s verify.Sink) error { return many(s, 2350) }}
	text := play(t, "text", r)
	if n := strings.Count(text, "  deleted  "); n != sameLimit+1 {
		t.Errorf("%d lines, want %d", n, sameLimit+1)
	}
	if want := "2,250 log files more like this"; !strings.Contains(text, want) {
		t.Errorf("no %q in\n%s", want, text)
	}
	r.options.All = true
	if n := strings.Count(play(t, "text", r), "  deleted  "); n != 2350 {
		t.Errorf("--all tells of %d files, want 2350", n)
	}
}

// A full disk is one that takes only so much.
type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

// TestWriteErrors: a report that cannot be written is an error, wherever the
// disk ends.
func TestWriteErrors(t *testing.T) {
	for _, format := range Formats() {
		whole := len(play(t, format, tamperedRun()))
		for left := 0; left < whole; left += 97 {
			w, err := New(format, &full{left}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			err = w.Start(aHeader())
			numbered := &numbering{Sink: w} // as play does
			for _, e := range tamperedRun().events {
				err = errors.Join(err, e(numbered))
			}
			if err = errors.Join(err, w.End(tamperedRun().end)); err == nil {
				t.Errorf("%s: no error after %d of %d bytes", format, left, whole)
			}
		}
	}
}
