package bundle

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// A batch that could not be noted is missing for good: also where whoever finishes
// finds nothing more to write down.
func TestABatchThatIsLost(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.tar")
	w := create(t, name)
	put(t, w, ref("a.gz"), []byte("body"))
	full, err := os.Open(filepath.Join(w.work, journalName))
	if err != nil {
		t.Fatal(err)
	}
	w.journal.file.Close()
	w.journal.file = full // every write fails
	w.flushing.Lock()
	time.Sleep(2 * saveTime) // the timer's flush waits before Commit's does
	done := make(chan error, 1)
	go func() {
		_, err := w.Commit(head())
		done <- err
	}()
	time.Sleep(saveTime)
	w.flushing.Unlock()
	if err := <-done; err == nil {
		t.Error("it is finished without what was taken")
	}
}

// What is taken from many sides at once is there after an end, and what is on the disk
// at any moment is a collection that can be gone on with.
func TestTakenFromManySides(t *testing.T) {
	for _, form := range forms {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			name := filepath.Join(t.TempDir(), form)
			w := create(t, name)
			const sides, each = 8, 200
			var work sync.WaitGroup
			for side := range sides {
				work.Go(func() { takeMany(t, w, side, each) })
			}
			for range 2 {
				time.Sleep(saveTime + time.Duration(rand.IntN(50))*time.Millisecond)
				if formOf(form) != formDirectory {
					fromCopy(t, w, filepath.Join(t.TempDir(), form))
				}
			}
			work.Wait()
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			w = create(t, name)
			if _, there, _ := w.Resumed(); there != sides*each {
				t.Errorf("%d of %d are there", there, sides*each)
			}
			commit(t, w)
			if got := alterations(open(t, name)); len(got) > 0 {
				t.Errorf("%.300q", got)
			}
		})
	}
}

func takeMany(t *testing.T, w *Writer, side, n int) {
	random := rand.New(rand.NewPCG(1, uint64(side)))
	for i := range n {
		time.Sleep(time.Duration(random.IntN(2000)) * time.Microsecond)
		size := random.IntN(3000)
		switch random.IntN(200) {
		case 0:
			size = random.IntN(2 << 20)
		case 1:
			size = wholeBytes + random.IntN(1<<20)
		}
		body := bytes.Repeat([]byte{byte(i)}, size)
		if i%2 == 0 {
			copy(body, "\x1f\x8b\x08")
		}
		if err := w.Note(Record{Ref: ref(fmt.Sprintf("n%d/%d.gz", side, i)), Listed: true}); err != nil {
			t.Error(err)
		}
		if i%40 == 0 {
			if err := w.File(fmt.Sprintf("f%d/%d", side, i), body[:min(100, size)]); err != nil {
				t.Error(err)
			}
		}
		if _, err := w.Put(Record{Ref: ref(fmt.Sprintf("k%d/%d.gz", side, i)), Object: &Object{}}, bytes.NewReader(body)); err != nil {
			t.Error(err)
		}
	}
}

// fromCopy goes on with what is on the disk of a collection under way.
func fromCopy(t *testing.T, w *Writer, name string) {
	t.Helper()
	if err := os.MkdirAll(workOf(name), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{journalName, dataName} { // what the journal names must be there already
		text, err := os.ReadFile(filepath.Join(w.work, part))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(workOf(name), part), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Create(context.Background(), name, w.identity)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.torn) > 0 {
		t.Errorf("%d entries were noted before they were there", len(c.torn))
	}
	commit(t, c)
	if got := alterations(open(t, name)); len(got) > 0 {
		t.Errorf("%.300q", got)
	}
}

// Parts of a manifest that are as large as they may be are not held by the hundred.
func TestPartsFullOfGiants(t *testing.T) {
	const parts, each = 120, 3
	f := &forgery{form: formZstd}
	h := head()
	h.Schema, h.Records, h.Files = Schema, parts*each, []File{}
	for n := range parts {
		var text []byte
		first := ref(fmt.Sprintf("k%06d-0.gz", n))
		for i := range each {
			r := Record{Ref: ref(fmt.Sprintf("k%06d-%d.gz", n, i)), Unreadable: &Unreadable{What: strings.Repeat("x", 900<<10), Reason: "read-failed"}}
			one, err := formatRecord(r)
			if err != nil {
				t.Fatal(err)
			}
			text = append(append(text, one...), '\n')
		}
		c := Chunk{File: File{Path: chunkPath(n), Size: int64(len(text)), SHA256: hashOf(text)}, Count: each, Bucket: first.Bucket, Key: first.Key}
		c.At = f.entry(plainEntry(c.Path, string(text)))
		h.Index = append(h.Index, c)
	}
	manifest, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	var end footer
	end.manifest, end.sum = *f.entry(plainEntry(manifestPath, string(manifest))), *f.entry(plainEntry(sumPath, string(sumText(manifest))))
	last, err := ending(f.form, end)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "x.tar.zst")
	if err := os.WriteFile(name, append(f.data, last...), 0o600); err != nil {
		t.Fatal(err)
	}
	r := open(t, name)
	before := live()
	n := 0
	for _, err := range r.List("b", "", "") {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if grown := live() - before; n != parts*each || grown > openBytes+20<<20 {
		t.Errorf("%d records, %d MiB are held", n, grown>>20)
	}
	runtime.KeepAlive(r)
}

// Accounts' regions are worked on side by side, and each part is read once all the same.
func TestPartsAreReadOnce(t *testing.T) {
	const streams, each = 100, 600
	texts, loads := map[string][]byte{}, 0
	x := &index{load: func(c Chunk) ([]byte, error) { loads++; return texts[c.Path], nil }}
	c := chunker{take: func(n int, c Chunk, text []byte) error {
		c.Path, c.Size = fmt.Sprint(n), int64(len(text))
		texts[c.Path] = bytes.Clone(text)
		x.chunks = append(x.chunks, c)
		return nil
	}}
	key := func(s, i int) string { return fmt.Sprintf("AWSLogs/%012d/%06d.json.gz", s, i) }
	for s := range streams {
		for i := range each {
			text, err := formatRecord(Record{Ref: ref(key(s, i))})
			if err == nil {
				err = c.add(ref(key(s, i)), string(text))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	c.flush()
	for i := range each {
		for s := range streams {
			if _, ok, err := x.get(ref(key(s, i))); !ok || err != nil {
				t.Fatal(ok, err)
			}
		}
	}
	if loads > 2*len(x.chunks) {
		t.Errorf("%d parts were read %d times", len(x.chunks), loads)
	}
}
