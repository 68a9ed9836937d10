package source

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/trailseal/trailseal/verify"
)

// A store above another one passes on what that one knows of itself.

var (
	_ verify.Expiring   = (*Opening)(nil)
	_ verify.Testifying = (*Opening)(nil)
	_ verify.Expiring   = (*CopyOf)(nil)
	_ verify.Testifying = (*CopyOf)(nil)
)

// Expirations are the store's; none where it does not know of any.
func (s *Opening) Expirations(ctx context.Context, bucket string) ([]verify.Expiration, error) {
	if below, ok := s.Store.(verify.Expiring); ok {
		return below.Expirations(ctx, bucket)
	}
	return nil, nil
}

// Testimony is the store's.
func (s *Opening) Testimony(ctx context.Context) []verify.Finding {
	if below, ok := s.Store.(verify.Testifying); ok {
		return below.Testimony(ctx)
	}
	return nil
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

// Testimony says that the files lie elsewhere than where CloudTrail wrote them,
// and where.
func (c *CopyOf) Testimony(context.Context) []verify.Finding {
	if c.read.Load() == 0 || c.at == c.of {
		return nil
	}
	return []verify.Finding{{Kind: verify.Moved, URI: c.of.URI(), Message: fmt.Sprintf(
		"the files were read from %q, and say of themselves that CloudTrail wrote them to %q", c.at.URI(), c.of.URI())}}
}

// reads counts files that were read.
type reads struct{ read atomic.Int64 }
