package report

import (
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
)

// TestEveryWordIsExplained fails when a verdict, a reason or a kind of finding
// is added without words for people.
func TestEveryWordIsExplained(t *testing.T) {
	for _, kind := range []string{"log", "digest"} {
		for _, v := range verify.Verdicts {
			if text := Explain(verify.File{Kind: kind, Verdict: v}); text == "" {
				t.Errorf("no words for a %s that is %s", kind, v)
			}
		}
		for _, r := range verify.Reasons {
			text := Explain(verify.File{Kind: kind, Verdict: verify.Modified, Reasons: []verify.Reason{r}})
			if !strings.HasSuffix(text, " ("+string(r)+")") {
				t.Errorf("no words for the reason %s of a %s: %q", r, kind, text)
			}
		}
	}
	for _, k := range verify.FindingKinds {
		if text := ExplainFinding(k); text == string(k) {
			t.Errorf("no words for the finding %s", k)
		}
		if text := findings(2, k); strings.HasPrefix(text, "2 findings") {
			t.Errorf("no plural for the finding %s", k)
		}
	}
}

// TestAdviceKnowsItsWords finds words in the advices that no run can say.
func TestAdviceKnowsItsWords(t *testing.T) {
	known := map[string]bool{"tampering": true}
	for _, w := range verify.Words() {
		known[w] = true
	}
	for _, a := range advices {
		for _, w := range a.words {
			if !known[w] {
				t.Errorf("advice for %q, which is no word", w)
			}
		}
	}
	if got := Advice(map[string]bool{"gap": true, "stale": true, "kept": true}); len(got) != 1 {
		t.Errorf("advice for two kinds of missing time: %q", got)
	}
	if got := Advice(nil); got != nil {
		t.Errorf("advice for nothing: %q", got)
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234", -123: "-123"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %s, want %s", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1 << 40: "1.0 TiB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %s, want %s", n, got, want)
		}
	}
}

// TestCoverageNeverRoundsUp: 100% is said only where every second is covered.
func TestCoverageNeverRoundsUp(t *testing.T) {
	for _, c := range []struct {
		kept, gap, due int64
		want           string
	}{{86400, 0, 0, "100%"}, {86399, 1, 0, "99.9%"}, {1, 1, 5000, "50.0%"}, {0, 5, 0, "0.0%"}, {0, 0, 9, "-"}} {
		shares := []verify.Share{{State: verify.Verified, Seconds: c.kept}, {State: verify.InGap, Seconds: c.gap},
			{State: verify.NotYetDue, Seconds: c.due}}
		if got := covered(shares); got != c.want {
			t.Errorf("%+v is %s", c, got)
		}
	}
}
