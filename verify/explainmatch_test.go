package verify

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// marks are one of each thing that an event may explain, for an event at noon,
// in the words of docs/explain.md.
var marks = []struct {
	says string
	trouble
}{
	{"gap that begins", trouble{kind: Gap, start: noon, end: noon.Add(9 * time.Hour)}},
	{"gap that ends", trouble{kind: Gap, start: noon.Add(-9 * time.Hour), end: noon.Add(time.Hour)}},
	{"gap from the oldest end", trouble{kind: Gap, start: noon.Add(-20 * time.Hour), end: noon.Add(-9 * time.Hour)}},
	{"stale", trouble{kind: Stale, start: noon, end: noon.Add(20 * time.Hour)}},
	{"not-started", trouble{kind: NotStarted, start: noon.Add(-9 * time.Hour), end: noon}},
	{"delivery", trouble{kind: Undelivered}},
	{"deleted: the file", trouble{verdict: Deleted, uri: theLog, bucket: "b", at: noon.Add(-time.Hour)}},
	{"deleted: later files", trouble{verdict: Deleted, uri: "s3://b/later", bucket: "b", at: noon.Add(5 * time.Hour)}},
	{"deleted: the bucket's files", trouble{verdict: Deleted, uri: "s3://b/other", bucket: "b", at: noon.Add(-time.Hour)}},
	{"modified, unverified, unreferenced: the file", trouble{verdict: Modified, uri: theLog, bucket: "b", at: noon.Add(-time.Hour)}},
	{"unreadable: the file", trouble{verdict: Unreadable, reasons: []Reason{ReadFailed}, uri: theLog, bucket: "b", at: noon.Add(-time.Hour)}},
	{"unreadable (access-denied)", trouble{verdict: Unreadable, reasons: []Reason{AccessDenied}, uri: "s3://b/other", bucket: "b", at: noon.Add(-time.Hour)}},
	{"unreadable (requester-pays)", trouble{verdict: Unreadable, reasons: []Reason{RequesterPays}, uri: "s3://b/other", bucket: "b", at: noon.Add(-time.Hour)}},
	{"unreadable (kms-…)", trouble{verdict: Unreadable, reasons: []Reason{KMSDenied}, uri: "s3://c/x", bucket: "c", key: keyA, at: noon.Add(-time.Hour)}},
	{"key-disabled", trouble{kind: KeyDisabled, key: keyA}},
	{"key-doomed", trouble{kind: KeyDoomed, key: keyA}},
	{"key-foreign", trouble{kind: KeyForeign, key: keyB}},
}

const theLog = "s3://b/AWSLogs/111122223333/CloudTrail/x"

// markedRun is a run that found one of each, and what each mark is called.
func markedRun() (*explainer, *run, map[int64]string) {
	x := newExplainer()
	chain := ChainRef{Account: "111122223333", Region: "eu-west-1", Trail: "t"}
	x.chain(&Chain{Account: chain.Account, Region: chain.Region, Trail: "t", HomeRegion: "eu-west-1"}, []string{"b"})
	x.chain(&Chain{Organization: "o-abcdef1234", Account: "222222222222", Region: "eu-west-1", Trail: "o", HomeRegion: "eu-west-1"}, []string{"z"})
	words := map[int64]string{}
	for i, m := range marks {
		m.seq = int64(i + 1)
		if m.kind == Gap || m.kind == Stale || m.kind == NotStarted {
			m.chain = &chain
		}
		words[m.seq] = m.says
		x.trouble(m.trouble)
	}
	r := &run{Request: Request{OwnKeys: []string{keyA}, Window: Window{noon.Add(-20 * time.Hour), noon.Add(20 * time.Hour)},
		Delivery: &Delivery{Trail: "arn:aws:cloudtrail:eu-west-1:111122223333:trail/t"}}}
	return x, r, words
}

// The table of docs/explain.md says what each event may explain.
func TestEveryDeedIsInTheDocs(t *testing.T) {
	_, id, _ := strings.Cut(keyA, ":key/")
	params := map[subject]string{
		ofTrail: `{"name":"t","kmsKeyId":"` + keyB + `"}`, ofOrganization: `null`,
		ofBucket: `{"bucketName":"b","ServerSideEncryptionConfiguration":{"Rule":{"ApplyServerSideEncryptionByDefault":{"KMSMasterKeyID":"` + keyB + `"}}}}`,
		ofObject: `{"bucketName":"b","key":"AWSLogs/111122223333/CloudTrail/x","x-amz-server-side-encryption-aws-kms-key-id":"` + keyB + `","x-amz-rename-source":"/b/AWSLogs/111122223333/CloudTrail/x"}`,
		ofKey:    `{"keyId":"` + id + `"}`,
	}
	var table strings.Builder
	for _, d := range deeds {
		x, r, words := markedRun()
		l := parseLead([]byte(`{"eventTime":"` + noon.Format(time.RFC3339) + `","awsRegion":"eu-west-1","recipientAccountId":"111122223333","eventSource":"` + d.source + `","eventName":"` + d.name + `","requestParameters":` + params[d.of] + `}`))
		x.take(&leads{all: []*lead{l}})
		all, left := x.conclude(r, map[string]*keyUse{keyB: {}})
		if len(all) != 1 || left != 0 {
			t.Errorf("%s: %v", d.name, all)
			continue
		}
		var said []string
		for _, seq := range all[0].Explains {
			said = append(said, words[seq])
		}
		if d.of == ofBucket { // the file is one of the bucket's
			said = slices.DeleteFunc(said, func(s string) bool { return s == "deleted: the file" })
		}
		what := [...]string{"the trail", "the organization", "the bucket", "objects", "the key"}[d.of]
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", d.name, what, cmp.Or(strings.Join(said, "; "), "–"))
		l.Error, l.Explains = "AccessDenied", []int64{}
		if all, _ := x.conclude(r, nil); len(all) != 1 || len(all[0].Explains) != 0 {
			t.Errorf("%s, refused: %v", d.name, all)
		}
	}
	docs, err := os.ReadFile("../docs/explain.md")
	if err != nil || !strings.Contains(string(docs), table.String()) {
		t.Errorf("docs/explain.md: %v; it should have\n%s", err, table.String())
	}
}

// Two trails of one name are two, and so are two keys of one id.
func TestConcerns(t *testing.T) {
	_, id, _ := strings.Cut(keyA, ":key/")
	const trail = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/t"
	for _, c := range []struct {
		of              string
		region, account string
		params          string
		want            bool
	}{
		{"StopLogging", "eu-west-1", "111122223333", `{"name":"t"}`, true},
		{"StopLogging", "us-east-1", "111122223333", `{"name":"t"}`, false},
		{"StopLogging", "eu-west-1", "222222222222", `{"name":"t"}`, false},
		{"StopLogging", "us-east-1", "222222222222", `{"name":"` + trail + `"}`, true},
		{"StopLogging", "eu-west-1", "111122223333", `{"name":"arn:aws:cloudtrail:eu-west-1:222222222222:trail/t"}`, false},
		{"StopLogging", "eu-west-1", "999988887777", `{"name":"o"}`, true}, // an organization's, of whichever account
		{"PutEventSelectors", "eu-west-1", "111122223333", `{"trailName":"t"}`, true},
		{"DisableKey", arnPart(keyA, 3), arnPart(keyA, 4), `{"keyId":"` + id + `"}`, true},
		{"DisableKey", "us-east-1", arnPart(keyA, 4), `{"keyId":"` + id + `"}`, false},
		{"DisableKey", arnPart(keyA, 3), "999988887777", `{"keyId":"` + id + `"}`, false},
		{"DisableKey", "us-east-1", "999988887777", `{"keyId":"` + keyA + `"}`, true},
		{"PutBucketPolicy", "eu-west-1", "999988887777", `{"bucketName":"b"}`, true},
		{"PutBucketPolicy", "eu-west-1", "111122223333", `{"bucketName":"B"}`, false},
	} {
		x, r, _ := markedRun()
		source := map[bool]string{true: kmsSource, false: cloudTrailSource}[c.of == "DisableKey"]
		if c.of == "PutBucketPolicy" {
			source = s3Source
		}
		l := parseLead([]byte(`{"eventTime":"` + noon.Format(time.RFC3339) + `","awsRegion":"` + c.region + `","recipientAccountId":"` + c.account + `","eventSource":"` + source + `","eventName":"` + c.of + `","requestParameters":` + c.params + `}`))
		if l == nil || newMatcher(x, r, nil).concerns(l) != c.want {
			t.Errorf("%+v: %+v", c, l)
		}
	}
}
