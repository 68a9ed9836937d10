package trailseal_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// refusals are answers to a GET, and what comes of the file.
var refusals = []struct {
	status  int
	code    string
	message string
	outcome string
}{
	{404, "NoSuchKey", "The specified key does not exist.", "deleted not-found"},
	{404, "NoSuchBucket", "The specified bucket does not exist", "unreadable bucket-not-found"},
	{404, "", "", "unreadable read-failed"},
	{403, "AccessDenied", "Access Denied", "unreadable access-denied"},
	{403, "", "", "unreadable access-denied"},
	{403, "NoSuchKey", "a 403 is never not found", "unreadable access-denied"},
	{401, "", "", "unreadable access-denied"},
	{400, "InvalidRequest", "Invalid Request", "unreadable read-failed"},
	{400, "", "", "unreadable read-failed"},
	{400, "ExpiredToken", "The provided token has expired.", "unreadable access-denied"},
	{405, "MethodNotAllowed", "The specified method is not allowed against this resource.", "unreadable read-failed"},
	{500, "InternalError", "We encountered an internal error. Please try again.", "unreadable read-failed"},
	{500, "", "", "unreadable read-failed"},
	{503, "ServiceUnavailable", "Reduce your request rate.", "unreadable read-failed"},
	{503, "", "", "unreadable read-failed"},
	{400, "KMS.DisabledException", "arn:aws:kms:eu-west-1:111122223333:key/1 is disabled.", "unreadable kms-key-disabled"},
	{400, "KMS.KMSInvalidStateException", "arn:aws:kms:eu-west-1:111122223333:key/1 is pending deletion.", "unreadable kms-key-pending-deletion"},
	{400, "KMS.KMSInvalidStateException", "arn:aws:kms:eu-west-1:111122223333:key/1 is pending import.", "unreadable kms-key-unusable"},
	{400, "KMS.NotFoundException", "Key 'arn:aws:kms:eu-west-1:111122223333:key/1' does not exist", "unreadable kms-key-not-found"},
	{404, "KMS.NotFoundException", "a 404 that is not about the object", "unreadable kms-key-not-found"},
	{403, "AccessDenied", "User: arn:aws:iam::1:user/a is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-west-1:1:key/1", "unreadable kms-denied"},
	{403, "InvalidObjectState", "The operation is not valid for the object's storage class", "unreadable archived"},
}

// hourDark wants of a digest's chain that an hour is in the given state, and
// the rest verified.
func (j *judgement) hourDark(t testing.TB, d *verifytest.Digest, state verify.State) {
	t.Helper()
	for _, c := range j.chains {
		if !strings.Contains(d.Key, "_"+c.Region+"_") || c.Backfill {
			continue
		}
		for _, s := range c.Coverage {
			bright := s.State == verify.Verified || s.State == verify.VerifiedEmpty
			if !bright && (s.State != state || s.Seconds != 3600) {
				t.Errorf("%s: %d seconds %s, want an hour %s", c.Region, s.Seconds, s.State, state)
			}
		}
	}
}

// What a store answers to the GET of one file befalls that file alone, and of
// a digest the logs that nobody else names.
func TestRefusedReads(t *testing.T) {
	awsHere(t)
	w := mintWorld(t, func(s *verifytest.Spec) { s.Hours, s.Backfill = 4, false })
	d, logs := spotOf(t, w, "eu-west-1")
	for _, r := range refusals {
		fault := verifytest.Fault{Operation: "GetObject", Status: r.status, Code: r.code, Message: r.message}
		exit, state := 3, verify.Unproven
		if strings.HasPrefix(r.outcome, "deleted") {
			exit, state = 1, verify.DigestDeleted
		}
		fault.Key = logs[0].Key
		forLog := fault
		t.Run(fmt.Sprint("log ", r.status, r.code), func(t *testing.T) {
			t.Parallel()
			judgeFaulty(t, w, forLog).check(t, w, want{exit: exit, files: map[string]string{logs[0].URI(): r.outcome}})
		})
		fault.Key = d.Key
		t.Run(fmt.Sprint("digest ", r.status, r.code), func(t *testing.T) {
			t.Parallel()
			files := map[string]string{d.URI(): r.outcome}
			for _, log := range logs {
				files[log.URI()] = "unreferenced no-digest"
			}
			j := judgeFaulty(t, w, fault)
			j.check(t, w, want{exit: exit, files: files})
			j.hourDark(t, d, state)
		})
	}
}

func judgeFaulty(t *testing.T, w *verifytest.World, faults ...verifytest.Fault) *judgement {
	t.Helper()
	s := serveHTTP(t, w, verifytest.ServerOptions{Faults: faults})
	return judgeOver(t, w, s.URL, func(a *asking) { a.MaxAttempts = 2 })
}

// Whole classes of files are refused.
func TestRefusedClasses(t *testing.T) {
	awsHere(t)
	w := mintWorld(t, nil)
	const eu = "AWSLogs/111122223333/CloudTrail%s/eu-west-1/*"
	fill := func(files map[string]string, below, outcome string) {
		for ref := range w.Expect(later(w)) {
			if strings.HasPrefix(ref.Key, strings.TrimSuffix(below, "*")) {
				files[ref.URI()] = outcome
			}
		}
	}
	digests, logs := fmt.Sprintf(eu, "-Digest"), fmt.Sprintf(eu, "")
	for _, row := range []struct {
		name, key string
		logs      string // what comes of the region's logs
		digests   string
	}{
		{"logs", logs, "unreadable access-denied", "kept"},
		{"digests", digests, "unreferenced no-digest", "unreadable access-denied"},
		{"both", "AWSLogs/111122223333/CloudTrail*/eu-west-1/*", "unreferenced no-digest", "unreadable access-denied"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			want := want{exit: 3, files: map[string]string{}}
			fill(want.files, logs, row.logs)
			fill(want.files, digests, row.digests)
			judgeFaulty(t, w, verifytest.Fault{Operation: "GetObject", Key: row.key, Status: 403, Code: "AccessDenied"}).check(t, w, want)
		})
	}
}

// A region whose keys cannot be had: its digests prove nothing, nobody is
// accused, and the other region is judged all the same.
func TestRefusedKeys(t *testing.T) {
	awsHere(t)
	w := mintWorld(t, func(s *verifytest.Spec) { s.Start = verifytest.KeyRollover("eu-west-1", s.Start).Add(-3 * time.Hour) })
	want := want{exit: 3, files: map[string]string{}}
	for ref := range w.Expect(later(w)) {
		switch {
		case strings.Contains(ref.Key, "/CloudTrail-Digest/eu-west-1/"):
			want.files[ref.URI()] = "unverified keys-unavailable"
		case strings.Contains(ref.Key, "/CloudTrail/eu-west-1/"):
			want.files[ref.URI()] = "unattested digest-not-trusted"
		}
	}
	for _, fault := range []verifytest.Fault{
		{Status: 403, Code: "AccessDeniedException", Message: "not authorized to perform: cloudtrail:ListPublicKeys"},
		{Status: 403, Code: "UnrecognizedClientException"},
		{Status: 403},
		{Status: 404},
		{Status: 400, Code: "InvalidTimeRangeException"},
		{Status: 400, Code: "ThrottlingException"},
		{Status: 500, Code: "InternalFailure"},
		{Status: 503, Code: "ServiceUnavailable"},
		{Status: 403, Code: "AccessDeniedException", Page: 2},
	} {
		fault.Operation, fault.Region = "ListPublicKeys", "eu-west-1"
		t.Run(fmt.Sprint(fault.Status, fault.Code, fault.Page), func(t *testing.T) {
			t.Parallel()
			s := serveHTTP(t, w, verifytest.ServerOptions{Faults: []verifytest.Fault{fault}, KeyPage: 1, AllKeys: true})
			j := judgeOver(t, w, s.URL, func(a *asking) { a.Now = a.Now.Add(time.Hour) })
			j.check(t, w, want)
			hint := map[bool]string{true: "the caller needs cloudtrail:ListPublicKeys in eu-west-1", false: "public-keys"}[fault.Code == "AccessDeniedException"]
			for _, f := range j.files {
				if f.Verdict == verify.Unverified && !strings.Contains(f.Detail, hint) && fault.Code != "ThrottlingException" {
					t.Errorf("no advice in %q", f.Detail)
				}
			}
		})
	}
}

// A call for keys that fails once is made again.
func TestKeysAreAskedForAgain(t *testing.T) {
	awsHere(t)
	t.Setenv("AWS_MAX_ATTEMPTS", "3")
	w := mintWorld(t, nil)
	j := judgeFaulty(t, w, verifytest.Fault{Operation: "ListPublicKeys", Status: 500, Code: "InternalFailure", Times: 2})
	j.check(t, w, want{})
}
