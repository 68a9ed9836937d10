package report

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/trailseal/trailseal/verify"
)

func clock(hour, minute int) *time.Time {
	t := time.Date(2026, 3, 10, hour, minute, 0, 0, time.UTC)
	return &t
}

// inspections are one of each kind, and the logs of the digest.
func inspections() (digest, log, other verify.Inspection, logs []verify.File) {
	const d = "s3://b/AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/03/10/d.json.gz"
	digest = verify.Inspection{
		URI: d, Kind: "digest", Exit: 1, KeysIn: "public-keys.json",
		File:   &verify.File{Kind: "digest", URI: d, Verdict: verify.Kept, Reasons: []verify.Reason{verify.SignatureRecovered}},
		Object: &verify.ObjectFacts{Stored: 1032, Form: "exact", Size: 2869, SHA256: strings.Repeat("ab", 32), Version: "v1", SSE: "aws:kms", SSEKey: "arn:aws:kms:x"},
		Digest: &verify.DigestFacts{
			Organization: "o-abcdef1234", Account: "111122223333", Region: "eu-west-1", Trail: "t", HomeRegion: "us-east-1", Backfill: true, Starting: true,
			Bucket: "b", Key: "AWSLogs/d.json.gz", Start: clock(1, 0), End: clock(2, 0), Oldest: clock(1, 1), Newest: clock(1, 59), Generated: "2026-03-10T04:00:00Z", Lists: 3,
			Fingerprint: "68729f6907f09b8ce07194976536f4be", KeyStart: clock(0, 0), KeyEnd: clock(23, 0), StringToSign: "2026-03-10T02:00:00Z\nb/AWSLogs/d.json.gz\nab\nnull",
			Signature: "cdef", SignatureFrom: "next-digest",
			Checks: []verify.Check{{Name: "read", Outcome: verify.CheckHolds}, {Name: "signature", Outcome: verify.CheckUnknown, Detail: "none"}, {Name: "next-hash", Outcome: verify.CheckFails, Detail: "another"}},
			Next:   &verify.Neighbour{URI: d + ".next", Verdict: verify.Modified, Reasons: []verify.Reason{verify.HashMismatch}},
		},
		Logs: map[verify.Verdict]int{verify.Kept: 1, verify.Modified: 1, verify.Deleted: 1},
	}
	log = verify.Inspection{
		URI: "s3://b/log.json.gz", Kind: "log", Exit: 0,
		File:   &verify.File{Kind: "log", URI: "s3://b/log.json.gz", Verdict: verify.Kept, Digest: d},
		Object: &verify.ObjectFacts{Stored: 100, Form: "exact", Size: 1000, Client: "s3ec-v3", ClientKey: "arn:aws:kms:y"},
		Log: &verify.LogFacts{
			Account: "111122223333", Region: "eu-west-1", Folder: "CloudTrail", Delivered: *clock(1, 5), ListedBy: []verify.Neighbour{{URI: d, Verdict: verify.Kept}},
			Expected: "ab", Read: true, Events: 12345, TooLong: 1, First: clock(1, 0), Last: clock(1, 4),
			Services:   verify.Counts{Top: []verify.Count{{Name: "s3.amazonaws.com", Events: 12000}, {Name: "(none)", Events: 5}}, Others: 340, Distinct: 12},
			Principals: verify.Counts{Top: []verify.Count{{Name: "arn:aws:iam::1:user/u", Events: 2345}}, Others: 10000, Distinct: 10000, Full: true},
			Errors:     verify.Counts{Top: []verify.Count{}},
		},
	}
	other = verify.Inspection{URI: "x", Kind: "other", Exit: 3, Says: "it is not gzip", Doubt: "the digest is gone"}
	logs = []verify.File{
		{Kind: "log", URI: "s3://b/1", Verdict: verify.Kept, Digest: d},
		{Kind: "log", URI: "s3://b/2", Verdict: verify.Modified, Class: verify.Tampering, Reasons: []verify.Reason{verify.HashMismatch}, Expected: "ab", Actual: "cd", Digest: d},
		{Kind: "log", URI: "s3://b/3", Verdict: verify.Deleted, Class: verify.Tampering, Reasons: []verify.Reason{verify.NotFound}, Digest: d},
	}
	return digest, log, other, logs
}

func inspected(t *testing.T, format string, in verify.Inspection, logs []verify.File) string {
	t.Helper()
	var b bytes.Buffer
	w := NewInspector(format, &b, verify.Header{Version: "1.0", Started: *clock(5, 0)}, Options{})
	for _, f := range logs {
		if err := w.Log(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.End(in); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func sameAs(t *testing.T, name, got string) {
	t.Helper()
	golden := filepath.Join("testdata/one", name) // of one file or event: no reports of a run
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(golden); err != nil || got != strings.ReplaceAll(string(want), "\r\n", "\n") {
		t.Errorf("%v; differs from %s (-update writes it anew):\n%s", err, golden, got)
	}
}

func TestInspectors(t *testing.T) {
	digest, log, other, logs := inspections()
	for _, format := range InspectFormats {
		sameAs(t, "inspect-digest."+format, inspected(t, format, digest, logs))
		sameAs(t, "inspect-log."+format, inspected(t, format, log, nil))
		sameAs(t, "inspect-other."+format, inspected(t, format, other, nil))
	}
}

// The text lists a thousand logs, JSON all.
func TestInspectorsAreBounded(t *testing.T) {
	digest, _, _, logs := inspections()
	var many []verify.File
	for range 1500 {
		many = append(many, logs[0])
	}
	text := inspected(t, "text", digest, many)
	if n := strings.Count(text, "s3://b/1\n"); n != 1000 || !strings.Contains(text, "… and 500 more: --format json lists all\n") {
		t.Errorf("%d logs in the text", n)
	}
	var all struct{ Logs []any }
	if err := json.Unmarshal([]byte(inspected(t, "json", digest, many)), &all); err != nil || len(all.Logs) != 1500 {
		t.Errorf("%d logs in JSON, %v", len(all.Logs), err)
	}
}

// poison puts a name into every text of a value.
func poison(v reflect.Value, name string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(name)
	case reflect.Pointer:
		if !v.IsNil() {
			poison(v.Elem(), name)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				poison(v.Field(i), name)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			poison(v.Index(i), name)
		}
	}
}

// Whatever a name holds, nothing of it reaches the terminal, and JSON stays JSON.
func TestInspectorsWithHostileNames(t *testing.T) {
	for _, name := range hostile {
		digest, log, other, logs := inspections()
		for _, in := range []*verify.Inspection{&digest, &log, &other} {
			poison(reflect.ValueOf(in).Elem(), name)
			for i := range logs {
				poison(reflect.ValueOf(&logs[i]).Elem(), name)
			}
			for _, format := range InspectFormats {
				nothingHidden(t, name, format, inspected(t, format, *in, logs))
			}
		}
		search, result := aSearch(), aProofResult()
		poison(reflect.ValueOf(&search).Elem(), name)
		poison(reflect.ValueOf(&result).Elem(), name)
		for _, format := range ProofFormats {
			var b bytes.Buffer
			if err := WriteSearch(&b, format, search, Options{}); err != nil {
				t.Fatal(err)
			}
			nothingHidden(t, name, format, b.String())
			b.Reset()
			if err := WriteProofResult(&b, format, result, 3, Options{}); err != nil {
				t.Fatal(err)
			}
			nothingHidden(t, name, format, b.String())
		}
	}
}

func nothingHidden(t *testing.T, name, format, text string) {
	t.Helper()
	for _, r := range text {
		if r != '\n' && (hidden(r) || r == utf8.RuneError && !strings.Contains(name, "\ufffd")) {
			t.Fatalf("%q leaves %U in the %s:\n%s", name, r, format, text)
		}
	}
	if format == "json" && !json.Valid([]byte(text)) {
		t.Errorf("%q: no JSON: %s", name, text)
	}
}

func aSearch() verify.Search {
	return verify.Search{
		Event: "id", Why: "why", File: &verify.File{Kind: "log", URI: "s3://b/1", Verdict: verify.Modified, Reasons: []verify.Reason{verify.HashMismatch}, Digest: "s3://b/d"},
		Others: []string{"s3://b/2"}, More: 3, Window: verify.Window{Start: *clock(0, 0), End: *clock(2, 0)}, Logs: map[verify.Verdict]int{verify.Modified: 1},
		Searched: 1, Doubts: []string{"gap"}, MoreDoubts: 2, Exit: 1,
	}
}

func aProofResult() verify.ProofResult {
	return verify.ProofResult{
		Event: "id", Log: "s3://b/1", Digest: "s3://b/d", Collected: *clock(5, 0), Tool: "1.0", KeyFrom: "CloudTrail", Fingerprint: "6872", Region: "eu-west-1", Holds: true,
		Checks: []verify.Check{{Name: "form", Outcome: verify.CheckHolds, Detail: "whole"}, {Name: "key-origin", Outcome: verify.CheckUnknown, Detail: "none given"}},
	}
}

func TestProofReports(t *testing.T) {
	for _, format := range ProofFormats {
		var b bytes.Buffer
		if err := WriteSearch(&b, format, aSearch(), Options{}); err != nil {
			t.Fatal(err)
		}
		sameAs(t, "search."+format, b.String())
		b.Reset()
		if err := WriteProofResult(&b, format, aProofResult(), 3, Options{}); err != nil {
			t.Fatal(err)
		}
		sameAs(t, "proof."+format, b.String())
	}
}
