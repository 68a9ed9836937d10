package bundle

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// forms are a name for each form of a bundle.
var forms = []string{"evidence", "evidence.tar", "evidence.tar.zst"}

func identity(asked string) Identity {
	text, _ := json.Marshal(asked)
	return Identity{Tool: "test", Asked: text, Settled: text}
}

var collected = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func head() Head {
	return Head{Tool: "test", Collected: collected, Source: "s3://b", Run: json.RawMessage(`{}`)}
}

// objects are keys that are good and keys that are not, each with its content.
func objects() map[verify.Ref][]byte {
	all := map[verify.Ref][]byte{}
	for i, key := range []string{
		"AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/10/111122223333_CloudTrail_eu-west-1_20260310T0210Z_ZpOUha8gn2aqzdpt.json.gz",
		"AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/10/111122223333_CloudTrail_eu-west-1_20260310T0210Z_zpouha8gn2aqzdpt.json.gz",
		"a", "a/b", "a.gz", "a.gz/b", "A", "a/", "a//b", "/", "../../etc/passwd", "/etc/passwd", "..", ".", "con", "NUL.json.gz", "x/com1/y",
		"nul\x00in", "back\\slash", "c:d", "new\nline", "\x1b[2J", "tilde~1", "per%41cent", "trailing.", "trailing ", "\xff\xfe", "ü", "u\u0308",
		strings.Repeat("x", 700), strings.Repeat("y/", 500) + "z", strings.Repeat("é", 400), "manifest.json", ".collecting/journal.ndjson",
	} {
		all[verify.Ref{Bucket: "bucket", Key: key}] = bytes.Repeat([]byte{byte(i)}, i*37)
	}
	all[verify.Ref{Bucket: "other", Key: "empty"}] = nil
	return all
}

// write makes a bundle of objects.
func write(t testing.TB, name string, all map[verify.Ref][]byte) string {
	t.Helper()
	w, err := Create(context.Background(), name, identity("x"))
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range sortedRefs(all) {
		put(t, w, ref, all[ref])
	}
	return commit(t, w)
}

func sortedRefs(all map[verify.Ref][]byte) []verify.Ref {
	var refs []verify.Ref
	for ref := range all {
		refs = append(refs, ref)
	}
	slices.SortFunc(refs, compareRefs)
	return refs
}

func put(t testing.TB, w *Writer, ref verify.Ref, content []byte) {
	t.Helper()
	if err := w.Note(Record{Ref: ref, Listed: true, ListedSize: int64(len(content)), Modified: collected}); err != nil {
		t.Fatal(err)
	}
	_, err := w.Put(Record{Ref: ref, Object: &Object{Size: int64(len(content)), Metadata: map[string]string{"signature": "00"}}}, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
}

func commit(t testing.TB, w *Writer) string {
	t.Helper()
	if err := w.File("public-keys/eu-west-1.json", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	seal, err := w.Commit(head())
	if err != nil {
		t.Fatal(err)
	}
	return seal
}

func open(t testing.TB, name string) *Reader {
	t.Helper()
	r, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func alterations(r *Reader) (all []string) {
	for a := range r.Alterations(context.Background()) {
		all = append(all, fmt.Sprintf("%s|%s|%s|%s", a.Path, a.Ref.Key, a.Moved, a.Detail))
	}
	return all
}

// holds wants exactly these objects in a bundle, and nothing altered.
func holds(t *testing.T, r *Reader, all map[verify.Ref][]byte) {
	t.Helper()
	for ref, content := range all {
		rec, ok, err := r.Get(ref)
		if err != nil || !ok {
			t.Fatalf("%q: %v %v", ref.Key, ok, err)
		}
		if got := bodyOf(t, r, rec); !bytes.Equal(got, content) || !rec.Listed || rec.ListedSize != int64(len(content)) || rec.Object.Metadata["signature"] != "00" {
			t.Errorf("%q: %d bytes, want %d: %+v", ref.Key, len(got), len(content), rec)
		}
	}
	for _, bucket := range []string{"bucket", "other"} {
		var got, want []string
		for rec, err := range r.List(bucket, "", "") {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, rec.Ref.Key)
		}
		for _, ref := range sortedRefs(all) {
			if ref.Bucket == bucket {
				want = append(want, ref.Key)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q\nwant %q", bucket, got, want)
		}
	}
	if got := alterations(r); len(got) > 0 {
		t.Errorf("altered: %q", got)
	}
}

func bodyOf(t *testing.T, r *Reader, rec Record) []byte {
	t.Helper()
	b, err := r.Body(rec)
	if err != nil {
		t.Fatalf("%q: %v", rec.Path, err)
	}
	defer b.Close()
	text, err := io.ReadAll(b)
	if err != nil {
		t.Fatalf("%q: %v", rec.Path, err)
	}
	return text
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	for _, form := range forms {
		t.Run(form, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), form)
			all := objects()
			all[verify.Ref{Bucket: "bucket", Key: "large"}] = bytes.Repeat([]byte("large "), 2<<20)
			seal := write(t, name, all)
			r := open(t, name)
			if r.Seal() != seal || r.Head().Records != int64(len(all)) || !r.Head().Collected.Equal(collected) {
				t.Errorf("seal %s, want %s; head %+v", r.Seal(), seal, r.Head())
			}
			if text, err := r.File("public-keys/eu-west-1.json", 100); err != nil || string(text) != "{}" {
				t.Errorf("file: %q %v", text, err)
			}
			holds(t, r, all)
			if _, ok, err := r.Get(verify.Ref{Bucket: "bucket", Key: "none"}); ok || err != nil {
				t.Errorf("an object that is not in it: %v %v", ok, err)
			}
			if left, _ := filepath.Glob(filepath.Dir(name) + "/*collecting*"); left != nil || !Is(name) {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

// Anyone's tar unpacks it, into a bundle.
func TestTarUnpacksIt(t *testing.T) {
	if _, err := exec.LookPath("tar"); err != nil {
		t.Skip("SKIPPED: no tar here: whether it reads what is written is not known")
	}
	for _, form := range forms[1:] {
		t.Run(form, func(t *testing.T) {
			dir := t.TempDir()
			name := filepath.Join(dir, form)
			all := objects()
			seal := write(t, name, all)
			to := filepath.Join(dir, "unpacked")
			os.Mkdir(to, 0o700)
			args := []string{"-xf", name, "-C", to}
			if strings.HasSuffix(form, ".zst") {
				if _, err := exec.LookPath("zstd"); err != nil {
					t.Skip("SKIPPED: no zstd here")
				}
				args = append([]string{"--zstd"}, args...)
			}
			if out, err := exec.Command("tar", args...).CombinedOutput(); err != nil || len(out) > 0 {
				t.Fatalf("tar: %v: %s", err, out)
			}
			r := open(t, to)
			if r.Seal() != seal {
				t.Errorf("another seal")
			}
			holds(t, r, all)
		})
	}
}

// Nobody's key leads out of the bundle, or to another's place.
func TestPaths(t *testing.T) {
	lower := map[string]verify.Ref{}
	for ref := range objects() {
		p := pathOf(ref)
		if !filepath.IsLocal(p) || strings.ContainsAny(p, "\\:*?\"<>|\x00") || len(p) > 1000 || !strings.HasPrefix(p, "s3/") || !belongs(p, ref) {
			t.Errorf("%q: %q", ref.Key, p)
		}
		for e := range strings.SplitSeq(p, "/") {
			if e == "" || len(e) > 255 || strings.HasSuffix(e, ".") || strings.HasSuffix(e, " ") || device(e) {
				t.Errorf("%q: the element %q", ref.Key, e)
			}
		}
		if other, ok := lower[strings.ToLower(p)]; ok && !strings.EqualFold(other.Key, ref.Key) {
			t.Errorf("%q and %q have the path %q", ref.Key, other.Key, p)
		}
		lower[strings.ToLower(p)] = ref
	}
	plain := "AWSLogs/o-abc/111122223333/CloudTrail-Digest/eu-west-1/2026/03/10/111122223333_CloudTrail-Digest_eu-west-1_my-trail_us-east-1_20260310T021000Z.json.gz"
	if p := pathOf(verify.Ref{Bucket: "my.bucket", Key: "p/" + plain}); p != "s3/my.bucket/p/"+plain {
		t.Errorf("CloudTrail's own names change: %q", p)
	}
}

// On a system that does not tell case apart nothing is written over.
func TestNoTwoPathsDifferInCaseAlone(t *testing.T) {
	name := filepath.Join(t.TempDir(), "evidence")
	w, err := Create(context.Background(), name, identity("x"))
	if err != nil {
		t.Fatal(err)
	}
	paths := map[string]bool{}
	for _, key := range []string{"AB.json.gz", "ab.json.gz", "Ab.json.gz", "ab.json.gz"} {
		r, err := w.Put(Record{Ref: verify.Ref{Bucket: "b", Key: key}, Object: &Object{}}, strings.NewReader(key))
		if err != nil || paths[strings.ToLower(r.Path)] {
			t.Errorf("%q at %q: %v", key, r.Path, err)
		}
		paths[strings.ToLower(r.Path)] = true
	}
	commit(t, w)
	if got := alterations(open(t, name)); len(got) > 0 {
		t.Errorf("%q", got)
	}
}

func TestConcurrentPuts(t *testing.T) {
	for _, form := range forms {
		name := filepath.Join(t.TempDir(), form)
		w, err := Create(context.Background(), name, identity("x"))
		if err != nil {
			t.Fatal(err)
		}
		all := map[verify.Ref][]byte{}
		for i := range 2000 {
			all[verify.Ref{Bucket: "bucket", Key: fmt.Sprintf("k/%05d.gz", i)}] = bytes.Repeat([]byte{byte(i)}, i%700)
		}
		var group sync.WaitGroup
		for _, ref := range sortedRefs(all) {
			group.Go(func() { put(t, w, ref, all[ref]) })
		}
		group.Wait()
		commit(t, w)
		holds(t, open(t, name), all)
	}
}

// copyTree copies a file or a directory.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if info, err := os.Stat(from); err != nil {
		t.Fatal(err)
	} else if info.IsDir() {
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
		return
	}
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// whatItSays is all that a bundle gives, or that it is altered.
func whatItSays(name string) (text string, altered bool) {
	r, err := Open(name)
	if err != nil {
		return err.Error(), true
	}
	defer r.Close()
	var b strings.Builder
	for n, err := range r.index.from(verify.Ref{}) {
		if err != nil {
			return err.Error(), true
		}
		fmt.Fprintf(&b, "%+v\n", n.Ref)
		if body, err := r.Body(n.Record); err == nil {
			h := sha256.New()
			if _, err := io.Copy(h, body); err == nil {
				b.WriteString(hex.EncodeToString(h.Sum(nil)))
			}
			body.Close()
		}
	}
	for a := range r.Alterations(context.Background()) {
		if a.Moved == "" {
			return a.Detail, true
		}
	}
	return b.String() + r.Seal(), false
}

// No byte of a bundle changes without being noticed, but for those that mean nothing.
func TestAnyByteThatChangesIsNoticed(t *testing.T) {
	few := map[verify.Ref][]byte{}
	for i, ref := range sortedRefs(objects()) {
		if i%6 == 0 {
			few[ref] = objects()[ref]
		}
	}
	for _, form := range forms[1:] {
		t.Run(form, func(t *testing.T) {
			dir := t.TempDir()
			name := filepath.Join(dir, form)
			write(t, name, few)
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			want, altered := whatItSays(name)
			if altered {
				t.Fatal(want)
			}
			r := rand.New(rand.NewPCG(1, 2))
			silent := 0
			for range 1500 {
				at, bit := r.IntN(len(text)), byte(1)<<r.IntN(8)
				changed := bytes.Clone(text)
				changed[at] ^= bit
				os.WriteFile(name, changed, 0o600)
				if got, altered := whatItSays(name); !altered {
					if silent++; got != want {
						t.Errorf("byte %d of %d: nothing is said, and it says something else", at, len(text))
					}
				}
			}
			if silent > 40 { // bits of zstd's frames that mean nothing
				t.Errorf("%d of 1,500 changes are not noticed", silent)
			}
			for _, cut := range []int{1, 100, len(text) / 2} {
				os.WriteFile(name, text[:len(text)-cut], 0o600)
				if got, altered := whatItSays(name); !altered {
					t.Errorf("%d bytes cut off: %s", cut, got)
				}
			}
			os.WriteFile(name, append(bytes.Clone(text), 0), 0o600)
			if _, altered := whatItSays(name); !altered {
				t.Error("a byte more is not noticed")
			}
		})
	}
}

func TestDirectoriesThatChangeAreNoticed(t *testing.T) {
	few := map[verify.Ref][]byte{
		{Bucket: "b", Key: "AWSLogs/one.json.gz"}: []byte("one"), {Bucket: "b", Key: "AWSLogs/two.json.gz"}: []byte("two"),
	}
	origin := filepath.Join(t.TempDir(), "evidence")
	write(t, origin, few)
	for name, c := range map[string]struct {
		change func(dir string) error
		want   string // in the one alteration; empty: none
	}{
		"nothing": {func(string) error { return nil }, ""},
		"content": {func(d string) error { return os.WriteFile(d+"/s3/b/AWSLogs/one.json.gz", []byte("onE"), 0o600) }, "SHA-256"},
		"longer":  {func(d string) error { return os.WriteFile(d+"/s3/b/AWSLogs/one.json.gz", []byte("one more"), 0o600) }, "bytes"},
		"missing": {func(d string) error { return os.Remove(d + "/s3/b/AWSLogs/one.json.gz") }, "missing"},
		"moved":   {func(d string) error { return os.Rename(d+"/s3/b/AWSLogs/one.json.gz", d+"/elsewhere") }, "|elsewhere|"},
		"extra":   {func(d string) error { return os.WriteFile(d+"/s3/b/AWSLogs/three.json.gz", nil, 0o600) }, "not in its manifest"},
		"keys":    {func(d string) error { return os.WriteFile(d+"/public-keys/eu-west-1.json", []byte("[]"), 0o600) }, "SHA-256"},
		"link": {func(d string) error {
			os.Rename(d+"/s3/b/AWSLogs/one.json.gz", d+"/s3/b/AWSLogs/other")
			return os.Symlink("other", d+"/s3/b/AWSLogs/one.json.gz")
		}, "regular"},
		"records": {func(d string) error {
			text, err := os.ReadFile(d + "/manifest/000000.ndjson")
			os.WriteFile(d+"/manifest/000000.ndjson", bytes.Replace(text, []byte(`"signature":"00"`), []byte(`"signature":"01"`), 1), 0o600)
			return err
		}, "SHA-256"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "copy")
			copyTree(t, origin, dir)
			if err := c.change(dir); err != nil {
				t.Fatal(err)
			}
			r := open(t, dir)
			got := alterations(r)
			if c.want == "" && len(got) != 0 || c.want != "" && (len(got) == 0 || !strings.Contains(strings.Join(got, "\n"), c.want)) {
				t.Errorf("%q, want %q", got, c.want)
			}
			if name == "moved" {
				rec, _, _ := r.Get(verify.Ref{Bucket: "b", Key: "AWSLogs/one.json.gz"})
				if string(bodyOf(t, r, rec)) != "one" {
					t.Error("what was moved is not found")
				}
			}
		})
	}
}
