package source

import (
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/kms"
	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// seals are all the ways in which clients seal.
var seals = map[string]verifytest.Seal{
	"v2":                    {Scheme: "s3ec-v2"},
	"v2, context":           {Scheme: "s3ec-v2", Context: map[string]string{"purpose": "arçhive"}},
	"v2 kms":                {Scheme: "s3ec-v2", Wrap: "kms"},
	"v2 cbc":                {Scheme: "s3ec-v2", Cipher: "cbc"},
	"v2 kms cbc":            {Scheme: "s3ec-v2", Wrap: "kms", Cipher: "cbc"},
	"v2 instruction":        {Scheme: "s3ec-v2", Instruction: true},
	"v2 cbc instruction":    {Scheme: "s3ec-v2", Cipher: "cbc", Instruction: true},
	"v3":                    {Scheme: "s3ec-v3"},
	"v3 instruction":        {Scheme: "s3ec-v3", Instruction: true},
	"message 1":             {Scheme: "esdk-v1"},
	"message 1, signed":     {Scheme: "esdk-v1", Suite: 0x0378},
	"message 1, unframed":   {Scheme: "esdk-v1", Frame: -1},
	"message 2":             {Scheme: "esdk-v2"},
	"message 2, signed":     {Scheme: "esdk-v2", Suite: 0x0578, Frame: 100},
	"message 2, two keys":   {Scheme: "esdk-v2", Also: []string{foreignKey}},
	"message 2, small ones": {Scheme: "esdk-v2", Frame: 16},
}

// requests that a sealed object takes: instruction files take two more.
func getsOf(s verifytest.Seal) int64 {
	if s.Instruction {
		return 3
	}
	return 1
}

func looksSealed(o verify.Object, s verifytest.Seal) bool {
	return o.Envelope == verify.Envelope{Scheme: s.Scheme, Key: ownKey, Loose: s.Cipher == "cbc"} && o.Altered == nil
}

// TestOpensFromS3 reads back what was sealed in each way, and counts requests.
func TestOpensFromS3(t *testing.T) {
	for name, seal := range seals {
		var want verifytest.Object
		s := serve(t, verifytest.ServerOptions{}, func(w *verifytest.World, logs []verify.Ref) {
			want, _ = w.Get(logs[0])
			seal.Key = ownKey
			w.EncryptSSE(ownKey, "aws:kms", nil)
			if err := w.Seal(seal, only(logs[0])); err != nil {
				t.Fatal(err)
			}
		})
		store := s.opening(t)
		got, o, err := read(store, s.logs[0])
		if err != nil || got != string(want.Bytes) || !looksSealed(o, seal) || o.SSE.Key != ownKey || o.Size <= 0 {
			t.Errorf("%s: %d bytes, %+v, %v", name, len(got), o.Envelope, err)
		}
		counts := store.Requests()
		if counts["get"] != getsOf(seal) || counts["decrypt"] != 1 || counts["head"]+counts["describe"]+counts["retry"] != 0 {
			t.Errorf("%s: %v", name, counts)
		}
		if got := store.Companion(t.Context(), verify.Ref{Bucket: s.logs[0].Bucket, Key: s.logs[0].Key + ".instruction"}); got != seal.Instruction {
			t.Errorf("%s: its companion is one: %v", name, got)
		}
		if seal.Instruction && store.Requests()["get"] != counts["get"] {
			t.Errorf("%s: the instruction file was read again", name)
		}
	}
}

// TestOpensFromDirectory does so from a copy with side files, which takes no S3.
func TestOpensFromDirectory(t *testing.T) {
	for name, seal := range seals {
		var want verifytest.Object
		dir := filepath.Join(t.TempDir(), "copy")
		s := serve(t, verifytest.ServerOptions{}, func(w *verifytest.World, logs []verify.Ref) {
			want, _ = w.Get(logs[0])
			seal.Key = ownKey
			if err := errors.Join(w.Seal(seal, only(logs[0])), w.WriteDir(dir, verifytest.DirOptions{Signatures: "newest"})); err != nil {
				t.Fatal(err)
			}
		})
		k := NewKMS(t.Context(), AWSOptions{EndpointURL: s.URL}, "")
		store := NewOpening(openDir(t, dir), k, &kms.Opener{KMS: k, Keys: []string{ownKey}})
		for _, bucket := range []string{s.logs[0].Bucket, "another-bucket"} {
			got, o, err := read(store, verify.Ref{Bucket: bucket, Key: s.logs[0].Key})
			if err != nil || got != string(want.Bytes) || !looksSealed(o, seal) {
				t.Errorf("%s, as of %s: %d bytes, %+v, %v", name, bucket, len(got), o.Envelope, err)
			}
		}
	}
}

// TestPlainObjects: what nobody sealed costs nothing and stays in memory.
func TestPlainObjects(t *testing.T) {
	big := zip(strings.Repeat("x", 100)) + strings.Repeat("y", 5<<20)
	for name, c := range map[string]struct {
		data   string
		memory bool
	}{"a log": {zip("log"), true}, "text": {`{"Records":[]}`, true}, "one byte": {"\x1f", true}, "nothing": {"", true}, "large": {big, false}} {
		f := newFake(t)
		ref := f.put("bucket", "k", c.data, "x-amz-meta-signature", "abc")
		k := NewKMS(t.Context(), AWSOptions{}, "")
		for _, store := range []verify.Store{f.open(t), NewOpening(f.open(t), k, &kms.Opener{KMS: k, AnyKey: true}), NewOpening(f.open(t), k, nil)} {
			seeker := false
			var got []byte
			err := store.Read(t.Context(), ref, func(o verify.Object) (err error) {
				_, seeker = o.Body.(io.Seeker)
				if o.Envelope != (verify.Envelope{}) || o.Altered != nil || o.Metadata["signature"] != "abc" || o.Size != int64(len(c.data)) {
					t.Errorf("%s: %+v", name, o)
				}
				got, err = io.ReadAll(o.Body)
				return err
			})
			if err != nil || string(got) != c.data || seeker != c.memory || store.Requests()["get"] != 1 || len(store.Requests()) != 1 {
				t.Errorf("%s: %d bytes, in memory: %v, %v, %v", name, len(got), seeker, store.Requests(), err)
			}
		}
	}
}

// TestOpeningOff: with --decrypt off nobody is asked. What shows that it is
// sealed is unreadable and not modified; noise is what it is.
func TestOpeningOff(t *testing.T) {
	for name, seal := range seals {
		s := serve(t, verifytest.ServerOptions{}, func(w *verifytest.World, logs []verify.Ref) {
			seal.Key = ownKey
			w.Seal(seal, only(logs[0]))
		})
		stored, _ := s.w.Get(s.logs[0])
		plain, k := s.store(t)
		store := NewOpening(plain, k, nil)
		got, o, err := read(store, s.logs[0])
		if seal.Instruction && seal.Scheme == "s3ec-v2" {
			if err != nil || got != string(stored.Bytes) || o.Envelope.Scheme != "" {
				t.Errorf("%s: %d bytes, %+v, %v", name, len(got), o, err)
			}
		} else if u := unreadable(err); u == nil || u.Reason != verify.KeyNotAllowed || u.Scheme != seal.Scheme || !strings.Contains(u.Hint, "--decrypt") {
			t.Errorf("%s: %v", name, err)
		}
		if s.asked() != "GET" {
			t.Errorf("%s: asked %s", name, s.asked())
		}
		if got := store.Companion(t.Context(), verify.Ref{Bucket: s.logs[0].Bucket, Key: s.logs[0].Key + ".instruction"}); got != seal.Instruction {
			t.Errorf("%s: a companion: %v", name, got)
		}
	}
}
