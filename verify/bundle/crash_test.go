package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// errKilled is the end of a process in the middle of its work.
var errKilled = errors.New("killed")

// A mortal vault ends the process at one of its steps.
type mortal struct {
	vault
	left *int
}

func (m mortal) step() {
	if *m.left--; *m.left == 0 {
		panic(errKilled)
	}
}

func (m mortal) put(path string, size int64, body io.Reader, noted func(*Extent) error) error {
	m.step()
	err := m.vault.put(path, size, &dyingReader{body, m}, func(at *Extent) error {
		m.step() // its bytes are written, and nobody knows
		err := noted(at)
		m.step() // it is noted, and may not be in its place
		return err
	})
	m.step()
	return err
}

// A dyingReader ends the process in the middle of an entry.
type dyingReader struct {
	r io.Reader
	m mortal
}

func (d *dyingReader) Read(p []byte) (int, error) {
	n, err := d.r.Read(p[:min(len(p), 3<<20)])
	d.m.step()
	return n, err
}

func (m mortal) flush() error {
	m.step()
	err := m.vault.flush()
	m.step() // its entries are written, and the journal knows nothing of them
	return err
}

func (m mortal) end(manifest []byte) error {
	m.step()
	err := m.vault.end(manifest)
	m.step()
	return err
}

// largeContent is more than is read whole.
var largeContent = strings.Repeat("0123456789abcdef", 300<<10)

// tale is a small collection: three small objects, a large one, one that is missing,
// one that is read twice.
//
// In the map is what was taken for good: what was noted is written down where save
// is called for, and else sometime.
func tale(w *Writer, taken map[string]bool, save bool) (seal string, err error) {
	content := func(key string) string {
		if key == "large.gz" {
			return largeContent
		}
		return "content of " + key
	}
	for _, key := range []string{"a.gz", "A.gz", "large.gz", "b/c.gz", "b"} {
		err = errors.Join(err, w.Note(Record{Ref: ref(key), Listed: true, ListedSize: int64(len(content(key))), Modified: collected}))
		if rec, ok := w.Get(ref(key)); ok {
			b, err := w.Body(rec)
			if err != nil {
				return "", err
			}
			text, err := io.ReadAll(b)
			b.Close()
			if err != nil || string(text) != content(key) {
				return "", fmt.Errorf("%q: %d bytes: %v", key, len(text), err)
			}
			continue
		}
		if taken[key] {
			return "", fmt.Errorf("%q was taken whole and is fetched again", key)
		}
		_, failed := w.Put(Record{Ref: ref(key), Object: &Object{Size: 1}}, strings.NewReader(content(key)))
		err = errors.Join(err, failed)
		if save {
			err = errors.Join(err, w.flush())
			taken[key] = err == nil
		}
	}
	err = errors.Join(err, w.Note(Record{Ref: ref("none.gz"), Missing: true}),
		w.File("settings/one.json", []byte("{}")), w.File("public-keys/keys.json", bytes.Repeat([]byte("k"), 5000)))
	if err != nil {
		return "", err
	}
	return w.Commit(head())
}

// untilKilled plays the tale until the process ends, and lets go what an end lets go.
func untilKilled(t *testing.T, name string, steps int, taken map[string]bool, save bool) (killed bool) {
	t.Helper()
	w, err := Create(context.Background(), name, identity("x"))
	if errors.Is(err, ErrExists) {
		return false
	}
	if err != nil {
		t.Fatalf("step %d: %v", steps, err)
	}
	inner := w.vault
	w.vault = mortal{inner, &steps}
	w.saveWait = time.Hour // the steps are this goroutine's
	defer func() {
		if r := recover(); r != nil {
			if r != error(errKilled) {
				panic(r)
			}
			killed = true
			if w.saving != nil {
				w.saving.Stop() // it would hold all that the dead process held
			}
			w.lock.Close()
			w.journal.file.Close() // what it held in memory is lost
			inner.close()
		}
	}()
	if _, err := tale(w, taken, save); err != nil {
		t.Fatalf("%d steps left: %v", steps, err)
	}
	return false
}

// said is what a bundle holds, without where it lies.
func said(t *testing.T, name string) string {
	t.Helper()
	r, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var b strings.Builder
	for rec, err := range r.List("b", "", "") {
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&b, rec.Ref, rec.Listed, rec.ListedSize, rec.Missing, rec.SHA256)
		if rec.Path != "" {
			bodyOf(t, r, rec)
		}
	}
	for _, f := range r.Head().Files {
		fmt.Fprintln(&b, f.Path, f.SHA256)
	}
	if got := alterations(r); len(got) > 0 {
		t.Fatalf("altered: %q", got)
	}
	return b.String()
}

// However often and wherever a collection ends before it is whole, going on gives
// the same bundle, and nothing that was taken whole is fetched again.
func TestKilledAtEveryStep(t *testing.T) {
	for _, form := range forms {
		for _, save := range []bool{true, false} {
			t.Run(fmt.Sprint(form, " saved ", save), func(t *testing.T) {
				t.Parallel() // it waits for the disk
				killedAtEveryStep(t, form, save)
			})
		}
	}
}

func killedAtEveryStep(t *testing.T, form string, save bool) {
	whole := filepath.Join(t.TempDir(), form)
	if untilKilled(t, whole, 1<<30, map[string]bool{}, save) {
		t.Fatal("killed")
	}
	want := said(t, whole)
	stride := 1
	if raced {
		stride = 5
	}
	for step := 1; ; step += stride {
		name := filepath.Join(t.TempDir(), form)
		taken := map[string]bool{}
		if !untilKilled(t, name, step, taken, save) {
			break // it took fewer steps
		}
		if r, err := Open(name); err == nil {
			r.Close() // it was killed after its end
		} else if !errors.Is(err, ErrNoBundle) || !strings.Contains(err.Error(), "interrupted") {
			t.Fatalf("step %d: %v", step, err)
		}
		if step%4 == 0 {
			untilKilled(t, name, step/2+1, taken, save) // and once more on the way
		}
		untilKilled(t, name, 1<<30, taken, save)
		if got := said(t, name); got != want {
			t.Fatalf("step %d: %s\nwant %s", step, got, want)
		}
	}
}

// What an end that was interrupted leaves is not in the way.
func TestKilledWithinTheEndOfADirectory(t *testing.T) {
	name := filepath.Join(t.TempDir(), "evidence")
	w := create(t, name)
	put(t, w, ref("a.gz"), []byte("a"))
	w.Close()
	os.Mkdir(filepath.Join(name, manifestFolder), 0o700)
	for _, half := range []string{sumPath, workFolder + "/" + manifestPath, "manifest/000000.ndjson", "manifest/000007.ndjson"} {
		if err := os.WriteFile(filepath.Join(name, half), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w = create(t, name)
	commit(t, w)
	os.Mkdir(filepath.Join(name, workFolder), 0o700)
	os.WriteFile(filepath.Join(name, workFolder, "journal.ndjson"), []byte("left"), 0o600)
	holdsBytes(t, name, map[string]string{"a.gz": "a"})
	if _, err := Create(context.Background(), name, identity("x")); !errors.Is(err, ErrExists) {
		t.Errorf("%v", err)
	}
}

// What is left of a finished file's work is not gone on with where the file was
// taken away.
func TestWhatIsLeftOfAFinishedFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "evidence.tar")
	w := create(t, name)
	put(t, w, ref("a.gz"), []byte("a"))
	w.Close()
	os.Remove(filepath.Join(workOf(name), dataName)) // as a rename does
	w = create(t, name)
	if _, ok := w.Get(ref("a.gz")); ok {
		t.Error("it is said to be there")
	}
	put(t, w, ref("b.gz"), []byte("b"))
	commit(t, w)
	holdsBytes(t, name, map[string]string{"b.gz": "b"})
}

const childEnv = "TRAILSEAL_TEST_COLLECT"

// The process is killed for real, at any moment.
func TestKilledAtAnyMoment(t *testing.T) {
	if name := os.Getenv(childEnv); name != "" {
		w, err := Create(context.Background(), name, identity("x"))
		if err == nil {
			_, err = tale(w, map[string]bool{}, false)
		}
		if err != nil && !errors.Is(err, ErrExists) {
			t.Fatal(err)
		}
		return
	}
	if testing.Short() || runtime.GOOS == "windows" {
		t.Skip("SKIPPED: processes are not killed here")
	}
	for _, form := range forms {
		whole := filepath.Join(t.TempDir(), form)
		w := create(t, whole)
		if _, err := tale(w, map[string]bool{}, false); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(t.TempDir(), form)
		for wait := 2 * time.Millisecond; ; wait += wait/8 + 2*time.Millisecond {
			c := exec.Command(os.Args[0], "-test.run=^TestKilledAtAnyMoment$")
			c.Env = append(os.Environ(), childEnv+"="+name)
			var out bytes.Buffer
			c.Stdout, c.Stderr = &out, &out
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			timer := time.AfterFunc(wait, func() { c.Process.Kill() })
			err := c.Wait()
			timer.Stop()
			if err == nil {
				break
			}
			if out.Len() > 0 && strings.Contains(out.String(), "FAIL") {
				t.Fatalf("%s", out.String())
			}
			if wait > 10*time.Second {
				t.Fatal("it never ends")
			}
		}
		if got, want := said(t, name), said(t, whole); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}
