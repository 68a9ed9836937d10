package trailseal_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

const theAccount = "audit/AWSLogs/111122223333/"

// listed are listings of a run, each with what cannot be judged without it.
var listed = []struct {
	prefix string
	silent []string // below these nothing is judged
	also   []verify.FindingKind
}{
	{"audit/", []string{"audit/"}, []verify.FindingKind{verify.Nothing}},
	{"audit/AWSLogs/", []string{"audit/"}, []verify.FindingKind{verify.Nothing}},
	{theAccount + "CloudTrail-Digest/", []string{theAccount}, nil},
	{theAccount + "CloudTrail/", []string{theAccount}, nil},
	{theAccount + "CloudTrail/eu-west-1/", nil, nil},
	{theAccount + "CloudTrail-Digest/eu-west-1/", []string{theAccount + "CloudTrail-Digest/eu-west-1/", theAccount + "CloudTrail/eu-west-1/"}, nil},
}

// refusedListings are answers to a listing; the last is a body that breaks.
var refusedListings = []verifytest.Fault{
	{Status: 403, Code: "AccessDenied"},
	{Status: 500, Code: "InternalError"},
	{Status: 404, Code: "NoSuchKey"},
	{Status: 404, Code: "NoSuchBucket"},
	{Status: 404},
	{Status: 403},
	{Status: 400, Code: "InvalidRequest"},
	{Status: 503, Code: "ServiceUnavailable"},
	{Status: 503},
	{Cut: true},
}

// A listing that fails, at its first page or at its second, leaves what it
// would have shown unjudged, and all else as it was.
func TestListingsThatFail(t *testing.T) {
	awsHere(t)
	w := mintWorld(t, func(s *verifytest.Spec) {
		s.Prefix, s.Backfill, s.Hours, s.LogsPerHour = "audit", false, 3, 1
		s.Accounts = append(s.Accounts, "444455556666")
	})
	// With one entry a page every listing now has a second one.
	w.Put(verify.Ref{Bucket: w.Buckets()[0], Key: "audit/another/thing"}, verifytest.Object{Bytes: []byte("x")})
	for i, at := range listed {
		faults := refusedListings[:2]
		if i == len(listed)-1 {
			faults = refusedListings
		}
		for _, fault := range faults {
			for page := 1; page <= 2; page++ {
				fault.Operation, fault.Key, fault.Page = "ListObjectsV2", at.prefix, page
				t.Run(fmt.Sprintf("%s page %d %d %s", at.prefix, page, fault.Status, fault.Code), func(t *testing.T) {
					t.Parallel()
					s := serveHTTP(t, w, verifytest.ServerOptions{PageSize: 1, Faults: []verifytest.Fault{fault}})
					j := judgeOver(t, w, s.URL, func(a *asking) { a.URI, a.MaxAttempts = a.URI+"/audit", 2 })
					want := want{exit: 3, files: map[string]string{}, findings: append([]verify.FindingKind{verify.Unlisted}, at.also...)}
					for ref := range w.Expect(later(w)) {
						for _, below := range at.silent {
							if strings.HasPrefix(ref.Key, below) {
								want.files[ref.URI()] = ""
							}
						}
					}
					j.check(t, w, want)
					checkUnlisted(t, j.finding(verify.Unlisted), verify.Ref{Bucket: w.Buckets()[0], Key: at.prefix}, fault)
				})
			}
		}
	}
}

func checkUnlisted(t *testing.T, f verify.Finding, at verify.Ref, fault verifytest.Fault) {
	t.Helper()
	if f.URI != at.URI() {
		t.Errorf("the finding is about %q, want %q", f.URI, at.URI())
	}
	if fault.Code == "AccessDenied" && !strings.Contains(f.Message, "s3:ListBucket") {
		t.Errorf("no advice in %q", f.Message)
	}
}

// Where an account's files lie below two prefixes and one of them cannot be
// listed, it is that one which is named.
func TestTheListingThatFailedIsNamed(t *testing.T) {
	awsHere(t)
	change := func(prefix string) func(*verifytest.Spec) {
		return func(s *verifytest.Spec) {
			s.Prefix, s.Trail, s.Regions, s.Hours = prefix, prefix+"-trail", s.Regions[:1], 4
		}
	}
	w := verifytest.Merge(mintWorld(t, change("one")), mintWorld(t, change("two")))
	for _, place := range []string{"one/", "two/"} {
		prefix := place + "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/"
		s := serveHTTP(t, w, verifytest.ServerOptions{Faults: []verifytest.Fault{
			{Operation: "ListObjectsV2", Key: prefix, Status: 403, Code: "AccessDenied"},
		}})
		j := judgeOver(t, w, s.URL, nil)
		j.checkFindings(t, []verify.FindingKind{verify.Nothing, verify.Unlisted})
		checkUnlisted(t, j.finding(verify.Unlisted), verify.Ref{Bucket: w.Buckets()[0], Key: prefix}, verifytest.Fault{})
		if len(j.files) > 0 || j.summary.Exit != 3 {
			t.Errorf("%s", j)
		}
	}
}

// A bucket that is not there, and one that is empty.
func TestNoBucketAndAnEmptyOne(t *testing.T) {
	awsHere(t)
	w := mintWorld(t, nil)
	s := serveHTTP(t, w, verifytest.ServerOptions{})
	j := judgeOver(t, w, s.URL, func(a *asking) { a.URI = "s3://no-such-bucket" })
	j.checkFindings(t, []verify.FindingKind{verify.Nothing, verify.Unlisted})
	if j.summary.Exit != 3 || len(j.files) > 0 {
		t.Errorf("no bucket: %s", j)
	}
	j = judgeOver(t, w, s.URL, func(a *asking) { a.URI += "/not/here" })
	j.checkFindings(t, []verify.FindingKind{verify.Nothing})
	if j.summary.Exit != 3 || len(j.files) > 0 {
		t.Errorf("an empty prefix: %s", j)
	}
}
