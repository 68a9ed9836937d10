package source

import (
	"context"
	"maps"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/trailseal/trailseal/verify"
)

// S3Options configure OpenS3.
type S3Options struct {
	URI           string // s3://bucket[/prefix]
	Profile       string // see AWSOptions, like Region and EndpointURL
	Region        string
	EndpointURL   string
	NoSignRequest bool // ask as nobody: for a public bucket
	RequestPayer  bool // the caller pays the requests of a requester-pays bucket
	Concurrency   int  // cap of requests in flight; 0: 128; more than 256 gains nothing
	KMS           *KMS // asked for the state of a key that is in the way; nil: none is asked
	MaxAttempts   int  // of one request, for trouble other than throttling; 0: 8
}

// S3 is the verify.Store of S3 buckets.
type S3 struct {
	root       verify.Ref
	session    session
	client     *s3.Client
	places     *places
	wire       *wire
	signer     *v4.Signer
	sign       bool
	payer      bool
	limiter    *limiter
	retrier    *retrier
	buffers    *buffers
	keys       *CloudTrail
	kms        *KMS
	payers     payers
	skew       atomic.Int64 // nanoseconds that the servers' clocks are ahead
	lists      atomic.Int64
	versions   atomic.Int64 // listings of them
	gets       atomic.Int64
	heads      atomic.Int64
	lifecycles atomic.Int64
}

var _ verify.Store = (*S3)(nil)

// OpenS3 makes a store of the bucket and the prefix that the URI names. It
// sends no request to S3. The error is a *UsageError for a wrong URI or an
// AWS configuration that cannot be used, or the context's.
func OpenS3(ctx context.Context, o S3Options) (*S3, error) {
	root, err := parseURI(o.URI)
	if err != nil {
		return nil, err
	}
	session, err := load(ctx, AWSOptions{Profile: o.Profile, Region: o.Region, EndpointURL: o.EndpointURL})
	if err != nil {
		return nil, err
	}
	keys := &CloudTrail{session: session} // a public bucket's keys are asked for as somebody all the same
	if o.NoSignRequest {
		session.cfg.Credentials = aws.AnonymousCredentials{}
	} else if err := session.credentials(ctx); err != nil {
		return nil, err
	}
	if o.Concurrency <= 0 {
		o.Concurrency = defaultLimit
	}
	s := &S3{
		root: root, session: session, sign: !o.NoSignRequest, payer: o.RequestPayer,
		wire:    newWire(session, o.Concurrency),
		signer:  v4.NewSigner(func(so *v4.SignerOptions) { so.DisableURIPathEscaping = true }),
		limiter: newLimiter(o.Concurrency),
		retrier: newRetrier(o.MaxAttempts),
		buffers: newBuffers(),
		keys:    keys,
		kms:     o.KMS,
	}
	s.client = session.s3(s.wire)
	s.places = newPlaces(s.client.Options())
	if _, err := s.places.of(ctx, root.Bucket); err != nil {
		return nil, &UsageError{What: "source", Err: err}
	}
	return s, nil
}

// s3 is the SDK's client for listings. It neither retries nor waits: the
// store does both, for listings and reads alike.
func (s session) s3(w *wire) *s3.Client {
	return s3.NewFromConfig(s.cfg, func(o *s3.Options) {
		if s.endpoint != "" {
			o.BaseEndpoint = &s.endpoint
		}
		if o.BaseEndpoint != nil {
			o.UsePathStyle = true // a single host seldom has a name for every bucket
		}
		o.HTTPClient = w
		o.Retryer = aws.NopRetryer{}
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.DisableLogOutputChecksumValidationSkipped = true
		o.DisableS3ExpressSessionAuth = aws.Bool(true)
	})
}

// parseURI reads s3://bucket[/prefix]; the scheme may be in capitals. The
// prefix is used byte for byte; one without a final slash means the folder of
// that name.
func parseURI(uri string) (verify.Ref, error) {
	const scheme = "s3://"
	rest := uri[min(len(scheme), len(uri)):]
	if !strings.EqualFold(uri[:len(uri)-len(rest)], scheme) {
		return verify.Ref{}, usage("source", "give it as s3://BUCKET[/PREFIX]", "%q does not begin with s3://", uri)
	}
	bucket, prefix, _ := strings.Cut(rest, "/")
	if !bucketName.MatchString(bucket) || strings.Contains(bucket, "..") {
		return verify.Ref{}, usage("source", "give it as s3://BUCKET[/PREFIX]", "%q cannot be a bucket's name", bucket)
	}
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	return verify.Ref{Bucket: bucket, Key: prefix}, nil
}

// Keys asks CloudTrail with the store's own configuration. Its requests are
// counted in the store's.
func (s *S3) Keys() *CloudTrail { return s.keys }

// Roots is the bucket and the prefix that the store was opened for.
func (s *S3) Roots(context.Context) ([]verify.Ref, error) { return []verify.Ref{s.root}, nil }

// Holds reports whether the two are the same: in S3 a file is where it is.
func (s *S3) Holds(found, stated verify.Ref) bool { return found == stated }

// Requests counts what was sent: list, get, head, payer and lifecycle (retries
// included), keys, and how many of the former were retries.
func (s *S3) Requests() map[string]int64 {
	counts := map[string]int64{"list": s.lists.Load(), "versions": s.versions.Load(), "get": s.gets.Load(), "head": s.heads.Load(), "payer": s.payers.asked.Load(), "lifecycle": s.lifecycles.Load(), "retry": s.retrier.retries.Load(), "keys": s.keys.asked.Load()}
	maps.DeleteFunc(counts, func(_ string, n int64) bool { return n == 0 })
	return counts
}

// Close lets idle connections go.
func (s *S3) Close() error {
	s.wire.transport.CloseIdleConnections()
	return nil
}
