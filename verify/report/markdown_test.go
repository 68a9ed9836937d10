package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
)

// TestMarkdownFitsAStepSummary: GitHub drops a summary of more than 1 MiB. What
// is worst is there all the same, though it comes last.
func TestMarkdownFitsAStepSummary(t *testing.T) {
	long := strings.Repeat("\u202e", 1024)
	r := tamperedRun()
	r.events = nil
	for i := range 2_000 {
		r.events = append(r.events,
			aFile(verify.File{Kind: "log", URI: fmt.Sprintf("s3://b/%d/%s", i, long), Verdict: verify.Unreadable, Detail: long}),
			aFinding(verify.Finding{Kind: verify.Unlisted, URI: fmt.Sprintf("s3://b/%d", i), Message: long}),
			aChain(verify.Chain{Account: fmt.Sprint(i), Region: "r", Trail: long}))
		r.end.Keys = append(r.end.Keys, verify.KeyUse{ARN: fmt.Sprint("arn:", i), State: "Enabled"})
	}
	r.events = append(r.events, aFile(verify.File{Kind: "log", URI: "s3://b/the-last", Verdict: verify.Deleted}))
	text := play(t, "markdown", r)
	if len(text) > 900<<10 {
		t.Errorf("%d bytes", len(text))
	}
	if !strings.Contains(text, "| ❌ deleted | log | `s3://b/the-last` |") || !strings.Contains(text, " more, which do not fit here") {
		t.Error("the worst file is not there, or nothing says that others are not")
	}
	deleted, other := strings.Index(text, "❌ deleted"), strings.Index(text, "⚠ unreadable")
	if deleted > other {
		t.Error("the worst does not come first")
	}
}

// TestMarkdownHasOneLineARow: no name ends a code span, a cell or a row.
func TestMarkdownHasOneLineARow(t *testing.T) {
	want := map[string]int{}
	for i, name := range append([]string{"plain"}, hostileMore...) {
		got := map[string]int{}
		for line := range strings.Lines(play(t, "markdown", hostileRun(name))) {
			if strings.HasPrefix(line, "|") {
				got[fmt.Sprint(strings.Count(line, "|"), " cells")]++
				if strings.Count(line, "`")%2 != 0 {
					t.Errorf("%q: an odd code span in %s", name, line)
				}
			}
		}
		if i == 0 {
			want = got
		} else if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
}
