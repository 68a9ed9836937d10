package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// An event is one call of a sink.
type event func(verify.Sink) error

// A run as a test knows it: its events, and how it ends.
type aRun struct {
	name    string
	options Options
	header  verify.Header
	events  []event
	end     verify.Summary
}

func at(text string) *time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return &t
}

func aFile(f verify.File) event {
	if len(f.Reasons) > 0 {
		f.Reason = f.Reasons[0]
	}
	if f.Class == 0 {
		f.Class = f.Verdict.Class()
	}
	return func(s verify.Sink) error { return s.File(f) }
}

func aFinding(f verify.Finding) event {
	if f.Class == 0 {
		f.Class = f.Kind.Class()
	}
	return func(s verify.Sink) error { return s.Finding(f) }
}

func aChain(c verify.Chain) event { return func(s verify.Sink) error { return s.Chain(c) } }

func play(t testing.TB, format string, r aRun) string {
	t.Helper()
	var out bytes.Buffer
	w, err := New(format, &out, r.options)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Start(r.header); err != nil {
		t.Fatal(err)
	}
	numbered := &numbering{Sink: w}
	for i, e := range r.events {
		if err := e(numbered); err != nil {
			t.Fatalf("event %d: %v", i, err)
		}
	}
	if err := w.End(r.end); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// numbering gives events their places, as the engine does.
type numbering struct {
	verify.Sink
	seq int64
}

func (n *numbering) next() int64 {
	n.seq++
	return n.seq
}

func (n *numbering) File(f verify.File) error       { f.Seq = n.next(); return n.Sink.File(f) }
func (n *numbering) Finding(f verify.Finding) error { f.Seq = n.next(); return n.Sink.Finding(f) }
func (n *numbering) Chain(c verify.Chain) error     { c.Seq = n.next(); return n.Sink.Chain(c) }

const (
	logs    = "s3://example-trail-logs/AWSLogs/111122223333/CloudTrail/"
	digests = "s3://example-trail-logs/AWSLogs/111122223333/CloudTrail-Digest/"
)

func aHeader() verify.Header {
	return verify.Header{
		Version: "v0.1.0", Started: *at("2026-03-12T08:00:00Z"), Source: "s3://example-trail-logs",
		Window: verify.Window{Start: *at("2026-03-10T00:00:00Z"), End: *at("2026-03-11T00:00:00Z")},
	}
}

type by = map[verify.Verdict]int

func keptRun() aRun {
	shares := []verify.Share{{State: verify.Verified, Seconds: 79200}, {State: verify.VerifiedEmpty, Seconds: 7200}}
	return aRun{"kept", Options{}, aHeader(), []event{
		aChain(verify.Chain{Account: "111122223333", Region: "eu-west-1", HomeRegion: "eu-west-1", Trail: "main",
			First: at("2026-03-09T23:12:31Z"), Last: at("2026-03-11T00:12:31Z"),
			Digests: by{verify.Kept: 25}, Logs: by{verify.Kept: 1031}, Coverage: shares}),
		aChain(verify.Chain{Account: "111122223333", Region: "us-east-1", HomeRegion: "eu-west-1", Trail: "main",
			Backfill: true, Digests: by{verify.Kept: 1}, Logs: by{verify.Kept: 2}}),
	}, verify.Summary{Finished: *at("2026-03-12T08:00:04Z"), Window: aHeader().Window, Verdict: "kept", Exit: 0, Chains: 2,
		Digests: by{verify.Kept: 26}, Logs: by{verify.Kept: 1033},
		Bytes: verify.Bytes{Fetched: 3 << 20, Hashed: 41 << 20}, Requests: map[string]int64{"list": 12, "get": 1059}, Seconds: 4.25}}
}

func tamperedFiles() []event {
	hash := func(c byte) string { return string(bytes.Repeat([]byte{c}, 64)) }
	day := logs + "eu-west-1/2026/03/10/"
	pending := func(name string) event {
		return aFile(verify.File{Kind: "log", URI: day + name, Verdict: verify.Pending, Reasons: []verify.Reason{verify.NoDigest}})
	}
	return []event{
		aFile(verify.File{Kind: "log", URI: day + "a.json.gz", Verdict: verify.Modified,
			Reasons: []verify.Reason{verify.HashMismatch, verify.TrailingData}, Expected: hash('a'), Actual: hash('b'), Size: 4711,
			Digest: digests + "eu-west-1/2026/03/10/d.json.gz", Start: at("2026-03-10T03:01:00Z"), End: at("2026-03-10T03:05:59Z")}),
		aFile(verify.File{Kind: "log", URI: day + "\x1b[2Jb\u202e\xff.json.gz", Verdict: verify.Deleted,
			Reasons: []verify.Reason{verify.NotFound}, Detail: "named by \"\u009b31m\" since 03:00"}),
		aFile(verify.File{Kind: "digest", URI: digests + "eu-west-1/2026/03/10/e.json.gz", Verdict: verify.Unverified,
			Reasons: []verify.Reason{verify.SignatureMissing}}),
		aFile(verify.File{Kind: "log", URI: day + "c.json.gz", Verdict: verify.Unreferenced,
			Reasons: []verify.Reason{verify.NoDigest}, Class: verify.Remark}),
		pending("p.json.gz"), pending("q.json.gz"),
	}
}

func tamperedRun() aRun {
	ref := &verify.ChainRef{Account: "111122223333", Region: "eu-west-1", Trail: "main"}
	gap := [2]*time.Time{at("2026-03-10T05:12:31Z"), at("2026-03-10T08:12:31Z")}
	logCounts := by{verify.Kept: 900, verify.Modified: 1, verify.Deleted: 1, verify.Unreferenced: 1, verify.Pending: 2}
	events := append(tamperedFiles(),
		aFinding(verify.Finding{Kind: verify.Gap, Chain: ref, Start: gap[0], End: gap[1], Message: "no digest covers 3 hours"}),
		aFinding(verify.Finding{Kind: verify.Junk, Chain: ref, URI: digests + "eu-west-1/x\ny.json.gz", Message: "named almost like a digest"}),
		aChain(verify.Chain{Account: "111122223333", Region: "eu-west-1", HomeRegion: "eu-west-1", Trail: "main", Class: verify.Tampering,
			Digests: by{verify.Kept: 20, verify.Unverified: 1}, Logs: logCounts,
			Gaps: []verify.Hole{{Start: *gap[0], End: *gap[1], Reason: "no digest"},
				{Start: *at("2026-03-10T09:12:31Z"), End: *at("2026-03-10T10:12:31Z"), Reason: "its digest is not kept"}},
			Coverage: []verify.Share{{State: verify.Verified, Seconds: 72000}, {State: verify.InGap, Seconds: 10800}, {State: verify.Unproven, Seconds: 3600}}}),
		aFinding(verify.Finding{Kind: verify.Unlisted, URI: logs + "ap-south-1/", Message: "listing: access-denied"}),
		aChain(verify.Chain{Organization: "o-exampleorg1", Account: "444455556666", Region: "us-east-1", HomeRegion: "eu-west-1", Trail: "org<trail>",
			Digests: by{verify.Kept: 24}, Logs: by{},
			Coverage: []verify.Share{{State: verify.VerifiedEmpty, Seconds: 80000}, {State: verify.NotYetDue, Seconds: 6400}}}),
	)
	return aRun{"tampered", Options{}, aHeader(), events,
		verify.Summary{Finished: *at("2026-03-12T08:00:04Z"), Window: aHeader().Window, Verdict: "tampered", Exit: 1, Chains: 2,
			Digests: by{verify.Kept: 44, verify.Unverified: 1}, Logs: logCounts,
			Bytes: verify.Bytes{Fetched: 900, Hashed: 4096}, Seconds: 61}}
}

func runs() []aRun {
	nothing := aRun{"nothing", Options{}, verify.Header{Version: "v0.1.0", Started: *at("2026-03-12T08:00:00Z"), Source: "copy"}, []event{
		aFinding(verify.Finding{Kind: verify.Nothing, Message: "no AWSLogs folder in it"}),
	}, verify.Summary{Finished: *at("2026-03-12T08:00:00Z"), Verdict: "unproven", Exit: 3, Seconds: 0.004}}
	interrupted := tamperedRun()
	interrupted.name, interrupted.events = "interrupted", append(interrupted.events[2:3:3],
		aFinding(verify.Finding{Kind: verify.NotChecked, Message: "interrupted before 3 chains were checked"}))
	interrupted.end = verify.Summary{Finished: *at("2026-03-12T08:00:01Z"), Window: aHeader().Window, Interrupted: true, Verdict: "unproven", Exit: 3}
	all := tamperedRun()
	all.name, all.options = "all", Options{All: true, Color: true}
	all.events = append([]event{aFile(verify.File{Kind: "log", URI: logs + "k.json.gz", Verdict: verify.Kept})}, all.events...)
	return []aRun{keptRun(), tamperedRun(), nothing, interrupted, all, acceptedRun(), failedRun(), keysRun(7), evidenceRun()}
}

// acceptedRun is tampered and unproven, and all of it was accepted.
func acceptedRun() aRun {
	r := keptRun()
	day := logs + "eu-west-1/2026/03/10/"
	r.name, r.events = "accepted", append([]event{
		aFile(verify.File{Kind: "log", URI: day + "a.json.gz", Verdict: verify.Deleted, Reasons: []verify.Reason{verify.NotFound}, Class: verify.Remark}),
		aFile(verify.File{Kind: "log", URI: day + "b.json.gz", Verdict: verify.Unreferenced, Reasons: []verify.Reason{verify.CoverageUnknown}, Class: verify.Remark}),
		aFile(verify.File{Kind: "log", URI: day + "p.json.gz", Verdict: verify.Pending, Reasons: []verify.Reason{verify.NoDigest}}),
		aFinding(verify.Finding{Kind: verify.Gap, Message: "no digest covers 3 hours", Class: verify.Remark}),
		aFinding(verify.Finding{Kind: verify.NotStarted, Message: "the window begins before the chain does"}),
	}, r.events...)
	r.end.Logs = by{verify.Kept: 1033, verify.Deleted: 1, verify.Unreferenced: 1, verify.Pending: 1}
	return r
}

// failedRun is kept, and --fail-on makes tampering of some of it.
func failedRun() aRun {
	r := keptRun()
	r.name, r.events = "failed", append([]event{
		aFile(verify.File{Kind: "digest", URI: digests + "eu-west-1/2026/03/10/d.json.gz", Verdict: verify.Kept, Reasons: []verify.Reason{verify.Redelivered}, Class: verify.Tampering}),
		aFile(verify.File{Kind: "log", URI: logs + "eu-west-1/2026/03/10/k.json.gz", Verdict: verify.Kept, Class: verify.Tampering}),
		aFinding(verify.Finding{Kind: verify.KeysInCopy, Message: "the public keys are those in the copy itself", Class: verify.Tampering}),
	}, r.events...)
	r.end.Verdict, r.end.Exit = "tampered", 1
	return r
}

// evidenceRun is a bundle in which files are missing and events tell of it.
func evidenceRun() aRun {
	r := tamperedRun()
	day := logs + "eu-west-1/2026/03/10/"
	ref := &verify.ChainRef{Account: "111122223333", Region: "eu-west-1", Trail: "main"}
	r.name = "evidence"
	r.header.Bundle = &verify.Bundle{Seal: string(bytes.Repeat([]byte("5e"), 32)), Collected: *at("2026-03-11T09:00:00Z"), Tool: "v0.1.0"}
	r.events = append([]event{
		aFile(verify.File{Kind: "log", URI: day + "gone.json.gz", Verdict: verify.Deleted, Reasons: []verify.Reason{verify.NotFound},
			Recover: &verify.Recover{Version: "v1", Modified: at("2026-03-10T02:00:00Z"), Size: 4711, Removed: at("2026-03-11T03:04:05Z"), RemovedBy: "0123abcd", Marker: "m1",
				Looked: 1, Command: "aws s3api delete-object --bucket " + strings.Replace(strings.TrimPrefix(day, "s3://"), "/", " --key ", 1) + "gone.json.gz --version-id m1", Saved: "originals/s3/x"}}),
		aFile(verify.File{Kind: "digest", URI: digests + "eu-west-1/2026/03/10/none.json.gz", Verdict: verify.Modified, Reasons: []verify.Reason{verify.Malformed},
			Recover: &verify.Recover{Looked: 3, Removed: at("2026-03-11T03:04:05Z")}}),
		aFile(verify.File{Kind: "log", URI: day + "denied.json.gz", Verdict: verify.Deleted, Reasons: []verify.Reason{verify.NotFound, verify.Expired}, Class: verify.Remark,
			Detail:  "the bucket's lifecycle rule \"old\" deletes objects after 90 days",
			Recover: &verify.Recover{Problem: "its versions could not be listed: \x1b[31m=1+1"}}),
		aFinding(verify.Finding{Kind: verify.BundleAltered, URI: day + "x.json.gz", Message: "the entry is not what was collected"}),
		aFinding(verify.Finding{Kind: verify.Moved, Message: "it lies at \"elsewhere\""}),
		aFinding(verify.Finding{Kind: verify.Gap, Chain: ref, Start: at("2026-03-10T00:12:31Z"), End: at("2026-03-10T01:12:31Z"), Reason: verify.Expired, Class: verify.Remark, Message: "no digest covers it"}),
	}, r.events...)
	r.end.UnlistedEvents = 7
	r.end.Explained = []verify.Explanation{
		{Event: "DeleteObject", Service: "s3.amazonaws.com", ID: "e1", Time: *at("2026-03-11T03:04:05Z"), Account: "111122223333", Region: "eu-west-1",
			Who: "arn:aws:iam::111122223333:user/mallory", AccessKey: "AKIAEXAMPLE", From: "203.0.113.9", Agent: "aws-cli/2", Target: day + "gone.json.gz",
			Log: day + "k.json.gz", Explains: []int64{1}},
		{Event: "StopLogging", Service: "cloudtrail.amazonaws.com", ID: "e2", Time: *at("2026-03-11T03:05:00Z"), Account: "111122223333", Region: "eu-west-1",
			Who: "<script>alert(1)</script>\x1b[2J\u202e", AccessKey: "=cmd|' /C calc'!A0", From: "](http://x) | `x`", Agent: "]]> ::error::", Target: "main", Detail: "a\nb",
			Log: day + "k.json.gz", Explains: []int64{6, 12, 99}},
		{Event: "PutKeyPolicy", Service: "kms.amazonaws.com", ID: "e3", Time: *at("2026-03-10T03:05:00Z"), Account: "111122223333", Region: "eu-west-1",
			Who: "root", Error: "AccessDenied", Log: day + "k.json.gz", Explains: []int64{}},
	}
	return r
}
