package source

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// bucketName holds everything a bucket or an access point alias may be named,
// here or in a store that is less strict, and nothing that could leave its
// place in a host name or a path. Names come from digests, so they are hostile.
var bucketName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,253}[A-Za-z0-9]$`)

// A place is where a bucket is asked for: its region, and the endpoint that
// follows from it.
type place struct {
	region string
	base   url.URL
	path   string // of base, escaped, without a final slash
}

// places knows every bucket's place. The first guess is the configured
// region; an answer that names another one corrects it for all requests.
type places struct {
	options  s3.Options
	resolver s3.EndpointResolverV2
	mu       sync.Mutex
	known    map[string]*place
}

func newPlaces(options s3.Options) *places {
	return &places{options: options, resolver: s3.NewDefaultEndpointResolverV2(), known: map[string]*place{}}
}

// of is the place of a bucket.
func (p *places) of(ctx context.Context, bucket string) (*place, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at := p.known[bucket]; at != nil {
		return at, nil
	}
	return p.resolve(ctx, bucket, p.options.Region)
}

// correct takes a bucket's region from an answer to a request that was sent to
// sent. It is false where that region is the one the request was signed for.
func (p *places) correct(ctx context.Context, bucket string, sent *place, region string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if region == "" || region == sent.region {
		return false
	}
	if at := p.known[bucket]; at != nil && at.region == region {
		return true // another request learned it meanwhile
	}
	_, err := p.resolve(ctx, bucket, region)
	return err == nil
}

func (p *places) resolve(ctx context.Context, bucket, region string) (*place, error) {
	if !bucketName.MatchString(bucket) || strings.Contains(bucket, "..") {
		return nil, fmt.Errorf("%q cannot be a bucket's name", bucket)
	}
	o := &p.options
	endpoint, err := p.resolver.ResolveEndpoint(ctx, s3.EndpointParameters{
		Bucket:                      &bucket,
		Region:                      &region,
		UseFIPS:                     aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack:                aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
		Endpoint:                    o.BaseEndpoint,
		ForcePathStyle:              &o.UsePathStyle,
		DisableS3ExpressSessionAuth: aws.Bool(true),
	})
	if err != nil {
		return nil, err
	}
	at := &place{region: region, base: endpoint.URI, path: strings.TrimRight(endpoint.URI.EscapedPath(), "/")}
	p.known[bucket] = at
	return at, nil
}

// request is the GET for a key. Path and RawPath are both set, so that
// net/http sends, and the signer signs, exactly the escaping given here.
func (at *place) request(ctx context.Context, key string) *http.Request {
	u := at.base
	u.Path = strings.TrimRight(u.Path, "/") + "/" + key
	u.RawPath = at.path + "/" + escapeKey(key)
	req := &http.Request{
		Method: http.MethodGet, URL: &u, Host: u.Host, Header: make(http.Header, 8),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	return req.WithContext(ctx)
}

// escapeKey escapes a key as SigV4 wants it for S3: every byte but letters,
// digits, "-", ".", "_", "~" and "/".
func escapeKey(key string) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	out.Grow(len(key) + 16)
	for i := range len(key) {
		switch c := key[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c == '-', c == '.', c == '_', c == '~', c == '/':
			out.WriteByte(c)
		default:
			out.WriteByte('%')
			out.WriteByte(hex[c>>4])
			out.WriteByte(hex[c&15])
		}
	}
	return out.String()
}

// skewed is the server's clock ahead of ours, as an answer's Date tells it.
func skewed(a *answer) (time.Duration, bool) {
	if a.date.IsZero() {
		return 0, false
	}
	return time.Until(a.date), true
}
