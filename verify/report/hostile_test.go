package report

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/trailseal/trailseal/verify"
)

func TestClean(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"plain/name-1_2.json.gz", "plain/name-1_2.json.gz"},
		{"grüße/日本", "grüße/日本"},
		{"\x1b[31m", `\x1b[31m`},
		{"a\r\nb\tc\x00\x7f", `a\x0d\x0ab\x09c\x00\x7f`},
		{"\u009b31m", `\u009b31m`},
		{"\u202egz.nosj", `\u202egz.nosj`},
		{"\u2066\u2069\u200f\u061c", `\u2066\u2069\u200f\u061c`},
		{"a\u200bb\ufeff\u00adc", `a\u200bb\ufeff\u00adc`},
		{"a\u2028b\u2029", `a\u2028b\u2029`},
		{"a\u00a0b\u3000c", `a\u00a0b\u3000c`},
		{"\u3164\u2800\ufe0f", `\u3164\u2800\ufe0f`},
		{"\U000e0041\U000f0000", `\U000e0041\U000f0000`},
		{"\xff\xc3(", `\xff\xc3(`},
		{`C:\x1b`, `C:\\x1b`},
		{"\ufffd", "\ufffd"},
	} {
		if got := Clean(c.name); got != c.want {
			t.Errorf("Clean(%q) = %s, want %s", c.name, got, c.want)
		}
	}
}

// hostileRun puts a name wherever a name from a bucket can come.
func hostileRun(name string) aRun {
	odd := time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)
	r := tamperedRun()
	r.header.Source, r.header.Version = name, name
	r.events = []event{
		aFile(verify.File{Kind: "log", URI: name, Verdict: verify.Modified, Reasons: []verify.Reason{verify.HashMismatch},
			Detail: name, Digest: name, Version: name, Key: name, Envelope: name, Expected: "a", Actual: "b", Start: &odd, End: &odd}),
		aFinding(verify.Finding{Kind: verify.Junk, URI: name, Key: name, Message: "named " + name, Start: &odd, End: &odd,
			Chain: &verify.ChainRef{Account: name, Region: name, Trail: name, Organization: name}}),
		aFinding(verify.Finding{Kind: verify.Gap, Start: &odd, End: &odd}),
		aChain(verify.Chain{Organization: name, Account: name, Region: name, HomeRegion: name + "x", Trail: name, First: &odd,
			Gaps: []verify.Hole{{Start: odd, End: odd.Add(time.Hour), Reason: name}}}),
		aFile(verify.File{Kind: "log", URI: name, Verdict: verify.Unreadable, Reasons: []verify.Reason{verify.KMSDenied}, Detail: name, Key: name}),
		aFile(verify.File{Kind: "log", URI: name, Verdict: verify.Unreadable, Reasons: []verify.Reason{verify.KMSDenied}, Detail: name, Key: name + "x"}),
	}
	r.header.Bundle = &verify.Bundle{Seal: strings.Repeat("5e", 32), Collected: *at("2026-03-11T06:00:00Z"), Tool: name}
	r.events = append(r.events, aFile(verify.File{Kind: "log", URI: name, Verdict: verify.Deleted, Recover: &verify.Recover{Version: name, Command: "",
		RemovedBy: name, Marker: name, Saved: name, Problem: name, Modified: &odd, Removed: &odd}}),
		aFile(verify.File{Kind: "log", URI: name, Verdict: verify.Deleted, Recover: &verify.Recover{Problem: name}}))
	r.end.Explained = []verify.Explanation{{Event: "e" + name, Service: name, ID: name, Time: *at("2026-03-10T11:30:00Z"), Account: name, Region: name,
		Who: name, AccessKey: name, From: name, Agent: name, Error: name, Target: name, Detail: name, Log: name, Explains: []int64{1, 2, 999}}}
	r.end.Keys = []verify.KeyUse{{ARN: name, Account: name, Region: name, Encryption: []string{name, name}, State: name, Detail: name, Remedy: name,
		Manager: name, Origin: name, Replicas: []string{name}, First: &odd, Last: &odd, Deletion: &odd, Expires: &odd, EndsAt: &odd, Files: 3, Unreadable: 1}}
	return r
}

var hostile = []string{
	"", "\x1b]0;owned\x07", "a\nb", "\u202e\u2066", "\xff\xfe", `"},"exit":0,"x":{"`, "<script>&'", "\\", "\u0085\u2028\ufeff",
	"../../etc/passwd", "\U000e0041", strings.Repeat("x", 5000), "a\tb", "\x7f\u009b", "%FF",
}

// checkHostile plays a name through both writers.
func checkHostile(t *testing.T, name string) {
	t.Helper()
	for _, r := range play(t, "text", hostileRun(name)) {
		if r != '\n' && (hidden(r) || r == utf8.RuneError && !strings.Contains(name, "\ufffd")) {
			t.Fatalf("%q leaves %U in the text", name, r)
		}
	}
	encoded := play(t, "json", hostileRun(name))
	for _, r := range encoded {
		if r != '\n' && hidden(r) {
			t.Fatalf("%q leaves %U in the JSON", name, r)
		}
	}
	var got aReport
	if err := json.Unmarshal([]byte(encoded), &got); err != nil {
		t.Fatalf("%q: %v", name, err)
	}
	if got.Files[0].URI != validUTF8(name) || got.Findings[0].Message != "named "+validUTF8(name) ||
		got.Chains[0].Trail != validUTF8(name) || got.Source != validUTF8(name) || got.Exit != 1 {
		t.Errorf("%q comes back as %q", name, got.Files[0].URI)
	}
	if utf8.ValidString(name) && got.Files[0].URI != name {
		t.Errorf("%q comes back as %q", name, got.Files[0].URI)
	}
}

func TestHostileNames(t *testing.T) {
	for _, name := range hostile {
		checkHostile(t, name)
	}
	if validUTF8("a\xff") == validUTF8("a\xfe") || Clean("a\xff") == Clean("a\xfe") {
		t.Error("different names have become the same")
	}
}

func FuzzNames(f *testing.F) {
	for _, name := range hostile {
		f.Add(name)
	}
	f.Fuzz(checkHostile)
}
