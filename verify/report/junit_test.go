package report

import (
	"encoding/xml"
	"fmt"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
)

const (
	aDigest = digestsOf + "eu-west-1/2026/03/10/111122223333_CloudTrail-Digest_eu-west-1_main_eu-west-1_20260310T041231Z.json.gz"
	bDigest = digestsOf + "eu-west-1/2026/03/11/111122223333_CloudTrail-Digest_eu-west-1_main_eu-west-1_20260311T001231Z.json.gz"
	aLog    = logs + "eu-west-1/2026/03/10/111122223333_CloudTrail_eu-west-1_20260310T0305Z_abcdefghijklmnop.json.gz"

	digestsOf = "s3://example-trail-logs/AWSLogs/111122223333/CloudTrail-Digest/"
)

// trailRun has the names that CloudTrail gives.
func trailRun() aRun {
	r := keptRun()
	r.name, r.end.Verdict, r.end.Exit = "trail", "tampered", 1
	main := &verify.ChainRef{Account: "111122223333", Region: "eu-west-1", Trail: "main"}
	r.events = []event{
		aFile(verify.File{Kind: "log", URI: aLog, Digest: aDigest, Verdict: verify.Deleted, Reasons: []verify.Reason{verify.NotFound}}),
		aFile(verify.File{Kind: "log", URI: strings.Replace(aLog, "abc", "xyz", 1), Verdict: verify.Unreferenced, Reasons: []verify.Reason{verify.NoDigest}}),
		aFile(verify.File{Kind: "digest", URI: bDigest, Verdict: verify.Unverified, Reasons: []verify.Reason{verify.KeyNotFound}}),
		aFinding(verify.Finding{Kind: verify.Gap, Chain: main, Start: at("2026-03-11T20:12:31Z"), End: at("2026-03-13T00:00:00Z"), Message: "no digest covers 28 hours"}),
		aFinding(verify.Finding{Kind: verify.Junk, Chain: main, URI: digestsOf + "eu-west-1/2026/03/14/x", Message: "named almost like a digest"}),
		aChain(verify.Chain{Account: "111122223333", Region: "eu-west-1", HomeRegion: "eu-west-1", Trail: "main", Class: verify.Tampering,
			First: at("2026-03-08T23:12:31Z"), Last: at("2026-03-15T00:12:31Z"), Digests: by{verify.Kept: 99}, Logs: by{verify.Kept: 900}}),
		aFinding(verify.Finding{Kind: verify.KeysInCopy, Message: "the public keys are those in the copy itself"}),
	}
	r.header.Window = verify.Window{Start: *at("2026-03-09T00:00:00Z"), End: *at("2026-03-15T00:00:00Z")}
	r.end.Window = r.header.Window
	return r
}

// aSuite is JUnit's XML as a CI server reads it.
type aSuite struct {
	Name     string `xml:"name,attr"`
	Tests    int    `xml:"tests,attr"`
	Failures int    `xml:"failures,attr"`
	Errors   int    `xml:"errors,attr"`
	Cases    []struct {
		Name    string    `xml:"name,attr"`
		Failure *aProblem `xml:"failure"`
		Error   *aProblem `xml:"error"`
	} `xml:"testcase"`
	Out string `xml:"system-out"`
}

type aProblem struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func suitesOf(t *testing.T, text string) []aSuite {
	t.Helper()
	var all struct {
		Suites []aSuite `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(text), &all); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, s := range all.Suites {
		failures, errors := 0, 0
		for _, c := range s.Cases {
			if c.Failure != nil {
				failures++
			}
			if c.Error != nil {
				errors++
			}
		}
		if s.Tests != len(s.Cases) || s.Failures != failures || s.Errors != errors || s.Tests == 0 {
			t.Errorf("the suite %q says %d tests, %d failures, %d errors and has %d, %d, %d", s.Name, s.Tests, s.Failures, s.Errors, len(s.Cases), failures, errors)
		}
	}
	return all.Suites
}

// colours are a suite's cases: green, red for a failure, yellow for an error.
func colours(s aSuite) string {
	var parts []string
	for _, c := range s.Cases {
		colour := "green"
		switch {
		case c.Failure != nil:
			colour = "red"
		case c.Error != nil:
			colour = "yellow"
		}
		parts = append(parts, c.Name+" "+colour)
	}
	return s.Name + ": " + strings.Join(parts, ", ")
}

func TestJUnitHasASuiteAChainAndACaseADay(t *testing.T) {
	suites := suitesOf(t, play(t, "junit", trailRun()))
	want := []string{
		"trailseal: keys-in-copy green, verdict red",
		"111122223333 eu-west-1 (no trail): 2026-03-10 yellow",
		"111122223333 eu-west-1 main: 2026-03-09 green, 2026-03-10 red, 2026-03-11 yellow, 2026-03-12 yellow, 2026-03-13 green, 2026-03-14 green",
	}
	if len(suites) != len(want) {
		t.Fatalf("%d suites, want %d", len(suites), len(want))
	}
	for i, s := range suites {
		if got := colours(s); got != want[i] {
			t.Errorf("got  %s\nwant %s", got, want[i])
		}
	}
	if main := suites[2]; !strings.Contains(main.Out, "2026-03-14: remarks: 1 junk name\n") || !strings.Contains(main.Cases[1].Failure.Text, aLog) {
		t.Errorf("the output is %q, the failure %q", main.Out, main.Cases[1].Failure.Text)
	}
}

// TestJUnitIsRedWhenTheRunIs: a CI server that reads nothing else knows that the
// exit status was not 0.
func TestJUnitIsRedWhenTheRunIs(t *testing.T) {
	for _, r := range append(runs(), trailRun()) {
		red := 0
		for _, s := range suitesOf(t, play(t, "junit", r)) {
			red += s.Failures + s.Errors
		}
		if (red > 0) != (r.end.Exit != 0) {
			t.Errorf("%s: %d red cases, exit status %d", r.name, red, r.end.Exit)
		}
	}
	empty := aRun{end: verify.Summary{Verdict: "unproven", Exit: 3, Interrupted: true}}
	if s := suitesOf(t, play(t, "junit", empty)); colours(s[0]) != "trailseal: verdict yellow" {
		t.Errorf("an empty run: %s", colours(s[0]))
	}
}

// TestJUnitTellsTheWorstFirst: what waits does not crowd out what is deleted.
func TestJUnitTellsTheWorstFirst(t *testing.T) {
	r := trailRun()
	deleted := r.events[0]
	r.events = nil
	for i := range 100 {
		r.events = append(r.events, aFile(verify.File{Kind: "log", URI: fmt.Sprintf("%s%d", aLog, i), Digest: aDigest, Verdict: verify.Pending}))
	}
	r.events = append(r.events, deleted)
	text := suitesOf(t, play(t, "junit", r))[1].Cases[0].Failure.Text
	if !strings.HasPrefix(text, "deleted  "+aLog) || !strings.HasSuffix(text, "\n80 more like these (remark)\n") || strings.Count(text, "\n") != maxLines+2 {
		t.Errorf("got %s", text)
	}
}

// TestJUnitStandsForgedTimes: a digest that nobody signed may say that it spans
// all time.
func TestJUnitStandsForgedTimes(t *testing.T) {
	r := trailRun()
	r.header.Window = verify.Window{}
	long := [2]string{"0001-01-01T00:00:01Z", "9999-12-31T00:00:00Z"}
	r.events = []event{
		aFinding(verify.Finding{Kind: verify.Gap, Chain: &verify.ChainRef{Account: "1", Region: "r", Trail: "t"}, Start: at(long[0]), End: at(long[1])}),
		aChain(verify.Chain{Account: "1", Region: "r", Trail: "t", First: at(long[0]), Last: at(long[1])}),
		aChain(verify.Chain{Account: "1", Region: "r", Trail: "u", First: at(long[1]), Last: at(long[0])}),
	}
	suites := suitesOf(t, play(t, "junit", r))
	if got := colours(suites[1]) + "; " + colours(suites[2]); got != "1 r t: 0001-01-01 yellow; 1 r u: chain green" {
		t.Errorf("got %s", got)
	}
}
