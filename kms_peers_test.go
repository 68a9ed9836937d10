package trailseal_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
)

// What other people's libraries sealed is read: each of them writes one log and
// one digest anew, with the metadata that the digest's signature is in.
func TestPeersAreRead(t *testing.T) {
	s := newSealedTrail(t)
	testPeers(t, s, "peers", everyWriter, 100, func(string) string { return "s3ec-v2" })
}

// The AWS Encryption SDK takes half a minute to build.
func TestESDKPeerIsRead(t *testing.T) {
	if os.Getenv("TRAILSEAL_ESDK") == "" {
		t.Skip("SKIPPED: TRAILSEAL_ESDK is not set, so what the AWS Encryption SDK encrypts now is not read")
	}
	s := newSealedTrail(t)
	writers := []string{"esdk-go-0014", "esdk-go-0178", "esdk-go-0378", "esdk-go-0478", "esdk-go-0578"}
	const inBody = -150 // before the tag and, where there is one, the signature
	testPeers(t, s, "peers-esdk", writers, inBody, func(writer string) string {
		if writer >= "esdk-go-04" {
			return "esdk-v2"
		}
		return "esdk-v1"
	})
}

// testPeers seals a log and a digest with each writer, verifies and decrypts
// them, alters one byte of each log (at, or at from the end) and verifies again.
func testPeers(t *testing.T, s *sealedTrail, module string, writers []string, at int, scheme func(writer string) string) {
	logs, digests := s.Logs(), s.Chains()[0].Digests
	sealed := map[string][]verify.Ref{} // by writer: a log and a digest
	for i, writer := range writers {
		sealed[writer] = []verify.Ref{logs[i], digests[i+1].Ref}
		for _, ref := range sealed[writer] {
			s.seal(t, module, writer, ref)
		}
	}
	flags := []string{"--kms-key", keyARN(keyID), "--kms-endpoint-url", s.kms}
	r := s.verify(t, flags...)
	if r.Exit != 0 || r.Summary.Logs["kept"] != len(logs) || r.Summary.Digests["kept"] != judged(s.World) {
		t.Errorf("exit %d, kept %v and %v, want 0, %d and %d", r.Exit, r.Summary.Logs, r.Summary.Digests, len(logs), judged(s.World))
	}
	copied := verifyKeys(t, s.env, slices.Concat([]string{s.download(t)}, s.args[1:], flags)...)
	for _, writer := range writers {
		t.Run(writer, func(t *testing.T) {
			for _, ref := range sealed[writer] {
				checkFile(t, r, ref, "kept", "", scheme(writer), keyARN(keyID))
				checkFile(t, copied, ref, "kept", "", scheme(writer), keyARN(keyID))
			}
		})
		t.Run("decrypt "+writer, func(t *testing.T) {
			for _, ref := range sealed[writer] {
				checkDecrypt(t, s, ref, flags)
			}
			checkLocalCopy(t, s, sealed[writer][1], flags)
		})
	}
	for _, writer := range writers {
		s.alter(t, sealed[writer][0], at)
	}
	r = s.verify(t, flags...)
	if r.Exit != 1 || r.Summary.Logs["modified"] != len(writers) {
		t.Errorf("one byte changed in each: exit %d, %v", r.Exit, r.Summary.Logs)
	}
	for _, writer := range writers {
		t.Run("altered "+writer, func(t *testing.T) {
			reason := "ciphertext-altered"
			if strings.HasSuffix(writer, "-cbc") {
				reason = "" // nothing is authenticated: what it opens to is whatever it is
			}
			checkFile(t, r, sealed[writer][0], "modified", reason, family(scheme(writer)), "")
			checkNotWritten(t, s, sealed[writer][0], flags)
		})
	}
}

// checkFile checks what a report says of a file. Of one that was altered, any
// reason will do where none is given, and any key, and the family of envelopes.
func checkFile(t *testing.T, r keyReport, ref verify.Ref, verdict, reason, envelope, key string) {
	t.Helper()
	for _, f := range r.Files {
		if f.URI != ref.URI() {
			continue
		}
		sealed := f.Envelope == envelope || verdict == "modified" && family(f.Envelope) == envelope
		if f.Verdict != verdict || reason != "" && f.Reason != reason || !sealed || key != "" && f.KMSKey != key {
			t.Errorf("%+v, want %s %s, %s under %s", f, verdict, reason, envelope, key)
		}
		return
	}
	t.Errorf("nothing is said of %s", ref.URI())
}

// checkDecrypt has the tool write the plaintext of an object for which a digest
// vouches, so that even AES-CBC needs no flag.
func checkDecrypt(t *testing.T, s *sealedTrail, ref verify.Ref, flags []string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	if _, exit := trailseal(t, s.env, slices.Concat([]string{"decrypt", ref.URI(), "-o", out}, keyFiles(t, s.World), flags)...); exit != 0 {
		t.Errorf("decrypt %s ends in %d", ref.URI(), exit)
	}
	s.sameAsSealed(t, ref, out)
}

func (s *sealedTrail) sameAsSealed(t *testing.T, ref verify.Ref, name string) {
	t.Helper()
	got, err := os.ReadFile(name)
	if want, _ := s.Get(ref); err != nil || !bytes.Equal(got, want.Bytes) {
		t.Errorf("%s is decrypted to %d other bytes (%v)", ref.URI(), len(got), err)
	}
}

// checkNotWritten has the tool find out that there is nothing to decrypt that
// anything vouches for.
func checkNotWritten(t *testing.T, s *sealedTrail, ref verify.Ref, flags []string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	if _, exit := trailseal(t, s.env, slices.Concat([]string{"decrypt", ref.URI(), "-o", out}, keyFiles(t, s.World), flags)...); exit != 1 {
		t.Errorf("decrypt of what was altered ends in %d, want 1", exit)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("what was altered is written")
	}
}

// checkLocalCopy decrypts a file on disk that is not in a copy of a bucket, with
// its metadata and its instruction file beside it.
func checkLocalCopy(t *testing.T, s *sealedTrail, ref verify.Ref, flags []string) {
	t.Helper()
	dir := t.TempDir()
	file, out := filepath.Join(dir, "file"), filepath.Join(dir, "out")
	s.save(t, ref, file)
	if strings.HasSuffix(t.Name(), "instruction") {
		s.save(t, verify.Ref{Bucket: ref.Bucket, Key: ref.Key + ".instruction"}, file+".instruction")
	}
	if _, exit := trailseal(t, s.env, slices.Concat([]string{"decrypt", file, "-o", out, "--allow-unauthenticated"}, flags)...); exit != 0 {
		t.Errorf("decrypt of a copy on disk ends in %d", exit)
	}
	s.sameAsSealed(t, ref, out)
}
