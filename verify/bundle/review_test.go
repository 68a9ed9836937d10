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
	"strings"
	"testing"
	"testing/iotest"

	"github.com/trailseal/trailseal/verify"
)

func create(t testing.TB, name string) *Writer {
	t.Helper()
	w, err := Create(context.Background(), name, identity("x"))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func ref(key string) verify.Ref { return verify.Ref{Bucket: "b", Key: key} }

// An object that was read, and then could not be read once more, leaves a bundle
// that is sound: its bytes are of a record that does not count.
func TestAnObjectThatIsGoneWhenReadOnceMore(t *testing.T) {
	for _, form := range forms {
		for name, later := range map[string]Record{
			"missing":    {Ref: ref("a.gz"), Missing: true},
			"unreadable": {Ref: ref("a.gz"), Unreadable: &Unreadable{What: "a", Reason: verify.AccessDenied, Err: "403"}},
			"no bytes":   {Ref: ref("a.gz"), Object: &Object{Size: 1}},
		} {
			t.Run(form+"/"+name, func(t *testing.T) {
				at := filepath.Join(t.TempDir(), form)
				w := create(t, at)
				put(t, w, ref("a.gz"), []byte("once"))
				if err := w.Note(later); err != nil {
					t.Fatal(err)
				}
				commit(t, w)
				r := open(t, at)
				rec, ok, err := r.Get(ref("a.gz"))
				if err != nil || !ok || rec.Path != "" || rec.Missing != later.Missing || !rec.Listed {
					t.Errorf("%+v %v %v", rec, ok, err)
				}
				if got := alterations(r); len(got) > 0 {
					t.Errorf("altered: %q", got)
				}
			})
		}
	}
}

// A body that breaks is the source's trouble, and the collection goes on.
func TestABodyThatBreaksLeavesNothing(t *testing.T) {
	for _, form := range forms {
		at := filepath.Join(t.TempDir(), form)
		w := create(t, at)
		for _, size := range []int{10, wholeBytes + 10} {
			broken := io.MultiReader(bytes.NewReader(make([]byte, size)), iotest.ErrReader(io.ErrUnexpectedEOF))
			if _, err := w.Put(Record{Ref: ref("a.gz"), Object: &Object{}}, broken); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s: %v", form, err)
			}
		}
		put(t, w, ref("b.gz"), []byte("whole"))
		commit(t, w)
		holds(t, open(t, at), map[verify.Ref][]byte{ref("b.gz"): []byte("whole")})
	}
}

// A bundle is not finished where a part of it could not be written.
func TestAWriteThatFailsIsNoBundle(t *testing.T) {
	if os.Getuid() == 0 {
		t.Log("as root: folders refuse nothing; a file stands in the way")
	}
	at := filepath.Join(t.TempDir(), "evidence")
	w := create(t, at)
	put(t, w, ref("b.gz"), []byte("whole"))
	if err := os.WriteFile(filepath.Join(at, "s3", "b", "folder"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Put(Record{Ref: ref("folder/a.gz"), Object: &Object{}}, strings.NewReader("a")); err == nil {
		t.Fatal("it was written through a file")
	}
	if _, err := w.Commit(head()); err == nil {
		t.Error("a bundle that lacks a part is finished")
	}
	if _, err := os.Stat(filepath.Join(at, manifestPath)); err == nil {
		t.Error("there is a manifest")
	}
	w.Close()
}

// Nothing that is there is written over, and nobody else's collection is gone on with.
func TestWhatIsThereStays(t *testing.T) {
	ctx := context.Background()
	for _, form := range forms {
		t.Run(form, func(t *testing.T) {
			at := filepath.Join(t.TempDir(), form)
			w := create(t, at)
			if _, err := Create(ctx, at, identity("x")); err == nil || !strings.Contains(err.Error(), "under way") {
				t.Errorf("two at once: %v", err)
			}
			if _, err := Open(at); !errors.Is(err, ErrNoBundle) || !strings.Contains(err.Error(), "interrupted") {
				t.Errorf("an unfinished one: %v", err)
			}
			put(t, w, ref("a.gz"), []byte("a"))
			w.Close()
			var other *ResumeError
			if _, err := Create(ctx, at, identity("y")); !errors.As(err, &other) || !strings.Contains(err.Error(), "remove") {
				t.Errorf("another: %v", err)
			}
			w = create(t, at)
			if form != "evidence" { // somebody puts a file where the bundle is to go
				if err := os.WriteFile(at, []byte("mine"), 0o600); err != nil {
					t.Fatal(err)
				}
				if _, err := w.Commit(head()); !errors.Is(err, ErrExists) {
					t.Errorf("it is written over: %v", err)
				}
				if text, _ := os.ReadFile(at); string(text) != "mine" {
					t.Errorf("%q", text)
				}
				w.Close()
				os.Remove(at)
				w = create(t, at)
			}
			commit(t, w)
			if _, err := Create(ctx, at, identity("x")); !errors.Is(err, ErrExists) {
				t.Errorf("a finished one: %v", err)
			}
			holdsBytes(t, at, map[string]string{"a.gz": "a"})
		})
	}
	full := t.TempDir()
	os.WriteFile(filepath.Join(full, "mine"), nil, 0o600)
	if _, err := Create(ctx, full, identity("x")); !errors.Is(err, ErrExists) {
		t.Errorf("a folder that is not empty: %v", err)
	}
}

// holdsBytes wants exactly these objects of bucket b, and nothing altered.
func holdsBytes(t *testing.T, at string, want map[string]string) {
	t.Helper()
	r, err := Open(at)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	n := 0
	for rec, err := range r.List("b", "", "") {
		if err != nil {
			t.Fatal(err)
		}
		if got := string(bodyOf(t, r, rec)); got != want[rec.Ref.Key] {
			t.Errorf("%q: %.60q, want %.60q", rec.Ref.Key, got, want[rec.Ref.Key])
		}
		n++
	}
	if n != len(want) {
		t.Errorf("%d objects, want %d", n, len(want))
	}
	if got := alterations(r); len(got) > 0 {
		t.Errorf("altered: %q", got)
	}
}

// What was torn, or written for an end that was not reached, is not in the way:
// the bundle is sound, and everyone's tar unpacks it into one that is.
func TestAfterAnInterruptionTarStillUnpacksIt(t *testing.T) {
	for _, form := range forms[1:] {
		t.Run(form, func(t *testing.T) {
			dir := t.TempDir()
			at := filepath.Join(dir, form)
			w := create(t, at)
			large := bytes.Repeat([]byte("large"), 1<<20)
			put(t, w, ref("torn.gz"), large)
			if err := w.File("settings/old.json", []byte("an end that was not reached")); err != nil {
				t.Fatal(err)
			}
			put(t, w, ref("a.gz"), []byte("a"))
			put(t, w, ref("torn2.gz"), []byte("b"))
			w.Close()
			data := filepath.Join(workOf(at), "data")
			text, _ := os.ReadFile(data)
			clear(text[:len(text)/3*2])
			clear(text[len(text)-300:])
			if i := bytes.Index(text, []byte("s3/b/a.gz")); form == "evidence.tar" && i < 0 {
				t.Fatal("the test tears too much")
			}
			os.WriteFile(data, text, 0o600)
			w = create(t, at)
			if _, ok := w.Get(ref("torn.gz")); ok {
				t.Error("it trusts what is torn")
			}
			put(t, w, ref("torn.gz"), large)
			put(t, w, ref("torn2.gz"), []byte("b"))
			if _, ok := w.Get(ref("a.gz")); !ok {
				put(t, w, ref("a.gz"), []byte("a"))
			}
			seal := commit(t, w)
			want := map[string]string{"torn.gz": string(large), "torn2.gz": "b", "a.gz": "a"}
			holdsBytes(t, at, want)
			to := filepath.Join(dir, "unpacked")
			os.Mkdir(to, 0o700)
			args := []string{"-xf", at, "-C", to}
			if strings.HasSuffix(at, ".zst") {
				args = append([]string{"--zstd"}, args...)
			}
			if out, err := exec.Command("tar", args...).CombinedOutput(); err != nil || len(out) > 0 {
				t.Fatalf("tar: %v: %s", err, out)
			}
			if r := open(t, to); r.Seal() != seal {
				t.Error("another seal")
			}
			holdsBytes(t, to, want)
		})
	}
}

// A directory that is gone on with holds nothing of the first try that is not in
// the manifest.
func TestAnInterruptedDirectoryLeavesNoStrays(t *testing.T) {
	at := filepath.Join(t.TempDir(), "evidence")
	w := create(t, at)
	put(t, w, ref("a.gz"), []byte("a"))
	if err := w.File("settings/old.json", []byte("old")); err != nil {
		t.Fatal(err)
	}
	w.Close()
	os.WriteFile(filepath.Join(at, "s3", "b", "lost.gz"), []byte("its line was lost with the power"), 0o600)
	os.WriteFile(filepath.Join(at, workFolder, "entry-7"), []byte("half"), 0o600)
	w = create(t, at)
	commit(t, w)
	holdsBytes(t, at, map[string]string{"a.gz": "a"})
}

// A tail that says that more of it is content than there is.
func TestAManifestThatIsShorterThanItSays(t *testing.T) {
	for size := int64(1); size < 3000; size += 7 {
		text, err := header(manifestPath, size)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{0, 1, 511, 512, 1024} {
			if int64(n) != size+padding(size) {
				if _, err := tarContent(append(text[:len(text):len(text)], make([]byte, n)...)); err == nil {
					t.Errorf("%d bytes of %d are taken", n, size)
				}
			}
		}
	}
}

// A head or a part that is small on disk and large in memory.
func TestManifestsThatGrow(t *testing.T) {
	start := fmt.Sprintf(`{"schema":%q,"collected":"2026-01-01T00:00:00Z","records":0,`, Schema)
	for name, text := range map[string]string{
		"null":    start + `"files":[],"index":[` + strings.Repeat("null,", 10<<20) + `null]}`,
		"objects": start + `"files":[],"index":[` + strings.Repeat("{},", 10<<20) + `{}]}`,
		"files":   start + `"index":[],"files":[` + strings.Repeat("{},", 10<<20) + `{}]}`,
		"voids":   start + `"index":[],"files":[],"void":[` + strings.Repeat("0,", 10<<20) + `0]}`,
		"deep":    start + `"run":` + strings.Repeat("[", 1<<20) + strings.Repeat("]", 1<<20) + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			os.WriteFile(filepath.Join(dir, manifestPath), []byte(text), 0o600)
			text = ""
			grown := growth(func() {
				if _, err := Open(dir); err == nil {
					t.Error("it is opened")
				}
			})
			if grown > 400<<20 {
				t.Errorf("%d MiB were allocated", grown>>20)
			}
		})
	}
}

// A journal that is zeroed or cut anywhere is gone on with as far as it is whole.
func TestAJournalThatIsDamaged(t *testing.T) {
	for _, form := range forms {
		origin := filepath.Join(t.TempDir(), form)
		w := create(t, origin)
		want := map[string]string{}
		for i := range 5 {
			key := fmt.Sprintf("k%d.gz", i)
			want[key] = strings.Repeat(key, 100)
			put(t, w, ref(key), []byte(want[key]))
		}
		w.Close()
		journal, _ := os.ReadFile(filepath.Join(workOf(origin), journalName))
		for at := 0; at < len(journal); at += 61 {
			dir := t.TempDir()
			name := filepath.Join(dir, form)
			if form == "evidence" {
				copyTree(t, origin, name)
			} else {
				copyTree(t, workOf(origin), workOf(name))
			}
			damaged := bytes.Clone(journal)
			if at%2 == 0 {
				damaged = damaged[:at]
			} else {
				clear(damaged[at:min(at+40, len(damaged))])
			}
			os.WriteFile(filepath.Join(workOf(name), journalName), damaged, 0o600)
			w := create(t, name)
			for key, text := range want {
				if rec, ok := w.Get(ref(key)); !ok {
					put(t, w, ref(key), []byte(text))
				} else if b, err := w.Body(rec); err != nil {
					t.Errorf("%s at %d: %v", form, at, err)
				} else {
					b.Close()
				}
			}
			commit(t, w)
			holdsBytes(t, name, want)
		}
	}
}

// A disk that takes nothing more: every call says so, and nothing is finished.
func TestADiskThatTakesNoMore(t *testing.T) {
	for _, form := range forms[1:] {
		at := filepath.Join(t.TempDir(), form)
		w := create(t, at)
		put(t, w, ref("a.gz"), []byte("a"))
		if err := w.flush(); err != nil {
			t.Fatal(err)
		}
		data := w.vault.(*tarVault)
		whole := data.file
		readOnly, err := os.Open(whole.Name())
		if err != nil {
			t.Fatal(err)
		}
		data.file = readOnly // every write fails
		if _, err := w.Put(Record{Ref: ref("b.gz"), Object: &Object{}}, strings.NewReader(strings.Repeat("b", saveBytes))); err == nil {
			t.Error("Put says nothing")
		}
		data.file = whole // there is room again, and yet a part is missing
		if _, err := w.Put(Record{Ref: ref("c.gz"), Object: &Object{}}, strings.NewReader("c")); err == nil {
			t.Error("Put says nothing later")
		}
		if err := w.File("settings/x.json", nil); err == nil {
			t.Error("File says nothing")
		}
		if _, err := w.Commit(head()); err == nil {
			t.Error("Commit says nothing")
		}
		if _, err := os.Lstat(at); err == nil {
			t.Error("it is finished")
		}
		w.Close()
		readOnly.Close()
		w = create(t, at)
		if _, ok := w.Get(ref("a.gz")); !ok {
			t.Error("what was taken before is gone")
		}
		if _, ok := w.Get(ref("b.gz")); ok {
			t.Error("what could not be written is there")
		}
		put(t, w, ref("b.gz"), []byte("b"))
		commit(t, w)
		holdsBytes(t, at, map[string]string{"a.gz": "a", "b.gz": "b"})
	}
}
