package source

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/kms"
	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// A bench is a fake S3 with a table for KMS, and the layer over both.
type bench struct {
	*fake
	kms   *verifytest.KMS
	store *Opening
}

func newBench(t testing.TB, keys ...string) *bench {
	t.Helper()
	b := &bench{fake: newFake(t), kms: verifytest.NewKMS()}
	b.store = NewOpening(b.open(t, func(o *S3Options) { o.MaxAttempts = 3 }), NewKMS(t.Context(), AWSOptions{}, ""), &kms.Opener{KMS: b.kms, Keys: keys, AnyKey: len(keys) == 0})
	return b
}

// seal stores a sealed content, changed as the test wants.
func (b *bench) seal(t testing.TB, seal verifytest.Seal, plain []byte, change func(body []byte, meta map[string]string) []byte) verify.Ref {
	t.Helper()
	seal.Key = ownKey
	body, meta, instruction, err := b.kms.SealBytes(seal, plain, rand.NewChaCha8([32]byte{1}))
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		body = change(body, meta)
	}
	var header []string
	for name, value := range meta {
		header = append(header, "x-amz-meta-"+name, value)
	}
	if instruction != nil {
		b.put("bucket", "k.instruction", string(instruction))
	}
	return b.put("bucket", "k", string(body), header...)
}

func noisy(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{9}).Read(b)
	b[0] = 0xee // begins like nothing
	return b
}

// A user is what the engine does with an object: it remembers what it was told,
// and passes an error of the body on.
type user struct {
	calls   int
	data    []byte
	altered *verify.Altered
	scheme  string
}

func (u *user) use(o verify.Object) (err error) {
	u.calls++
	u.altered, u.scheme = o.Altered, o.Envelope.Scheme
	u.data, err = io.ReadAll(o.Body)
	return err
}

// TestAlteredIsShown: what is not what was sealed is shown to use as that, with
// nothing to read, at whatever point it turns out.
func TestAlteredIsShown(t *testing.T) {
	flip := func(at int) func([]byte, map[string]string) []byte {
		return func(body []byte, _ map[string]string) []byte { body[(at+len(body))%len(body)] ^= 1; return body }
	}
	without := func(name string) func([]byte, map[string]string) []byte {
		return func(body []byte, meta map[string]string) []byte { delete(meta, name); return body }
	}
	set := func(name, value string) func([]byte, map[string]string) []byte {
		return func(body []byte, meta map[string]string) []byte { meta[name] = value; return body }
	}
	cut := func(n int) func([]byte, map[string]string) []byte {
		return func(body []byte, _ map[string]string) []byte { return body[:len(body)-n] }
	}
	for name, c := range map[string]struct {
		seal   verifytest.Seal
		change func([]byte, map[string]string) []byte
		size   int
		want   verify.Reason
		scheme string
	}{
		"gcm":                     {verifytest.Seal{Scheme: "s3ec-v2"}, flip(10), 1000, verify.CiphertextAltered, "s3ec-v2"},
		"gcm, tag":                {verifytest.Seal{Scheme: "s3ec-v2"}, flip(-1), 1000, verify.CiphertextAltered, "s3ec-v2"},
		"gcm, large":              {verifytest.Seal{Scheme: "s3ec-v2"}, flip(-1), 5 << 20, verify.CiphertextAltered, "s3ec-v2"},
		"gcm, cut":                {verifytest.Seal{Scheme: "s3ec-v2"}, cut(1), 1000, verify.CiphertextAltered, "s3ec-v2"},
		"no IV":                   {verifytest.Seal{Scheme: "s3ec-v2"}, without("x-amz-iv"), 1000, verify.EnvelopeMalformed, "s3ec-v2"},
		"two formats":             {verifytest.Seal{Scheme: "s3ec-v2"}, set("x-amz-3", "AA=="), 1000, verify.EnvelopeMalformed, ""},
		"cbc, no blocks":          {verifytest.Seal{Scheme: "s3ec-v2", Cipher: "cbc"}, cut(3), 1000, verify.EnvelopeMalformed, "s3ec-v2"},
		"v3":                      {verifytest.Seal{Scheme: "s3ec-v3"}, flip(10), 1000, verify.CiphertextAltered, "s3ec-v3"},
		"v3, commitment":          {verifytest.Seal{Scheme: "s3ec-v3"}, set("x-amz-d", strings.Repeat("A", 36)+"AA=="), 1000, verify.CiphertextAltered, "s3ec-v3"},
		"v3, no instruction file": {verifytest.Seal{Scheme: "s3ec-v3"}, without("x-amz-3"), 1000, verify.EnvelopeMalformed, "s3ec-v3"},
		"message":                 {verifytest.Seal{Scheme: "esdk-v2"}, flip(-30), 1000, verify.CiphertextAltered, "esdk-v2"},
		"message, signature":      {verifytest.Seal{Scheme: "esdk-v2", Suite: 0x0578}, flip(-1), 1000, verify.CiphertextAltered, "esdk-v2"},
		"message, cut":            {verifytest.Seal{Scheme: "esdk-v2"}, cut(5), 1000, verify.EnvelopeMalformed, "esdk-v2"},
		"message, trailing":       {verifytest.Seal{Scheme: "esdk-v2"}, func(b []byte, _ map[string]string) []byte { return append(b, 0) }, 1000, verify.EnvelopeMalformed, "esdk-v2"},
		"message, late frame":     {verifytest.Seal{Scheme: "esdk-v2", Frame: 64 << 10}, flip(-100), 5 << 20, verify.CiphertextAltered, "esdk-v2"},
		"message, late signature": {verifytest.Seal{Scheme: "esdk-v1", Suite: 0x0378, Frame: 64 << 10}, flip(-1), 5 << 20, verify.CiphertextAltered, "esdk-v1"},
	} {
		b := newBench(t)
		ref := b.seal(t, c.seal, noisy(c.size), c.change)
		var u user
		err := b.store.Read(t.Context(), ref, u.use)
		if err != nil || u.altered == nil || u.altered.Reason != c.want || u.altered.Detail == "" || len(u.data) > 0 || u.scheme != c.scheme {
			t.Errorf("%s: %+v, %d bytes, %q, %v", name, u.altered, len(u.data), u.scheme, err)
		}
	}
}

// TestNoiseAndInstructionFiles: what only looks as if it were sealed.
func TestNoiseAndInstructionFiles(t *testing.T) {
	for name, c := range map[string]struct {
		instruction string // empty: none
		status      int    // of asking for it, where it is refused
		want        verify.Reason
		altered     verify.Reason
		gets        int
	}{
		"none":                {"", 0, "<nil>", "", 3},
		"refused":             {"", 403, "<nil>", "", 3}, // the listing says that there is none
		"refused, and listed": {`{"x-amz-key-v2":"AA=="}`, 403, verify.AccessDenied, "", 2},
		"no envelope":         {`{"a":"b"}`, 0, "<nil>", "", 3},
		"no text":             {"\x00\x01", 0, "<nil>", "", 3},
		"huge":                {`{"x-amz-key-v2":"` + strings.Repeat("A", 70<<10) + `"}`, 0, "<nil>", "", 3},
		"malformed":           {`{"x-amz-key-v2":"AA==","x-amz-iv":"AA==","x-amz-wrap-alg":"kms","x-amz-cek-alg":"AES/GCM/NoPadding"}`, 0, "<nil>", verify.EnvelopeMalformed, 3},
		"cut":                 {`{"x-amz-key-v2":"AA`, 0, "<nil>", verify.EnvelopeMalformed, 3},
		"of V1":               {`{"x-amz-key":"AA==","x-amz-iv":"AA=="}`, 0, verify.MasterKeyNeeded, "", 3},
	} {
		b := newBench(t)
		ref := b.put("bucket", "k", string(noisy(500)))
		if c.instruction != "" {
			b.put("bucket", "k.instruction", c.instruction)
		}
		b.before = func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if c.status > 0 && strings.HasSuffix(r.URL.Path, ".instruction") {
				refuse(w, c.status, "AccessDenied", "not authorized to perform: s3:GetObject on this")
				return true
			}
			return false
		}
		var u user
		err := b.store.Read(t.Context(), ref, u.use)
		got := verify.Reason("")
		if u.altered != nil {
			got = u.altered.Reason
		}
		if reason(err) != c.want || got != c.altered || b.requests("GET object") != c.gets {
			t.Errorf("%s: %v, altered %q, after %d GETs", name, err, got, b.requests("GET object"))
		}
		if whole := c.want == "<nil>" && c.altered == ""; whole != bytes.Equal(u.data, noisy(500)) || u.scheme == "unknown" {
			t.Errorf("%s: %d bytes, %q", name, len(u.data), u.scheme)
		}
	}
}

// TestNoiseInCopies: in a copy noise is as modified as it is in a bucket, also
// where nobody knows which bucket the copy is of.
func TestNoiseInCopies(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "copy")
	writeDigest(t, dir, "bucket-one", digestKey("", 1))
	writeFile(t, dir, log1, string(noisy(500)))
	k := NewKMS(t.Context(), AWSOptions{}, "")
	store := NewOpening(openDir(t, dir), k, &kms.Opener{KMS: k, AnyKey: true})
	for _, bucket := range []string{"bucket-one", "another"} {
		if got, _, err := read(store, verify.Ref{Bucket: bucket, Key: log1}); err != nil || got != string(noisy(500)) {
			t.Errorf("%s: %d bytes, %v", bucket, len(got), err)
		}
	}
}
