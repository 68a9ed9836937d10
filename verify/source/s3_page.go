package source

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// A page is a page of a listing (ListObjectsV2). What it names lies in the answer's
// own bytes, which are there until the next page is asked for.
type page struct {
	known     bool // some of Name, IsTruncated and KeyCount was there: it is a listing
	escaped   bool // names are (EncodingType)
	truncated bool
	next      string // continuation token
	objects   []listed
	prefixes  [][]byte
}

// A listed object is one of a page.
type listed struct {
	key      []byte
	size     int64 // bytes
	modified time.Time
}

// reset empties a page for the next one.
func (p *page) reset() { *p = page{objects: p.objects[:0], prefixes: p.prefixes[:0]} }

// A paging is one listing under way: what its pages are read into.
type paging struct {
	page page
	text bytes.Buffer
}

var pagings = sync.Pool{New: func() any { return new(paging) }}

// pages yields the pages of a listing, each asked for when it is wanted.
func (s *S3) pages(ctx context.Context, at verify.Ref, after, delimiter string) iter.Seq2[*page, error] {
	q := url.Values{"list-type": {"2"}, "encoding-type": {"url"}, "prefix": {at.Key}}
	if after != "" {
		q.Set("start-after", after)
	}
	if delimiter != "" {
		q.Set("delimiter", delimiter)
	}
	return func(yield func(*page, error) bool) {
		g := pagings.Get().(*paging)
		defer pagings.Put(g)
		for token := ""; ; {
			if err := s.fetch(ctx, at, q, g); err != nil {
				yield(nil, err)
				return
			}
			if !yield(&g.page, nil) || !g.page.truncated {
				return
			}
			if g.page.next == "" || g.page.next == token {
				yield(nil, incomplete(at, errors.New("the store says that there is more, but not how to ask for it")))
				return
			}
			token = g.page.next
			q.Set("continuation-token", token)
		}
	}
}

// fetch asks for one page, again where that may help.
func (s *S3) fetch(ctx context.Context, at verify.Ref, q url.Values, g *paging) error {
	err := s.retrier.do(ctx, func() error { return s.fetchOnce(ctx, at, q, g) })
	return s.explain(ctx, at.Bucket, err)
}

func (s *S3) fetchOnce(ctx context.Context, at verify.Ref, q url.Values, g *paging) error {
	place, err := s.places.of(ctx, at.Bucket)
	if err != nil {
		return refused(listing(at), verify.ReadFailed, "", err)
	}
	if err := s.limiter.acquire(ctx); err != nil {
		return err
	}
	slot := &slot{s.limiter}
	defer slot.release(neutral)
	outer := ctx
	ctx, x := begin(ctx)
	defer x.cancel(nil)
	err = s.ask(ctx, place, q, g, x)
	if err == nil {
		slot.release(success)
		return g.read(at)
	}
	if outer.Err() != nil {
		return outer.Err()
	}
	return s.mend(ctx, listFault(ctx, err, x, at), slot, x, place, at.Bucket)
}

// ask sends one request and takes its answer whole. What a refusal or a broken
// connection was is in the exchange.
func (s *S3) ask(ctx context.Context, place *place, q url.Values, g *paging, x *exchange) error {
	resp, err := s.roundTrip(ctx, place.query(ctx, q), place, x, &s.lists)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		x.answer = readAnswer(resp)
		x.broken = nil
		return x.answer
	}
	g.text.Reset()
	n, err := g.text.ReadFrom(io.LimitReader(resp.Body, maxPageBytes))
	if err == nil && n == maxPageBytes {
		err = errors.New("the answer is too long for a listing")
	}
	return err
}

// read makes a page of an answer.
func (g *paging) read(at verify.Ref) error {
	g.page.reset()
	if err := readPage(g.text.Bytes(), &g.page); err != nil || !g.page.known {
		return refused(listing(at), verify.ReadFailed, "does the endpoint speak S3?", errors.Join(errNoListing, err))
	}
	return nil
}

// query is the GET of a bucket.
func (at *place) query(ctx context.Context, q url.Values) *http.Request {
	req := at.request(ctx, "")
	if at.path != "" { // as everybody asks where the bucket is in the path
		req.URL.Path, req.URL.RawPath = strings.TrimSuffix(req.URL.Path, "/"), at.path
	}
	req.URL.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20") // SigV4 knows no other space
	return req
}

// roundTrip signs a request, sends it and counts it. The error is an
// *unsignedError or the network's.
func (s *S3) roundTrip(ctx context.Context, req *http.Request, at *place, x *exchange, sent *atomic.Int64) (*http.Response, error) {
	req.Header["User-Agent"] = []string{userAgent}
	if s.payer {
		req.Header["X-Amz-Request-Payer"] = []string{"requester"}
	}
	if s.sign {
		if err := s.signRequest(ctx, req, at.region); err != nil {
			return nil, &unsignedError{err}
		}
	}
	sent.Add(1)
	resp, err := s.wire.transport.RoundTrip(req)
	if err != nil {
		x.broken = err
		return nil, err
	}
	resp.Body = s.wire.watch(resp.Body, x)
	return resp, nil
}

// An unsignedError says that there are no credentials to sign a request with.
type unsignedError struct{ err error }

func (e *unsignedError) Error() string { return e.err.Error() }
func (e *unsignedError) Unwrap() error { return e.err }
