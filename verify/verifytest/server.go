package verifytest

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// ServerOptions say how the server behaves. The zero value is an S3 that
// answers everything at once.
type ServerOptions struct {
	Address       string            // to listen at; empty: a free port of 127.0.0.1
	PageSize      int               // keys a listing's page has at most; 0: 1,000
	KeyPage       int               // public keys a page has at most; 0: all
	AllKeys       bool              // ListPublicKeys gives a region's keys whatever span is asked
	Latency       time.Duration     // before each answer
	Rate          int               // S3 requests a second; what is more is told to slow down. 0: any number
	Redirect      int               // how a request signed for another than the bucket's region is answered: 301, 400, or served (0)
	BucketRegions map[string]string // where that is not the trail's
	RequesterPays map[string]bool   // buckets that answer only those who send x-amz-request-payer
	Faults        []Fault
}

// A Server is a world over HTTP: what a verifier uses of S3 (path style), and
// of CloudTrail, KMS, STS and Organizations, on one address. It takes any
// signature, and sees from it only which region was asked. Point an SDK or the
// AWS CLI at it with AWS_ENDPOINT_URL.
type Server struct {
	URL string // http://127.0.0.1:PORT

	w    *World
	opts ServerOptions
	http *http.Server
	rate *bucketOfTokens

	mu     sync.Mutex
	counts map[string]int64
	faults []*Fault
}

// NewServer starts a server over a world. The world must not change as long
// as it runs, its KMS keys excepted.
func NewServer(w *World, opts ServerOptions) (*Server, error) {
	if opts.Address == "" {
		opts.Address = "127.0.0.1:0"
	}
	if opts.PageSize == 0 {
		opts.PageSize = 1000
	}
	s := &Server{w: w, opts: opts, counts: map[string]int64{}}
	for _, f := range opts.Faults {
		s.Fail(f)
	}
	if opts.Rate > 0 {
		s.rate = newTokens(opts.Rate)
	}
	listener, err := net.Listen("tcp", opts.Address)
	if err != nil {
		return nil, fmt.Errorf("serve a trail: %w", err)
	}
	s.URL = "http://" + listener.Addr().String()
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	go s.http.Serve(listener) // ends with Close
	return s, nil
}

// Close ends the server and its connections.
func (s *Server) Close() error { return s.http.Close() }

// Requests counts the requests so far by operation, those refused included;
// SlowDown counts those told to slow down.
func (s *Server) Requests() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counts)
}

func (s *Server) count(operation string) {
	s.mu.Lock()
	s.counts[operation]++
	s.mu.Unlock()
}

// A request is what the server made of an HTTP request.
type request struct {
	*http.Request
	region      string // it was signed for
	operation   string
	bucket, key string // of a listing, key is the prefix; asked of KMS, the KeyId
	page        int    // of a listing, from 1
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(rw http.ResponseWriter, hr *http.Request) {
	r := &request{Request: hr, region: signedRegion(hr), page: 1}
	if s.opts.Latency > 0 {
		select {
		case <-time.After(s.opts.Latency):
		case <-hr.Context().Done():
			return
		}
	}
	h := rw.Header()
	h.Set("x-amz-request-id", "TRAILSEALTEST0001")
	h.Set("Server", "verifytest")
	switch target := hr.Header.Get("X-Amz-Target"); {
	case target != "":
		r.operation = target[strings.LastIndexByte(target, '.')+1:]
		s.serveJSON(rw, r)
	case hr.Method == http.MethodPost && strings.HasPrefix(hr.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		s.serveQuery(rw, r)
	default:
		h.Set("x-amz-id-2", "verifytest")
		s.serveS3(rw, r)
	}
}

// signedRegion is the region in a signature's scope:
// Credential=KEY/DATE/REGION/SERVICE/aws4_request.
func signedRegion(r *http.Request) string {
	credential := r.URL.Query().Get("X-Amz-Credential")
	if _, rest, ok := strings.Cut(r.Header.Get("Authorization"), "Credential="); ok {
		credential, _, _ = strings.Cut(rest, ",")
	}
	scope := strings.Split(credential, "/")
	if n := len(scope); n >= 5 {
		return scope[n-3]
	}
	return ""
}

// bucketOfTokens lets so many requests a second pass, a tenth of them at once.
type bucketOfTokens struct {
	mu     sync.Mutex
	rate   float64
	tokens float64
	last   time.Time
}

func newTokens(rate int) *bucketOfTokens {
	return &bucketOfTokens{rate: float64(rate), tokens: float64(rate) / 10, last: time.Now()}
}

func (b *bucketOfTokens) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.tokens = min(b.tokens+now.Sub(b.last).Seconds()*b.rate, b.rate/10)
	b.last = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
