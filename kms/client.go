package kms

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

const (
	defaultAttempts = 10
	longestPause    = 5 * time.Second
	mostRegions     = 64
)

// A Client asks KMS, each key in its own region. Many goroutines may use it.
type Client struct {
	cfg       aws.Config
	endpoint  string
	decrypts  atomic.Int64
	describes atomic.Int64
	mu        sync.Mutex
	regions   map[string]*kms.Client
	keys      map[string]*described
}

var _ Decrypter = (*Client)(nil)

// NewClient makes a client of a loaded configuration, whose region is asked
// where a key names none. An endpoint that is not empty is asked instead of
// AWS's own. No request is sent.
func NewClient(cfg aws.Config, endpoint string) *Client {
	return &Client{cfg: cfg, endpoint: endpoint, regions: map[string]*kms.Client{}, keys: map[string]*described{}}
}

// in is the client for a region. There are fewer regions than mostRegions; what
// names more was made up.
func (c *Client) in(region string) (*kms.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.regions[region]; known != nil {
		return known, nil
	}
	if len(c.regions) >= mostRegions {
		return nil, fmt.Errorf("keys of more than %d regions", mostRegions)
	}
	made := kms.NewFromConfig(c.cfg, func(o *kms.Options) {
		o.Region = region
		if c.endpoint != "" {
			o.BaseEndpoint = &c.endpoint
		}
		o.Retryer = retry.NewStandard(func(s *retry.StandardOptions) {
			s.MaxAttempts = defaultAttempts
			if c.cfg.RetryMaxAttempts > 0 {
				s.MaxAttempts = c.cfg.RetryMaxAttempts
			}
			s.MaxBackoff = longestPause
			// The SDK's own budget of retries is spent by a few hundred throttled
			// requests, after which every other key would be called throttled too.
			s.RateLimiter = ratelimit.None
		})
	})
	c.regions[region] = made
	return made, nil
}

// Decrypt asks KMS for a data key, in the key's region. A multi-region key that
// its own region refuses is asked for in the configured region as well: its
// replicas share their material, but neither state nor policy.
func (c *Client) Decrypt(ctx context.Context, blob []byte, encryptionContext map[string]string, key string) ([]byte, string, error) {
	plain, used, err := c.decrypt(ctx, blob, encryptionContext, key)
	if replica := c.replica(key); err != nil && replica != "" && replicaMayHelp(err) && ctx.Err() == nil {
		if plain, used, second := c.decrypt(ctx, blob, encryptionContext, replica); second == nil {
			return plain, used, nil
		}
	}
	return plain, used, err
}

// replicaMayHelp reports whether a key's replica may do what the key refuses. That the
// blob or its context is wrong is so everywhere.
func replicaMayHelp(err error) bool {
	var coded interface{ ErrorCode() string }
	if !errors.As(err, &coded) {
		return true
	}
	switch coded.ErrorCode() {
	case "InvalidCiphertextException", "IncorrectKeyException":
		return false
	}
	return true
}

// replica is a multi-region key's ARN in the configured region, where that is
// another one.
func (c *Client) replica(key string) string {
	region := KeyRegion(key)
	if region == "" || region == c.cfg.Region || !strings.Contains(key, ":key/mrk-") {
		return ""
	}
	return strings.Replace(key, ":kms:"+region+":", ":kms:"+c.cfg.Region+":", 1)
}

func (c *Client) decrypt(ctx context.Context, blob []byte, encryptionContext map[string]string, key string) ([]byte, string, error) {
	in := &kms.DecryptInput{CiphertextBlob: blob, EncryptionContext: encryptionContext}
	region := c.cfg.Region
	if key != "" {
		in.KeyId = &key
		if r := KeyRegion(key); r != "" {
			region = r
		}
	}
	client, err := c.in(region)
	if err != nil {
		return nil, "", err
	}
	c.decrypts.Add(1)
	out, err := client.Decrypt(ctx, in)
	if err != nil {
		if ctx.Err() != nil {
			return nil, "", ctx.Err()
		}
		return nil, "", err
	}
	return out.Plaintext, aws.ToString(out.KeyId), nil
}

// Requests counts what KMS was asked, by operation.
func (c *Client) Requests() map[string]int64 {
	counts := map[string]int64{}
	if n := c.decrypts.Load(); n > 0 {
		counts["decrypt"] = n
	}
	if n := c.describes.Load(); n > 0 {
		counts["describe"] = n
	}
	return counts
}
