package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/trailseal/trailseal/verify"
)

var _ verify.Expiring = (*S3)(nil)

// maxRules is how many lifecycle rules S3 lets a bucket have.
const maxRules = 1000

// lifecycleHint is what asking for the rules takes.
const lifecycleHint = "the caller needs s3:GetLifecycleConfiguration on the bucket"

// Expirations asks for a bucket's lifecycle rules, and gives those that are in
// force and delete current objects.
func (s *S3) Expirations(ctx context.Context, bucket string) (rules []verify.Expiration, err error) {
	err = s.retrier.do(ctx, func() error {
		rules, err = s.expirationsOnce(ctx, bucket)
		return err
	})
	return rules, err
}

func (s *S3) expirationsOnce(ctx context.Context, bucket string) ([]verify.Expiration, error) {
	what := fmt.Sprintf("lifecycle rules of %q", "s3://"+bucket)
	place, err := s.places.of(ctx, bucket)
	if err != nil {
		return nil, refused(what, verify.ReadFailed, "", err)
	}
	if err := s.limiter.acquire(ctx); err != nil {
		return nil, err
	}
	slot := &slot{s.limiter}
	defer slot.release(neutral)
	outer := ctx
	ctx, x := begin(ctx)
	defer x.cancel(nil)
	s.lifecycles.Add(1)
	out, err := s.client.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: &bucket},
		func(o *s3.Options) { o.Region = place.region })
	switch {
	case err == nil && len(out.Rules) == 0:
		// A bucket without rules is answered with an error, and the SDK takes a body
		// that is nothing of the kind for no rules.
		return nil, refused(what, verify.ReadFailed, "does the endpoint speak S3?", errors.New("the answer holds no lifecycle rule"))
	case err == nil && len(out.Rules) > maxRules:
		return nil, refused(what, verify.ReadFailed, "", fmt.Errorf("more than %d lifecycle rules, which no bucket takes", maxRules))
	case err == nil:
		slot.release(success)
		return expirations(out.Rules), nil
	case outer.Err() != nil:
		return nil, outer.Err()
	case x.answer != nil && x.answer.code == "NoSuchLifecycleConfiguration":
		slot.release(success)
		return nil, nil
	}
	return nil, s.mend(ctx, lifecycleFault(ctx, err, x, what), slot, x, place, bucket)
}

// lifecycleFault sorts a failed request for rules. Whatever it is, it does not
// say that there are none.
func lifecycleFault(ctx context.Context, err error, x *exchange, what string) *fault {
	switch {
	case x.answer != nil:
		f := decide(x.answer, what, verify.Ref{})
		var u *verify.UnreadableError
		switch {
		case !errors.As(f.err, &u):
			f = refused(what, verify.ReadFailed, "", x.answer)
		case u.Reason == verify.AccessDenied && cmp.Or(x.answer.code, "AccessDenied") == "AccessDenied":
			u.Hint = lifecycleHint
		}
		return f
	case x.broken != nil:
		return broken(cause(ctx, x.broken), what)
	}
	return refused(what, verify.ReadFailed, "", err)
}

// expirations are the rules of a configuration that delete current objects. What
// only ends old versions, moves objects or ends uploads is left out.
func expirations(rules []types.LifecycleRule) []verify.Expiration {
	var found []verify.Expiration
	for _, r := range rules {
		e := r.Expiration
		if r.Status != types.ExpirationStatusEnabled || e == nil {
			continue
		}
		//lint:ignore SA1019 rules in the old form are in force all the same
		prefix := aws.ToString(r.Prefix)
		x := verify.Expiration{ID: aws.ToString(r.ID), Prefix: prefix, Days: int(aws.ToInt32(e.Days)), On: aws.ToTime(e.Date).UTC()}
		if x.Days <= 0 && x.On.IsZero() {
			continue // it removes delete markers that stand alone
		}
		if f := r.Filter; f != nil {
			narrow(&x, f)
		}
		found = append(found, x)
	}
	return found
}

// narrow adds a rule's filter to it.
func narrow(x *verify.Expiration, f *types.LifecycleRuleFilter) {
	and := cmp.Or(f.And, &types.LifecycleRuleAndOperator{})
	x.Prefix = cmp.Or(x.Prefix, aws.ToString(f.Prefix), aws.ToString(and.Prefix))
	x.MinSize = cmp.Or(aws.ToInt64(f.ObjectSizeGreaterThan), aws.ToInt64(and.ObjectSizeGreaterThan))
	x.MaxSize = cmp.Or(aws.ToInt64(f.ObjectSizeLessThan), aws.ToInt64(and.ObjectSizeLessThan))
	x.Narrow = f.Tag != nil || len(and.Tags) > 0
}
