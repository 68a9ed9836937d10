package report

import (
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
)

const aSeal = "5ea1000000000000000000000000000000000000000000000000000000000001"

// evidenceRun has a bundle, versions that were looked through, and events that
// explain what is found.
func evidenceRun() aRun {
	r := keptRun()
	r.name, r.end.Verdict, r.end.Exit = "evidence", "tampered", 1
	r.header.Bundle = &verify.Bundle{Seal: aSeal, Collected: *at("2026-03-11T06:00:00Z"), Tool: "v0.4.0"}
	r.events = append(recoverFiles(), expired()...)
	r.events = append(r.events, keptRun().events...)
	r.end.Digests, r.end.Logs = by{verify.Kept: 26, verify.Modified: 1}, by{verify.Kept: 1033, verify.Deleted: 4}
	r.end.Explained, r.end.UnlistedEvents = explained(), 12
	return r
}

func recoverFiles() []event {
	day := logs + "eu-west-1/2026/03/10/"
	gone := func(name string, r *verify.Recover) event {
		return aFile(verify.File{Kind: "log", URI: day + name, Digest: aDigest, Verdict: verify.Deleted, Reasons: []verify.Reason{verify.NotFound}, Recover: r})
	}
	return []event{
		gone("a.json.gz", &verify.Recover{Version: "3HL4kqtJlcpXroDTDmJ", Modified: at("2026-03-10T03:07:00Z"), Size: 1234, Looked: 2,
			Removed: at("2026-03-10T11:30:00Z"), RemovedBy: "79a59df900b949e5", Marker: "Nu11mArKeR",
			Command: "aws s3api copy-object --bucket example-trail-logs --key 'a.json.gz' --copy-source 'example-trail-logs/a.json.gz?versionId=3HL4kqtJlcpXroDTDmJ'"}),
		gone("b.json.gz", &verify.Recover{Looked: 3, Removed: at("2026-03-10T11:31:00Z")}),
		gone("c.json.gz", &verify.Recover{Problem: "access-denied: the caller needs s3:ListBucketVersions"}),
		aFile(verify.File{Kind: "digest", URI: aDigest, Verdict: verify.Modified, Reasons: []verify.Reason{verify.HashMismatch}, Recover: &verify.Recover{
			Version: "=1+1\x1b[2J<b>", Modified: at("2026-03-10T04:40:00Z"), Size: 99, Looked: 2, Saved: "out/\x1b[31md<i>.json.gz", Command: "-e '\u202e<script>alert(1)</script>'"}}),
	}
}

func expired() []event {
	ref := &verify.ChainRef{Account: "111122223333", Region: "eu-west-1", Trail: "main"}
	return []event{
		aFile(verify.File{Kind: "log", URI: logs + "eu-west-1/2026/03/09/old.json.gz", Verdict: verify.Deleted, Reasons: []verify.Reason{verify.NotFound, verify.Expired}}),
		aFinding(verify.Finding{Kind: verify.Gap, Chain: ref, Start: at("2026-03-10T00:00:00Z"), End: at("2026-03-10T02:12:31Z"), Reason: verify.Expired,
			Message: "no digest covers 2 hours: the bucket's lifecycle rule \"short\" removes what is older than 1 day"}),
		aFinding(verify.Finding{Kind: verify.Gap, Chain: ref, Start: at("2026-03-10T12:12:31Z"), End: at("2026-03-10T15:12:31Z"), Message: "no digest covers 3 hours"}),
		aFinding(verify.Finding{Kind: verify.Moved, URI: logs, Message: "the files lie in s3://copy/ and were written to s3://example-trail-logs/"}),
	}
}

func explained() []verify.Explanation {
	who, log := "arn:aws:iam::111122223333:user/mallory", logs+"eu-west-1/2026/03/10/k.json.gz"
	return []verify.Explanation{
		{Event: "DeleteObjects", Service: "s3.amazonaws.com", ID: "0e000000-0000-4000-8000-000000000001", Time: *at("2026-03-10T11:30:00Z"), Account: "111122223333", Region: "eu-west-1",
			Who: who, AccessKey: "AKIAIOSFODNN7EXAMPLE", From: "203.0.113.7", Agent: "aws-cli/2.15", Target: logs + "eu-west-1/2026/03/10/a.json.gz",
			Detail: "it deleted 3 objects", Log: log, Explains: []int64{1, 2, 3}},
		{Event: "StopLogging", Service: "cloudtrail.amazonaws.com", ID: "0e000000-0000-4000-8000-000000000002", Time: *at("2026-03-10T12:05:00Z"), Account: "111122223333", Region: "eu-west-1",
			Who: who, AccessKey: "AKIAIOSFODNN7EXAMPLE", From: "203.0.113.7", Agent: "aws-cli/2.15", Target: "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main",
			Detail: "logging was stopped", Log: log, Explains: []int64{7}},
		{Event: "DeleteTrail", Service: "cloudtrail.amazonaws.com", ID: "0e000000-0000-4000-8000-000000000003", Time: *at("2026-03-10T12:06:00Z"), Account: "111122223333", Region: "eu-west-1",
			Who: who, Error: "AccessDenied", Target: "main", Log: log, Explains: []int64{}},
		{Event: "=PutBucketPolicy\x1b[2J", Service: "<script>", ID: "@SUM(A1)", Time: *at("2026-03-10T12:07:00Z"), Account: "-1+1", Region: "+1",
			Who: "=cmd|' /C calc'!A0", AccessKey: "\u202ex", From: "<img src=x>", Agent: "]]><b>|`x`\n# h", Error: "\x07", Target: "s3://b/\xff", Detail: "*b* [x](http://example.com) &lt;", Log: "\r=1", Explains: []int64{}},
	}
}

// Every format names who did it, what explains what, and how to have it back.
func TestEveryFormatTellsEvidence(t *testing.T) {
	for _, format := range Formats() {
		out := play(t, format, evidenceRun())
		want := []string{"mallory", "StopLogging", "203.0.113.7", "AKIAIOSFODNN7EXAMPLE", "AccessDenied", "3HL4kqtJlcpXroDTDmJ", aSeal, "12"}
		if format == "openmetrics" {
			want = []string{"trailseal_recoverable_files 2", "trailseal_explanations 4"}
		}
		for _, text := range want {
			if !strings.Contains(out, text) {
				t.Errorf("%s does not tell of %q", format, text)
			}
		}
	}
}

func TestBrokenEvidence(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{aSeal, "5ea1", "SHA-256"},
		{`"explains":[7]`, `"explains":[0]`, "the place 0"},
		{`"explains":[7]`, `"explains":null`, "without its event"},
		{`"event":"StopLogging"`, `"event":""`, "without its event"},
		{`"time":"2026-03-10T12:05:00Z"`, `"time":"0001-01-01T00:00:00Z"`, "its time"},
		{`"looked":3`, `"looked":-3`, "-3 versions"},
		{`"reason":"expired"`, `"reason":"old"`, "is not known"},
		{`"unlistedEvents": 12`, `"unlistedEvents": -1`, "-1 events"},
		{`"unlistedEvents":12`, `"unlistedEvents":-1`, "-1 events"},
	} {
		changed := 0
		for _, format := range []string{"json", "ndjson"} {
			whole := play(t, format, evidenceRun())
			raw := strings.ReplaceAll(whole, c.old, c.new)
			if raw == whole {
				continue
			}
			changed++
			if _, err := OpenSaved(strings.NewReader(raw), int64(len(raw))); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s %s -> %s: %v, want %s", format, c.old, c.new, err, c.want)
			}
		}
		if changed == 0 {
			t.Errorf("nothing to change: %s", c.old)
		}
	}
}

// Merged, an event is told once, and what it explains has its new place; what two
// reports told alike has one.
func TestMergeMapsExplanations(t *testing.T) {
	r := evidenceRun()
	other := evidenceRun()
	for i := range other.end.Explained {
		other.end.Explained[i].ID += "-other"
	}
	other.end.Explained[1] = r.end.Explained[1]
	var out strings.Builder
	w, _ := New("json", &out, Options{})
	defer w.Close()
	reports := []*Saved{openText(t, play(t, "json", r)), openText(t, play(t, "ndjson", other))}
	if _, err := Merge("v1", reports, w); err != nil {
		t.Fatal(err)
	}
	m := openText(t, out.String())
	if len(m.Summary.Explained) != 7 || m.Summary.UnlistedEvents != 24 || m.Header.Bundle == nil || m.Header.Bundle.Seal != aSeal {
		t.Fatalf("%d events, %d more, bundle %v", len(m.Summary.Explained), m.Summary.UnlistedEvents, m.Header.Bundle)
	}
	gaps := map[int64]bool{}
	for e, err := range m.events() {
		if err != nil {
			t.Fatal(err)
		}
		if e.finding != nil && e.finding.Kind == verify.Gap && e.finding.Reason == "" {
			gaps[e.finding.Seq] = true
		}
		if e.file != nil && e.file.Reason == verify.HashMismatch && e.file.Recover == nil {
			t.Error("what can be recovered is lost")
		}
	}
	for _, e := range m.Summary.Explained {
		if e.Event == "StopLogging" && (len(e.Explains) != 2 || !gaps[e.Explains[0]] || !gaps[e.Explains[1]]) {
			t.Errorf("StopLogging explains %v, and the gaps are %v", e.Explains, gaps)
		}
	}
	second := evidenceRun()
	second.header.Bundle.Seal = strings.Repeat("b", 64)
	if h := (&merger{reports: []*Saved{reports[0], openText(t, play(t, "json", second))}}).bundle(); h != nil {
		t.Errorf("two bundles became %v", h)
	}
}

func openText(t *testing.T, raw string) *Saved {
	t.Helper()
	s, err := OpenSaved(strings.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatalf("%v\n%.2000s", err, raw)
	}
	return s
}

// However many events there are and whatever they say, what people read stays
// small, and says how many it leaves out.
func TestManyEvents(t *testing.T) {
	r := evidenceRun()
	one := r.end.Explained[2]
	one.Agent, one.Target = strings.Repeat("<", 512), strings.Repeat("\x1b", 1200)
	for range 3_000 {
		r.end.Explained = append(r.end.Explained, one)
	}
	for format, most := range map[string]int{"html": 4 << 20, "markdown": 900 << 10, "text": 1 << 20, "junit": 1 << 20, "sarif": 20 << 20} {
		out := play(t, format, r)
		if len(out) > most {
			t.Errorf("%s has %d bytes", format, len(out))
		}
		if !strings.Contains(out, " more") && format != "sarif" || format == "sarif" && !strings.Contains(out, `"unlistedEvents":2016`) {
			t.Errorf("%s does not say how many it leaves out", format)
		}
	}
	if again := openText(t, play(t, "ndjson", r)); len(again.Summary.Explained) != 3_004 {
		t.Errorf("%d events come back", len(again.Summary.Explained))
	}
}
