package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

func goSources(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, "_test.go") {
			texts = append(texts, string(text))
		}
	}
	return texts
}

const gapStart, gapEnd = "2026-03-10T05:12:31Z", "2026-03-10T08:12:31Z"

// gapRun has a chain with a gap, files of each kind of trouble, and files that no
// digest names.
func gapRun() aRun {
	r := tamperedRun()
	id := digest.Chain{Account: "111122223333", Region: "eu-west-1", Trail: "main", HomeRegion: "eu-west-1"}
	ref := &verify.ChainRef{Account: id.Account, Region: id.Region, Trail: id.Trail}
	hour := func(h int) time.Time { return time.Date(2026, 3, 10, h, 12, 31, 0, time.UTC) }
	log := func(h int, named bool, v verify.Verdict) event {
		name := digest.LogName{Account: id.Account, Kind: "CloudTrail", Region: id.Region, Delivered: time.Date(2026, 3, 10, h, 5, 0, 0, time.UTC), ID: "AbCdEfGhIjKlMnOp"}
		f := verify.File{Kind: "log", URI: "s3://b/" + name.Key(), Verdict: v, Reasons: []verify.Reason{verify.ReadFailed}}
		if named {
			f.Digest = "s3://b/" + digest.Name{Chain: id, End: hour(h)}.Key()
		}
		return aFile(f)
	}
	start, end := hour(13), hour(14)
	first, last := hour(-1), hour(21)
	gap := verify.Hole{Start: *at(gapStart), End: *at(gapEnd), Reason: "no digest covers it"}
	r.name = "gap"
	r.events = []event{
		log(2, true, verify.Modified), log(3, true, verify.Deleted), log(3, true, verify.Unreadable), log(10, true, verify.Unreadable), log(20, false, verify.Unreferenced), log(23, false, verify.Pending),
		aFile(verify.File{Kind: "digest", URI: "s3://b/" + digest.Name{Chain: id, End: end}.Key(), Verdict: verify.Unverified, Start: &start, End: &end}),
		aFinding(verify.Finding{Kind: verify.Gap, Chain: ref, Start: &gap.Start, End: &gap.End, Message: "no digest covers it"}),
		aChain(verify.Chain{Account: id.Account, Region: id.Region, Trail: id.Trail, HomeRegion: id.HomeRegion, First: &first, Last: &last, Class: verify.Tampering, Gaps: []verify.Hole{gap},
			Coverage: []verify.Share{{State: verify.Verified, Seconds: 60000}, {State: verify.NotYetDue, Seconds: 9000}}}),
		aChain(verify.Chain{Account: id.Account, Region: id.Region, Trail: id.Trail, HomeRegion: id.HomeRegion, Backfill: true}),
	}
	return r
}

// letters are a row's cells as a test can read them.
func (g htmlGrid) lettersOf(cells []mark) string {
	text := ""
	for _, m := range cells {
		switch {
		case m == markNone:
			text += " "
		case m == markVerified:
			text += "v"
		case m == markNotDue:
			text += "."
		case m == markBackfill:
			text += "b"
		default:
			text += string(htmlMarks[m].letter)
		}
	}
	return text
}

// chartOf plays a run and reads the chart's rows, each with its name.
func chartOf(t *testing.T, r aRun) []string {
	t.Helper()
	h := newHTML(nil, Options{})
	if err := h.Start(r.header); err != nil {
		t.Fatal(err)
	}
	for _, e := range r.events {
		if err := e(normal{h}); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.chart.flush(); err != nil {
		t.Fatal(err)
	}
	g := newGrid(r.end.Window)
	var rows []string
	for row, err := range h.chart.each() {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row.Name+": "+g.lettersOf(g.cells(row, r.end.Interrupted)))
	}
	return rows
}

func wantRows(t *testing.T, r aRun, want ...string) {
	t.Helper()
	if got := chartOf(t, r); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s: got\n%s\nwant\n%s", r.name, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestChartShowsWhatWasTold: each hour has the worst that was told of it, and what
// was not told is never verified.
func TestChartShowsWhatWasTold(t *testing.T) {
	r := gapRun()
	wantRows(t, r, "eu-west-1 main: vvMDvGGGGvUvvVVvvvvvXv.P", "eu-west-1 main [backfill]: ........................")

	r.events = r.events[:len(r.events)-1]
	other := aChain(verify.Chain{Account: "111122223333", Region: "eu-west-1", Trail: "other", HomeRegion: "eu-west-1", Class: verify.Good})
	r.name, r.events = "two trails", append(r.events, other)
	wantRows(t, r, "eu-west-1 main: vvMDvGGGGvUvvVVvvvvvvv..", "eu-west-1 other: ????????????????????????",
		"eu-west-1 (named by no digest):                     X  P")

	r = gapRun()
	r.name, r.end.Interrupted = "interrupted", true
	wantRows(t, r, "eu-west-1 main: vvMDvGGGGvUvvVVvvvvvXv?P", "eu-west-1 main [backfill]: ????????????????????????")

	r = gapRun()
	r.name, r.events = "no chain", r.events[:4]
	wantRows(t, r, "eu-west-1 main:   MD      U             ")
}

// TestChartFollowsThePolicy: what was accepted or named by --fail-on shows as that.
func TestChartFollowsThePolicy(t *testing.T) {
	for want, class := range map[string]verify.Class{"vvvvvAAAAvvvvvvvvvvvvvvv": verify.Remark, "vvvvvFFFFvvvvvvvvvvvvvvv": verify.Tampering} {
		r := gapRun()
		ref := &verify.ChainRef{Account: "111122223333", Region: "eu-west-1", Trail: "main"}
		r.events = []event{
			aFinding(verify.Finding{Kind: verify.Gap, Chain: ref, Start: at(gapStart), End: at(gapEnd), Class: class}),
			aChain(verify.Chain{Account: "111122223333", Region: "eu-west-1", Trail: "main", HomeRegion: "eu-west-1", First: at("2026-03-09T23:12:31Z"), Last: at("2026-03-11T00:12:31Z"),
				Gaps: []verify.Hole{{Start: *at(gapStart), End: *at(gapEnd), Reason: "x"}}}),
		}
		wantRows(t, r, "eu-west-1 main: "+want)
	}
}

// TestChartKnowsTheDayOfAnyName: a file whose name says nothing lies in the folder of
// its day, which shows where a column is a day, and makes no hour look bad.
func TestChartKnowsTheDayOfAnyName(t *testing.T) {
	r := gapRun()
	r.events = []event{
		aFile(verify.File{Kind: "log", URI: logs + "eu-west-1/2026/03/10/<b>", Verdict: verify.Unreferenced, Reasons: []verify.Reason{verify.NoDigest}}),
		aChain(verify.Chain{Account: "111122223333", Region: "eu-west-1", Trail: "main", HomeRegion: "eu-west-1", First: at("2026-03-08T23:12:31Z"), Last: at("2026-03-15T00:12:31Z"), Class: verify.ClassUnproven}),
	}
	wantRows(t, r, "eu-west-1 main: vvvvvvvvvvvvvvvvvvvvvvvv")
	r.header.Window = verify.Window{Start: *at("2026-03-09T12:00:00Z"), End: *at("2026-03-15T00:00:00Z")}
	r.end.Window = r.header.Window
	wantRows(t, r, "eu-west-1 main: vXvvvv")
}

// TestGridFitsAnyWindow: however long a window is, its columns are few, whole hours
// or days, and reach from its start to its end.
func TestGridFitsAnyWindow(t *testing.T) {
	start := time.Date(2026, 3, 10, 5, 30, 0, 0, time.UTC)
	for _, length := range []time.Duration{0, time.Second, time.Hour, 71 * time.Hour, 73 * time.Hour, 90 * 24 * time.Hour, 400 * 24 * time.Hour, 3650 * 24 * time.Hour, 100 * 8766 * time.Hour} {
		g := newGrid(verify.Window{Start: start, End: start.Add(length)})
		from, to := time.Unix(g.from*3600, 0), time.Unix((g.from+int64(g.n)*g.step)*3600, 0)
		if g.n < 1 || g.n > maxColumns+1 || from.After(start) || to.Before(start.Add(length)) || g.width() > 760 {
			t.Errorf("%v: %d columns of %d hours, %d pixels, from %v to %v", length, g.n, g.step, g.width(), from, to)
		}
	}
}

// TestMarksAreTold: no two marks look alike, and each says what it means.
func TestMarksAreTold(t *testing.T) {
	seen := map[markup]bool{}
	for m, h := range htmlMarks[1:] {
		look := h.class + h.letter
		if seen[look] || h.word == "" || h.meaning == "" {
			t.Errorf("mark %d looks like another (%s), or says nothing", m+1, look)
		}
		seen[look] = true
	}
}
