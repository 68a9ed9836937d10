package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
)

const (
	disabledKey = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000001"
	doomedKey   = "arn:aws:kms:eu-west-1:111122223333:key/mrk-00000000000040008000000000000002"
	foreignKey  = "arn:aws:kms:eu-west-1:999988887777:key/00000000-0000-4000-8000-000000000003"
)

// barredFile is a file that could not be read.
func barredFile(kind string, i int, key string, reason verify.Reason, detail string) event {
	uri := fmt.Sprintf("%seu-west-1/2026/03/10/%03d.json.gz", map[string]string{"log": logs, "digest": digests}[kind], i)
	return aFile(verify.File{Kind: kind, URI: uri, Verdict: verify.Unreadable, Reasons: []verify.Reason{reason}, Key: key, Detail: detail})
}

// keysRun has files that keys keep from being read, n of them for one key, and
// keys in several states.
func keysRun(n int) aRun {
	r := tamperedRun()
	r.name, r.events = "keys", nil
	for i := range n {
		r.events = append(r.events, barredFile("log", i, disabledKey, verify.KMSKeyDisabled, `HTTP status 400, code "KMS.DisabledException"; the key can be enabled again`))
	}
	r.events = append(r.events,
		barredFile("digest", 1, disabledKey, verify.KMSKeyDisabled, "the key can be enabled again"),
		barredFile("log", 2000, foreignKey, verify.KMSDenied, "the caller needs kms:Decrypt on the key"),
		barredFile("log", 2001, "", verify.Archived, "restore it first: s3:RestoreObject"),
		aFile(verify.File{Kind: "log", URI: logs + "eu-west-1/2026/03/10/x.json.gz", Verdict: verify.Modified, Reasons: []verify.Reason{verify.CiphertextAltered},
			Detail: "the tag is not that of the ciphertext", Envelope: "s3ec-v2", Key: doomedKey}),
		aFinding(verify.Finding{Kind: verify.KeyDisabled, Key: disabledKey, Message: "key " + disabledKey + " is disabled: aws kms enable-key --key-id " + disabledKey + " --region eu-west-1"}),
		aFinding(verify.Finding{Kind: verify.KeyForeign, Key: foreignKey, Start: at("2026-03-10T02:00:00Z"), End: at("2026-03-10T04:00:00Z"), Message: "key " + foreignKey + " belongs to the account \"999988887777\""}),
		aChain(verify.Chain{Account: "111122223333", Region: "eu-west-1", HomeRegion: "eu-west-1", Trail: "main", Class: verify.Tampering,
			Digests: by{verify.Kept: 24, verify.Unreadable: 1}, Logs: by{verify.Kept: 30, verify.Unreadable: n + 2, verify.Modified: 1}}))
	first, last, end := at("2026-03-10T00:05:00Z"), at("2026-03-10T23:55:00Z"), at("2026-12-04T00:00:00Z")
	r.end.Digests, r.end.Logs = by{verify.Kept: 24, verify.Unreadable: 1}, by{verify.Kept: 30, verify.Unreadable: n + 2, verify.Modified: 1}
	r.end.Keys = []verify.KeyUse{
		{ARN: disabledKey, Account: "111122223333", Region: "eu-west-1", Encryption: []string{"aws:kms"}, Files: n + 17, Digests: 5, Unreadable: n + 1, Bytes: 40 << 10,
			First: first, Last: last, State: "Disabled", Remedy: "aws kms enable-key --key-id " + disabledKey + " --region eu-west-1", Manager: "CUSTOMER", Origin: "AWS_KMS"},
		{ARN: doomedKey, Account: "111122223333", Region: "eu-west-1", Encryption: []string{"aws:kms", "s3ec-v2"}, Files: 30, Bytes: 3 << 20, First: first, Last: last,
			State: "PendingDeletion", Deletion: end, EndsAt: end, Remedy: "aws kms cancel-key-deletion --key-id KEY", Manager: "CUSTOMER", Origin: "EXTERNAL", Expires: at("2027-01-01T00:00:00Z"),
			MultiRegion: true, Replicas: []string{strings.Replace(doomedKey, "eu-west-1", "us-east-1", 1)}},
		{ARN: foreignKey, Account: "999988887777", Region: "eu-west-1", Encryption: []string{}, Files: 1, Unreadable: 1, First: first, Last: first,
			State: "unknown", Detail: "kms:DescribeKey: AccessDeniedException: not authorized"},
	}
	return r
}

// Files that could not be read are told by reason and key, each group once.
func TestUnreadableIsGrouped(t *testing.T) {
	text := play(t, "text", keysRun(1284))
	for _, want := range []string{
		"Unreadable, by reason and key\n", "1 digest and 1,284 log files: it is encrypted with a KMS key that is disabled (kms-key-disabled)\n",
		"its state is Disabled; 16 of its 1,301 files could be read in this run\n", "aws kms enable-key --key-id " + disabledKey + " --region eu-west-1\n",
		"1 log file: it is encrypted, and the caller may not use the KMS key (kms-denied)\n", "its state is unknown (kms:DescribeKey: AccessDeniedException: not authorized)",
		"1 log file: it is archived and must be restored", "1,279 log files more like this", "KMS keys\n", "2026-12-04T00:00:00Z",
	} {
		if strings.Count(text, want) == 0 {
			t.Errorf("no %q", want)
		}
	}
	if n := strings.Count(text, ": it is encrypted with a KMS key that is disabled"); n > 4 {
		t.Errorf("the same is said %d times", n)
	}
	// A few without a key are told well enough one by one.
	r := tamperedRun()
	r.events = []event{barredFile("log", 1, "", verify.Archived, "x"), barredFile("log", 2, "", verify.ReadFailed, "x")}
	if text := play(t, "text", r); strings.Contains(text, "by reason and key") || strings.Contains(text, "KMS keys") {
		t.Errorf("groups of one:\n%s", text)
	}
}

// Groups are counted to the last file, and bounded however many keys somebody
// has named.
func TestManyBars(t *testing.T) {
	r := tamperedRun()
	r.events = nil
	for i := range 3 * maxBars {
		r.events = append(r.events, barredFile("log", i, fmt.Sprintf("%s%05d", foreignKey, i), verify.KeyNotAllowed, "no"))
		r.events = append(r.events, barredFile("digest", i, fmt.Sprintf("%s%05d", foreignKey, i%2), verify.KMSDenied, "no"))
	}
	text := play(t, "text", r)
	_, groups, _ := strings.Cut(text, "Unreadable, by reason and key\n")
	groups, _, _ = strings.Cut(groups, "\n\n")
	counted := 0
	for _, n := range regexp.MustCompile(`([0-9,]+) (?:digest|log file)s?\b`).FindAllStringSubmatch(groups, -1) {
		i, err := strconv.Atoi(strings.ReplaceAll(n[1], ",", ""))
		if counted += i; err != nil {
			t.Error(err)
		}
	}
	if n := strings.Count(groups, "  unreadable"); n > maxBars+1 || counted != 6*maxBars || !strings.Contains(groups, "for other reasons, or of other keys") {
		t.Errorf("%d groups of %d files\n%.2000s", n, counted, groups)
	}
}

// What a writer holds does not grow with the keys that somebody has named.
func TestFlatMemoryOfKeys(t *testing.T) {
	for _, format := range Formats() {
		w, err := New(format, io.Discard, Options{TempDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		before := heap()
		err = w.Start(aHeader())
		for i := range 100_000 {
			err = errors.Join(err, barredFile("log", i, fmt.Sprintf("%s%05d%s", foreignKey, i, strings.Repeat("x", 80)), verify.KeyNotAllowed, "no")(w))
		}
		if err != nil {
			t.Fatal(err)
		}
		if grown := int64(heap()) - int64(before); grown > 3*spoolMemory {
			t.Errorf("%s holds %d bytes after 100,000 keys", format, grown)
		}
		if err := errors.Join(w.End(keysRun(7).end), w.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// Keys come back from the JSON as they were.
func TestKeysRoundTrip(t *testing.T) {
	r := keysRun(7)
	var got struct{ Keys []verify.KeyUse }
	if err := json.Unmarshal([]byte(play(t, "json", r)), &got); err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(got.Keys, r.end.Keys, func(a, b verify.KeyUse) bool { return mustJSON(a) == mustJSON(b) }) {
		t.Errorf("%+v", got.Keys)
	}
	if text := play(t, "json", keptRun()); !strings.Contains(text, `"keys": [],`) {
		t.Error("no keys are an empty list")
	}
}

func mustJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}
