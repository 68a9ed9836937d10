package trailseal_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/kms"
	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/source"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// everySeal is every way in which a client encrypts that can be opened.
func everySeal() []verifytest.Seal {
	seals := []verifytest.Seal{
		{Scheme: "s3ec-v3"}, {Scheme: "s3ec-v3", Instruction: true},
		{Scheme: "esdk-v1", Frame: -1}, {Scheme: "esdk-v1", Frame: 100}, {Scheme: "esdk-v1", Also: []string{kmsForeign}},
		{Scheme: "esdk-v2", Frame: -1}, {Scheme: "esdk-v2", Frame: 100}, {Scheme: "esdk-v2", Suite: 0x0578}, {Scheme: "esdk-v2", Suite: 0x0578, Frame: -1},
	}
	for _, wrap := range []string{"kms+context", "kms"} {
		for _, cipher := range []string{"gcm", "cbc"} {
			for _, instruction := range []bool{false, true} {
				seals = append(seals, verifytest.Seal{Scheme: "s3ec-v2", Wrap: wrap, Cipher: cipher, Instruction: instruction})
			}
		}
	}
	for _, suite := range []uint16{0x0014, 0x0046, 0x0078, 0x0114, 0x0146, 0x0178, 0x0214, 0x0346, 0x0378} {
		seals = append(seals, verifytest.Seal{Scheme: "esdk-v1", Suite: suite})
	}
	for i := range seals {
		seals[i].Key = kmsTrail
		seals[i].Context = map[string]string{"case": "42", "team": "forensics"}
	}
	return seals
}

func sealName(s verifytest.Seal) string {
	return fmt.Sprintf("%s %s %s instruction=%v suite=%#04x frame=%d also=%d", s.Scheme, s.Wrap, s.Cipher, s.Instruction, s.Suite, s.Frame, len(s.Also))
}

// fewSeals are one of each kind.
func fewSeals() []verifytest.Seal {
	return slices.DeleteFunc(everySeal(), func(s verifytest.Seal) bool {
		return s.Suite != 0 && s.Suite != 0x0378 && s.Suite != 0x0578 || s.Frame != 0 || len(s.Also) > 0
	})
}

// clientSide is what is always found on files that a client encrypted.
func clientSide(w want) want {
	w.findings = append(w.findings, verify.ClientSide)
	return w
}

// judgeSealedCopy verifies a directory, opening what is sealed as asked.
func judgeSealedCopy(t *testing.T, w *verifytest.World, url, dir string, opener kms.Opener) *judgement {
	t.Helper()
	store, err := source.OpenDirectory(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	keys, err := store.KeyFiles()
	if err != nil {
		t.Fatal(err)
	}
	k := source.NewKMS(t.Context(), source.AWSOptions{Region: "eu-west-1"}, url)
	opener.KMS = k
	var j judgement
	if _, err := verify.Run(t.Context(), verify.Request{
		Source: dir, Store: source.NewOpening(store, k, &opener), Keys: keys, KeyStates: k, OwnKeys: opener.Keys, Window: everything(w), Now: later(w), All: true,
	}, &j); err != nil {
		t.Fatal(err)
	}
	return &j
}

// Whatever a client encrypted opens by itself, digests and logs, in a bucket as
// in a copy of it, for one Decrypt an object. Its instruction files are no
// concern of anybody.
func TestHTTPKMSSealedWhole(t *testing.T) {
	awsHere(t)
	for _, seal := range everySeal() {
		t.Run(sealName(seal), func(t *testing.T) {
			t.Parallel()
			w := kmsWorld(t, func(s *verifytest.Spec) { s.Hours = 3 })
			sealWorld(t, w, seal, nil)
			s := serveHTTP(t, w, verifytest.ServerOptions{})
			j := judgeKMS(t, w, s.URL, allow(kmsTrail))
			j.check(t, w, clientSide(want{}))
			j.checkSealed(t, w, seal)
			files, got := int64(len(j.files)), s.Requests()
			least, most := files, files
			if seal.Instruction { // the object, the file, and the object once more; and what the file is
				least, most = 3*files, 4*files
			}
			if got["Decrypt"] != files || got["GetObject"] < least || got["GetObject"] > most || got["HeadObject"] != 0 || got["DescribeKey"] != 1 {
				t.Errorf("%v for %d files", got, files)
			}
			dir := copyOf(t, w)
			copied := judgeSealedCopy(t, w, s.URL, dir, kms.Opener{Keys: []string{kmsTrail}})
			copied.check(t, w, want{})
			copied.checkSealed(t, w, seal)
		})
	}
}

// checkSealed holds what is said of each file, and of the key, against the seal.
func (j *judgement) checkSealed(t *testing.T, w *verifytest.World, seal verifytest.Seal) {
	t.Helper()
	for _, f := range j.files {
		if f.Key != kmsTrail || f.Envelope != seal.Scheme {
			t.Errorf("%s: key %q, envelope %q", f.URI, f.Key, f.Envelope)
		}
	}
	checkUse(t, w, j, kmsTrail, func(verify.Ref) bool { return true })
	if k := j.key(t, kmsTrail); len(j.summary.Keys) != 1 || !slices.Equal(k.Encryption, []string{seal.Scheme}) {
		t.Errorf("keys %+v", j.summary.Keys)
	}
}

// Only keys that are allowed are asked: no stranger learns who is looking. What
// is not opened is unreadable, never modified; what is sealed and is not opened
// at all on demand is just no gzip.
func TestHTTPKMSAllowed(t *testing.T) {
	awsHere(t)
	notAllowed := "unreadable key-not-allowed"
	for _, seal := range fewSeals() {
		t.Run(sealName(seal), func(t *testing.T) {
			t.Parallel()
			w := kmsWorld(t, func(s *verifytest.Spec) { s.Hours = 3 })
			sealWorld(t, w, seal, isLog)
			esdk := strings.HasPrefix(seal.Scheme, "esdk")
			w.KMS().Add(kmsSecond)
			barred := clientSide(want{exit: 3, files: outcomes(w, "", notAllowed)})

			s := serveHTTP(t, w, verifytest.ServerOptions{})
			j := judgeKMS(t, w, s.URL, nil)
			j.check(t, w, barred)
			noRequest(t, s, "Decrypt", "DescribeKey", "HeadObject")
			if esdk || seal.Wrap == "kms" {
				if k := j.key(t, kmsTrail); k.State != "unknown" || !strings.Contains(k.Detail, "--kms-key") || k.Unreadable != k.Files {
					t.Errorf("key %+v", k)
				}
			}
			judgeKMS(t, w, s.URL, allow(kmsSecond)).check(t, w, barred)
			noRequest(t, s, "DescribeKey")
			if esdk { // it says which key it wants, and that is not one of those allowed
				noRequest(t, s, "Decrypt")
			}
			judgeKMS(t, w, s.URL, allow(kmsSecond, kmsTrail)).check(t, w, clientSide(want{}))
			judgeKMS(t, w, s.URL, func(a *kmsAsking) { a.AnyKey = true }).check(t, w, clientSide(want{}))

			before := s.Requests()["Decrypt"]
			judgeKMS(t, w, s.URL, func(a *kmsAsking) { a.off = true }).check(t, w, notOpened(w, seal))
			if s.Requests()["Decrypt"] != before {
				t.Error("KMS was asked to decrypt")
			}
		})
	}
}

// notOpened is what comes of logs with --decrypt off: what can be seen to be
// sealed is unreadable. Where only the instruction file would tell, it is noise.
func notOpened(w *verifytest.World, seal verifytest.Seal) want {
	if seal.Instruction && seal.Scheme == "s3ec-v2" {
		return want{exit: 1, files: outcomes(w, "", "modified not-gzip")}
	}
	return clientSide(want{exit: 3, files: outcomes(w, "", "unreadable key-not-allowed")})
}

// A pair that is demanded of the encryption context must be there, and what the
// client itself put there does not count.
func TestHTTPKMSContext(t *testing.T) {
	awsHere(t)
	for _, seal := range fewSeals() {
		t.Run(sealName(seal), func(t *testing.T) {
			t.Parallel()
			w := kmsWorld(t, func(s *verifytest.Spec) { s.Hours = 3 })
			sealWorld(t, w, seal, isLog)
			s := serveHTTP(t, w, verifytest.ServerOptions{})
			for _, row := range []struct {
				pairs map[string]string
				holds bool
			}{
				{map[string]string{"case": "42"}, true},
				{map[string]string{"case": "42", "team": "forensics"}, true},
				{map[string]string{"case": "43"}, false},
				{map[string]string{"Case": "42"}, false},
				{map[string]string{"case": "42", "other": ""}, false},
				{map[string]string{"kms_cmk_id": kmsTrail}, false},
			} {
				before := s.Requests()["Decrypt"]
				j := judgeKMS(t, w, s.URL, func(a *kmsAsking) { a.Opener.Keys, a.Opener.Context = []string{kmsTrail}, row.pairs })
				if row.holds {
					j.check(t, w, clientSide(want{}))
					continue
				}
				j.check(t, w, clientSide(want{exit: 3, files: outcomes(w, "", "unreadable envelope-refused")}))
				if s.Requests()["Decrypt"] != before {
					t.Errorf("%v: KMS was asked all the same", row.pairs)
				}
			}
		})
	}
}

// KMS refuses, for what it is asked by ourselves: the same reasons as through
// S3, and what passes is asked for again.
func TestHTTPKMSDirectRefusals(t *testing.T) {
	awsHere(t)
	t.Setenv("AWS_MAX_ATTEMPTS", "4")
	for _, row := range kmsStates {
		for _, seal := range []verifytest.Seal{{Scheme: "s3ec-v2"}, {Scheme: "esdk-v2"}} {
			t.Run(seal.Scheme+" "+row.name, func(t *testing.T) {
				t.Parallel()
				w := kmsWorld(t, func(s *verifytest.Spec) { s.Hours = 3 })
				seal.Key = row.key
				sealWorld(t, w, seal, isLog)
				w.KMS().Key(row.key).Change(row.is)
				s := serveHTTP(t, w, verifytest.ServerOptions{})
				findings := slices.DeleteFunc(slices.Clone(row.findings), func(k verify.FindingKind) bool { return k == verify.KeyForeign })
				j := judgeKMS(t, w, s.URL, allow(row.key))
				j.check(t, w, clientSide(want{exit: 3, files: outcomes(w, "", "unreadable "+row.reason), findings: findings}))
				if k := j.key(t, row.key); k.State != row.state || k.Unreadable != k.Files || k.Files == 0 {
					t.Errorf("key %+v", k)
				}
				noRequest(t, s, "HeadObject")
			})
		}
	}
	for name, fault := range map[string]verifytest.Fault{
		"throttled":  {Status: 400, Code: "ThrottlingException", Message: "Rate exceeded", Times: 3},
		"limit":      {Status: 400, Code: "LimitExceededException", Times: 2},
		"internal":   {Status: 500, Code: "KMSInternalException", Times: 2},
		"dependency": {Status: 503, Code: "DependencyTimeoutException", Times: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := kmsWorld(t, func(s *verifytest.Spec) { s.Hours = 3 })
			sealWorld(t, w, verifytest.Seal{Scheme: "s3ec-v3"}, nil)
			fault.Operation = "Decrypt"
			s := serveHTTP(t, w, verifytest.ServerOptions{Faults: []verifytest.Fault{fault}})
			judgeKMS(t, w, s.URL, allow(kmsTrail)).check(t, w, clientSide(want{}))
		})
	}
}

// KMS that goes on refusing has reasons of its own, and never accuses.
func TestHTTPKMSDirectRefusalsThatStay(t *testing.T) {
	awsHere(t) // one attempt
	for _, row := range []struct {
		name, reason string
		fault        verifytest.Fault
	}{
		{"throttled", "throttled", verifytest.Fault{Status: 400, Code: "ThrottlingException"}},
		{"internal", "read-failed", verifytest.Fault{Status: 500, Code: "KMSInternalException"}},
		{"unavailable", "read-failed", verifytest.Fault{Status: 500, Code: "KeyUnavailableException"}},
		{"no token", "kms-denied", verifytest.Fault{Status: 400, Code: "UnrecognizedClientException"}},
		{"expired token", "kms-denied", verifytest.Fault{Status: 400, Code: "ExpiredTokenException"}},
		{"denied", "kms-denied", verifytest.Fault{Status: 400, Code: "AccessDeniedException", Message: notAuthorized + "kms:Decrypt"}},
		{"bad blob", "envelope-refused", verifytest.Fault{Status: 400, Code: "InvalidCiphertextException"}},
		{"other key", "key-not-allowed", verifytest.Fault{Status: 400, Code: "IncorrectKeyException"}},
		{"403 of a proxy", "read-failed", verifytest.Fault{Status: 403}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := kmsWorld(t, func(s *verifytest.Spec) { s.Hours = 3 })
			sealWorld(t, w, verifytest.Seal{Scheme: "s3ec-v2"}, isLog)
			row.fault.Operation = "Decrypt"
			s := serveHTTP(t, w, verifytest.ServerOptions{Faults: []verifytest.Fault{row.fault}})
			j := judgeKMS(t, w, s.URL, allow(kmsTrail))
			j.check(t, w, clientSide(want{exit: 3, files: outcomes(w, "", "unreadable "+row.reason)}))
		})
	}
}

// A copy whose envelopes were lost cannot be opened, and says so in no worse a
// word than that it is no gzip file; an Encryption SDK message needs none.
func TestHTTPKMSCopyWithoutSideFiles(t *testing.T) {
	awsHere(t)
	w := kmsWorld(t, nil)
	sealWorld(t, w, verifytest.Seal{Scheme: "esdk-v2", Suite: 0x0578}, isLog)
	s := serveHTTP(t, w, verifytest.ServerOptions{})
	dir := copyOf(t, w)
	for _, log := range w.Logs() {
		if _, err := os.Stat(filepath.Join(dir, log.Bucket, log.Key+verifytest.SideFile)); err == nil {
			t.Errorf("%s has a side file, and needs none", log.URI())
		}
	}
	judgeSealedCopy(t, w, s.URL, dir, kms.Opener{AnyKey: true}).check(t, w, want{})

	w = kmsWorld(t, nil)
	sealWorld(t, w, verifytest.Seal{Scheme: "s3ec-v2"}, isLog)
	s = serveHTTP(t, w, verifytest.ServerOptions{})
	dir = copyOf(t, w)
	for _, log := range w.Logs() {
		if err := os.Remove(filepath.Join(dir, log.Bucket, log.Key+verifytest.SideFile)); err != nil {
			t.Fatal(err)
		}
	}
	judgeSealedCopy(t, w, s.URL, dir, kms.Opener{AnyKey: true}).check(t, w, want{exit: 1, files: outcomes(w, "", "modified not-gzip")})
	noRequest(t, s, "Decrypt")
}

// encode64 is a field of an envelope.
func encode64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
