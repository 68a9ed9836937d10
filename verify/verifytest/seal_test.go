package verifytest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
)

// seals are all schemes, ciphers, wraps and suites.
func seals() []Seal {
	pairs := map[string]string{"aws:cloudtrail:arn": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/x", "Größe": `<&"`}
	all := []Seal{
		{Scheme: "s3ec-v2"},
		{Scheme: "s3ec-v2", Context: pairs},
		{Scheme: "s3ec-v2", Cipher: "cbc"},
		{Scheme: "s3ec-v2", Cipher: "cbc", Wrap: "kms", Instruction: true},
		{Scheme: "s3ec-v2", Wrap: "kms", Context: pairs},
		{Scheme: "s3ec-v3", Context: pairs},
		{Scheme: "s3ec-v3", Instruction: true},
		{Scheme: "esdk-v1", Frame: -1},
		{Scheme: "esdk-v2", Frame: 16, Context: pairs},
		{Scheme: "esdk-v2", Frame: -1, Also: []string{foreignKey}},
		{Scheme: "esdk-v2", Suite: 0x0478},
		{Scheme: "esdk-v2", Suite: 0x0578},
	}
	for _, suite := range []uint16{0x0014, 0x0046, 0x0078, 0x0114, 0x0146, 0x0178, 0x0214, 0x0346, 0x0378} {
		all = append(all, Seal{Scheme: "esdk-v1", Suite: suite, Context: pairs})
	}
	for i := range all {
		all[i].Key = testKey
	}
	return all
}

// TestSealBytes opens each kind of seal over contents that end on a frame's or
// block's edge and beside it, and none with a byte changed; CBC has no tag.
func TestSealBytes(t *testing.T) {
	k := NewKMS()
	for _, s := range seals() {
		for _, n := range []int{0, 1, 16, 4096, 9000} {
			plain := make([]byte, n)
			source("plain").Read(plain)
			sealed, metadata, instruction, err := k.SealBytes(s, plain, source("seal"))
			if err != nil {
				t.Fatalf("%+v: %v", s, err)
			}
			if got, err := unseal(k, sealed, metadata, instruction); err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%+v: %d bytes opened to %d: %v", s, n, len(got), err)
			}
			if again, m, _, err := k.SealBytes(s, plain, source("seal")); err != nil || !bytes.Equal(again, sealed) || !maps.Equal(m, metadata) {
				t.Errorf("%+v: the same random bytes sealed otherwise", s)
			}
			sealed[len(sealed)/2] ^= 1
			if got, err := unseal(k, sealed, metadata, instruction); err == nil && (s.Cipher != "cbc" || bytes.Equal(got, plain)) {
				t.Errorf("%+v: opened though altered", s)
			}
		}
	}
}

func TestSealRefuses(t *testing.T) {
	for _, s := range []Seal{
		{},
		{Scheme: "s3ec-v1", Key: testKey},
		{Scheme: "s3ec-v2"},
		{Scheme: "s3ec-v2", Key: testKey, Cipher: "ctr"},
		{Scheme: "s3ec-v2", Key: testKey, Wrap: "AESWrap"},
		{Scheme: "s3ec-v3", Key: testKey, Cipher: "cbc"},
		{Scheme: "s3ec-v3", Key: testKey, Wrap: "kms"},
		{Scheme: "esdk-v1", Key: testKey, Suite: 0x0478},
		{Scheme: "esdk-v2", Key: testKey, Suite: 0x0178},
		{Scheme: "esdk-v2", Key: testKey, Instruction: true},
		{Scheme: "esdk-v2", Key: strings.Repeat("x", 256)},
	} {
		if _, _, _, err := NewKMS().SealBytes(s, []byte("x"), source("seal")); err == nil {
			t.Errorf("%+v was sealed", s)
		}
		if _, _, _, err := NewKMS().SealBytes(s, []byte("x"), strings.NewReader("too few")); err == nil {
			t.Errorf("%+v was sealed with 7 random bytes", s)
		}
	}
}

// TestSealWorld seals a world and gets every object back over HTTP, with the
// metadata that it had; what the world expects of its files does not change.
func TestSealWorld(t *testing.T) {
	for _, s := range []Seal{
		{Scheme: "s3ec-v2", Key: testKey}, {Scheme: "s3ec-v2", Key: testKey, Instruction: true},
		{Scheme: "s3ec-v3", Key: testKey, Instruction: true}, {Scheme: "esdk-v2", Key: testKey},
	} {
		t.Run(fmt.Sprint(s.Scheme, s.Instruction), func(t *testing.T) {
			small := func(s *Spec) { s.Hours = 6 }
			plain, w, again := mint(t, small), mint(t, small), mint(t, small)
			if err := w.Seal(s, nil); err != nil {
				t.Fatal(err)
			}
			if err := again.Seal(s, nil); err != nil || fingerprint(again) != fingerprint(w) || fingerprint(w) == fingerprint(plain) {
				t.Errorf("the same world was sealed otherwise: %v", err)
			}
			if got, want := len(w.Expect(w.Now())), len(plain.Expect(w.Now())); got != want {
				t.Errorf("it expects something of %d files, want %d", got, want)
			}
			server := serve(t, w, ServerOptions{})
			for key, o := range plain.Scan("example-trail-logs", "") {
				if !strings.HasSuffix(key, "/") {
					checkSealed(t, server, verify.Ref{Bucket: "example-trail-logs", Key: key}, o, s.Instruction)
				}
			}
		})
	}
}

func checkSealed(t *testing.T, s *Server, ref verify.Ref, want Object, instructed bool) {
	t.Helper()
	resp, body := get(t, s, "/"+ref.Bucket+"/"+ref.Key, "eu-west-1")
	metadata := map[string]string{}
	for name, values := range resp.Header {
		if name, ok := strings.CutPrefix(strings.ToLower(name), "x-amz-meta-"); ok {
			metadata[name] = values[0]
		}
	}
	resp, instruction := get(t, s, "/"+ref.Bucket+"/"+ref.Key+InstructionFile, "eu-west-1")
	if (resp.StatusCode == 200) != instructed {
		t.Errorf("%s: its instruction file: %s", ref.URI(), resp.Status)
	}
	if !instructed {
		instruction = nil
	}
	got, err := unseal(s.w.KMS(), body, metadata, instruction)
	if err != nil || !bytes.Equal(got, want.Bytes) || metadata["signature"] != want.Metadata["signature"] {
		t.Errorf("%s: opened %d bytes, want %d (%v); signature %q", ref.URI(), len(got), len(want.Bytes), err, metadata["signature"])
	}
}

// TestSealedDir: a copy keeps envelopes beside the files where it keeps
// metadata at all, and instruction files as they are.
func TestSealedDir(t *testing.T) {
	for _, signatures := range []string{"all", "newest", "none"} {
		w := mint(t, func(s *Spec) { s.Hours = 6 })
		ref := w.Logs()[0]
		d := w.Chains()[0].Digests[1].Ref // not the newest
		only := func(ref verify.Ref) func(verify.Ref) bool { return func(r verify.Ref) bool { return r == ref } }
		for _, sealed := range []verify.Ref{ref, d} {
			if err := w.Seal(Seal{Scheme: "s3ec-v2", Key: testKey}, only(sealed)); err != nil {
				t.Fatal(err)
			}
		}
		other := w.Logs()[1]
		if err := w.Seal(Seal{Scheme: "s3ec-v2", Key: testKey, Instruction: true}, only(other)); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if err := w.WriteDir(dir, DirOptions{Signatures: signatures}); err != nil {
			t.Fatal(err)
		}
		for _, row := range []struct {
			ref           verify.Ref
			sealed, signs bool
		}{{ref, signatures != "none", false}, {d, signatures != "none", signatures == "all"}, {other, false, false}} {
			m := map[string]string{}
			raw, err := os.ReadFile(filepath.Join(dir, row.ref.Key+SideFile))
			if err == nil {
				err = json.Unmarshal(raw, &m)
			}
			if (m["x-amz-key-v2"] != "") != row.sealed || (m["signature"] != "") != row.signs {
				t.Errorf("signatures %s: %s has %v (%v)", signatures, row.ref.Key, m, err)
			}
		}
		if raw, err := os.ReadFile(filepath.Join(dir, other.Key+InstructionFile)); err != nil || !strings.Contains(string(raw), "x-amz-key-v2") {
			t.Errorf("signatures %s: %s %v", signatures, raw, err)
		}
	}
}
