package source

import (
	"context"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// A store above another one passes on what that one knows of itself.

var (
	_ verify.Expiring = (*Opening)(nil)
	_ verify.Expiring = (*CopyOf)(nil)
)

// Expirations are the store's; none where it does not know of any.
func (s *Opening) Expirations(ctx context.Context, bucket string) ([]verify.Expiration, error) {
	if below, ok := s.Store.(verify.Expiring); ok {
		return below.Expirations(ctx, bucket)
	}
	return nil, nil
}

// Expirations are the copy's own rules: what is missing from it may have been
// removed there. Their prefixes are told as those of the original.
func (c *CopyOf) Expirations(ctx context.Context, bucket string) ([]verify.Expiration, error) {
	below, ok := c.Store.(verify.Expiring)
	if !ok || bucket != c.of.Bucket {
		return nil, nil
	}
	rules, err := below.Expirations(ctx, c.at.Bucket)
	var here []verify.Expiration
	for _, r := range rules {
		switch {
		case strings.HasPrefix(r.Prefix, c.at.Key):
			r.Prefix = c.of.Key + strings.TrimPrefix(r.Prefix, c.at.Key)
		case strings.HasPrefix(c.at.Key, r.Prefix):
			r.Prefix = c.of.Key
		default:
			continue
		}
		here = append(here, r)
	}
	return here, err
}
