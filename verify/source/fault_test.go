package source

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
)

// TestAnswers goes from what S3 says to what the engine is told.
func TestAnswers(t *testing.T) {
	const notFound, ok = "not-found", "<nil>"
	cases := []struct {
		status        int
		code, message string
		header        string // name: value
		want          verify.Reason
		requests      int
		hint          string
	}{
		{404, "NoSuchKey", "The specified key does not exist.", "", notFound, 1, ""},
		{404, "", "", "x-amz-delete-marker: true", notFound, 1, ""},
		{405, "MethodNotAllowed", "", "x-amz-delete-marker: true", notFound, 1, ""},
		{404, "", "", "", verify.ReadFailed, 1, ""},
		{404, "NoSuchBucket", "The specified bucket does not exist", "", verify.BucketNotFound, 1, "no such bucket"},
		{404, "kms:KeyNotFound", "key does not exist", "", verify.KMSKeyNotFound, 2, ""},
		{404, "KMS.NotFoundException", "Key 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab' does not exist", "", verify.KMSKeyNotFound, 1, ""},
		{400, "NoSuchKey", "", "", verify.ReadFailed, 1, ""},
		{403, "AccessDenied", "Access Denied", "", verify.AccessDenied, 3, "s3:ListBucket"}, // HEAD and the payer are asked as well
		{403, "", "", "", verify.AccessDenied, 3, "s3:ListBucket"},
		{403, "AccessDenied", "User: arn:aws:iam::1:user/u is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::bucket/k\"", "", verify.AccessDenied, 1, "s3:GetObject"},
		{403, "AccessDenied", "not authorized because no VPC endpoint policy allows it", "", verify.AccessDenied, 1, "s3:GetObject"},
		{403, "AccessDenied", "Bucket is a Requester Pays bucket", "", verify.RequesterPays, 1, "--request-payer"},
		{403, "AccessDenied", "The calculated MD5 hash of the key did not match: must provide the correct secret key.", "", verify.SSEC, 1, "SSE-C"},
		{403, "AccessDenied", "User: arn:aws:iam::1:user/u is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab because no identity-based policy allows the kms:Decrypt action", "", verify.KMSDenied, 1, "kms:Decrypt"},
		{403, "AccessDenied", "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.", "", verify.KMSDenied, 2, "gone"},
		{403, "kms:NotAuthorized", "", "", verify.KMSDenied, 2, ""},
		{400, "kms:InvalidCiphertextException", "", "", verify.KMSKeyChanged, 2, "another key"},
		{400, "KMS.DisabledException", "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab is disabled.", "", verify.KMSKeyDisabled, 1, "EnableKey"},
		{400, "KMS.KMSInvalidStateException", "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab is pending deletion.", "", verify.KMSKeyPending, 1, "Cancel"},
		{400, "KMS.KMSInvalidStateException", "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab is pending import.", "", verify.KMSKeyUnusable, 1, "import it again"},
		{400, "KMS.KMSInvalidStateException", "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab is unavailable.", "", verify.KMSKeyUnusable, 1, "DescribeKey"},
		{400, "KMS.NotFoundException", "Invalid arn eu-west-2", "", verify.KMSKeyNotFound, 2, "another region"},
		{403, "InvalidObjectState", "The operation is not valid for the object's storage class", "", verify.Archived, 1, "RestoreObject"},
		{403, "InvalidObjectState", "", `x-amz-restore: ongoing-request="true"`, verify.Archived, 1, "being restored"},
		{400, "InvalidRequest", "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.", "", verify.SSEC, 1, "SSE-C"},
		{400, "InvalidArgument", "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.", "", verify.AccessDenied, 1, "TLS"},
		{400, "ExpiredToken", "The provided token has expired.", "", verify.AccessDenied, 1, "expired"},
		{403, "SignatureDoesNotMatch", "", "", verify.AccessDenied, 1, "not valid"},
		{400, "SomethingNew", "", "x-amz-bucket-region: ap-east-1", verify.ReadFailed, 1, ""},
		{501, "NotImplemented", "", "", verify.ReadFailed, 2, ""},
		{301, "PermanentRedirect", "", "", verify.ReadFailed, 1, "--aws-region"},
		{302, "", "", "Location: http://evil.invalid/", verify.ReadFailed, 1, ""},
		{204, "", "", "", verify.ReadFailed, 1, ""},
		{503, "SlowDown", "Please reduce your request rate.", "", ok, 4, ""},
		{503, "SlowDown", "Please reduce your request rate for operations involving AWS KMS", "", ok, 4, ""},
		{400, "ThrottlingException", "", "", ok, 4, ""},
		{400, "KMS.ThrottlingException", "", "", ok, 4, ""},
		{429, "", "", "", ok, 4, ""},
		{503, "SlowDownRead", "Resource requested is unreadable", "", ok, 4, ""},
		{503, "ServiceUnavailable", "", "", ok, 4, ""},
		{500, "InternalError", "", "", ok, 4, ""},
		{500, "", "", "", ok, 4, ""},
		{502, "", "", "", ok, 4, ""},
		{504, "", "", "", ok, 4, ""},
		{400, "RequestTimeout", "", "", ok, 4, ""},
	}
	for _, c := range cases {
		f := newFake(t)
		ref := f.put("bucket", "k", "data")
		f.before = func(w http.ResponseWriter, _ *http.Request, n int) bool {
			if n > 3 { // what passes, passes
				return false
			}
			if name, value, found := strings.Cut(c.header, ": "); found {
				w.Header().Set(name, value)
			}
			refuse(w, c.status, c.code, c.message)
			return true
		}
		_, _, err := read(f.open(t), ref)
		got := reason(err)
		var missing *verify.NotFoundError
		if errors.As(err, &missing) {
			got = notFound
		}
		if got != c.want || len(f.seen) != c.requests {
			t.Errorf("%d %s %q: %v after %d requests, want %s after %d", c.status, c.code, c.message, err, len(f.seen), c.want, c.requests)
		}
		var u *verify.UnreadableError
		if errors.As(err, &u) && (!strings.Contains(u.Hint, c.hint) || c.message != "" && !strings.Contains(err.Error(), c.code)) {
			t.Errorf("%d %s: %v (%s)", c.status, c.code, err, u.Hint)
		}
	}
}

// TestAnswersThatStay uses up the attempts, or the patience.
func TestAnswersThatStay(t *testing.T) {
	for code, want := range map[string]verify.Reason{"SlowDown": verify.Throttled, "InternalError": verify.ReadFailed, "SlowDownRead": verify.ReadFailed} {
		f := newFake(t)
		f.before = func(w http.ResponseWriter, _ *http.Request, _ int) bool { refuse(w, 503, code, ""); return true }
		s := f.open(t, func(o *S3Options) { o.MaxAttempts = 3 })
		s.retrier.patience = 2 * s.retrier.longest
		if _, _, err := read(s, f.put("bucket", "k", "")); reason(err) != want || want == verify.ReadFailed && len(f.seen) != 3 {
			t.Errorf("%s: %v after %d", code, err, len(f.seen))
		}
	}
}

// TestListAnswers: a listing never says that something does not exist.
func TestListAnswers(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		want   verify.Reason
	}{
		{404, "NoSuchBucket", verify.BucketNotFound}, {404, "NoSuchKey", verify.ReadFailed}, {404, "", verify.ReadFailed},
		{403, "AccessDenied", verify.AccessDenied}, {403, "", verify.AccessDenied}, {200, "", verify.ReadFailed},
		{501, "NotImplemented", verify.ReadFailed},
	} {
		f := newFake(t)
		f.before = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			if c.status == 200 {
				w.Write([]byte("<ListBucketResult><Contents><Key>cut"))
			} else {
				refuse(w, c.status, c.code, "m")
			}
			return true
		}
		s := f.open(t)
		if _, err := s.Dirs(context.Background(), verify.Ref{Bucket: "bucket"}); reason(err) != c.want {
			t.Errorf("%d %s: %v, want %s", c.status, c.code, err, c.want)
		}
	}
}

func TestNobodyThere(t *testing.T) {
	f := newFake(t)
	ref := f.put("bucket", "k", "")
	s := f.open(t, func(o *S3Options) { o.MaxAttempts = 3 })
	f.Close()
	if _, _, err := read(s, ref); reason(err) != verify.ReadFailed || s.Requests()["get"] != 3 {
		t.Errorf("%v, %v", err, s.Requests())
	}
	if _, err := s.Dirs(context.Background(), ref); reason(err) != verify.ReadFailed || s.Requests()["list"] != 3 {
		t.Errorf("%v, %v", err, s.Requests())
	}
}

func TestHostileBuckets(t *testing.T) {
	f := newFake(t)
	s := f.open(t)
	for _, bucket := range []string{"", ".", "..", "a/b", "a?b", "evil.example/", "a@b", "a b", "arn:aws:s3:::x", "a..b", "ü", "a\x00b"} {
		ref := verify.Ref{Bucket: bucket, Key: "k"}
		if _, _, err := read(s, ref); reason(err) != verify.ReadFailed {
			t.Errorf("%q: %v", bucket, err)
		}
		if _, err := s.Dirs(context.Background(), ref); reason(err) != verify.ReadFailed {
			t.Errorf("%q: %v", bucket, err)
		}
	}
	if len(f.seen) != 0 {
		t.Errorf("requests were sent: %v", f.seen)
	}
}

// An error document may quote a key that XML cannot hold.
func TestAnswerAboutAKeyThatXMLCannotHold(t *testing.T) {
	f := newFake(t)
	ref := f.put("bucket", "k\x1b", "")
	f.before = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		w.WriteHeader(http.StatusNotFound)
		w.Write([]byte("<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>k&#x1b;</Key></Error>"))
		return true
	}
	_, _, err := read(f.open(t), ref)
	var missing *verify.NotFoundError
	if !errors.As(err, &missing) {
		t.Errorf("%v", err)
	}
}
