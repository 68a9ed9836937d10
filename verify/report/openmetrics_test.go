package report

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
)

var sampleForm = regexp.MustCompile(`^(trailseal_[a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+\})? (\S+)$`)

// samples reads the classic text format: series and values. (Prometheus' own
// parser reads it in formats_aws_test.go.)
func samples(t *testing.T, text string) map[string]float64 {
	t.Helper()
	got, typed := map[string]float64{}, ""
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			typed = strings.TrimSuffix(name, " gauge")
			continue
		}
		if strings.HasPrefix(line, "# HELP ") {
			continue
		}
		m := sampleForm.FindStringSubmatch(line)
		if m == nil || m[1] != typed {
			t.Fatalf("%q, under the type of %s", line, typed)
		}
		value, err := strconv.ParseFloat(m[3], 64)
		if _, twice := got[m[1]+m[2]]; err != nil || twice {
			t.Fatalf("%q: %v, or twice", line, err)
		}
		got[m[1]+m[2]] = value
	}
	return got
}

func TestOpenMetrics(t *testing.T) {
	r := keptRun()
	r.end.Keys = []verify.KeyUse{{State: "Enabled"}, {State: "Enabled"}, {State: "Disabled", Unreadable: 4}}
	r.end.Interrupted = true
	got := samples(t, play(t, "openmetrics", r))
	const chain = `{organization="",account="111122223333",region="%s",home_region="eu-west-1",trail="main",backfill="%v"}`
	for series, want := range map[string]float64{
		"trailseal_verdict": 0, `trailseal_run{verdict="kept"}`: 1, `trailseal_run{verdict="tampered"}`: 0, `trailseal_run{verdict="unproven"}`: 0,
		"trailseal_last_run_timestamp_seconds": 1773302404, "trailseal_last_run_duration_seconds": 4.25, "trailseal_last_run_interrupted": 1,
		`trailseal_files{kind="log",verdict="kept"}`: 1033, `trailseal_files{kind="log",verdict="deleted"}`: 0, `trailseal_findings{kind="gap"}`: 0,
		`trailseal_bytes{what="fetched"}`: 3 << 20, `trailseal_requests{operation="get"}`: 1059, `trailseal_keys{state="Enabled"}`: 2,
		`trailseal_keys{state="Disabled"}`: 1, "trailseal_key_unreadable_files": 4, "trailseal_chains": 2, "trailseal_chains_left_out": 0,
		"trailseal_chain_age_seconds" + fmt.Sprintf(chain, "eu-west-1", false): 31*3600 + 47*60 + 33,
	} {
		if value, ok := got[series]; !ok || value != want {
			t.Errorf("%s is %v, want %v", series, value, want)
		}
	}
	if age := got["trailseal_chain_age_seconds"+fmt.Sprintf(chain, "us-east-1", true)]; age < 1e300 {
		t.Errorf("nothing of the chain is covered, and its age is %v", age)
	}
}

// The oldest chains have a series, whatever order they come in, and no more
// than 1,000 do.
func TestOpenMetricsBoundsChains(t *testing.T) {
	const n = 5000
	r := keptRun()
	r.events = nil
	start := *at("2026-03-01T00:00:00Z")
	for i := range n {
		last := start.Add(time.Duration((i*7919)%n) * time.Second)
		r.events = append(r.events, aChain(verify.Chain{Account: fmt.Sprintf("%012d", i), Trail: "main", First: at("2026-02-01T00:00:00Z"), Last: &last}))
	}
	r.events = append(r.events, r.events[0]) // the same name once more
	got := samples(t, play(t, "openmetrics", r))
	var ages []float64
	for series, age := range got {
		if strings.HasPrefix(series, "trailseal_chain_age_seconds") {
			ages = append(ages, age)
		}
	}
	slices.Sort(ages)
	oldest := r.end.Finished.Sub(start).Seconds()
	if len(ages) != 1000 || ages[999] != oldest || ages[0] != oldest-999 || got["trailseal_chains_left_out"] != n-1000+1 {
		t.Errorf("%d ages from %v to %v, want to %v; %v left out", len(ages), ages[0], ages[len(ages)-1], oldest, got["trailseal_chains_left_out"])
	}
}

func TestCoveredUntil(t *testing.T) {
	hour := func(n int) *time.Time { h := start(n); return &h }
	gap := func(from, to int) verify.Hole { return verify.Hole{Start: start(from), End: start(to)} }
	for i, c := range []struct {
		chain verify.Chain
		want  time.Time
	}{
		{verify.Chain{}, time.Time{}},
		{verify.Chain{First: hour(0), Last: hour(9)}, start(9)},
		{verify.Chain{First: hour(0), Last: hour(9), Gaps: []verify.Hole{gap(3, 4)}}, start(9)},
		{verify.Chain{First: hour(0), Last: hour(9), Gaps: []verify.Hole{gap(9, 12)}}, start(9)},
		{verify.Chain{First: hour(0), Last: hour(9), Gaps: []verify.Hole{gap(3, 4), gap(7, 8), gap(8, 9), gap(9, 12)}}, start(7)},
		{verify.Chain{First: hour(0), Last: hour(9), Gaps: []verify.Hole{gap(0, 9)}}, time.Time{}},
	} {
		if got := coveredUntil(c.chain); !got.Equal(c.want) {
			t.Errorf("%d: %v, want %v", i, got, c.want)
		}
	}
}

func start(hours int) time.Time {
	return time.Date(2026, 3, 10, hours, 0, 0, 0, time.UTC)
}
