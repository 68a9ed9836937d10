package trailseal_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/source"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// The tests in http_*_test.go run the engine, or the built tool, against a
// world over HTTP, and say exactly what must come of it: what is not named in
// a row must be kept.

// A judgement is all that a run said.
type judgement struct {
	files    []verify.File
	findings []verify.Finding
	chains   []verify.Chain
	summary  verify.Summary
}

func (j *judgement) Start(verify.Header) error      { return nil }
func (j *judgement) File(f verify.File) error       { j.files = append(j.files, f); return nil }
func (j *judgement) Finding(f verify.Finding) error { j.findings = append(j.findings, f); return nil }
func (j *judgement) Chain(c verify.Chain) error     { j.chains = append(j.chains, c); return nil }
func (j *judgement) End(s verify.Summary) error     { j.summary = s; return nil }
func (j *judgement) finding(kind verify.FindingKind) (found verify.Finding) {
	for _, f := range j.findings {
		if f.Kind == kind {
			return f
		}
	}
	return found
}

func (j *judgement) String() string {
	var b strings.Builder
	for _, f := range j.files {
		if outcome(f) != "kept" && b.Len() < 4000 {
			fmt.Fprintf(&b, "%s %s %v %q %s\n", f.Kind, f.Verdict, f.Reasons, f.URI, f.Detail)
		}
	}
	for _, f := range j.findings {
		fmt.Fprintf(&b, "finding %s %q %v %v %s\n", f.Kind, f.URI, f.Start, f.End, f.Message)
	}
	for _, c := range j.chains {
		fmt.Fprintf(&b, "chain %s %s backfill=%v %v %v %v\n", c.Account, c.Region, c.Backfill, c.Digests, c.Logs, c.Coverage)
	}
	fmt.Fprintf(&b, "exit %d, requests %v", j.summary.Exit, j.summary.Requests)
	return b.String()
}

// outcome is a file's verdict and first reason: "modified hash-mismatch".
func outcome(f verify.File) string {
	return strings.TrimSpace(string(f.Verdict) + " " + string(f.Reason))
}

// awsHere makes this process one that has AWS credentials and no other
// settings. Subtests may run in parallel all the same.
func awsHere(t *testing.T) {
	t.Helper()
	for _, e := range append(awsEnv(t, ""), "AWS_MAX_ATTEMPTS=1") {
		name, value, _ := strings.Cut(e, "=")
		t.Setenv(name, value)
	}
}

func serveHTTP(t testing.TB, w *verifytest.World, o verifytest.ServerOptions) *verifytest.Server {
	t.Helper()
	s, err := verifytest.NewServer(w, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// An asking is how a run is asked for; tests change it.
type asking struct {
	source.S3Options
	verify.Request
}

// judgeOver verifies all of a world through a server, three days later: no log
// is young enough then to wait for its digest.
func judgeOver(t testing.TB, w *verifytest.World, url string, change func(*asking)) *judgement {
	t.Helper()
	a := asking{
		source.S3Options{URI: "s3://" + w.Trails()[0].Bucket, EndpointURL: url, MaxAttempts: 3},
		verify.Request{Source: "test", Window: everything(w), Now: later(w), All: true},
	}
	if change != nil {
		change(&a)
	}
	store, err := source.OpenS3(t.Context(), a.S3Options)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	a.Store, a.Keys = store, store.Keys()
	var j judgement
	if _, err := verify.Run(t.Context(), a.Request, &j); err != nil {
		t.Fatal(err)
	}
	return &j
}

// everything is the window of a world, the hour before logging began included,
// which the starting digests speak of.
func everything(w *verifytest.World) verify.Window {
	all := w.Window()
	return verify.Window{Start: all.Start.Add(-time.Hour), End: all.End}
}

func later(w *verifytest.World) time.Time { return w.Now().Add(72 * time.Hour) }

// A want is what must come of a run. What it does not name must be kept.
type want struct {
	exit     int
	files    map[string]string // URI -> outcome; "" says that nothing may be said of it
	findings []verify.FindingKind
}

// check holds a run against what is wanted of it: every file of the world once
// and with the right outcome, exactly these findings, and sums that add up.
func (j *judgement) check(t testing.TB, w *verifytest.World, want want) {
	t.Helper()
	expected := map[string]string{}
	for ref := range w.Expect(later(w)) {
		expected[ref.URI()] = "kept"
	}
	maps.Copy(expected, want.files)
	maps.DeleteFunc(expected, func(_, outcome string) bool { return outcome == "" })
	var wrong []string
	for _, f := range j.files {
		if was, ok := expected[f.URI]; !ok || was != outcome(f) {
			wrong = append(wrong, fmt.Sprintf("%q: %s %s, want %q", f.URI, outcome(f), f.Detail, was))
		}
		delete(expected, f.URI)
	}
	for uri, outcome := range expected {
		wrong = append(wrong, fmt.Sprintf("%q: nothing is said of it, want %q", uri, outcome))
	}
	if len(wrong) > 0 {
		t.Errorf("%d files:\n%s", len(wrong), strings.Join(wrong[:min(len(wrong), 10)], "\n"))
	}
	j.checkFindings(t, want.findings)
	j.addsUp(t)
	if j.summary.Exit != want.exit {
		t.Errorf("exit %d, want %d", j.summary.Exit, want.exit)
	}
	if t.Failed() {
		t.Logf("the run said\n%s", j)
	}
}

func (j *judgement) checkFindings(t testing.TB, want []verify.FindingKind) {
	t.Helper()
	var kinds []verify.FindingKind
	for _, f := range j.findings {
		kinds = append(kinds, f.Kind)
	}
	slices.Sort(kinds)
	if slices.Sort(want); !slices.Equal(kinds, want) {
		t.Errorf("findings %v, want %v", kinds, want)
	}
}

// addsUp: each second of each chain's window is in one state, and the counts
// are those of the files.
func (j *judgement) addsUp(t testing.TB) {
	t.Helper()
	window := int64(j.summary.Window.End.Sub(j.summary.Window.Start) / time.Second)
	for _, c := range j.chains {
		seconds := int64(0)
		for _, s := range c.Coverage {
			seconds += s.Seconds
		}
		if seconds != window {
			t.Errorf("%s %s: %d of %d seconds are accounted for", c.Account, c.Region, seconds, window)
		}
	}
	counts := map[string]map[verify.Verdict]int{"digest": {}, "log": {}}
	for _, f := range j.files {
		counts[f.Kind][f.Verdict]++
	}
	if !maps.Equal(counts["digest"], j.summary.Digests) || !maps.Equal(counts["log"], j.summary.Logs) {
		t.Errorf("the summary counts %v and %v, the files are %v", j.summary.Digests, j.summary.Logs, counts)
	}
}

// spotOf is a digest in the middle of a region's chain, with some logs, and
// those.
func spotOf(t testing.TB, w *verifytest.World, region string) (*verifytest.Digest, []verify.Ref) {
	t.Helper()
	for _, c := range w.Chains() {
		if c.Region != region || c.Backfill {
			continue
		}
		for _, d := range c.Digests[2 : len(c.Digests)-1] {
			if d.Logs > 0 {
				return d, logsOf(t, w, d)
			}
		}
	}
	t.Fatalf("no digest of %s has logs", region)
	return nil, nil
}

func logsOf(t testing.TB, w *verifytest.World, d *verifytest.Digest) []verify.Ref {
	t.Helper()
	r, err := w.Record(d.Ref)
	if err != nil {
		t.Fatal(err)
	}
	var refs []verify.Ref
	for _, l := range r.Logs {
		refs = append(refs, verify.Ref{Bucket: l.Bucket, Key: l.Object})
	}
	return refs
}
