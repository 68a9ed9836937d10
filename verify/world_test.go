package verify_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// A recorder is a sink that keeps everything.
type recorder struct {
	header   verify.Header
	files    []verify.File
	findings []verify.Finding
	chains   []verify.Chain
	summary  verify.Summary
}

func (r *recorder) Start(h verify.Header) error    { r.header = h; return nil }
func (r *recorder) File(f verify.File) error       { r.files = append(r.files, f); return nil }
func (r *recorder) Finding(f verify.Finding) error { r.findings = append(r.findings, f); return nil }
func (r *recorder) Chain(c verify.Chain) error     { r.chains = append(r.chains, c); return nil }
func (r *recorder) End(s verify.Summary) error     { r.summary = s; return nil }
func (r *recorder) find(uri string) (f verify.File) {
	for _, f = range r.files {
		if f.URI == uri {
			return f
		}
	}
	return verify.File{}
}

func (r *recorder) String() string {
	var b strings.Builder
	for _, f := range r.files {
		if f.Verdict != verify.Kept || len(f.Reasons) > 0 {
			fmt.Fprintf(&b, "%s %s %v %s %s\n", f.Kind, f.Verdict, f.Reasons, f.URI, f.Detail)
		}
	}
	for _, f := range r.findings {
		fmt.Fprintf(&b, "finding %s %s %v %v %s\n", f.Kind, f.URI, f.Start, f.End, f.Message)
	}
	for _, c := range r.chains {
		fmt.Fprintf(&b, "chain %s %s %s backfill=%v %v %v %v\n", c.Account, c.Region, c.Trail, c.Backfill, c.Digests, c.Logs, c.Coverage)
	}
	fmt.Fprintf(&b, "exit %d, window %s to %s\n", r.summary.Exit, r.summary.Window.Start, r.summary.Window.End)
	return b.String()
}

func mint(t testing.TB, change func(*verifytest.Spec)) *verifytest.World {
	t.Helper()
	spec := verifytest.DefaultSpec()
	spec.Hours, spec.LogsPerHour, spec.EventsPerLog = 12, 3, 2
	if change != nil {
		change(&spec)
	}
	w, err := verifytest.Mint(spec)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func request(w *verifytest.World, s *verifytest.Store) verify.Request {
	return verify.Request{Source: "test", Store: s, Keys: s, Window: w.Window(), Now: w.Now(), All: true}
}

func judge(t testing.TB, req verify.Request) *recorder {
	t.Helper()
	var r recorder
	if _, err := verify.Run(context.Background(), req, &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

// addUp asserts that every second of every chain's window is in one state.
func addUp(t testing.TB, r *recorder) {
	t.Helper()
	w := r.summary.Window
	want := int64(w.End.Sub(w.Start) / time.Second)
	for _, c := range r.chains {
		got := int64(0)
		for _, s := range c.Coverage {
			got += s.Seconds
			if s.Seconds < 0 {
				t.Errorf("%s %s: %d seconds %s", c.Region, c.Trail, s.Seconds, s.State)
			}
		}
		if got != want {
			t.Errorf("%s %s backfill=%v: %d seconds are accounted for, want %d: %v", c.Region, c.Trail, c.Backfill, got, want, c.Coverage)
		}
	}
}

// honest are worlds without damage, of every layout.
var honest = map[string]func(*verifytest.Spec){
	"plain": nil,
	"organization": func(s *verifytest.Spec) {
		s.Organization = "o-abcdef1234"
		s.Accounts = []string{"111111111111", "222222222222"}
	},
	"prefix":         func(s *verifytest.Spec) { s.Prefix = "a/b" },
	"backfill":       func(s *verifytest.Spec) { s.Backfill = true },
	"quiet hours":    func(s *verifytest.Spec) { s.QuietEvery = 3 },
	"no logs":        func(s *verifytest.Spec) { s.LogsPerHour = 0 },
	"markers":        func(s *verifytest.Spec) { s.Markers = true },
	"insight":        func(s *verifytest.Spec) { s.Insight = true },
	"pending":        func(s *verifytest.Spec) { s.Pending = 4 },
	"phase":          func(s *verifytest.Spec) { s.Phase = 17*time.Minute + 23*time.Second },
	"stagger":        func(s *verifytest.Spec) { s.Stagger = 90 * time.Minute },
	"moved bucket":   func(s *verifytest.Spec) { s.MoveBucketAt = 5 },
	"odd trail name": func(s *verifytest.Spec) { s.Trail = "us-east-1_my.trail-eu-west-1_backfill" },
	"long":           func(s *verifytest.Spec) { s.Hours, s.LogsPerHour, s.Regions = 24*45, 1, []string{"us-east-1"} },
}

func TestHonestWorldsAreAllKept(t *testing.T) {
	for name, change := range honest {
		t.Run(name, func(t *testing.T) {
			w := mint(t, change)
			r := judge(t, request(w, verifytest.NewStore(w)))
			addUp(t, r)
			if r.summary.Exit != 0 || len(r.summary.Digests) != 1 {
				t.Errorf("not all kept:\n%s", r)
			}
		})
	}
}

// Any window inside an honest world is kept, and so is one whose edges fall
// on no hour.
func TestHonestWindows(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) { s.Backfill = true; s.Hours = 30 })
	all := w.Window()
	for _, step := range []time.Duration{time.Hour, 25 * time.Minute, 7*time.Hour + 13*time.Second} {
		for from := all.Start; from.Before(all.End.Add(-step)); from = from.Add(step) {
			req := request(w, verifytest.NewStore(w))
			req.Window = verify.Window{Start: from, End: from.Add(step)}
			req.Now = w.Now().Add(100 * time.Hour) // nothing is pending any more
			r := judge(t, req)
			addUp(t, r)
			if r.summary.Exit != 0 {
				t.Errorf("window %s + %s:\n%s", from, step, r)
			}
		}
	}
}

// A plain copy has no signatures: the next digest carries them, and only the
// newest digest of each chain is left without.
func TestHonestCopy(t *testing.T) {
	for name, change := range honest {
		t.Run(name, func(t *testing.T) {
			w := mint(t, change)
			s := verifytest.NewStore(w)
			s.Copy = true
			req := request(w, s)
			req.Window = verify.Window{}
			r := judge(t, req)
			addUp(t, r)
			unverified := 0
			for _, c := range r.chains {
				if c.Digests[verify.Unverified] != 1 {
					t.Errorf("%s: %d digests unverified, want the newest alone", c.Region, c.Digests[verify.Unverified])
				}
				unverified += c.Digests[verify.Unverified]
			}
			if r.summary.Exit != 3 || len(r.summary.Digests) != 2 {
				t.Errorf("want kept but for %d:\n%s", unverified, r)
			}
		})
	}
}

// The report does not depend on how much is in flight at once.
func TestConcurrencyChangesNothing(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) { s.Backfill = true; s.Accounts = []string{"111111111111", "222222222222"} })
	s := verifytest.NewStore(w)
	s.FailReads(func(ref verify.Ref) error {
		switch {
		case strings.Contains(ref.Key, "T05"):
			return &verify.NotFoundError{Ref: ref}
		case strings.Contains(ref.Key, "T07"):
			return verifytest.Unreadable("x", verify.AccessDenied)
		}
		return nil
	})
	var want string
	for _, n := range []int{1, 2, 7, 256} {
		req := request(w, s)
		req.InFlight = n
		r := judge(t, req)
		addUp(t, r)
		if got := r.String(); want == "" {
			want = got
		} else if got != want {
			t.Errorf("with %d in flight the report differs:\n%s\nwant\n%s", n, got, want)
		}
	}
	if !strings.Contains(want, "exit 1") {
		t.Errorf("deletions exit 1:\n%s", want)
	}
}

func TestNothingFoundIsNeverSuccess(t *testing.T) {
	w := mint(t, nil)
	for name, change := range map[string]func(*verify.Request){
		"other account": func(r *verify.Request) { r.Filter.Accounts = []string{"999999999999"} },
		"other region":  func(r *verify.Request) { r.Filter.Regions = []string{"mars-*"} },
		"other trail":   func(r *verify.Request) { r.Filter.Trails = []string{"nope"} },
		"before it all": func(r *verify.Request) {
			r.Window = verify.Window{Start: w.Window().Start.AddDate(-1, 0, 0), End: w.Window().Start.AddDate(-1, 0, 1)}
		},
		"after it all": func(r *verify.Request) {
			r.Window = verify.Window{Start: w.Window().End.AddDate(1, 0, 0), End: w.Window().End.AddDate(1, 0, 1)}
			r.Now = r.Window.End
		},
		"empty prefix": func(r *verify.Request) { r.Store.(*verifytest.Store).At = []verify.Ref{{Bucket: "x", Key: "y/"}} },
		"one of two":   func(r *verify.Request) { r.Filter.Regions = []string{"us-east-1", "eu-north-7"} },
	} {
		t.Run(name, func(t *testing.T) {
			req := request(w, verifytest.NewStore(w))
			change(&req)
			r := judge(t, req)
			if r.summary.Exit != 3 || len(r.findings) == 0 {
				t.Errorf("want exit 3 and a finding:\n%s", r)
			}
		})
	}
}

// A quitter ends the run once it was told of so many files.
type quitter struct {
	recorder
	after int
	quit  func()
}

func (q *quitter) File(f verify.File) error {
	if q.after--; q.after == 0 {
		q.quit()
	}
	return q.recorder.File(f)
}

// What an interrupted run says is covered, it has reported file by file.
func TestInterruptedRunSaysSo(t *testing.T) {
	w := mint(t, nil)
	for _, after := range []int{1, 7, 20, 45} {
		s := verifytest.NewStore(w)
		ctx, cancel := context.WithCancel(t.Context())
		req := request(w, s)
		req.All = true
		r := quitter{after: after, quit: cancel}
		if _, err := verify.Run(ctx, req, &r); err != nil {
			t.Fatal(err)
		}
		cancel()
		addUp(t, &r.recorder)
		kinds := func(f verify.Finding) bool { return f.Kind == verify.NotChecked }
		if !r.summary.Interrupted || r.summary.Exit != 3 || !slices.ContainsFunc(r.findings, kinds) {
			t.Errorf("after %d files, want a partial report:\n%s", after, &r.recorder)
		}
		for _, c := range r.chains {
			for _, share := range c.Coverage {
				proven := share.State == verify.Verified || share.State == verify.VerifiedEmpty
				if hours := int64(c.Digests[verify.Kept]); proven && share.Seconds > 3600*hours && !c.Backfill {
					t.Errorf("after %d files: %d seconds of %s are %s, and %d digests were reported", after, share.Seconds, c.Region, share.State, hours)
				}
			}
		}
	}
}
