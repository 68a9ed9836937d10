package verify_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// tenDays is a world of ten days in one region, whose bucket has these rules.
func tenDays(t testing.TB, rules ...verify.Expiration) *verifytest.World {
	w := mint(t, func(s *verifytest.Spec) {
		s.Hours, s.LogsPerHour, s.QuietEvery, s.Backfill, s.Markers, s.Regions = 240, 1, 0, false, false, []string{"eu-west-1"}
	})
	w.Lifecycle(w.Buckets()[0], rules...)
	return w
}

const (
	logFolder    = "AWSLogs/111122223333/CloudTrail/"
	digestFolder = "AWSLogs/111122223333/CloudTrail-Digest/"
)

func isExpired(f verify.File) bool {
	return f.Verdict == verify.Deleted && slices.Equal(f.Reasons, []verify.Reason{verify.NotFound, verify.Expired})
}

// accepted judges with --accept expired as well, and wants each file that is
// expired to be a remark then, and nothing else to change.
func accepted(t *testing.T, req verify.Request, plain *recorder) *recorder {
	t.Helper()
	req.Policy.Accept = []string{"expired"}
	r := judge(t, req)
	if r.String() != strings.Replace(plain.String(), "exit "+string(rune('0'+plain.summary.Exit)), "exit "+string(rune('0'+r.summary.Exit)), 1) {
		t.Errorf("what is found depends on what is accepted:\n%s\nwithout\n%s", r, plain)
	}
	for i, f := range r.files {
		if want := plain.files[i].Class; isExpired(f) && f.Class != verify.Remark || !isExpired(f) && f.Class != want {
			t.Errorf("%s %v is %s, was %s", f.URI, f.Reasons, f.Class, want)
		}
	}
	return r
}

// What a rule has deleted is deleted all the same, and told apart.
func TestExpired(t *testing.T) {
	for name, c := range map[string]struct {
		rules      []verify.Expiration
		start      int // day of the window
		exit, with int // exit status, and that with --accept expired
		files      int // at least so many are expired
	}{
		"all":            {[]verify.Expiration{{ID: "old", Prefix: "", Days: 4}}, 0, 1, 0, 1},
		"all, later":     {[]verify.Expiration{{ID: "old", Prefix: "AWSLogs/", Days: 4}}, 3, 1, 0, 1},
		"logs":           {[]verify.Expiration{{ID: "old", Prefix: logFolder, Days: 4}}, 0, 1, 0, 100},
		"logs, later":    {[]verify.Expiration{{ID: "old", Prefix: logFolder, Days: 4}}, 3, 1, 0, 30},
		"digests":        {[]verify.Expiration{{ID: "old", Prefix: digestFolder, Days: 4}}, 0, 1, 3, 1},
		"by date":        {[]verify.Expiration{{ID: "old", Prefix: logFolder, On: time.Date(2026, 3, 12, 0, 0, 0, 0, time.UTC)}}, 0, 1, 0, 200},
		"two rules":      {[]verify.Expiration{{Prefix: digestFolder, Days: 6}, {ID: "old", Prefix: logFolder, Days: 4}}, 0, 1, 0, 40},
		"nothing is due": {[]verify.Expiration{{ID: "old", Days: 400}}, 0, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := tenDays(t, c.rules...)
			w.Expire(w.Now())
			s := verifytest.NewStore(w)
			req := request(w, s)
			req.Window.Start = req.Window.Start.AddDate(0, 0, c.start)
			r := judge(t, req)
			addUp(t, r)
			n := 0
			for _, f := range r.files {
				if isExpired(f) {
					n++
					if !strings.Contains(f.Detail, `lifecycle rule "`) || !strings.Contains(f.Detail, "deletes objects under") {
						t.Errorf("the rule is not named: %q", f.Detail)
					}
				} else if f.Verdict == verify.Deleted {
					t.Errorf("%s %v %s", f.URI, f.Reasons, f.Detail)
				}
			}
			if r.summary.Exit != c.exit || n < c.files || s.Requests()["lifecycle"] != int64(min(n, 1)) {
				t.Errorf("%d files are expired, after %v:\n%s", n, s.Requests(), r)
			}
			if with := accepted(t, req, r); with.summary.Exit != c.with {
				t.Errorf("with --accept expired:\n%s", with)
			}
		})
	}
}
