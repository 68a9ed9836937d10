package verify_test

import (
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// moved is a world whose trail changed its bucket at its fifth hour, of which
// the user names the new bucket only.
func moved(t *testing.T) (*verifytest.World, *verifytest.Store, verify.Request) {
	w := mint(t, func(s *verifytest.Spec) { s.MoveBucketAt = 5; s.Regions = []string{"us-east-1"}; s.Backfill = true })
	s := verifytest.NewStore(w)
	s.At = []verify.Ref{{Bucket: w.Buckets()[1]}}
	return w, s, request(w, s)
}

func TestChainIsFollowedAcrossBuckets(t *testing.T) {
	w, s, req := moved(t)
	r := judge(t, req)
	addUp(t, r)
	if r.summary.Exit != 0 || r.summary.Digests[verify.Kept] != 14 {
		t.Errorf("want 12 digests and 2 backfill digests kept:\n%s", r)
	}
	t.Run("planted in the old bucket", func(t *testing.T) {
		c := w.Chains()[0]
		log := w.Logs()[0]
		o, _ := w.Get(log)
		at := verify.Ref{Bucket: w.Buckets()[0], Key: log.Key[:len(log.Key)-len("x.json.gz")] + "Z.json.gz"}
		w.Put(at, o)
		defer w.Delete(at)
		req.Now = c.Digests[0].End.Add(100 * time.Hour)
		if r := judge(t, req); r.summary.Exit != 3 || r.find(at.URI()).Verdict != verify.Unreferenced {
			t.Errorf("want %s unreferenced:\n%s", at.URI(), r)
		}
	})
	t.Run("listing refused there", func(t *testing.T) {
		s.FailList(verify.Ref{Bucket: w.Buckets()[0]}, 0, verifytest.Unreadable("list", verify.AccessDenied))
		r := judge(t, req)
		addUp(t, r)
		if r.summary.Digests[verify.Kept] != 14 || r.summary.Exit != 0 {
			t.Errorf("digests can still be followed one by one:\n%s", r)
		}
	})
	t.Run("reading refused there", func(t *testing.T) {
		s.FailReads(func(ref verify.Ref) error {
			if ref.Bucket == w.Buckets()[0] {
				return verifytest.Unreadable("object", verify.AccessDenied)
			}
			return nil
		})
		r := judge(t, req)
		addUp(t, r)
		if r.summary.Exit != 3 || r.summary.Digests[verify.Unreadable] != 2 {
			t.Errorf("want the digest before in each chain unreadable and exit 3:\n%s", r)
		}
	})
}

// The nightly job: yesterday is asked for, yesterday's last hours are gone,
// and only today's chain still tells.
func TestWhatComesAfterTheWindowIsEvidence(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) { s.Hours = 40; s.Regions = []string{"us-east-1"} })
	c := w.Chains()[0]
	window := verify.Window{Start: w.Window().Start, End: c.Digests[24].End}
	for _, d := range c.Digests[20:25] {
		rec, err := w.Record(d.Ref)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range rec.Logs {
			w.Delete(verify.Ref{Bucket: l.Bucket, Key: l.Object})
		}
		w.Delete(d.Ref)
	}
	req := request(w, verifytest.NewStore(w))
	req.Window = window
	r := judge(t, req)
	addUp(t, r)
	newest := c.Digests[24]
	if r.summary.Exit != 1 || r.find(newest.URI()).Verdict != verify.Deleted {
		t.Errorf("want %s deleted:\n%s", newest.URI(), r)
	}
	gone := int64(0)
	for _, s := range r.chains[0].Coverage {
		if s.State == verify.DigestDeleted {
			gone = s.Seconds
		}
	}
	if gone != 5*3600 {
		t.Errorf("%d seconds digest-deleted, want five hours", gone)
	}
}

// The same in a window that ends before the damage: not this run's business.
func TestDamageOutsideTheWindowIsNotReported(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) { s.Hours = 40; s.Regions = []string{"us-east-1"} })
	c := w.Chains()[0]
	for _, d := range c.Digests[26:30] {
		w.Delete(d.Ref)
	}
	w.Delete(c.Digests[3].Ref)
	req := request(w, verifytest.NewStore(w))
	req.Window = verify.Window{Start: c.Digests[5].Start, End: c.Digests[20].End}
	if r := judge(t, req); r.summary.Exit != 0 {
		t.Errorf("want all kept:\n%s", r)
	}
}

// A chain that stops is missed while its region goes on, and a region that
// stops altogether is missed as well.
func TestStaleChainsAreMissed(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) { s.Hours = 24 })
	for _, after := range []time.Duration{0, 3 * 24 * time.Hour, 60 * 24 * time.Hour} {
		req := request(w, verifytest.NewStore(w))
		req.Now = w.Window().End.Add(after + 24*time.Hour)
		req.Window = verify.Window{Start: req.Now.Add(-24 * time.Hour), End: req.Now}
		r := judge(t, req)
		addUp(t, r)
		stale := 0
		for _, f := range r.findings {
			if f.Kind == verify.Stale {
				stale++
			}
		}
		if r.summary.Exit != 3 || stale != 2 {
			t.Errorf("%s later: want two stale chains and exit 3:\n%s", after, r)
		}
	}
}

// Trouble with one thing leaves the rest judged.
func TestTroubleStaysWhereItIs(t *testing.T) {
	w := mint(t, nil)
	digest := w.Chains()[0].Digests[4]
	rec, _ := w.Record(w.Chains()[0].Digests[6].Ref)
	log := verify.Ref{Bucket: rec.Logs[0].Bucket, Key: rec.Logs[0].Object}
	tests := map[string]struct {
		fault   func(*verifytest.Store)
		verdict verify.Verdict
		reason  verify.Reason
		uri     string
	}{
		"a digest refused":       {func(s *verifytest.Store) { s.FailRead(digest.Ref, verifytest.Unreadable("d", verify.AccessDenied)) }, verify.Unreadable, verify.AccessDenied, digest.URI()},
		"a log refused":          {func(s *verifytest.Store) { s.FailRead(log, verifytest.Unreadable("l", verify.KMSDenied)) }, verify.Unreadable, verify.KMSDenied, log.URI()},
		"a body broken for good": {func(s *verifytest.Store) { s.Break(log, -1) }, verify.Unreadable, verify.ReadFailed, log.URI()},
		"keys refused": {func(s *verifytest.Store) {
			s.FailKeys(w.Chains()[0].Region, verifytest.Unreadable("keys", verify.KeysUnavailable))
		}, verify.Unverified, verify.KeysUnavailable, digest.URI()},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := verifytest.NewStore(w)
			tt.fault(s)
			r := judge(t, request(w, s))
			addUp(t, r)
			f := r.find(tt.uri)
			if r.summary.Exit != 3 || f.Verdict != tt.verdict || f.Reason != tt.reason || r.summary.Digests[verify.Kept] == 0 {
				t.Errorf("want %s %s:\n%s", tt.verdict, tt.reason, r)
			}
		})
	}
	t.Run("a body broken once", func(t *testing.T) {
		s := verifytest.NewStore(w)
		s.Break(log, 1)
		if r := judge(t, request(w, s)); r.summary.Exit != 0 {
			t.Errorf("want all kept:\n%s", r)
		}
	})
	for _, at := range []string{"AWSLogs/", "AWSLogs/111122223333/", "AWSLogs/111122223333/CloudTrail-Digest/", "AWSLogs/111122223333/CloudTrail/", ""} {
		for _, after := range []int{0, 1} {
			s := verifytest.NewStore(w)
			s.FailList(verify.Ref{Bucket: w.Buckets()[0], Key: at}, after, verifytest.Unreadable("list", verify.AccessDenied))
			r := judge(t, request(w, s))
			addUp(t, r)
			unlisted := false
			for _, f := range r.findings {
				unlisted = unlisted || f.Kind == verify.Unlisted
			}
			if r.summary.Exit != 3 || !unlisted {
				t.Errorf("listing of %q fails after %d: want exit 3 and a finding:\n%s", at, after, r)
			}
		}
	}
}
