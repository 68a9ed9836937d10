package source

import (
	"math/rand/v2"
	"testing"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// TestPlantedEnvelopes: who may write metadata must not have a log that is
// there, intact or forged, called altered or unreadable for it. What begins like
// gzip and is none is what its envelope says.
func TestPlantedEnvelopes(t *testing.T) {
	noise := make([]byte, 5<<20)
	rand.NewChaCha8([32]byte{5}).Read(noise)
	small, large := zip("a log"), zip(string(noise))
	for name, c := range map[string]struct {
		data    string
		meta    []string
		planted bool
		gets    int
	}{
		"V2":                   {small, []string{"x-amz-meta-x-amz-key-v2", "AA=="}, true, 1},
		"V3":                   {small, []string{"x-amz-meta-x-amz-3", "AA=="}, true, 1},
		"V1":                   {small, []string{"x-amz-meta-x-amz-key", "AA=="}, true, 1},
		"two formats":          {small, []string{"x-amz-meta-x-amz-key", "AA==", "x-amz-meta-x-amz-3", "AA=="}, true, 1},
		"large":                {large, []string{"x-amz-meta-x-amz-key-v2", "AA=="}, true, 3},
		"with something after": {small + "x", []string{"x-amz-meta-x-amz-key-v2", "AA=="}, true, 1},
		"half of V3":           {small, []string{"x-amz-meta-x-amz-c", "115", "x-amz-meta-x-amz-d", "AA==", "x-amz-meta-x-amz-i", "AA=="}, false, 1},
		"cut":                  {small[:len(small)-1], []string{"x-amz-meta-x-amz-key-v2", "AA=="}, false, 1},
		"cut, large":           {large[:len(large)-1], []string{"x-amz-meta-x-amz-key-v2", "AA=="}, false, 3},
		"checksum":             {small[:len(small)-8] + "\x00" + small[len(small)-7:], []string{"x-amz-meta-x-amz-key-v2", "AA=="}, false, 1},
	} {
		b := newBench(t)
		ref := b.put("bucket", "k", c.data, c.meta...)
		var u user
		planted := false
		err := b.store.Read(t.Context(), ref, func(o verify.Object) error {
			planted = o.Envelope.Planted
			return u.use(o)
		})
		plain := name == "half of V3"
		if err != nil || planted != c.planted || (c.planted || plain) != (u.altered == nil) || (c.planted || plain) != (string(u.data) == c.data) || b.requests("GET object") != c.gets {
			t.Errorf("%s: planted %v, altered %v, %d bytes, %v, after %d GETs", name, planted, u.altered, len(u.data), err, b.requests("GET object"))
		}
	}
}

// TestCiphertextLikeGzip: a ciphertext that happens to begin like gzip is opened.
func TestCiphertextLikeGzip(t *testing.T) {
	plain := []byte("{\"Records\":[]}")
	for _, seal := range []verifytest.Seal{{Scheme: "s3ec-v2"}, {Scheme: "s3ec-v3"}} {
		table := verifytest.NewKMS()
		seal.Key = ownKey
		for i := uint64(0); ; i++ {
			// GCM is a stream: the plaintext decides the first bytes under a known seed.
			body, _, _, err := table.SealBytes(seal, plain, rand.NewChaCha8([32]byte{7}))
			if err != nil {
				t.Fatal(err)
			}
			if string(body[:3]) == "\x1f\x8b\x08" {
				break
			}
			if i > 0 {
				t.Fatal("it does not begin like gzip")
			}
			for j, want := range []byte("\x1f\x8b\x08") {
				plain[j] ^= body[j] ^ want
			}
		}
		b := newBench(t)
		body, meta, _, _ := table.SealBytes(seal, plain, rand.NewChaCha8([32]byte{7}))
		header := []string{}
		for name, value := range meta {
			header = append(header, "x-amz-meta-"+name, value)
		}
		b.kms.Add(ownKey)
		got, o, err := read(b.store, b.put("bucket", "k", string(body), header...))
		if err != nil || got != string(plain) || o.Envelope.Scheme != seal.Scheme || o.Envelope.Planted {
			t.Errorf("%s: %q, %+v, %v", seal.Scheme, got, o.Envelope, err)
		}
		plain = []byte("{\"Records\":[]}")
	}
}
