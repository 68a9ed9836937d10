package report

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
)

// ocsfLines reads each line as far as these tests care, and wants what OCSF
// 1.8.0 requires of both classes, with numbers and their captions in step.
func ocsfLines(t *testing.T, text string) (lines []ocsfEvent) {
	t.Helper()
	for line := range strings.Lines(text) {
		var e ocsfEvent
		var raw map[string]any
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if err := json.Unmarshal([]byte(line), &raw); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"activity_id", "category_uid", "class_uid", "type_uid", "severity_id", "time", "metadata", "finding_info", "cloud"} {
			if raw[name] == nil {
				t.Errorf("no %s in %s", name, line)
			}
		}
		class := map[int]string{2003: "Compliance Finding", 2004: "Detection Finding"}[e.ClassUID]
		severity := map[int]string{1: "Informational", 3: "Medium", 4: "High", 5: "Critical"}[e.SeverityID]
		if e.CategoryUID != 2 || e.ClassName != class || class == "" || e.TypeUID != e.ClassUID*100+e.ActivityID || e.TypeName != class+": Create" ||
			e.Severity != severity || severity == "" || e.FindingInfo.UID == "" || e.FindingInfo.Title == "" || e.Metadata.Version != "1.8.0" {
			t.Errorf("out of step: %s", line)
		}
		if (e.Compliance != nil) != (e.ClassUID == 2003) {
			t.Errorf("compliance in the wrong class: %s", line)
		}
		if c := e.Compliance; c != nil && (len(c.Standards) == 0 || map[int]string{1: "Pass", 2: "Warning", 3: "Fail"}[c.StatusID] != c.Status || c.Status == "") {
			t.Errorf("compliance: %s", line)
		}
		lines = append(lines, e)
	}
	return lines
}

// Every class has its severity and status, and what is good has no detection.
func TestOCSFSeverities(t *testing.T) {
	want := map[string]string{ // what: severity/compliance
		"modified": "Critical", "deleted": "Critical", "unverified": "Medium", "unreferenced": "Informational", "pending": "Informational",
		"gap": "Medium", "junk": "Informational", "unlisted": "Medium", "tampering": "High/Fail", "good": "Informational/Pass", "tampered": "High/Fail",
	}
	got := map[string]string{}
	for _, e := range ocsfLines(t, play(t, "ocsf", tamperedRun())) {
		what := e.Severity
		if e.Compliance != nil {
			what += "/" + e.Compliance.Status
		}
		got[e.FindingInfo.Types[0]] = what
		if alert := strings.Contains("modified deleted", e.FindingInfo.Types[0]); e.IsAlert != alert {
			t.Errorf("%s: is_alert %v", e.FindingInfo.Title, e.IsAlert)
		}
	}
	for word, severity := range want {
		if got[word] != severity {
			t.Errorf("%s is %q, want %q", word, got[word], severity)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %v", got)
	}
	if lines := ocsfLines(t, play(t, "ocsf", failedRun())); lines[0].Severity != "High" || !lines[0].IsAlert {
		t.Errorf("named by --fail-on: %+v", lines[0])
	}
}

// What is found again is the same finding, whenever that is and however far its
// silence has grown; other things are other findings.
func TestFindingIDs(t *testing.T) {
	file := verify.File{Kind: "log", URI: logs + "a", Verdict: verify.Deleted, Digest: digests + "d"}
	gap := verify.Finding{Kind: verify.Gap, Start: at("2026-03-10T05:00:00Z"), End: at("2026-03-10T08:00:00Z"), Message: "3 hours"}
	chain := verify.Chain{Account: "111122223333", Region: "eu-west-1", HomeRegion: "eu-west-1", Trail: "main"}
	later, longer, tampered := file, gap, chain
	later.Detail, later.Seq = "more", 7
	longer.End, longer.Message = at("2026-03-10T09:00:00Z"), "4 hours"
	tampered.Class = verify.Tampering
	if alertOfFile(file).uid != alertOfFile(later).uid || alertOfFinding(gap).uid != alertOfFinding(longer).uid ||
		alertOfChain(chain).uid != alertOfChain(tampered).uid {
		t.Error("the same is another finding")
	}
	ids := map[string]bool{}
	for range 2 {
		for _, f := range []verify.File{file, {Kind: "log", URI: file.URI, Verdict: verify.Modified, Digest: file.Digest}, {Kind: "log", URI: file.URI, Verdict: verify.Deleted},
			{Kind: "log", URI: "\xff", Verdict: verify.Deleted}, {Kind: "log", URI: "%FF", Verdict: verify.Deleted}} {
			ids[alertOfFile(f).uid] = true
		}
		for _, f := range []verify.Finding{gap, {Kind: verify.Gap, Start: at("2026-03-10T06:00:00Z")}, {Kind: verify.Stale, Start: gap.Start}, {Kind: verify.Nothing, Message: "a"},
			{Kind: verify.Nothing, Message: "b"}, {Kind: verify.Gap, Start: gap.Start, Chain: &verify.ChainRef{Account: "1"}}} {
			ids[alertOfFinding(f).uid] = true
		}
		backfill, home := chain, chain
		backfill.Backfill, home.HomeRegion = true, "us-east-1"
		for _, c := range []verify.Chain{chain, backfill, home} {
			ids[alertOfChain(c).uid] = true
		}
	}
	if len(ids) != 14 {
		t.Errorf("%d different findings, want 14", len(ids))
	}
}

// checkMachines plays a name through the writers for machines and reads it back.
func checkMachines(t *testing.T, name string) {
	t.Helper()
	r := hostileRun(name)
	for _, format := range []string{"ocsf", "asff", "openmetrics"} {
		for _, c := range play(t, format, r) {
			if c != '\n' && hidden(c) {
				t.Fatalf("%q leaves %U in %s", name, c, format)
			}
		}
	}
	lines := ocsfLines(t, play(t, "ocsf", r))
	if len(lines) != len(r.events)+1 {
		t.Fatalf("%q: %d lines of OCSF", name, len(lines))
	}
	if f := lines[0].Evidences[0].File; (f == nil) != (name == "") || f != nil && f.Path != validUTF8(name) {
		t.Errorf("%q comes back as %+v", name, f)
	}
	asffRequests(t, play(t, "asff", r))
	samples(t, play(t, "openmetrics", r))
}

func TestHostileNamesForMachines(t *testing.T) {
	for _, name := range append(hostile, " ", strings.Repeat("ü", 2000), "o-exampleorg1", "111122223333", "eu-west-1", "s3://b/AWSLogs/111122223333/CloudTrail/\n/x/") {
		checkMachines(t, name)
	}
}

func FuzzNamesForMachines(f *testing.F) {
	for _, name := range hostile {
		f.Add(name)
	}
	f.Fuzz(checkMachines)
}
