package source

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/trailseal/trailseal/kms"
	"github.com/trailseal/trailseal/verify"
)

// explainObject finds out more about a refused read. A HEAD needs no
// kms:Decrypt, so where it succeeds it was the key that refused, and it names
// the key. It is sent once an object at most, and only where the refusal
// leaves something open.
func (s *S3) explainObject(ctx context.Context, ref verify.Ref, err error) error {
	u, a := refusal(err)
	if a == nil || ctx.Err() != nil {
		return err
	}
	if aboutKey(u.Reason) && u.Key != "" {
		return s.refine(ctx, u, a)
	}
	if !aboutKey(u.Reason) && !vague(u, a) && a.status != http.StatusNotImplemented {
		return err
	}
	o, err := s.head(ctx, ref)
	switch {
	case err != nil || !strings.HasPrefix(o.SSE.Algorithm, "aws:kms"):
		return s.explain(ctx, ref.Bucket, u)
	case a.status == http.StatusNotImplemented:
		u = with(u, verify.KMSKeyUnusable, "the store has no KMS to ask: start it with the one that it had")
	case !aboutKey(u.Reason):
		u = with(u, verify.KMSDenied, kms.DeniedHint)
	}
	u.Key = o.SSE.Key
	return s.refine(ctx, u, a)
}

// refusal is what S3 said where it is an answer that made an object or a
// listing unreadable. The error is a copy.
func refusal(err error) (*verify.UnreadableError, *answer) {
	var u *verify.UnreadableError
	var a *answer
	if !errors.As(err, &u) || !errors.As(u.Err, &a) {
		return nil, nil
	}
	return with(u, u.Reason, u.Hint), a
}

func with(u *verify.UnreadableError, reason verify.Reason, hint string) *verify.UnreadableError {
	other := *u
	other.Reason, other.Hint = reason, hint
	return &other
}

// aboutKey reports whether a reason says that a KMS key is in the way.
func aboutKey(r verify.Reason) bool { return strings.HasPrefix(string(r), "kms-") }

// vague reports whether a refusal says no more than that access is denied: by
// S3 itself, by a policy in another account, by the key, or because the bucket
// makes its readers pay.
func vague(u *verify.UnreadableError, a *answer) bool {
	return u.Reason == verify.AccessDenied && a.status == http.StatusForbidden && (a.code == "" || a.code == "AccessDenied") &&
		!strings.Contains(a.message, "s3:") && !strings.Contains(a.message, "VPC endpoint")
}

// refine asks for the state of the key where that says more than S3 did.
func (s *S3) refine(ctx context.Context, u *verify.UnreadableError, a *answer) error {
	if s.kms == nil || u.Key == "" || !kms.Ambiguous(kms.Reason(u.Reason), a.message) {
		return u
	}
	reason, hint := s.kms.state(ctx, u.Key).Refine(kms.Reason(u.Reason), u.Hint, a.message)
	return with(u, verify.Reason(reason), hint)
}

// Head tells what is known of an object without reading it: all but its body.
func (s *S3) Head(ctx context.Context, ref verify.Ref) (verify.Object, error) {
	o, err := s.head(ctx, ref)
	if err != nil {
		err = s.explain(ctx, ref.Bucket, err)
	}
	return o, err
}

func (s *S3) head(ctx context.Context, ref verify.Ref) (o verify.Object, err error) {
	err = s.retrier.do(ctx, func() error {
		o, err = s.headOnce(ctx, ref)
		return err
	})
	return o, err
}

func (s *S3) headOnce(ctx context.Context, ref verify.Ref) (verify.Object, error) {
	at, err := s.places.of(ctx, ref.Bucket)
	if err != nil {
		return verify.Object{}, refused(object(ref), verify.ReadFailed, "", err)
	}
	if err := s.limiter.acquire(ctx); err != nil {
		return verify.Object{}, err
	}
	slot := &slot{s.limiter}
	defer slot.release(neutral)
	ctx, x := begin(ctx)
	defer x.cancel(nil)
	resp, err := s.send(ctx, http.MethodHead, at, ref, x)
	if err != nil {
		return verify.Object{}, s.mend(ctx, err, slot, x, at, ref.Bucket)
	}
	resp.Body.Close()
	slot.release(success)
	return described(resp), nil
}

// payers knows which buckets make their readers pay.
type payers struct {
	asked atomic.Int64
	mu    sync.Mutex
	known map[string]func() bool
}

// explain says of a vague refusal whether the bucket makes its readers pay.
// The bucket is asked once; who may not ask is told nothing new.
func (s *S3) explain(ctx context.Context, bucket string, err error) error {
	u, a := refusal(err)
	if a == nil || s.payer || !vague(u, a) || ctx.Err() != nil {
		return err
	}
	s.payers.mu.Lock()
	if s.payers.known == nil {
		s.payers.known = map[string]func() bool{}
	}
	pays := s.payers.known[bucket]
	if pays == nil {
		pays = sync.OnceValue(func() bool { return s.readersPay(ctx, bucket) })
		s.payers.known[bucket] = pays
	}
	s.payers.mu.Unlock()
	if pays() {
		return with(u, verify.RequesterPays, payerHint)
	}
	return err
}

func (s *S3) readersPay(ctx context.Context, bucket string) bool {
	place, err := s.places.of(ctx, bucket)
	if err != nil {
		return false
	}
	ctx, x := begin(ctx)
	defer x.cancel(nil)
	s.payers.asked.Add(1)
	out, err := s.client.GetBucketRequestPayment(ctx, &s3.GetBucketRequestPaymentInput{Bucket: &bucket},
		func(o *s3.Options) { o.Region = place.region })
	return err == nil && out.Payer == types.PayerRequester
}
