package verify_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// firsts are the first files of each day's folder of the window, by kind and
// region ("CloudTrail-Digest/eu-west-1").
func firsts(w *verifytest.World, window verify.Window) map[string][]string {
	seen, all := map[string]bool{}, map[string][]string{}
	for key := range w.Scan(w.Buckets()[0], "") {
		folder := key[:strings.LastIndexByte(key, '/')]
		parts := strings.Split(folder, "/") // AWSLogs, account, kind, region, year, month, day
		if strings.HasSuffix(key, "/") || seen[folder] {
			continue
		}
		seen[folder] = true
		day := strings.Join(parts[4:], "/")
		if day >= window.Start.Format("2006/01/02") && day <= window.End.Format("2006/01/02") {
			of := parts[2] + "/" + parts[3]
			all[of] = append(all[of], key)
		}
	}
	return all
}

// Samples are the first digest and the first log of each day.
func TestSamples(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) { s.Hours, s.LogsPerHour, s.Insight = 72, 1, true })
	for name, c := range map[string]struct {
		change func(*verify.Request)
		fail   string               // a part of the prefix whose listing fails
		stop   int                  // files after which no more are taken
		want   func(of string) bool // which kinds and regions
	}{
		"all":        {nil, "", 0, func(string) bool { return true }},
		"everything": {func(r *verify.Request) { r.Window = verify.Window{} }, "", 0, func(string) bool { return true }},
		"a region":   {func(r *verify.Request) { r.Filter.Regions = []string{"us-*"} }, "", 0, func(of string) bool { return strings.HasSuffix(of, "us-east-1") }},
		"a day": {func(r *verify.Request) {
			r.Window = verify.Window{Start: r.Window.Start.Add(24 * time.Hour), End: r.Window.Start.Add(26 * time.Hour)}
		}, "", 0, func(string) bool { return true }},
		"an account": {func(r *verify.Request) { r.Filter.Accounts = []string{"999988887777"} }, "", 0, func(string) bool { return false }},
		"stopped":    {nil, "", 5, nil},
		"unlisted":   {nil, "CloudTrail/us-east-1", 0, func(of string) bool { return of != "CloudTrail/us-east-1" }},
	} {
		t.Run(name, func(t *testing.T) {
			s := verifytest.NewStore(w)
			if c.fail != "" {
				s.FailList(verify.Ref{Bucket: w.Buckets()[0], Key: "AWSLogs/111122223333/" + c.fail + "/"}, 0, verifytest.Unreadable("x", verify.AccessDenied))
			}
			req := request(w, s)
			if c.change != nil {
				c.change(&req)
			}
			var got, want []string
			found := verify.Samples(t.Context(), req, func(ref verify.Ref) bool {
				got = append(got, ref.Key)
				return len(got) != c.stop
			})
			window := req.Window
			if window.IsZero() {
				window = verify.Window{Start: w.Window().Start.AddDate(0, 0, -9), End: w.Window().End.AddDate(0, 0, 9)}
			}
			for of, keys := range firsts(w, window) {
				if c.want != nil && c.want(of) {
					want = append(want, keys...)
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if c.stop > 0 && len(got) != c.stop || c.stop == 0 && !slices.Equal(got, want) || s.Requests()["get"] != 0 {
				t.Errorf("after %v:\n%s\nwant\n%s", s.Requests(), strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			unlisted := slices.ContainsFunc(found, func(f verify.Finding) bool { return f.Kind == verify.Unlisted })
			if unlisted != (c.fail != "") {
				t.Errorf("findings: %v", found)
			}
		})
	}
}

// What somebody put among the days does not keep the sampling from ending.
func TestSamplesEnd(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) { s.Regions, s.Backfill = []string{"eu-west-1"}, false })
	folder := "AWSLogs/111122223333/CloudTrail/eu-west-1/"
	for i := range 30 {
		w.Put(verify.Ref{Bucket: w.Buckets()[0], Key: fmt.Sprintf("%s2026/03/10~%02d", folder, i)}, verifytest.Object{Modified: w.Now()})
		w.Put(verify.Ref{Bucket: w.Buckets()[0], Key: fmt.Sprintf("%s2026/03/1", folder)}, verifytest.Object{Modified: w.Now()})
		w.Put(verify.Ref{Bucket: w.Buckets()[0], Key: fmt.Sprintf("%s%02d", folder, i)}, verifytest.Object{Modified: w.Now()})
	}
	req := request(w, verifytest.NewStore(w))
	req.Window.Start, req.Window.End = w.Window().Start.AddDate(-30, 0, 0), w.Window().End.AddDate(30, 0, 0)
	n := 0
	verify.Samples(t.Context(), req, func(verify.Ref) bool { n++; return true })
	if n == 0 || n > 2*400 {
		t.Errorf("%d samples", n)
	}
}
