package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/trailseal/trailseal/verify"
)

// asffRequests reads each line as a request, and wants the limits of the
// format. (The AWS SDK reads them in formats_aws_test.go.)
func asffRequests(t *testing.T, text string) (batches [][]asffFinding) {
	t.Helper()
	for line := range strings.Lines(text) {
		var request struct{ Findings []asffFinding }
		if err := json.Unmarshal([]byte(line), &request); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if n := len(request.Findings); n == 0 || n > 100 {
			t.Fatalf("%d findings in a request", n)
		}
		for _, f := range request.Findings {
			if f.ProductArn != request.Findings[0].ProductArn || !strings.Contains(f.ProductArn, ":"+f.AwsAccountID+":product/"+f.AwsAccountID+"/default") {
				t.Errorf("account %s, product %s, with %s", f.AwsAccountID, f.ProductArn, request.Findings[0].ProductArn)
			}
			for _, of := range []struct {
				text  string
				limit int
			}{{f.Title, 256}, {f.Description, 1024}, {f.ID, 512}, {f.GeneratorID, 512}, {f.Resources[0].ID, 512}, {f.Resources[0].Type, 256}, {f.AwsAccountID, 12}} {
				if strings.TrimSpace(of.text) == "" || len(of.text) > of.limit || !utf8.ValidString(of.text) {
					t.Errorf("%d bytes, want 1 to %d: %q", len(of.text), of.limit, of.text)
				}
			}
			for name, value := range f.ProductFields {
				if strings.TrimSpace(value) == "" || len(value) > 2048 {
					t.Errorf("%s: %d bytes", name, len(value))
				}
			}
		}
		batches = append(batches, request.Findings)
	}
	return batches
}

// A chain becomes PASSED, WARNING or FAILED; files and findings have no status.
func TestASFFCompliance(t *testing.T) {
	r := tamperedRun()
	gap := verify.Chain{Account: "111122223333", Region: "cn-north-1", HomeRegion: "cn-north-1", Trail: "x", Class: verify.ClassUnproven}
	remark := gap
	remark.Class = verify.Remark
	r.events = append(r.events, aChain(gap), aChain(remark))
	var got []string
	for _, batch := range asffRequests(t, play(t, "asff", r)) {
		for _, f := range batch {
			if f.Compliance != nil {
				got = append(got, f.Compliance.Status+" "+f.Severity.Label+" "+f.Resources[0].ID)
			}
		}
	}
	want := []string{
		"FAILED HIGH arn:aws:cloudtrail:eu-west-1:111122223333:trail/main",
		"PASSED INFORMATIONAL trailseal/o-exampleorg1/444455556666/us-east-1/org<trail>",
		"WARNING MEDIUM arn:aws-cn:cloudtrail:cn-north-1:111122223333:trail/x",
		"PASSED INFORMATIONAL arn:aws-cn:cloudtrail:cn-north-1:111122223333:trail/x",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

// A request has at most 100 findings, all of one account and region, and none
// is lost between them.
func TestASFFBatches(t *testing.T) {
	r := tamperedRun()
	r.events = nil
	for i := range 250 {
		r.events = append(r.events, aFile(verify.File{Kind: "log", URI: fmt.Sprint(logs, "eu-west-1/", i), Verdict: verify.Deleted}))
	}
	us := strings.ReplaceAll(logs, "111122223333", "444455556666") + "us-gov-west-1/x"
	r.events = append(r.events, aFile(verify.File{Kind: "log", URI: us, Verdict: verify.Deleted}),
		aFinding(verify.Finding{Kind: verify.KeysInCopy, Message: "of no account"}))
	sizes := func(batches [][]asffFinding) (n []int) {
		for _, b := range batches {
			n = append(n, len(b))
		}
		return n
	}
	batches := asffRequests(t, play(t, "asff", r))
	if got := fmt.Sprint(sizes(batches)); got != "[100 100 50 2]" {
		t.Errorf("batches of %s", got)
	}
	if f := batches[3][1]; f.AwsAccountID != "444455556666" || f.ProductArn != "arn:aws-us-gov:securityhub:us-gov-west-1:444455556666:product/444455556666/default" {
		t.Errorf("what is of no account goes to %s", f.ProductArn)
	}
	r.options = Options{ASFFAccount: "999988887777", ASFFRegion: "eu-central-1"}
	batches = asffRequests(t, play(t, "asff", r))
	if got := fmt.Sprint(sizes(batches)); got != "[100 100 52]" || batches[0][0].AwsAccountID != "999988887777" || batches[2][51].AwsAccountID != "999988887777" {
		t.Errorf("into one account: batches of %s, %s", got, batches[0][0].ProductArn)
	}
}

func TestShortKeepsRunes(t *testing.T) {
	long := strings.Repeat("ü", 300)
	for limit := 40; limit < 60; limit++ {
		if s := short(long, limit); len(s) > limit || len(s) < limit-1 || !utf8.ValidString(s) || !strings.HasSuffix(s, "…") {
			t.Errorf("%d bytes of %d: %q", len(s), limit, s)
		}
		a, b := shortID(long+"a", limit), shortID(long+"b", limit)
		if a == b || len(a) > limit || !utf8.ValidString(a) || !utf8.ValidString(b) {
			t.Errorf("%q and %q", a, b)
		}
	}
	if short("abc", 3) != "abc" || shortID("abc", 3) != "abc" {
		t.Error("what fits is cut")
	}
}

// An array that is never closed is no request: an error of the disk is told.
func TestASFFNeedsItsEnd(t *testing.T) {
	w := newASFF(&full{0}, Options{})
	if err := errors.Join(w.Start(aHeader()), w.File(verify.File{Kind: "log", Class: verify.Tampering}), w.End(verify.Summary{})); err == nil {
		t.Error("no error")
	}
}
