package trailseal_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// A kmsRefusal is an answer to the GET of one file that lies under a KMS key of
// its own, and what comes of it.
type kmsRefusal struct {
	name    string
	status  int
	code    string
	message string
	outcome string
	key     string                        // that is reported as in the way; empty: none
	heads   int64                         // that it takes to find out
	sse     string                        // of the file; empty: "aws:kms"
	stored  string                        // its key; empty: kmsTrail
	head    int                           // status of a refused HEAD
	is      func(*verifytest.KeySettings) // what is so of the key
	finding verify.FindingKind
	header  map[string]string
}

const (
	notAuthorized = "User: arn:aws:iam::111122223333:user/auditor is not authorized to perform: "
	cmkRefers     = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access."
)

// The rows of kms.md 1.3, and a few between them.
var kmsRefusals = []kmsRefusal{
	{name: "no identity policy", status: 403, code: "AccessDenied", outcome: "kms-denied", key: kmsTrail,
		message: notAuthorized + "kms:Decrypt on resource: " + kmsTrail + " because no identity-based policy allows the kms:Decrypt action"},
	{name: "no resource policy", status: 403, code: "AccessDenied", outcome: "kms-denied", key: kmsTrail,
		message: notAuthorized + "kms:Decrypt on resource: " + kmsTrail + " because no resource-based policy allows the kms:Decrypt action"},
	{name: "no endpoint policy", status: 403, code: "AccessDenied", outcome: "kms-denied", key: kmsTrail,
		message: notAuthorized + "kms:Decrypt on resource: " + kmsTrail + " because no VPC endpoint policy allows the kms:Decrypt action"},
	{name: "denied by the organization", status: 403, code: "AccessDenied", outcome: "kms-denied", key: kmsTrail,
		message: notAuthorized + "kms:Decrypt on resource: " + kmsTrail + " with an explicit deny in a service control policy"},
	{name: "denied, no key named", status: 403, code: "AccessDenied", outcome: "kms-denied", key: kmsTrail, heads: 1,
		message: notAuthorized + "kms:Decrypt on this resource because the resource does not exist in this Region"},
	{name: "denied or gone", status: 403, code: "AccessDenied", message: cmkRefers, outcome: "kms-denied", key: kmsTrail, heads: 1},
	{name: "denied or gone: gone", status: 403, code: "AccessDenied", message: cmkRefers, outcome: "kms-key-not-found", key: kmsTrail, heads: 1,
		is: func(s *verifytest.KeySettings) { s.State = verifytest.KeyGone }},
	{name: "denied or gone: disabled", status: 403, code: "AccessDenied", message: cmkRefers, outcome: "kms-key-disabled", key: kmsTrail, heads: 1,
		is: func(s *verifytest.KeySettings) { s.State = verifytest.KeyDisabled }, finding: verify.KeyDisabled},
	{name: "denied or gone: pending", status: 403, code: "AccessDenied", message: cmkRefers, outcome: "kms-key-pending-deletion", key: kmsTrail, heads: 1,
		is: func(s *verifytest.KeySettings) { s.State = verifytest.KeyPendingDeletion }, finding: verify.KeyDoomed},
	{name: "denied or gone: unknown", status: 403, code: "AccessDenied", message: cmkRefers, outcome: "kms-denied", key: kmsTrail, heads: 1,
		is: func(s *verifytest.KeySettings) { s.DescribeDenied = true }},
	{name: "no s3:GetObject", status: 403, code: "AccessDenied", outcome: "access-denied",
		message: notAuthorized + `s3:GetObject on resource: "arn:aws:s3:::example-trail-logs/x" because no identity-based policy allows the s3:GetObject action`},
	{name: "endpoint", status: 403, code: "AccessDenied", message: "Access denied by the VPC endpoint policy", outcome: "access-denied"},
	{name: "bare, HEAD too", status: 403, code: "AccessDenied", message: "Access Denied", outcome: "access-denied", head: 403, heads: 1},
	{name: "bare, no body, HEAD too", status: 403, outcome: "access-denied", head: 403, heads: 1},
	{name: "bare, HEAD fails", status: 403, code: "AccessDenied", message: "Access Denied", outcome: "access-denied", head: 404, heads: 1},
	{name: "bare, KMS", status: 403, code: "AccessDenied", message: "Access Denied", outcome: "kms-denied", key: kmsTrail, heads: 1},
	{name: "bare, DSSE", status: 403, code: "AccessDenied", message: "Access Denied", outcome: "kms-denied", key: kmsTrail, heads: 1, sse: "aws:kms:dsse"},
	{name: "bare, no KMS", status: 403, code: "AccessDenied", message: "Access Denied", outcome: "access-denied", heads: 1, sse: "AES256"},
	{name: "disabled", status: 400, code: "KMS.DisabledException", message: kmsTrail + " is disabled.", outcome: "kms-key-disabled", key: kmsTrail},
	{name: "disabled, no key named", status: 400, code: "KMS.DisabledException", message: "is disabled.", outcome: "kms-key-disabled", key: kmsTrail, heads: 1},
	{name: "disabled, 404", status: 404, code: "KMS.DisabledException", message: kmsTrail + " is disabled.", outcome: "kms-key-disabled", key: kmsTrail},
	{name: "pending deletion", status: 400, code: "KMS.KMSInvalidStateException", message: kmsTrail + " is pending deletion.", outcome: "kms-key-pending-deletion", key: kmsTrail},
	{name: "pending replica deletion", status: 400, code: "KMS.KMSInvalidStateException", message: kmsTrail + " is pending replica deletion.", outcome: "kms-key-pending-deletion", key: kmsTrail},
	{name: "pending import", status: 400, code: "KMS.KMSInvalidStateException", message: kmsTrail + " is pending import.", outcome: "kms-key-unusable", key: kmsTrail},
	{name: "unavailable", status: 400, code: "KMS.KMSInvalidStateException", message: kmsTrail + " is unavailable.", outcome: "kms-key-unusable", key: kmsTrail},
	{name: "state untold", status: 400, code: "KMS.KMSInvalidStateException", message: "request is not valid", outcome: "kms-key-pending-deletion", key: kmsTrail, heads: 1,
		is: func(s *verifytest.KeySettings) { s.State = verifytest.KeyPendingDeletion }, finding: verify.KeyDoomed},
	{name: "gone", status: 400, code: "KMS.NotFoundException", message: "Key '" + kmsTrail + "' does not exist", outcome: "kms-key-not-found", key: kmsTrail},
	{name: "gone, no such id", status: 400, code: "KMS.NotFoundException", message: "Invalid keyId 0a0a", outcome: "kms-key-not-found", key: kmsTrail, heads: 1},
	{name: "gone, wrong region", status: 400, code: "KMS.NotFoundException", message: "Invalid arn eu-west-1", outcome: "kms-key-not-found", key: kmsTrail, heads: 1},
	{name: "archived", status: 403, code: "InvalidObjectState", message: "The operation is not valid for the object's storage class", outcome: "archived"},
	{name: "SSE-C", status: 400, code: "InvalidRequest", outcome: "sse-c",
		message: "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object."},
	{name: "SSE-C, other key", status: 403, code: "AccessDenied", outcome: "sse-c",
		message: "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key."},
	{name: "plain HTTP", status: 400, code: "InvalidArgument", outcome: "access-denied",
		message: "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4."},
	{name: "MinIO: other key", status: 400, code: "kms:InvalidCiphertextException", message: "failed to decrypt ciphertext", outcome: "kms-key-changed", stored: kmsMinIO, key: kmsMinIO, heads: 1},
	{name: "MinIO: no key", status: 404, code: "kms:KeyNotFound", message: "key with given key ID does not exist", outcome: "kms-key-not-found", stored: kmsMinIO, key: kmsMinIO, heads: 1},
	{name: "MinIO: not authorized", status: 403, code: "kms:NotAuthorized", message: "not authorized", outcome: "kms-denied", stored: kmsMinIO, key: kmsMinIO, heads: 1},
	{name: "MinIO: no KMS", status: 501, code: "NotImplemented", message: "A header you provided implies functionality that is not implemented", outcome: "kms-key-unusable", stored: kmsMinIO, key: kmsMinIO, heads: 1},
	{name: "501 and no KMS key", status: 501, code: "NotImplemented", outcome: "read-failed", heads: 1, sse: "AES256"},
	{name: "MinIO: damaged disk", status: 503, code: "SlowDownRead", message: "Resource requested is unreadable, please reduce your request rate", outcome: "read-failed"},
	{name: "KMS does not answer", status: 500, code: "KMS.KMSInternalException", outcome: "read-failed"},
	{name: "502", status: 502, outcome: "read-failed"},
}

func (r kmsRefusal) serve(t *testing.T, ref verify.Ref, w *verifytest.World) *verifytest.Server {
	t.Helper()
	if r.sse == "" {
		r.sse = "aws:kms"
	}
	if r.stored == "" && r.sse != "AES256" {
		r.stored = kmsTrail
	}
	w.EncryptSSE(r.stored, r.sse, only(ref))
	if r.is != nil {
		w.KMS().Key(r.stored).Change(r.is)
	}
	faults := []verifytest.Fault{{Operation: "GetObject", Key: ref.Key, Status: r.status, Code: r.code, Message: r.message, Header: r.header}}
	if r.head != 0 {
		faults = append(faults, verifytest.Fault{Operation: "HeadObject", Key: ref.Key, Status: r.head})
	}
	return serveHTTP(t, w, verifytest.ServerOptions{Faults: faults})
}

// Each refusal has its reason, whatever its status, for a log as for a digest.
// The file is never called modified or deleted, its neighbours are kept, and
// where it takes a HEAD to learn the key it takes one.
func TestHTTPKMSRefusals(t *testing.T) {
	awsHere(t)
	for _, r := range kmsRefusals {
		for _, kind := range []string{"log", "digest"} {
			t.Run(kind+" "+r.name, func(t *testing.T) {
				t.Parallel()
				w := kmsWorld(t, nil)
				d, logs := spotOf(t, w, "eu-west-1")
				ref, files := logs[0], map[string]string{}
				if kind == "digest" {
					ref = d.Ref
					for _, log := range logs {
						files[log.URI()] = "unreferenced no-digest"
					}
				}
				files[ref.URI()] = "unreadable " + r.outcome
				want := want{exit: 3, files: files}
				if r.finding != "" {
					want.findings = []verify.FindingKind{r.finding}
				}
				s := r.serve(t, ref, w)
				j := judgeKMS(t, w, s.URL, nil)
				j.check(t, w, want)
				r.checkKey(t, j, ref, s)
				if kind == "digest" {
					j.hourDark(t, d, verify.Unproven)
				}
			})
		}
	}
}

func (r kmsRefusal) checkKey(t *testing.T, j *judgement, ref verify.Ref, s *verifytest.Server) {
	t.Helper()
	f := j.file(t, ref)
	if f.Key != r.key {
		t.Errorf("the key %q is in the way, want %q", f.Key, r.key)
	}
	if r.code != "" && !strings.Contains(f.Detail, r.code) {
		t.Errorf("the detail %q does not say %q", f.Detail, r.code)
	}
	if r.key != "" {
		if k := j.key(t, r.key); k.Files != 1 || k.Unreadable != 1 || k.Bytes != 0 {
			t.Errorf("key %+v", k)
		}
	} else if len(j.summary.Keys) > 0 {
		t.Errorf("keys %+v, want none", j.summary.Keys)
	}
	asked := s.Requests()
	if asked["HeadObject"] != r.heads || asked["Decrypt"] != 0 || r.key != "" && r.key != kmsMinIO && asked["DescribeKey"] != 1 {
		t.Errorf("requests %v, want %d HEAD, no Decrypt and one DescribeKey for the key %q", asked, r.heads, r.key)
	}
}

// A delete marker, and nothing else with 405, says that a file was deleted.
func TestHTTPKMSDeleteMarker(t *testing.T) {
	awsHere(t)
	w := kmsWorld(t, func(s *verifytest.Spec) { s.KMSKey = kmsTrail })
	_, logs := spotOf(t, w, "eu-west-1")
	for header, row := range map[string]want{
		"x-amz-delete-marker": {exit: 1, files: map[string]string{logs[0].URI(): "deleted not-found"}},
		"x-other":             {exit: 3, files: map[string]string{logs[0].URI(): "unreadable read-failed"}},
	} {
		s := serveHTTP(t, w, verifytest.ServerOptions{Faults: []verifytest.Fault{
			{Operation: "GetObject", Key: logs[0].Key, Status: 405, Code: "MethodNotAllowed", Header: map[string]string{header: "true"}},
		}})
		judgeKMS(t, w, s.URL, nil).check(t, w, row)
	}
}

// What passes when it is asked for again is no refusal: throttling in all its
// forms, also where the SDK would not try again, and bodies that break.
func TestHTTPKMSTroubleThatPasses(t *testing.T) {
	awsHere(t)
	for name, fault := range map[string]verifytest.Fault{
		"SlowDown":     {Status: 503, Code: "SlowDown", Message: "Please reduce your request rate for operations involving AWS KMS", Times: 3},
		"Throttling":   {Status: 400, Code: "ThrottlingException", Times: 3},
		"KMS.":         {Status: 400, Code: "KMS.ThrottlingException", Message: "Rate exceeded", Times: 3},
		"KMS. and 403": {Status: 403, Code: "KMS.ThrottlingException", Times: 3},
		"500":          {Status: 500, Code: "InternalError", Times: 2},
		"cut":          {Cut: true, Times: 2},
		"SlowDownRead": {Status: 503, Code: "SlowDownRead", Times: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := kmsWorld(t, func(s *verifytest.Spec) { s.KMSKey = kmsTrail })
			fault.Operation = "GetObject"
			s := serveHTTP(t, w, verifytest.ServerOptions{Faults: []verifytest.Fault{fault}})
			j := judgeKMS(t, w, s.URL, func(a *kmsAsking) { a.MaxAttempts = 4 })
			j.check(t, w, want{})
			if k := j.key(t, kmsTrail); k.Unreadable != 0 || k.Files != len(j.files) {
				t.Errorf("%+v of %d files", k, len(j.files))
			}
		})
	}
}

// What is archived says how to get it back, and that this is under way.
func TestHTTPKMSArchived(t *testing.T) {
	awsHere(t)
	for _, class := range []string{"GLACIER", "DEEP_ARCHIVE"} {
		w := kmsWorld(t, func(s *verifytest.Spec) { s.KMSKey = kmsTrail })
		d, logs := spotOf(t, w, "eu-west-1")
		_, others := spotOf(t, w, "us-east-1")
		for _, ref := range []verify.Ref{d.Ref, others[0]} {
			alter(t, w, ref, func(o *verifytest.Object) { o.StorageClass = class })
		}
		files := map[string]string{d.URI(): "unreadable archived", others[0].URI(): "unreadable archived"}
		for _, log := range logs {
			files[log.URI()] = "unreferenced no-digest"
		}
		s := serveHTTP(t, w, verifytest.ServerOptions{})
		j := judgeKMS(t, w, s.URL, nil)
		j.check(t, w, want{exit: 3, files: files})
		if detail := j.file(t, others[0]).Detail; !strings.Contains(detail, "s3:RestoreObject") {
			t.Errorf("no advice in %q", detail)
		}
		noRequest(t, s, "HeadObject")
	}
	w := kmsWorld(t, nil)
	_, logs := spotOf(t, w, "eu-west-1")
	s := serveHTTP(t, w, verifytest.ServerOptions{Faults: []verifytest.Fault{{Operation: "GetObject", Key: logs[0].Key, Status: 403,
		Code: "InvalidObjectState", Header: map[string]string{"x-amz-restore": `ongoing-request="true"`}}}})
	j := judgeKMS(t, w, s.URL, nil)
	j.check(t, w, want{exit: 3, files: map[string]string{logs[0].URI(): "unreadable archived"}})
	if detail := j.file(t, logs[0]).Detail; !strings.Contains(detail, "being restored") {
		t.Errorf("the detail %q does not say that a restore is under way", detail)
	}
}

// A customer's own key, which CloudTrail never uses, is told from all others.
func TestHTTPKMSCustomerKey(t *testing.T) {
	awsHere(t)
	w := kmsWorld(t, func(s *verifytest.Spec) { s.KMSKey = kmsTrail })
	d, logs := spotOf(t, w, "eu-west-1")
	_, others := spotOf(t, w, "us-east-1")
	w.EncryptSSE("", "sse-c", only(d.Ref, others[0], others[1]))
	files := map[string]string{d.URI(): "unreadable sse-c", others[0].URI(): "unreadable sse-c", others[1].URI(): "unreadable sse-c"}
	for _, log := range logs {
		files[log.URI()] = "unreferenced no-digest"
	}
	s := serveHTTP(t, w, verifytest.ServerOptions{})
	j := judgeKMS(t, w, s.URL, nil)
	j.check(t, w, want{exit: 3, files: files})
	if detail := j.file(t, d.Ref).Detail; !strings.Contains(detail, "CloudTrail never does") {
		t.Errorf("the detail %q does not say that this is suspicious", detail)
	}
	noRequest(t, s, "HeadObject")
}

// A bucket whose readers pay says so, and is read where they agree: by listings,
// GETs and HEADs alike.
func TestHTTPKMSRequesterPays(t *testing.T) {
	awsHere(t)
	w := kmsWorld(t, func(s *verifytest.Spec) { s.KMSKey = kmsTrail })
	bucket := w.Buckets()[0]
	s := serveHTTP(t, w, verifytest.ServerOptions{RequesterPays: map[string]bool{bucket: true}})
	judgeKMS(t, w, s.URL, func(a *kmsAsking) { a.RequestPayer = true }).check(t, w, want{})

	j := judgeKMS(t, w, s.URL, nil)
	if f := j.finding(verify.Unlisted); j.summary.Exit != 3 || len(j.files) > 0 || !strings.Contains(f.Message, "--request-payer") {
		t.Errorf("without --request-payer:\n%s", j)
	}
	// Where listings are let through, each file says it. The bucket is asked once.
	lists := serveHTTP(t, w, verifytest.ServerOptions{RequesterPays: map[string]bool{bucket: true}})
	url := frontOf(t, lists, func(r *http.Request) {
		if r.URL.Query().Has("list-type") {
			r.Header.Set("x-amz-request-payer", "requester")
		}
	})
	j = judgeKMS(t, w, url, nil)
	j.check(t, w, want{exit: 3, files: outcomes(w, "unreadable requester-pays", "unreferenced no-digest")})
	if n := lists.Requests()["GetBucketRequestPayment"]; n != 1 {
		t.Errorf("the bucket was asked %d times who pays", n)
	}

	env := awsEnv(t, s.URL)
	if r := verifyKeys(t, env, append([]string{"s3://" + bucket, "--request-payer"}, window(w)...)...); r.Exit != 0 {
		t.Errorf("the tool with --request-payer: exit %d, %v", r.Exit, r.Findings)
	}
	if r := verifyKeys(t, env, append([]string{"s3://" + bucket}, window(w)...)...); r.Exit != 3 || len(r.Findings) == 0 || !strings.Contains(r.Findings[0].Message, "--request-payer") {
		t.Errorf("the tool without --request-payer: exit %d, %v", r.Exit, r.Findings)
	}
}
