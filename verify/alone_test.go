package verify_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// A file that lies alone is judged as far as it speaks for itself, and no further.
func TestInspectAlone(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) { s.QuietEvery = 0 })
	d := w.Chains()[0].Digests[5]
	signed, _ := w.Get(d.Ref)
	log, _ := w.Get(logIn(3)(w))
	other, _ := w.Get(w.Chains()[0].Digests[6].Ref)
	for name, c := range map[string]struct {
		object verifytest.Object
		exit   int
		want   string // verdict and reason; empty: none
	}{
		"a digest":                    {signed, 0, "kept"},
		"without its signature":       {verifytest.Object{Bytes: signed.Bytes}, 3, "unverified signature-missing"},
		"with another's signature":    {verifytest.Object{Bytes: signed.Bytes, Metadata: other.Metadata}, 1, "modified signature-invalid"},
		"changed":                     {verifytest.Object{Bytes: zip(strings.Replace(unzip(t, signed.Bytes), `"logFiles":[{`, `"logFiles":[ {`, 1)), Metadata: signed.Metadata}, 1, "modified signature-invalid"},
		"with bytes after it":         {verifytest.Object{Bytes: append(bytes.Clone(signed.Bytes), 0), Metadata: signed.Metadata}, 3, ""},
		"a log":                       {log, 3, ""},
		"a digest of a strange place": {verifytest.Object{Bytes: zip(strings.ReplaceAll(unzip(t, signed.Bytes), "CloudTrail-Digest/", "x/")), Metadata: signed.Metadata}, 3, ""},
		"text":                        {verifytest.Object{Bytes: []byte("text")}, 3, ""},
	} {
		ref := verify.Ref{Bucket: d.Bucket, Key: "alone.json.gz"}
		w.Put(ref, c.object)
		in, err := verify.InspectAlone(t.Context(), request(w, verifytest.NewStore(w)), ref)
		got := ""
		if in.File != nil {
			got = strings.TrimSpace(string(in.File.Verdict) + " " + string(in.File.Reason))
		}
		if err != nil || in.Exit != c.exit || got != c.want || c.want == "" && in.Says == "" {
			t.Errorf("%s: %v, exit %d, %q, %s", name, err, in.Exit, got, in.Says)
		}
		if in.File != nil && (in.Digest.Previous == nil || in.Digest.Previous.Verdict == verify.Deleted || in.Digest.Next != nil) {
			t.Errorf("%s: neighbours that nobody can know: %+v %+v", name, in.Digest.Previous, in.Digest.Next)
		}
	}
}

func unzip(t *testing.T, z []byte) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(z))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
