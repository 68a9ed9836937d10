package source

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

// maxKeyPages bounds a region's answer. AWS gives all of a year's keys on one page.
const maxKeyPages = 1000

// CloudTrail is the verify.Keys that asks CloudTrail's ListPublicKeys, each
// region in that region.
type CloudTrail struct {
	session  session
	asked    atomic.Int64
	mu       sync.Mutex
	warnings []error
}

var _ verify.Keys = (*CloudTrail)(nil)

// OpenCloudTrail makes a key source. It sends no request: that keys cannot be
// asked for is known, region by region, when they are. The error is a
// *UsageError for a configuration that cannot be used, or the context's.
func OpenCloudTrail(ctx context.Context, o AWSOptions) (*CloudTrail, error) {
	session, err := load(ctx, o)
	if err != nil {
		return nil, err
	}
	return &CloudTrail{session: session}, nil
}

// Keys asks for the region's keys. A region that cannot be asked is a
// *verify.UnreadableError whose reason is keys-unavailable.
func (c *CloudTrail) Keys(ctx context.Context, region string, start, end time.Time) ([]digest.PublicKey, error) {
	what := fmt.Sprintf("public keys of region %q", region)
	if !regionName.MatchString(region) {
		return nil, &verify.UnreadableError{What: what, Reason: verify.KeysUnavailable, Err: errors.New("that is no region's name")}
	}
	client := c.session.cloudtrail(region)
	in := &cloudtrail.ListPublicKeysInput{StartTime: &start, EndTime: &end}
	var keys []digest.PublicKey
	for range maxKeyPages {
		c.asked.Add(1)
		page, err := client.ListPublicKeys(ctx, in)
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, &verify.UnreadableError{What: what, Reason: verify.KeysUnavailable, Hint: c.hint(ctx, region, err), Err: err}
		}
		keys = append(keys, c.usable(region, page.PublicKeyList)...)
		if aws.ToString(page.NextToken) == "" {
			return keys, nil
		}
		in.NextToken = page.NextToken
	}
	return nil, &verify.UnreadableError{What: what, Reason: verify.KeysUnavailable,
		Err: fmt.Errorf("the answer has not ended after %d pages", maxKeyPages)}
}

func (s session) cloudtrail(region string) *cloudtrail.Client {
	return cloudtrail.NewFromConfig(s.cfg, func(o *cloudtrail.Options) {
		o.Region = region
		if s.endpoint != "" {
			o.BaseEndpoint = &s.endpoint
		}
	})
}

// usable leaves out, and notes, keys that cannot be used.
func (c *CloudTrail) usable(region string, listed []types.PublicKey) []digest.PublicKey {
	var keys []digest.PublicKey
	for _, l := range listed {
		k, err := digest.NewPublicKey(l.Value, aws.ToString(l.Fingerprint), aws.ToTime(l.ValidityStartTime), aws.ToTime(l.ValidityEndTime))
		if err != nil {
			c.mu.Lock()
			c.warnings = append(c.warnings, fmt.Errorf("region %s: %w", region, err))
			c.mu.Unlock()
			continue
		}
		k.Region = region
		keys = append(keys, k)
	}
	return keys
}

// Warnings names the keys that CloudTrail returned and that cannot be used.
func (c *CloudTrail) Warnings() []error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]error(nil), c.warnings...)
}

// hint says in plain words why a region may not answer.
func (c *CloudTrail) hint(ctx context.Context, region string, err error) string {
	if c.session.cfg.Credentials == nil {
		return credentialsHint
	}
	if _, err := c.session.cfg.Credentials.Retrieve(ctx); err != nil {
		return credentialsHint
	}
	switch code, _ := errorCode(err); code {
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized":
		return "the caller needs cloudtrail:ListPublicKeys in " + region
	case "UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure", "OptInRequired", "SubscriptionRequiredException":
		return region + " may be an opt-in region that this account has not enabled: use credentials of the account whose logs these are, or --public-keys"
	case "ExpiredToken", "ExpiredTokenException", "RequestExpired":
		return "the AWS credentials are expired"
	case "ThrottlingException", "Throttling":
		return "CloudTrail kept asking for fewer requests: run again later"
	}
	var network net.Error
	if errors.As(err, &network) {
		return "CloudTrail was not reached there: is " + region + " a region of this partition, and is there a network? --public-keys works without"
	}
	return "give the keys with --public-keys"
}
