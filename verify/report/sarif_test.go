package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
)

// aSARIF is a run of SARIF as its readers know it.
type aSARIF struct {
	Tool struct {
		Driver struct {
			Rules []struct {
				ID         string
				Help       struct{ Text, Markdown string }
				HelpURI    string
				Properties map[string]any
			}
		}
	}
	AutomationDetails struct{ ID string }
	Invocations       []struct {
		ExecutionSuccessful        bool
		ExitCode                   int
		ToolExecutionNotifications []struct{ Message struct{ Text string } }
	}
	Results []aResult
}

type aResult struct {
	RuleID    string
	RuleIndex int
	Level     string
	Locations []struct {
		PhysicalLocation struct{ ArtifactLocation struct{ URI string } }
	}
	PartialFingerprints map[string]string
}

func sarifOf(t *testing.T, text string) aSARIF {
	t.Helper()
	var log struct{ Runs []aSARIF }
	if err := json.Unmarshal([]byte(text), &log); err != nil || len(log.Runs) != 1 {
		t.Fatalf("%d runs: %v", len(log.Runs), err)
	}
	return log.Runs[0]
}

func TestSARIFResults(t *testing.T) {
	for _, r := range append(runs(), trailRun(), hostileRun("../x")) {
		got := sarifOf(t, play(t, "sarif", r))
		for _, res := range got.Results {
			if rules := got.Tool.Driver.Rules; rules[res.RuleIndex].ID != res.RuleID {
				t.Errorf("%s: the rule of %s is %s", r.name, res.RuleID, rules[res.RuleIndex].ID)
			}
			at := res.Locations[0].PhysicalLocation.ArtifactLocation.URI
			if u, err := url.Parse(at); err != nil || at == "" || u.IsAbs() || u.Host != "" || strings.HasPrefix(u.Path, "/") ||
				slices.Contains(strings.Split(u.Path, "/"), "..") {
				t.Errorf("%s: the location %q: %v", r.name, at, err)
			}
		}
		if i := got.Invocations[0]; i.ExitCode != r.end.Exit || i.ExecutionSuccessful == r.end.Interrupted {
			t.Errorf("%s: %+v", r.name, i)
		}
	}
	for _, res := range sarifOf(t, play(t, "sarif", acceptedRun())).Results {
		if res.Level != "note" {
			t.Errorf("%s was accepted and is of the level %s", res.RuleID, res.Level)
		}
	}
}

// TestSARIFRules: every word has help, and is as severe as the policy made it.
func TestSARIFRules(t *testing.T) {
	severity := func(r aRun, word string) string {
		for _, rule := range sarifOf(t, play(t, "sarif", r)).Tool.Driver.Rules {
			if rule.ID == word {
				return rule.Properties["security-severity"].(string)
			}
		}
		return "no such rule"
	}
	if a, b, c := severity(keptRun(), "not-found"), severity(acceptedRun(), "not-found"), severity(failedRun(), "redelivered"); a != "9.5" || b != "2.0" || c != "9.5" {
		t.Errorf("severities %s, accepted %s, --fail-on %s", a, b, c)
	}
	rules := sarifOf(t, play(t, "sarif", keptRun())).Tool.Driver.Rules
	if len(rules) != len(verify.Words()) {
		t.Fatalf("%d rules of %d words", len(rules), len(verify.Words()))
	}
	for _, r := range rules {
		if r.Help.Text == "" || r.Help.Markdown == "" || !strings.HasPrefix(r.HelpURI, wordsURL+"#") {
			t.Errorf("the rule %s has no help", r.ID)
		}
	}
}

// TestSARIFFingerprints: the same trouble has the same in a run of another
// window, and no two troubles of a run share one.
func TestSARIFFingerprints(t *testing.T) {
	prints := func(r aRun) (all []string) {
		for _, res := range sarifOf(t, play(t, "sarif", r)).Results {
			all = append(all, res.PartialFingerprints["trailseal/v1"])
		}
		return all
	}
	gap := func(start, end string) event {
		return aFinding(verify.Finding{Kind: verify.Gap, Start: at(start), End: at(end), Chain: &verify.ChainRef{Account: "1", Region: "r", Trail: "t"}})
	}
	first := trailRun()
	first.events = append(first.events, gap("2026-03-10T05:00:00Z", "2026-03-10T06:00:00Z"), gap("2026-03-10T07:00:00Z", "2026-03-10T08:00:00Z"))
	all := prints(first)
	slices.Sort(all)
	if len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Errorf("some share a fingerprint: %v", all)
	}
	later := first
	later.header.Started, later.header.Version = *at("2026-04-12T08:00:00Z"), "v9"
	later.header.Window.Start, later.end.Seconds = *at("2026-03-08T00:00:00Z"), 99
	later.events = slices.Concat(keptRun().events[:1], first.events) // all places are others
	if again := prints(later); !slices.Equal(slices.Sorted(slices.Values(again)), all) {
		t.Errorf("another run has others: %v and %v", again, all)
	}
}

// TestSARIFLimit: the worst results stay, and what is left out is counted.
func TestSARIFLimit(t *testing.T) {
	r := tamperedRun()
	unproven := verify.File{Kind: "log", Verdict: verify.Unreadable, Class: verify.ClassUnproven}
	r.events = []event{func(s verify.Sink) error {
		var err error
		for i := range sarifLimit + 100 {
			unproven.URI = fmt.Sprint("s3://b/", i)
			err = errors.Join(err, s.File(unproven))
		}
		return err
	}, aFile(verify.File{Kind: "log", URI: "s3://b/x", Verdict: verify.Deleted}), aFinding(verify.Finding{Kind: verify.Junk, Message: "x"})}
	got := sarifOf(t, play(t, "sarif", r))
	if len(got.Results) != sarifLimit || got.Results[0].RuleID != "deleted" {
		t.Errorf("%d results, the first is %s", len(got.Results), got.Results[0].RuleID)
	}
	if n := got.Invocations[0].ToolExecutionNotifications; len(n) != 1 || !strings.HasPrefix(n[0].Message.Text, "102 results are left out") {
		t.Errorf("notifications %+v", n)
	}
}

func TestRelative(t *testing.T) {
	for path, want := range map[string]string{
		"s3/b/a b": "s3/b/a%20b", "s3/b/../x": "s3/b/%252E%252E/x", "s3/./x": "s3/%252E/x", "s3/b/a:b?c#d%": "s3/b/a%3Ab%3Fc%23d%25",
		"s3/b/é\xff": "s3/b/%C3%A9%FF", "s3/b//x": "s3/b//x", `s3/b/\`: "s3/b/%5C", "s3/b/...": "s3/b/...",
	} {
		if got := relative(path); got != want {
			t.Errorf("%q is %s, want %s", path, got, want)
		}
	}
}
