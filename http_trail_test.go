package trailseal_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// verifyTrail runs the tool with --trail against a world.
func verifyTrail(t *testing.T, w *verifytest.World, region, trail string, more ...string) (report, map[string]int64) {
	t.Helper()
	s := serveHTTP(t, w, verifytest.ServerOptions{})
	args := append([]string{"--trail", trail, "--aws-region", region}, more...)
	return verifyJSON(t, awsEnv(t, s.URL), args...), s.Requests()
}

func kinds(r report) []string {
	var all []string
	for _, f := range r.Findings {
		all = append(all, f.Kind)
	}
	return all
}

// A trail is found by its ARN from any region, by its name in its own or where
// it has a shadow, and of two trails in a bucket only it is verified.
func TestTrailByNameAndARN(t *testing.T) {
	t.Parallel()
	w := verifytest.Merge(
		mintWorld(t, func(s *verifytest.Spec) { s.Prefix = "a/b" }),
		mintWorld(t, func(s *verifytest.Spec) { s.Prefix, s.Trail, s.Seed, s.Regions = "a/b", "other", 2, s.Regions[:1] }))
	trail := w.Trails()[0]
	kept := 0
	for _, c := range w.Chains() {
		if c.Trail == trail.Name {
			kept += len(c.Digests)
			if !c.Backfill {
				kept-- // the starting digest ends where the window begins
			}
		}
	}
	for name, row := range map[string]struct{ region, trail string }{
		"ARN":               {"eu-west-1", trail.ARN},
		"ARN, other region": {"ap-southeast-2", trail.ARN},
		"name":              {"eu-west-1", trail.Name},
		"name of a shadow":  {"us-east-1", trail.Name},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, requests := verifyTrail(t, w, row.region, row.trail, window(w)...)
			if r.Exit != 0 || r.Summary.Digests["kept"] != kept || len(r.Findings) > 0 {
				t.Errorf("want %d digests kept: %+v", kept, r)
			}
			if requests["DescribeTrails"] != 1 || requests["GetTrailStatus"] != 1 {
				t.Errorf("requests %v", requests)
			}
		})
	}
}

// CloudTrail says that it delivered a digest an hour after the newest that is
// there. Nothing else tells: the window ends where that one does.
func TestTrailDeliveredMoreThanThereIs(t *testing.T) {
	t.Parallel()
	w := mintWorld(t, func(s *verifytest.Spec) { s.Backfill = false })
	short := w.Window().End.Add(-time.Hour)
	args := []string{"--start", w.Window().Start.Format(time.RFC3339), "--end", short.Format(time.RFC3339)}
	bucket := w.Buckets()[0]
	r, _ := verifyTrail(t, w, "eu-west-1", w.Trails()[0].ARN, args...)
	if r.Exit != 0 || len(r.Findings) > 0 {
		t.Errorf("all there: %+v", r)
	}
	for _, c := range w.Chains() {
		d := c.Digests[len(c.Digests)-1]
		for _, log := range logsOf(t, w, d) {
			w.Delete(log)
		}
		w.Delete(d.Ref)
	}
	r, _ = verifyTrail(t, w, "eu-west-1", w.Trails()[0].ARN, args...)
	if r.Exit != 3 || !slices.Equal(kinds(r), []string{"stale"}) || len(r.Files) > 0 {
		t.Errorf("the newest cut off, by ARN: %+v", r)
	}
	if len(r.Findings) > 0 && !strings.Contains(r.Findings[0].Message, "CloudTrail delivered a digest at ") {
		t.Errorf("the message is %q", r.Findings[0].Message)
	}
	s := serveHTTP(t, w, verifytest.ServerOptions{})
	if r = verifyJSON(t, awsEnv(t, s.URL), append([]string{"s3://" + bucket}, args...)...); r.Exit != 0 {
		t.Errorf("without --trail nothing tells: %+v", r)
	}
	refused := serveHTTP(t, w, verifytest.ServerOptions{Faults: []verifytest.Fault{
		{Operation: "GetTrailStatus", Status: 400, Code: "AccessDeniedException", Message: "not authorized to perform: cloudtrail:GetTrailStatus"},
	}})
	r = verifyJSON(t, awsEnv(t, refused.URL), append([]string{"--trail", w.Trails()[0].ARN}, args...)...)
	if r.Exit != 3 || !slices.Equal(kinds(r), []string{"delivery"}) || len(r.Files) > 0 {
		t.Errorf("the status cannot be asked: %+v", r)
	}
}

// An organization's trail is all of its accounts'.
func TestTrailOfAnOrganization(t *testing.T) {
	t.Parallel()
	w := mintWorld(t, func(s *verifytest.Spec) {
		s.Organization, s.Accounts = "o-exampleorgid", append(s.Accounts, "444455556666", "777788889999")
	})
	if err := w.Damage("log-deleted"); err != nil {
		t.Fatal(err)
	}
	trail := w.Trails()[0]
	gone := w.Victims["log-deleted"][0].URI()
	for _, name := range []string{trail.ARN, trail.Name} {
		r, _ := verifyTrail(t, w, "eu-west-1", name, window(w)...)
		if r.Exit != 1 || r.verdict(gone) != string(verify.Deleted) || len(r.Files) != 1 || r.Summary.Digests["kept"] < 3*2*6 || len(r.Findings) > 0 {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
