package bundle

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// A record is refused, or is written as it was read; its path stays in the bundle.
func FuzzParseRecord(f *testing.F) {
	for _, r := range []Record{
		{Ref: ref("a.gz"), Listed: true, ListedSize: 3, Modified: collected},
		{Ref: ref("\xff"), Path: pathOf(ref("\xff")), Size: 1, SHA256: hashOf(nil), At: &Extent{1, 2}, Object: &Object{Size: 1, Metadata: map[string]string{"a": "b"}}},
		{Ref: ref("../x"), Missing: true},
	} {
		text, err := formatRecord(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"bucket":"b","key":"a","path":"s3/b/../x","sha256":"` + strings.Repeat("0", 64) + `"}`))
	f.Add([]byte(`{"aside":{"path":"settings/x.json","at":{"offset":0,"length":1}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		noted(text) // never panics
		r, err := parseRecord(text)
		if err != nil {
			return
		}
		if r.Path != "" && (!filepath.IsLocal(r.Path) || !strings.HasPrefix(r.Path, objectsFolder+"/") || strings.ContainsAny(r.Path, "\\:\x00")) {
			t.Errorf("%q", r.Path)
		}
		if name, err := refOf(text); err != nil || name != r.Ref {
			t.Errorf("%q and %q: %v", name, r.Ref, err)
		}
		sameAsJSON(t, r)
		once, err := formatRecord(r)
		if err != nil {
			return
		}
		again, err := parseRecord(once)
		if err != nil {
			t.Fatalf("%q: %v", once, err)
		}
		twice, err := formatRecord(again)
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%q\n%q %v", once, twice, err)
		}
	})
}

// sameAsJSON holds what is written by hand against encoding/json.
func sameAsJSON(t *testing.T, r Record) (plain bool) {
	t.Helper()
	got, plain := appendRecord(nil, &r)
	want, err := marshalRecord(r)
	if plain && (err != nil || !bytes.Equal(got, want)) {
		t.Errorf("%s\nencoding/json: %s %v", got, want, err)
	}
	return plain
}

func TestRecordsAreWrittenAsJSON(t *testing.T) {
	yes, no := true, false
	whole := Record{Ref: ref(`a"b\c.gz`), Listed: true, ListedSize: 3, Modified: collected.Add(1500 * time.Microsecond), Path: "s3/b/a", Size: 4, SHA256: "00",
		At: &Extent{1, 2}, Older: true, Missing: true, Companion: &yes, Object: &Object{Size: 5, Version: "v", SSE: verify.SSE{Algorithm: "aws:kms", Key: "arn:x"},
			Metadata: map[string]string{"b": "1", "a": "2", "": ""}, Header: map[string][]string{"Etag": {`"e"`}, "Date": nil, "A": {}, "C": {"x", "y"}}}}
	for _, r := range []Record{{}, {Ref: ref("a.gz")}, whole, {Companion: &no}, {Object: &Object{}}, {Object: &Object{Metadata: map[string]string{}, Header: map[string][]string{}}}} {
		if !sameAsJSON(t, r) {
			t.Errorf("%+v is not plain", r)
		}
	}
	for _, r := range []Record{{Ref: ref("é")}, {Ref: ref("<")}, {Ref: ref("\x7f")}, {Ref: ref("a\nb")}, {Modified: collected.In(time.FixedZone("", 3600))}, {Unreadable: &Unreadable{}},
		{Modified: collected.AddDate(9000, 0, 0)}, {Object: &Object{Altered: &verify.Altered{}}}, {Object: &Object{Envelope: verify.Envelope{Loose: true}}}, {Object: &Object{Version: "\xff"}}} {
		if sameAsJSON(t, r) {
			t.Errorf("%+v is taken for plain", r)
		}
	}
}

// A file that was changed is refused, says that it is altered, or holds the same objects.
func FuzzOpenTar(f *testing.F) {
	want := map[verify.Ref][]byte{ref("a.gz"): []byte("aaa"), ref("b.gz"): bytes.Repeat([]byte("b"), 2000)}
	for _, form := range forms[1:] {
		name := filepath.Join(f.TempDir(), form)
		write(f, name, want)
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		name := filepath.Join(t.TempDir(), "x.tar")
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Open(name)
		if err != nil {
			return
		}
		defer r.Close()
		for at := range want {
			if rec, ok, err := r.Get(at); err == nil && ok {
				if b, err := r.Body(rec); err == nil {
					drain(b)
				} else if !errors.Is(err, ErrAltered) {
					t.Errorf("%v", err)
				}
			}
		}
		alterations(r)
	})
}

// No two keys have one path, even where case is not told apart; none leads anywhere.
func FuzzPath(f *testing.F) {
	for a := range objects() {
		f.Add(a.Key, strings.ToUpper(a.Key))
	}
	f.Add("a.gz", "a.gz/b")
	f.Add("con", "c_on")
	f.Fuzz(func(t *testing.T, one, two string) {
		p, q := pathOf(ref(one)), pathOf(ref(two))
		if one != two && p == q {
			t.Errorf("%q and %q: %q", one, two, p)
		}
		if one != two && strings.HasPrefix(strings.ToLower(q), strings.ToLower(p)+"/") {
			t.Errorf("%q is a file, and a folder of %q", p, q)
		}
		if quick, ok := plainPath(ref(one)); ok && quick != mappedPath(ref(one)) {
			t.Errorf("%q: %q", quick, mappedPath(ref(one)))
		}
		if !filepath.IsLocal(p) || !belongs(p, ref(one)) || !belongs(numbered(p, 77), ref(one)) || len(p) > 1000 {
			t.Errorf("%q", p)
		}
		for e := range strings.SplitSeq(p, "/") {
			if e == "" || len(e) > 255 || device(e) || strings.HasSuffix(e, ".") || strings.HasSuffix(e, " ") || strings.Trim(e, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.=+@,%") != "" {
				t.Errorf("the element %q of %q", e, p)
			}
		}
	})
}
