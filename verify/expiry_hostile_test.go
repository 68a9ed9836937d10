package verify_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// A hole in the first day of what is there is no rule's work, though a rule is due
// for all of that day and has not been carried out yet: the digest before it is there.
func TestStoppedBesideExpired(t *testing.T) {
	for _, damage := range []string{"gap", "restart"} {
		hit := false
		for seed := range int64(6) {
			w := mint(t, func(s *verifytest.Spec) {
				s.Seed, s.Hours, s.LogsPerHour, s.QuietEvery, s.Backfill, s.Regions = seed, 20, 1, 0, false, []string{"eu-west-1"}
			})
			if w.Damage(damage) != nil {
				continue
			}
			hit = true
			w.Lifecycle(w.Buckets()[0], verify.Expiration{ID: "old", Days: 1})
			req := request(w, verifytest.NewStore(w))
			req.Now = w.Now().AddDate(0, 0, 5)
			plain := judge(t, req)
			req.Policy.Accept = []string{"expired"}
			r := judge(t, req)
			if r.summary.Exit != plain.summary.Exit || slices.ContainsFunc(r.findings, func(f verify.Finding) bool { return f.Reason == verify.Expired }) {
				t.Errorf("%s, seed %d:\n%s", damage, seed, r)
			}
		}
		if !hit {
			t.Errorf("%s does no harm", damage)
		}
	}
}

// What was deleted before the rule was due was not deleted by the rule, where
// versions tell when.
func TestDeletedBeforeDue(t *testing.T) {
	for name, c := range map[string]struct {
		at      time.Time
		expired bool
	}{
		"before": {time.Date(2026, 3, 12, 3, 0, 0, 0, time.UTC), false},
		"after":  {time.Date(2026, 3, 19, 0, 0, 0, 0, time.UTC), true},
	} {
		t.Run(name, func(t *testing.T) {
			w := tenDays(t, verify.Expiration{ID: "old", Prefix: logFolder, Days: 4})
			w.Version(w.Buckets()[0])
			w.Hand(c.at, thief)
			for _, ref := range w.Logs() {
				if strings.Contains(ref.Key, "/2026/03/10/") || strings.Contains(ref.Key, "/2026/03/11/") {
					w.Delete(ref)
				}
			}
			r := rescue(t, w, nil)
			n := 0
			for _, f := range r.files {
				if f.Verdict != verify.Deleted {
					continue
				}
				if n++; isExpired(f) != c.expired {
					t.Errorf("%s %v %+v", f.URI, f.Reasons, f.Recover)
				}
			}
			if n == 0 {
				t.Errorf("%s", r)
			}
		})
	}
}
