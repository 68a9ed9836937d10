package bundle

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/trailseal/trailseal/verify"
)

// A forgery is a bundle of one file whose manifest an adversary wrote, who knows the
// format: all that can be made to agree agrees.
type forgery struct {
	form    form
	data    []byte
	records []Record
	head    Head
	change  func(line []byte) []byte // of a record's text
}

// entry appends raw bytes as an entry.
func (f *forgery) entry(raw []byte) *Extent {
	if f.form == formZstd {
		raw = encoder().EncodeAll(raw, nil)
	}
	return f.raw(raw)
}

func (f *forgery) raw(packed []byte) *Extent {
	at := &Extent{int64(len(f.data)), int64(len(packed))}
	f.data = append(f.data, packed...)
	return at
}

// plain is an entry as a writer makes it.
func plainEntry(path, content string) []byte {
	text, err := header(path, int64(len(content)))
	if err != nil {
		panic(err)
	}
	return append(append(text, content...), make([]byte, padding(int64(len(content))))...)
}

// add appends an object and its record.
func (f *forgery) add(key, content string) *Record {
	p := pathOf(ref(key))
	f.records = append(f.records, Record{Ref: ref(key), Path: p, Size: int64(len(content)), SHA256: hashOf([]byte(content)), Object: &Object{}, At: f.entry(plainEntry(p, content))})
	return &f.records[len(f.records)-1]
}

// write ends the file.
func (f *forgery) write(t testing.TB, name string) {
	t.Helper()
	var text []byte
	for _, r := range f.records {
		line, err := json.Marshal(line{Bucket: r.Ref.Bucket, Key: r.Ref.Key, Record: r})
		if err != nil {
			t.Fatal(err)
		}
		if f.change != nil {
			line = f.change(line)
		}
		text = append(append(text, line...), '\n')
	}
	h := head()
	h.Schema, h.Records, h.Void, h.Files = Schema, int64(len(f.records)), f.head.Void, append([]File{}, f.head.Files...)
	h.Index = []Chunk{}
	if len(f.records) > 0 {
		c := Chunk{File: File{Path: chunkPath(0), Size: int64(len(text)), SHA256: hashOf(text)}, Count: len(f.records), Bucket: f.records[0].Ref.Bucket, Key: f.records[0].Ref.Key}
		c.At = f.entry(plainEntry(c.Path, string(text)))
		h.Index = append(h.Index, c)
	}
	manifest, err := json.MarshalIndent(h, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	var end footer
	end.manifest = *f.entry(plainEntry(manifestPath, string(manifest)))
	end.sum = *f.entry(plainEntry(sumPath, string(sumText(manifest))))
	last, err := ending(f.form, end)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, append(f.data, last...), 0o600); err != nil {
		t.Fatal(err)
	}
}

// tarOf is one member as archive/tar writes it.
func tarOf(h *tar.Header, content string) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(h); err != nil {
		panic(err)
	}
	io.WriteString(w, content)
	w.Flush()
	return b.Bytes()
}

// Whoever writes a manifest that lies gets no other bytes taken for an object's, no
// bytes that nobody accounts for, and no crash.
func TestManifestsThatLie(t *testing.T) {
	const content = "what was collected"
	cases := map[string]struct {
		forge func(f *forgery)
		gives bool   // the object's bytes are right all the same
		want  string // in what is said; empty: nothing is
	}{
		"honest":        {func(f *forgery) {}, true, ""},
		"another's":     {func(f *forgery) { f.records[0].At = f.records[1].At }, false, "header is of"},
		"both":          {func(f *forgery) { f.records[1].At = f.records[0].At }, true, "header is of"},
		"larger":        {func(f *forgery) { f.records[0].Size++ }, false, "header is of"},
		"huge":          {func(f *forgery) { f.records[0].Size = 1 << 62 }, false, "header"},
		"largest":       {func(f *forgery) { f.records[0].Size = 1<<63 - 1 }, false, "header"},
		"hash":          {func(f *forgery) { f.records[0].SHA256 = hashOf(nil) }, false, "SHA-256"},
		"no place":      {func(f *forgery) { f.records[0].At = nil }, false, "does not say where"},
		"before":        {func(f *forgery) { f.records[0].At.Offset = -1 }, false, "does not say where"},
		"behind":        {func(f *forgery) { f.records[0].At.Offset = 1 << 40 }, false, "not what was collected"},
		"end of all":    {func(f *forgery) { f.records[0].At = &Extent{1<<63 - 1, 1<<63 - 1} }, false, "does not say where"},
		"long extent":   {func(f *forgery) { f.records[0].At.Length += f.records[1].At.Length }, false, "not what was collected"},
		"empty place":   {func(f *forgery) { f.records[0].At.Length = 0 }, false, "does not say where"},
		"unnamed":       {func(f *forgery) { f.raw(make([]byte, 1024)) }, true, "of no entry"},
		"unnamed entry": {func(f *forgery) { f.entry(plainEntry("s3/b/hidden.gz", "hidden")) }, true, "of no entry"},
		"void that is none": {func(f *forgery) {
			f.head.Void = []Extent{*f.entry(plainEntry("s3/b/hidden.gz", "hidden"))}
		}, true, "where nothing is"},
		"void": {func(f *forgery) {
			at := Extent{int64(len(f.data)), 2 * block}
			f.data = append(f.data, make([]byte, 2*block)...)
			w := &sliceAt{f.data}
			if err := fill(w, f.form, at); err != nil {
				panic(err)
			}
			f.head.Void = []Extent{at}
		}, true, ""},
		"twice": {func(f *forgery) { f.records = append(f.records[:1:1], f.records[0], f.records[1]) }, true, "twice"},
		"twice, older": {func(f *forgery) {
			again := f.records[0]
			again.Older = true
			f.records = append([]Record{again}, f.records...)
		}, true, "twice"},
		"order":           {func(f *forgery) { slices.Reverse(f.records) }, false, "not in order"},
		"path out":        {func(f *forgery) { f.records[0].Path = "s3/b/../../../etc/passwd" }, false, "cannot be the path"},
		"path root":       {func(f *forgery) { f.records[0].Path = "/etc/passwd" }, false, "cannot be the path"},
		"path of another": {func(f *forgery) { f.records[0].Path, f.records[0].At = f.records[1].Path, f.records[1].At }, false, "cannot be the path"},
		"no json":         {func(f *forgery) { f.change = func([]byte) []byte { return []byte("{") } }, false, "manifest"},
		"deep": {func(f *forgery) {
			f.change = func([]byte) []byte { return []byte(`{"bucket":` + strings.Repeat("[", 500_000)) }
		}, false, "manifest"},
		"two in one": {func(f *forgery) {
			f.change = func(l []byte) []byte { return append(l, l...) }
		}, false, "manifest"},
	}
	kinds := map[string]*tar.Header{
		"symlink":    {Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"},
		"hard link":  {Typeflag: tar.TypeLink, Linkname: "/etc/passwd"},
		"fifo":       {Typeflag: tar.TypeFifo},
		"device":     {Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 5},
		"folder":     {Typeflag: tar.TypeDir},
		"pax":        {Typeflag: tar.TypeReg, Size: int64(len(content)), Format: tar.FormatPAX, PAXRecords: map[string]string{"SCHILY.xattr.x": "y"}},
		"gnu":        {Typeflag: tar.TypeReg, Size: int64(len(content)), Format: tar.FormatGNU},
		"other name": {Typeflag: tar.TypeReg, Size: int64(len(content)), Name: "s3/b/other.gz"},
		"mode":       {Typeflag: tar.TypeReg, Size: int64(len(content)), Mode: 0o4777},
	}
	for name, h := range kinds {
		cases[name] = struct {
			forge func(f *forgery)
			gives bool
			want  string
		}{func(f *forgery) {
			if h.Name == "" {
				h.Name = f.records[0].Path
			}
			text := ""
			if h.Typeflag == tar.TypeReg {
				text = content
			}
			f.records[0].At = f.entry(tarOf(h, text))
		}, false, "header"}
	}
	for name, c := range cases {
		for _, form := range []form{formTar, formZstd} {
			t.Run(fmt.Sprintf("%s/%d", name, form), func(t *testing.T) {
				f := &forgery{form: form}
				f.add("a.gz", content)
				f.add("b.gz", strings.Repeat("another ", 300))
				c.forge(f)
				at := filepath.Join(t.TempDir(), "x.tar")
				f.write(t, at)
				r := open(t, at)
				rec, ok, err := r.Get(ref("a.gz"))
				var got []byte
				if err == nil && ok {
					var b Body
					if b, err = r.Body(rec); err == nil {
						got, err = io.ReadAll(b)
						b.Close()
					}
				}
				if gives := err == nil && string(got) == content; gives != c.gives || err != nil && !errors.Is(err, ErrAltered) || err == nil && ok && string(got) != content {
					t.Errorf("%v %.60q: %v, want %v", ok, got, err, c.gives)
				}
				said := strings.Join(alterations(r), "\n")
				if (said == "") != (c.want == "") || !strings.Contains(said, c.want) {
					t.Errorf("said %q, want %q", said, c.want)
				}
			})
		}
	}
}

type sliceAt struct{ b []byte }

func (s *sliceAt) WriteAt(p []byte, at int64) (int, error) { return copy(s.b[at:], p), nil }

// Frames that open to far more than is said are refused in memory that is bounded.
func TestFramesThatGrow(t *testing.T) {
	var bomb bytes.Buffer
	z, _ := zstd.NewWriter(&bomb, zstd.WithEncoderLevel(zstd.SpeedFastest))
	zeros := make([]byte, 1<<20)
	for range 1024 {
		z.Write(zeros)
	}
	z.Close()
	t.Logf("%d bytes open to 1 GiB", bomb.Len())
	var wide bytes.Buffer
	z, _ = zstd.NewWriter(&wide, zstd.WithWindowSize(512<<20), zstd.WithEncoderConcurrency(1))
	z.Write(zeros)
	z.Flush()
	z.Write(zeros)
	z.Close()
	for name, packed := range map[string][]byte{"bomb": bomb.Bytes(), "window": wide.Bytes()} {
		for _, size := range []int64{10, wholeBytes, wholeBytes + 1, 1 << 40} {
			t.Run(fmt.Sprint(name, size), func(t *testing.T) {
				f := &forgery{form: formZstd}
				r := f.add("a.gz", "a")
				r.Size, r.At = size, f.raw(packed)
				at := filepath.Join(t.TempDir(), "x.tar.zst")
				f.write(t, at)
				grown := growth(func() {
					if got := alterations(open(t, at)); len(got) == 0 {
						t.Error("nothing is said")
					}
				})
				if grown > 100<<20 {
					t.Errorf("%d MiB were allocated", grown>>20)
				}
			})
		}
	}
	t.Run("manifest", func(t *testing.T) {
		f := &forgery{form: formZstd}
		var end footer
		end.manifest = *f.raw(bomb.Bytes())
		end.sum = *f.entry(plainEntry(sumPath, "x"))
		last, _ := ending(formZstd, end)
		at := filepath.Join(t.TempDir(), "x.tar.zst")
		os.WriteFile(at, append(f.data, last...), 0o600)
		if grown := growth(func() {
			if _, err := Open(at); err == nil {
				t.Error("it is opened")
			}
		}); grown > 1000<<20 {
			t.Errorf("%d MiB were allocated", grown>>20)
		}
	})
}

// Whatever is done to a directory's files is noticed, and nothing is waited for.
func TestAnyByteOfADirectoryThatChangesIsNoticed(t *testing.T) {
	origin := filepath.Join(t.TempDir(), "evidence")
	write(t, origin, map[verify.Ref][]byte{ref("a.gz"): []byte("aa"), ref("A.gz"): []byte("AA"), ref("c/d.gz"): nil})
	var files []string
	filepath.WalkDir(origin, func(p string, d os.DirEntry, err error) error {
		if !d.IsDir() {
			rel, _ := filepath.Rel(origin, p)
			files = append(files, rel)
		}
		return err
	})
	if len(files) < 6 {
		t.Fatalf("%q", files)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for _, file := range files {
		name := filepath.Join(origin, file)
		whole, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		changes := map[string][]byte{"longer": append(bytes.Clone(whole), 'x'), "absent": nil}
		if len(whole) > 0 {
			changes["shorter"] = whole[:len(whole)-1]
		}
		for i := range min(100, 8*len(whole)) {
			changed := bytes.Clone(whole)
			changed[r.IntN(len(whole))] ^= 1 << r.IntN(8)
			changes[fmt.Sprint(i)] = changed
		}
		for how, changed := range changes {
			os.Remove(name)
			if changed != nil {
				os.WriteFile(name, changed, 0o600)
			}
			if got, altered := whatItSays(origin); !altered {
				t.Errorf("%s, %s: nothing is said: %s", file, how, got)
			}
		}
		os.WriteFile(name, whole, 0o600)
	}
	if got, altered := whatItSays(origin); altered {
		t.Error(got)
	}
}

// A tar that somebody packed of a bundle is not read, and what to do is said.
func TestATarPackedAnewIsToBeUnpacked(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "evidence")
	write(t, name, map[verify.Ref][]byte{ref("a.gz"): []byte("a")})
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.AddFS(os.DirFS(name)); err != nil {
		t.Fatal(err)
	}
	w.Close()
	for what, text := range map[string][]byte{"tar": b.Bytes(), "zst": encoder().EncodeAll(b.Bytes(), nil), "empty": nil, "text": []byte("hello")} {
		at := filepath.Join(dir, "x.tar")
		os.WriteFile(at, text, 0o600)
		if _, err := Open(at); !errors.Is(err, ErrNoBundle) || !strings.Contains(err.Error(), "unpacked") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Entries that were moved are found by what they are, the same whatever is asked first.
func TestManyThatWereMoved(t *testing.T) {
	name := filepath.Join(t.TempDir(), "evidence")
	all := map[verify.Ref][]byte{}
	for i := range 300 {
		all[ref(fmt.Sprintf("day/%03d.gz", i))] = []byte{byte(i % 3)} // many alike
	}
	write(t, name, all)
	if err := os.Rename(filepath.Join(name, "s3", "b", "day"), filepath.Join(name, "elsewhere")); err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filepath.Join(name, "elsewhere", "more.gz"), []byte("more"), 0o600)
	var said []string
	for _, forward := range []bool{true, false} {
		r := open(t, name)
		refs := sortedRefs(all)
		if !forward {
			slices.Reverse(refs)
		}
		for _, at := range refs {
			rec, _, err := r.Get(at)
			if err != nil {
				t.Fatal(err)
			}
			if got := bodyOf(t, r, rec); !bytes.Equal(got, all[at]) {
				t.Errorf("%q", got)
			}
		}
		said = append(said, strings.Join(alterations(r), "\n"))
	}
	if said[0] != said[1] {
		t.Error("what is said depends on the order")
	}
	if n := strings.Count(said[0], "not in its manifest"); n != 1 {
		t.Errorf("%d files are said to be extra: %s", n, said[0])
	}
	if n := strings.Count(said[0], "lies at"); n != 300 {
		t.Errorf("%d were moved", n)
	}
}

// A header is what archive/tar reads, and for the most part what it writes.
func TestHeaders(t *testing.T) {
	for _, size := range []int64{0, 1, 511, 512, 1<<33 - 1, 1 << 33, 1 << 40} {
		for _, n := range []int{1, 50, 99, 100, 101, 155, 256, 900} {
			p := strings.Repeat("x", n)
			got, err := header(p, size)
			if err != nil {
				t.Fatal(err)
			}
			h, err := tar.NewReader(bytes.NewReader(got)).Next()
			if err != nil || h.Name != p || h.Size != size || h.Typeflag != tar.TypeReg || h.Mode != 0o600 || h.ModTime.Unix() != 0 {
				t.Errorf("%d, %d: %+v %v", n, size, h, err)
			}
			if n <= 100 && size < 1<<33 {
				if want := tarOf(&tar.Header{Typeflag: tar.TypeReg, Name: p, Mode: 0o600}, ""); size == 0 && !bytes.Equal(got, want) {
					t.Errorf("%d: %q\nwant %q", n, got, want)
				}
			}
		}
	}
}
