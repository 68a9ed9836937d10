package trailseal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// someLogs are the logs of an hour in the middle of a region. What lies within
// two hours of the ends may be of a trail that changed its key.
func someLogs(t *testing.T, w *verifytest.World) func(verify.Ref) bool {
	t.Helper()
	for _, c := range w.Chains() {
		for _, d := range c.Digests[len(c.Digests)/2:] {
			if c.Region == "eu-west-1" && !c.Backfill && d.Logs > 0 {
				return only(logsOf(t, w, d)...)
			}
		}
	}
	t.Fatal("no digest has logs")
	return nil
}

// says wants that a finding on a key says all of these.
func (j *judgement) says(t *testing.T, kind verify.FindingKind, key string, parts ...string) {
	t.Helper()
	f := j.finding(kind)
	for _, part := range append(parts, key) {
		if f.Key != key || !strings.Contains(f.Message, part) {
			t.Errorf("%s of %q: %q does not say %q", kind, f.Key, f.Message, part)
		}
	}
}

// judgeTwice wants a remark with exit 0, and tampering where the finding is one
// to fail on.
func judgeTwice(t *testing.T, w *verifytest.World, url string, kind verify.FindingKind, change func(*kmsAsking)) *judgement {
	t.Helper()
	if change == nil {
		change = func(*kmsAsking) {}
	}
	j := judgeKMS(t, w, url, change)
	j.check(t, w, want{findings: []verify.FindingKind{kind}})
	judgeKMS(t, w, url, func(a *kmsAsking) { change(a); a.Policy.FailOn = []string{string(kind)} }).
		check(t, w, want{exit: 1, findings: []verify.FindingKind{kind}})
	return j
}

// Logs that lie under another account's key, as a ransom note has it, are kept
// all the same: nothing of them changed. The key is named, with its account and
// what lies under it.
func TestHTTPKMSForeignKey(t *testing.T) {
	awsHere(t)
	for name, row := range map[string]struct {
		all  string // key of all others
		key  string
		own  []string
		says []string
	}{
		"another account":              {"", kmsForeign, nil, []string{"999988887777", "2 files of 2026-03-10T"}},
		"another account's, over ours": {kmsTrail, kmsForeign, nil, []string{"999988887777", "was not the trail's at the time", kmsTrail}},
		"another account's, ours known": {kmsTrail, kmsForeign, []string{kmsTrail}, []string{"999988887777",
			"was not the trail's at the time", kmsTrail}},
		"our account's, in the middle": {kmsTrail, kmsSecond, nil, []string{"was not the trail's at the time", "2 ", kmsTrail}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := kmsWorld(t, func(s *verifytest.Spec) { s.Hours, s.KMSKey = 8, row.all })
			w.EncryptSSE(row.key, "aws:kms", someLogs(t, w))
			s := serveHTTP(t, w, verifytest.ServerOptions{})
			j := judgeTwice(t, w, s.URL, verify.KeyForeign, func(a *kmsAsking) { a.OwnKeys = row.own })
			j.says(t, verify.KeyForeign, row.key, row.says...)
			checkUse(t, w, j, row.key, someLogs(t, w))
			// Who names the key says that it is known.
			judgeKMS(t, w, s.URL, func(a *kmsAsking) { a.OwnKeys = []string{kmsTrail, row.key} }).check(t, w, want{})
		})
	}
}

// A trail that changed its key half-way, and one whose key has always been in
// another account that its owner names, have nothing odd about them.
func TestHTTPKMSRotation(t *testing.T) {
	awsHere(t)
	w := mintWorld(t, nil)
	for _, hours := range []time.Duration{1, 3, 5} {
		half := w.Window().Start.Add(hours * time.Hour)
		w.EncryptSSE(kmsTrail, "aws:kms", nil)
		w.EncryptSSE(kmsSecond, "aws:kms", func(ref verify.Ref) bool { return deliveredTo(ref).After(half) })
		s := serveHTTP(t, w, verifytest.ServerOptions{})
		for _, own := range [][]string{nil, {kmsSecond}, {kmsTrail}} {
			j := judgeKMS(t, w, s.URL, func(a *kmsAsking) { a.OwnKeys, a.HasTrailKey = own, own != nil })
			j.check(t, w, want{})
		}
		s.Close()
	}
	w.EncryptSSE(kmsForeign, "aws:kms", nil)
	s := serveHTTP(t, w, verifytest.ServerOptions{})
	judgeKMS(t, w, s.URL, func(a *kmsAsking) { a.OwnKeys = []string{kmsForeign} }).check(t, w, want{})
	judgeTwice(t, w, s.URL, verify.KeyForeign, nil).says(t, verify.KeyForeign, kmsForeign, "--kms-key")
}

// One trail changes its key and another does not, in one bucket: each account's
// region is looked at by itself.
func TestHTTPKMSTwoTrailsTwoKeys(t *testing.T) {
	awsHere(t)
	w := verifytest.Merge(
		mintWorld(t, func(s *verifytest.Spec) { s.KMSKey = kmsTrail }),
		mintWorld(t, func(s *verifytest.Spec) {
			s.Seed, s.KMSKey = 2, "arn:aws:kms:eu-west-1:444455556666:key/0d0d0d0d-0000-4000-8000-000000000004"
			s.Accounts = []string{"444455556666"}
		}))
	s := serveHTTP(t, w, verifytest.ServerOptions{})
	j := judgeKMS(t, w, s.URL, nil)
	j.check(t, w, want{})
	if len(j.summary.Keys) != 2 || s.Requests()["DescribeKey"] != 2 {
		t.Errorf("keys %+v", j.summary.Keys)
	}
}

// A key that will be gone, or whose material will, is named with the day and
// with what is lost then, while all can still be read; and so is one that S3
// still remembers though it is disabled.
func TestHTTPKMSDoomedAndDisabled(t *testing.T) {
	awsHere(t)
	end := time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, row := range map[string]struct {
		is   func(*verifytest.KeySettings)
		kind verify.FindingKind
		says []string
		ends bool
	}{
		"pending deletion": {func(s *verifytest.KeySettings) { s.State, s.DeletionDate = verifytest.KeyPendingDeletion, end }, verify.KeyDoomed,
			[]string{"2027-01-02T03:04:05Z", "2026-03-10T", "files of", "aws kms cancel-key-deletion --key-id " + kmsTrail + " --region eu-west-1", "enable-key"}, true},
		"waits for replicas": {func(s *verifytest.KeySettings) {
			s.State, s.DeletionWindow = verifytest.KeyPendingReplicaDeletion, 30
		}, verify.KeyDoomed,
			[]string{"30 days", "replicas", "2026-03-10T", "aws kms cancel-key-deletion"}, false},
		"material expires": {func(s *verifytest.KeySettings) {
			s.Origin, s.ExpirationModel, s.ValidTo = "EXTERNAL", "KEY_MATERIAL_EXPIRES", end
		}, verify.KeyDoomed,
			[]string{"2027-01-02T03:04:05Z", "2026-03-10T", "aws kms import-key-material"}, true},
		"disabled":     {state(verifytest.KeyDisabled), verify.KeyDisabled, []string{"aws kms enable-key --key-id " + kmsTrail + " --region eu-west-1"}, false},
		"no material":  {state(verifytest.KeyPendingImport), verify.KeyDisabled, []string{"aws kms import-key-material --key-id " + kmsTrail}, false},
		"no key store": {state(verifytest.KeyUnavailable), verify.KeyDisabled, []string{"aws kms connect-custom-key-store"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := kmsWorld(t, func(s *verifytest.Spec) { s.KMSKey = kmsTrail })
			s := serveHTTP(t, w, verifytest.ServerOptions{})
			// S3 goes on reading for a while: the key is changed after all is read.
			late := func(a *kmsAsking) {
				w.KMS().Key(kmsTrail).SetState(verifytest.KeyEnabled)
				a.late = func() { w.KMS().Key(kmsTrail).Change(row.is) }
			}
			j := judgeTwice(t, w, s.URL, row.kind, late)
			j.says(t, row.kind, kmsTrail, row.says...)
			k := j.key(t, kmsTrail)
			if (k.EndsAt != nil) != row.ends || row.ends && !k.EndsAt.Equal(end) || k.Unreadable != 0 || k.Files != len(j.files) {
				t.Errorf("key %+v, ends at %v", k, k.EndsAt)
			}
		})
	}
	t.Run("material that does not expire", func(t *testing.T) {
		t.Parallel()
		w := kmsWorld(t, func(s *verifytest.Spec) { s.KMSKey = kmsTrail })
		w.KMS().Key(kmsTrail).Change(func(s *verifytest.KeySettings) {
			s.Origin, s.ExpirationModel = "EXTERNAL", "KEY_MATERIAL_DOES_NOT_EXPIRE"
		})
		judgeKMS(t, w, serveHTTP(t, w, verifytest.ServerOptions{}).URL, nil).check(t, w, want{})
	})
}

// --trail knows the trail's key: files under another one at its time are a
// remark, those sealed with the trail's own open without being asked to, and a
// trail's key in another account is no stranger's.
func TestHTTPKMSTrail(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		key      string
		change   func(*testing.T, *verifytest.World)
		flags    []string
		exit     int
		findings string
	}{
		"as it is":             {key: kmsTrail},
		"in another account":   {key: kmsForeign},
		"logs under another":   {key: kmsTrail, change: someUnder(kmsSecond), findings: "key-foreign"},
		"to fail on":           {key: kmsTrail, change: someUnder(kmsForeign), flags: []string{"--fail-on", "key-foreign"}, exit: 1, findings: "key-foreign"},
		"but known":            {key: kmsTrail, change: someUnder(kmsForeign), flags: []string{"--kms-key", kmsForeign}},
		"sealed with its own":  {key: kmsTrail, change: sealedUnder(kmsTrail), findings: "client-side"},
		"sealed with another":  {key: kmsTrail, change: sealedUnder(kmsSecond), exit: 3, findings: "client-side"},
		"sealed, and allowed":  {key: kmsTrail, change: sealedUnder(kmsSecond), flags: []string{"--kms-key", kmsSecond}, findings: "client-side"},
		"sealed, to fail on":   {key: kmsTrail, change: sealedUnder(kmsTrail), flags: []string{"--fail-on", "client-side"}, exit: 1, findings: "client-side"},
		"accept makes no less": {key: kmsTrail, change: someUnder(kmsSecond), flags: []string{"--accept", "key-foreign"}, findings: "key-foreign"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := kmsWorld(t, func(s *verifytest.Spec) { s.Hours, s.KMSKey = 8, row.key })
			if row.change != nil {
				row.change(t, w)
			}
			r, requests := verifyTrail(t, w, "eu-west-1", w.Trails()[0].ARN, append(window(w), row.flags...)...)
			if got := strings.Join(kinds(r), " "); r.Exit != row.exit || got != row.findings {
				t.Errorf("exit %d, findings %v, want %d and %q", r.Exit, r.Findings, row.exit, row.findings)
			}
			if requests["HeadObject"] > 0 || requests["DescribeKey"] > 2 {
				t.Errorf("requests %v", requests)
			}
		})
	}
}

func someUnder(key string) func(*testing.T, *verifytest.World) {
	return func(t *testing.T, w *verifytest.World) { w.EncryptSSE(key, "aws:kms", someLogs(t, w)) }
}

func sealedUnder(key string) func(*testing.T, *verifytest.World) {
	return func(t *testing.T, w *verifytest.World) {
		sealWorld(t, w, verifytest.Seal{Scheme: "s3ec-v3", Key: key}, isLog)
	}
}
