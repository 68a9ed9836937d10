package verify_test

import (
	"slices"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// Regions are those that there are files of, and the time is what their keys are
// needed for. No file is read.
func TestRegions(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) { s.Accounts = append(s.Accounts, "444455556666") })
	both := []string{"eu-west-1", "us-east-1"}
	for name, c := range map[string]struct {
		change   func(*verify.Request, *verifytest.Store)
		want     []string
		findings int
	}{
		"all":        {nil, both, 0},
		"some":       {func(r *verify.Request, _ *verifytest.Store) { r.Filter.Regions = []string{"us-*"} }, both[1:], 0},
		"none":       {func(r *verify.Request, _ *verifytest.Store) { r.Filter.Regions = []string{"mars-1"} }, nil, 1},
		"one more":   {func(r *verify.Request, _ *verifytest.Store) { r.Filter.Regions = []string{"us-*", "mars-1"} }, both[1:], 1},
		"everything": {func(r *verify.Request, _ *verifytest.Store) { r.Window = verify.Window{} }, both, 0},
		"unlisted": {func(_ *verify.Request, s *verifytest.Store) {
			s.FailList(verify.Ref{Bucket: w.Buckets()[0], Key: "AWSLogs/444455556666/CloudTrail/"}, 0, verifytest.Unreadable("x", verify.AccessDenied))
		}, both, 1},
	} {
		s := verifytest.NewStore(w)
		req := request(w, s)
		if c.change != nil {
			c.change(&req, s)
		}
		got, span, findings := verify.Regions(t.Context(), req)
		if !slices.Equal(got, c.want) || len(findings) != c.findings || s.Requests()["get"] != 0 {
			t.Errorf("%s: %q, %v after %v", name, got, findings, s.Requests())
		}
		if from := w.Window().Start.AddDate(0, 0, -7); !span.End.After(req.Now) || span.Start.After(from) || span.Start.Before(from.Add(-2*time.Hour)) {
			t.Errorf("%s: %v", name, span)
		}
	}
}
