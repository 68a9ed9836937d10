package trailseal_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// useOf is what the key report must have on a key under which files lie: how
// many there are, their stored bytes, and when CloudTrail delivered them.
func useOf(t *testing.T, w *verifytest.World, j *judgement, match func(verify.Ref) bool) (files, digests int, bytes int64, first, last time.Time) {
	t.Helper()
	for _, f := range j.files {
		bucket, key, _ := strings.Cut(strings.TrimPrefix(f.URI, "s3://"), "/")
		ref := verify.Ref{Bucket: bucket, Key: key}
		if !match(ref) {
			continue
		}
		o, ok := w.Get(ref)
		if !ok {
			t.Fatalf("there is no %s", f.URI)
		}
		files, bytes = files+1, bytes+int64(len(o.Bytes))
		at := time.Time{}
		if n, err := digest.ParseName(key); err == nil {
			digests++
			at = n.End
		} else if n, err := digest.ParseLogName(key); err == nil {
			at = n.Delivered
		}
		if first.IsZero() || at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
	}
	return files, digests, bytes, first, last
}

func checkUse(t *testing.T, w *verifytest.World, j *judgement, arn string, match func(verify.Ref) bool) {
	t.Helper()
	k := j.key(t, arn)
	files, digests, bytes, first, last := useOf(t, w, j, match)
	if k.Files != files || k.Digests != digests || k.Bytes != bytes || k.Unreadable != 0 || k.First == nil || !k.First.Equal(first) || k.Last == nil || !k.Last.Equal(last) {
		t.Errorf("key %+v (%v to %v), want %d files, %d digests, %d bytes, %v to %v", k, k.First, k.Last, files, digests, bytes, first, last)
	}
	if k.State != "Enabled" || k.Account != strings.Split(arn, ":")[4] || k.Region != strings.Split(arn, ":")[3] || k.Remedy != "" {
		t.Errorf("key %+v, which is Enabled", k)
	}
}

// A trail under SSE-KMS or DSSE is verified as it is: one GET an object, no
// HEAD, nothing decrypted by ourselves, and one DescribeKey a key.
func TestHTTPKMSWhole(t *testing.T) {
	awsHere(t)
	for _, how := range []string{"aws:kms", "aws:kms:dsse"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			w := mintWorld(t, func(s *verifytest.Spec) { s.Prefix = "logs/" })
			w.EncryptSSE(kmsTrail, how, nil)
			s := serveHTTP(t, w, verifytest.ServerOptions{})
			g := newGate(t, s)
			j := judgeKMS(t, w, g.URL, func(a *kmsAsking) { a.URI += "/logs" })
			j.check(t, w, want{})
			checkUse(t, w, j, kmsTrail, func(verify.Ref) bool { return true })
			if k := j.key(t, kmsTrail); len(j.summary.Keys) != 1 || !slices.Equal(k.Encryption, []string{how}) || k.Manager != "CUSTOMER" || k.Origin != "AWS_KMS" {
				t.Errorf("keys %+v", j.summary.Keys)
			}
			for _, f := range j.files {
				if f.Key != kmsTrail || f.Envelope != "" {
					t.Errorf("%s: key %q, envelope %q", f.URI, f.Key, f.Envelope)
				}
				if n := g.seen["GET /"+strings.TrimPrefix(f.URI, "s3://")]; n != 1 {
					t.Errorf("%s: %d GETs", f.URI, n)
				}
			}
			if got := s.Requests(); got["GetObject"] != int64(len(j.files)) || got["HeadObject"] != 0 || got["DescribeKey"] != 1 || got["Decrypt"] != 0 {
				t.Errorf("%v for %d files", got, len(j.files))
			}
			if got := j.summary.Requests; got["describe"] != 1 || got["decrypt"]+got["head"] != 0 {
				t.Errorf("the summary counts %v", got)
			}
		})
	}
}

// Digests were not encrypted with the trail's key at first: a trail has them in
// plain, then under the key that its logs lie under, and then under another.
func TestHTTPKMSSeveralKeys(t *testing.T) {
	awsHere(t)
	w := mintWorld(t, nil)
	half := w.Window().Start.Add(3*time.Hour + 20*time.Minute)
	late := func(ref verify.Ref) bool { return deliveredTo(ref).After(half) }
	w.EncryptSSE(kmsTrail, "aws:kms", func(ref verify.Ref) bool { return isLog(ref) && !late(ref) })
	w.EncryptSSE(kmsSecond, "aws:kms", late)
	s := serveHTTP(t, w, verifytest.ServerOptions{})
	j := judgeKMS(t, w, s.URL, nil)
	j.check(t, w, want{}) // a key that follows another is nothing odd
	checkUse(t, w, j, kmsTrail, func(ref verify.Ref) bool { return isLog(ref) && !late(ref) })
	checkUse(t, w, j, kmsSecond, late)
	if got := s.Requests(); len(j.summary.Keys) != 2 || got["DescribeKey"] != 2 || got["HeadObject"] != 0 {
		t.Errorf("%d keys, requests %v", len(j.summary.Keys), got)
	}
}

// deliveredTo is when CloudTrail delivered a file, by its name.
func deliveredTo(ref verify.Ref) time.Time {
	if n, err := digest.ParseName(ref.Key); err == nil {
		return n.End
	}
	n, _ := digest.ParseLogName(ref.Key)
	return n.Delivered
}

// kmsStates are states in which a key gives nothing, and what is said then.
var kmsStates = []struct {
	name     string
	key      string
	is       func(*verifytest.KeySettings)
	reason   string
	state    string
	findings []verify.FindingKind
	heads    bool
}{
	{"disabled", kmsTrail, state(verifytest.KeyDisabled), "kms-key-disabled", "Disabled", []verify.FindingKind{verify.KeyDisabled}, false},
	{"pending deletion", kmsTrail, state(verifytest.KeyPendingDeletion), "kms-key-pending-deletion", "PendingDeletion", []verify.FindingKind{verify.KeyDoomed}, false},
	{"pending import", kmsTrail, state(verifytest.KeyPendingImport), "kms-key-unusable", "PendingImport", []verify.FindingKind{verify.KeyDisabled}, false},
	{"unavailable", kmsTrail, state(verifytest.KeyUnavailable), "kms-key-unusable", "Unavailable", []verify.FindingKind{verify.KeyDisabled}, false},
	{"gone", kmsTrail, state(verifytest.KeyGone), "kms-key-not-found", "NotFound", nil, false},
	{"denied", kmsTrail, func(s *verifytest.KeySettings) { s.Denied = true }, "kms-denied", "Enabled", nil, false},
	{"denied, and nothing told", kmsTrail, func(s *verifytest.KeySettings) { s.Denied, s.DescribeDenied = true, true }, "kms-denied", "unknown", nil, false},
	{"denied by another account", kmsForeign, func(s *verifytest.KeySettings) { s.Denied, s.DescribeDenied = true, true }, "kms-denied", "unknown",
		[]verify.FindingKind{verify.KeyForeign}, true},
}

func state(s verifytest.KeyState) func(*verifytest.KeySettings) {
	return func(k *verifytest.KeySettings) { k.State = s }
}

// A key that gives nothing makes unreadable what lies under it, with the right
// reason, and nothing else; and when it gives again all is kept.
func TestHTTPKMSKeyStates(t *testing.T) {
	awsHere(t)
	for _, row := range kmsStates {
		for which, match := range map[string]func(verify.Ref) bool{"all": nil, "logs": isLog, "digests": isDigest} {
			t.Run(row.name+" "+which, func(t *testing.T) {
				t.Parallel()
				w := kmsWorld(t, nil)
				w.EncryptSSE(row.key, "aws:kms", match)
				unreadable := "unreadable " + row.reason
				files := outcomes(w, unreadable, "unreferenced no-digest")
				if which == "logs" {
					files = outcomes(w, "", unreadable)
				}
				w.KMS().Key(row.key).Change(row.is)
				s := serveHTTP(t, w, verifytest.ServerOptions{})
				j := judgeKMS(t, w, s.URL, nil)
				j.check(t, w, want{exit: 3, files: files, findings: slices.Clone(row.findings)})
				refused := countOf(j, unreadable)
				if k := j.key(t, row.key); k.State != row.state || k.Unreadable != refused || k.Files != refused || k.Bytes != 0 || (k.State == "unknown") != (k.Detail != "") {
					t.Errorf("key %+v, want %s and %d files", k, row.state, refused)
				}
				if got := s.Requests(); (got["HeadObject"] > 0) != row.heads || got["DescribeKey"] != 1 {
					t.Errorf("requests %v", got)
				}
				w.KMS().Key(row.key).Change(func(k *verifytest.KeySettings) {
					k.State, k.Denied, k.DescribeDenied = verifytest.KeyEnabled, false, false
				})
				again := judgeKMS(t, w, s.URL, func(a *kmsAsking) { a.OwnKeys = []string{row.key} })
				again.check(t, w, want{})
			})
		}
	}
}

func countOf(j *judgement, what string) (n int) {
	for _, f := range j.files {
		if outcome(f) == what {
			n++
		}
	}
	return n
}

// A key that is disabled while a run is under way: what was read before is kept,
// the rest is unreadable, no file is judged by what befell another, and the key
// report tells both.
func TestHTTPKMSKeyChangesUnderWay(t *testing.T) {
	awsHere(t)
	for _, row := range kmsStates {
		if row.key != kmsTrail || row.state == "unknown" {
			continue
		}
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := kmsWorld(t, func(s *verifytest.Spec) { s.LogsPerHour = 8 })
			w.EncryptSSE(kmsTrail, "aws:kms", isLog)
			s := serveHTTP(t, w, verifytest.ServerOptions{})
			var mu sync.Mutex
			reads := 0
			url := frontOf(t, s, func(r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				if isLog(verify.Ref{Key: r.URL.Path}) && r.Method == http.MethodGet {
					if reads++; reads == 20 {
						w.KMS().Key(kmsTrail).Change(row.is)
					}
				}
			})
			j := judgeKMS(t, w, url, func(a *kmsAsking) { a.S3Options.Concurrency, a.InFlight = 4, 4 })
			unreadable := "unreadable " + row.reason
			kept, refused := 0, countOf(j, unreadable)
			files := map[string]string{}
			for _, f := range j.files {
				if f.Kind == "log" && f.Verdict == verify.Kept {
					kept++
				} else if f.Kind == "log" {
					files[f.URI] = unreadable
				}
			}
			if kept == 0 || refused == 0 {
				t.Errorf("%d kept, %d unreadable, want some of both", kept, refused)
			}
			j.check(t, w, want{exit: 3, files: files, findings: slices.Clone(row.findings)})
			if k := j.key(t, kmsTrail); k.Files != kept+refused || k.Unreadable != refused || k.Bytes == 0 {
				t.Errorf("key %+v, want %d and %d files", k, kept, refused)
			}
		})
	}
	t.Run("a key that comes back", func(t *testing.T) {
		t.Parallel()
		w := kmsWorld(t, func(s *verifytest.Spec) { s.KMSKey = kmsTrail })
		s := serveHTTP(t, w, verifytest.ServerOptions{Faults: []verifytest.Fault{
			{Operation: "GetObject", Key: "*/CloudTrail/*", Status: 400, Code: "KMS.DisabledException", Message: kmsTrail + " is disabled.", Times: 3}}})
		j := judgeKMS(t, w, s.URL, nil)
		if n := countOf(j, "unreadable kms-key-disabled"); n != 3 || j.summary.Exit != 3 || countOf(j, "kept") != len(j.files)-3 {
			t.Errorf("three refusals, and then none:\n%s", j)
		}
		if k := j.key(t, kmsTrail); k.State != "Enabled" || k.Unreadable != 3 || len(j.findings) > 0 {
			t.Errorf("key %+v, findings %v", k, j.findings)
		}
	})
}

// The built tool exits 3 for each of these, says it in the text report grouped
// by reason and key with what to do, and exits 0 when the key gives again.
func TestHTTPKMSTool(t *testing.T) {
	t.Parallel()
	for _, row := range kmsStates {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := kmsWorld(t, nil)
			w.EncryptSSE(row.key, "aws:kms", isLog)
			w.KMS().Key(row.key).Change(row.is)
			s := serveHTTP(t, w, verifytest.ServerOptions{})
			env, args := awsEnv(t, s.URL), append([]string{"s3://" + w.Buckets()[0]}, window(w)...)
			r := verifyKeys(t, env, args...)
			if got := slices.Collect(maps.Keys(r.outcomes("log"))); r.Exit != 3 || !slices.Equal(got, []string{"unreadable " + row.reason + " -"}) {
				t.Errorf("exit %d, logs %v", r.Exit, got)
			}
			if len(r.Keys) != 1 || r.Keys[0].ARN != row.key || r.Keys[0].State != row.state || r.Keys[0].Unreadable != r.Summary.Logs["unreadable"] {
				t.Errorf("keys %+v", r.Keys)
			}
			text, exit := trailseal(t, env, append([]string{"verify", "--quiet"}, args...)...)
			for _, part := range []string{"Unreadable, by reason and key", "(" + row.reason + ")", "key " + row.key, "its state is " + row.state, "KMS keys"} {
				if exit != 3 || !strings.Contains(string(text), part) {
					t.Errorf("exit %d, and no %q in\n%s", exit, part, text)
				}
			}
			w.KMS().Key(row.key).Change(func(k *verifytest.KeySettings) {
				k.State, k.Denied, k.DescribeDenied = verifytest.KeyEnabled, false, false
			})
			if r := verifyKeys(t, env, args...); r.Exit != 0 {
				t.Errorf("after the key gives again: exit %d", r.Exit)
			}
		})
	}
}
