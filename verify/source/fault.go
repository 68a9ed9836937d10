package source

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"

	"github.com/trailseal/trailseal/kms"
	"github.com/trailseal/trailseal/verify"
)

// A fault is a request that did not succeed: what it comes to when it is not
// tried again, and how to try again.
type fault struct {
	err  error // *verify.NotFoundError or *verify.UnreadableError
	next next
	slow bool // the limiter must let fewer requests out
}

func (f *fault) Error() string { return f.err.Error() }

func (f *fault) Unwrap() error { return f.err }

// next says what may help after a fault.
type next int

const (
	giveUp    next = iota
	again          // trouble that passes; a few attempts
	later          // the service asks for fewer requests; minutes of attempts
	elsewhere      // the bucket is in another region; once
	onTime         // our clock is wrong; once
)

// decide turns a refusal into a fault. It goes by code, then message, and
// only last by status: servers answer 404 for a missing KMS key.
func decide(a *answer, what string, ref verify.Ref) *fault {
	if (a.code == "NoSuchKey" || a.code == "NoSuchVersion") && a.status == 404 || a.deleteMarker && (a.status == 404 || a.status == 405) {
		return &fault{err: &verify.NotFoundError{Ref: ref}}
	}
	reason, hint, next := decideKMS(a)
	if reason == "" {
		reason, hint, next = decideS3(a)
	}
	if reason == "" {
		reason, hint, next = decideStatus(a)
	}
	u := &verify.UnreadableError{What: what, Reason: reason, Hint: hint, Err: a}
	if aboutKey(reason) { // other refusals quote names that somebody else may have chosen
		u.Key = kms.KeyIn(a.message)
	}
	f := &fault{next: next, err: u}
	f.slow = next == later || a.status == 503
	return f
}

// decideKMS knows what S3 says when a KMS key is in the way.
func decideKMS(a *answer) (verify.Reason, string, next) {
	reason, hint := kms.Classify(a.code, a.message)
	switch reason {
	case kms.Throttled:
		return verify.Throttled, "the bucket or the KMS key kept asking for fewer requests: lower --concurrency", later
	case kms.Unreachable:
		return verify.ReadFailed, hint, again
	}
	return verify.Reason(reason), hint, giveUp
}

// decideS3 knows S3's own codes.
func decideS3(a *answer) (verify.Reason, string, next) {
	switch a.code {
	case "SlowDown", "Throttling", "ThrottlingException", "ThrottledException", "RequestLimitExceeded",
		"RequestThrottled", "TooManyRequestsException", "BandwidthLimitExceeded":
		return verify.Throttled, "the bucket or the KMS key kept asking for fewer requests: lower --concurrency", later
	case "InternalError", "RequestTimeout", "ServiceUnavailable":
		return verify.ReadFailed, "", again
	case "SlowDownRead": // MinIO's, and no request to slow down
		return verify.ReadFailed, "the store says that what lies on its disks is damaged", again
	case "PermanentRedirect", "TemporaryRedirect", "Redirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException":
		return verify.ReadFailed, "the bucket is in another region: give --aws-region", elsewhere
	case "RequestTimeTooSkewed":
		return verify.AccessDenied, "this machine's clock is wrong", onTime
	case "InvalidObjectState":
		if a.restoring {
			return verify.Archived, "it is being restored: run again when that is done", giveUp
		}
		return verify.Archived, "restore it first: s3:RestoreObject", giveUp
	case "NoSuchBucket":
		return verify.BucketNotFound, "no such bucket at that endpoint: it was deleted, or is named wrongly", giveUp
	case "InvalidRequest", "InvalidArgument", "AccessDenied":
		return decideMessage(a)
	case "ExpiredToken", "InvalidToken", "TokenRefreshRequired", "InvalidAccessKeyId", "SignatureDoesNotMatch", "RequestExpired":
		return verify.AccessDenied, "the AWS credentials are expired or not valid here", giveUp
	}
	return "", "", giveUp
}

// decideMessage knows what only the message tells.
func decideMessage(a *answer) (verify.Reason, string, next) {
	has := func(text string) bool { return strings.Contains(strings.ToLower(a.message), text) }
	switch {
	case has("signature version 4"), has("secure connection"):
		return verify.AccessDenied, "what a KMS key encrypted is given over TLS only: is the endpoint an https:// one?", giveUp
	case has("server side encryption"), has("correct secret key"):
		return verify.SSEC, "it was stored with a key of the uploader's own (SSE-C), which CloudTrail never does: find out who stored it", giveUp
	case has("requester pays"), has("requester-pays"):
		return verify.RequesterPays, payerHint, giveUp
	}
	return "", "", giveUp
}

const payerHint = "whoever reads from this bucket pays for it: --request-payer says that you do"

// decideStatus is the last resort.
func decideStatus(a *answer) (verify.Reason, string, next) {
	if a.cut && a.code == "" {
		return verify.ReadFailed, "", again
	}
	switch a.status {
	case 301, 302, 307, 308, 400:
		if a.region != "" && a.code == "" {
			return verify.ReadFailed, "the bucket is in another region: give --aws-region", elsewhere
		}
	case 401, 403:
		return verify.AccessDenied, "the caller needs s3:GetObject and s3:ListBucket (without s3:ListBucket S3 answers 403 " +
			"for missing objects as well)", giveUp
	case 429:
		return verify.Throttled, "the store kept asking for fewer requests: lower --concurrency", later
	case 408, 500, 502, 503, 504:
		return verify.ReadFailed, "", again
	}
	return verify.ReadFailed, "", giveUp
}

// broken is the fault for a request or a body that the network ended.
func broken(err error, what string) *fault {
	f := &fault{next: again, err: &verify.UnreadableError{What: what, Reason: verify.ReadFailed, Err: err}}
	var timeout net.Error
	f.slow = errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, errStalled)
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	if errors.As(err, &dns) && dns.IsNotFound || errors.As(err, &cert) {
		f.next = giveUp
	}
	return f
}

// refused is the fault for a request that could not be made.
func refused(what string, reason verify.Reason, hint string, err error) *fault {
	return &fault{err: &verify.UnreadableError{What: what, Reason: reason, Hint: hint, Err: err}}
}

// ended is the context's own error where it ended, else the other.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
