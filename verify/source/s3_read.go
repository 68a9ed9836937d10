package source

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// emptyHash is the SHA-256 of no bytes: a GET's payload.
const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// Read fetches one object with one GET. A body of up to 4 MiB is read whole
// first, so that use never holds a connection and never sees a broken body;
// a bigger one is handed over as it comes. The body is use's only until use
// returns. An error of use is returned as it is.
func (s *S3) Read(ctx context.Context, ref verify.Ref, use func(verify.Object) error) error {
	err := s.retrier.do(ctx, func() error { return s.readOnce(ctx, ref, "", use) })
	return s.explainObject(ctx, ref, err)
}

func (s *S3) readOnce(ctx context.Context, ref verify.Ref, version string, use func(verify.Object) error) error {
	at, err := s.places.of(ctx, ref.Bucket)
	if err != nil {
		return refused(object(ref), verify.ReadFailed, "", err)
	}
	if err := s.limiter.acquire(ctx); err != nil {
		return err
	}
	slot := &slot{s.limiter}
	defer slot.release(neutral)
	ctx, x := begin(ctx)
	defer x.cancel(nil)
	x.version = version
	resp, err := s.send(ctx, http.MethodGet, at, ref, x)
	if err != nil {
		return s.mend(ctx, err, slot, x, at, ref.Bucket)
	}
	o := described(resp)
	if 0 <= o.Size && o.Size <= wholeBytes {
		err = s.readWhole(ctx, resp, slot, o, use)
	} else {
		o.Body = resp.Body
		err = use(o)
		resp.Body.Close()
	}
	if x.broken != nil {
		return s.mend(ctx, broken(cause(ctx, x.broken), object(ref)), slot, x, at, ref.Bucket)
	}
	slot.release(success)
	return err
}

// readWhole reads a small body, lets the next request go and uses the bytes.
// A body that breaks is not used; the exchange remembers that it broke.
func (s *S3) readWhole(ctx context.Context, resp *http.Response, slot *slot, o verify.Object, use func(verify.Object) error) error {
	defer resp.Body.Close()
	buf, err := s.buffers.lend(ctx, o.Size)
	if err != nil {
		return err
	}
	defer s.buffers.giveBack(buf)
	whole := buf.b[:o.Size]
	if _, err := io.ReadFull(resp.Body, whole); err != nil {
		resp.Body.(*body).x.broken = err
		return nil
	}
	resp.Body.Close()
	slot.release(success)
	buf.Reset(whole)
	o.Body = buf
	return use(o)
}

// send sends a signed GET or HEAD. The error is a *fault.
func (s *S3) send(ctx context.Context, method string, at *place, ref verify.Ref, x *exchange) (*http.Response, error) {
	req := at.request(ctx, ref.Key)
	req.Method = method
	if x.version != "" {
		req.URL.RawQuery = "versionId=" + strings.ReplaceAll(url.QueryEscape(x.version), "+", "%20")
	}
	sent := &s.gets
	if method == http.MethodHead {
		sent = &s.heads
	}
	resp, err := s.roundTrip(ctx, req, at, x, sent)
	var unsigned *unsignedError
	switch {
	case errors.As(err, &unsigned):
		return nil, refused(object(ref), verify.AccessDenied, credentialsHint, err)
	case err != nil:
		return nil, broken(cause(ctx, err), object(ref))
	}
	if resp.StatusCode != http.StatusOK {
		x.answer = readAnswer(resp)
		x.broken = nil // a refusal counts even where its text does not come whole
		return nil, decide(x.answer, object(ref), ref)
	}
	return resp, nil
}

func (s *S3) signRequest(ctx context.Context, req *http.Request, region string) error {
	credentials, err := s.session.cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return err
	}
	req.Header["X-Amz-Content-Sha256"] = []string{emptyHash}
	now := time.Now().Add(time.Duration(s.skew.Load()))
	return s.signer.SignHTTP(ctx, credentials, req, emptyHash, "s3", region, now)
}

// mend frees a failed request's slot and learns from its answer what the next
// attempt needs. Where nothing is to be learned the fault becomes final.
func (s *S3) mend(ctx context.Context, err error, slot *slot, x *exchange, at *place, bucket string) error {
	var f *fault
	if !errors.As(err, &f) {
		return err
	}
	if f.slow {
		slot.release(overload)
	}
	slot.release(neutral)
	switch f.next {
	case elsewhere:
		if !s.places.correct(ctx, bucket, at, x.answer.region) {
			f.next = giveUp
		}
	case onTime:
		skew, known := skewed(x.answer)
		if s.skew.Store(int64(skew)); !known {
			f.next = giveUp
		}
	}
	return f
}

// cause is why a context ended, where it ended by itself: a stall.
func cause(ctx context.Context, err error) error {
	if c := context.Cause(ctx); c == errStalled {
		return c
	}
	return err
}

// described is what an answer's headers tell of its object.
func described(resp *http.Response) verify.Object {
	h := resp.Header
	return verify.Object{
		Size: resp.ContentLength, Header: h, Metadata: userMetadata(h), Version: h.Get("X-Amz-Version-Id"),
		SSE: verify.SSE{Algorithm: h.Get("X-Amz-Server-Side-Encryption"), Key: h.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id")},
	}
}

const metaPrefix = "X-Amz-Meta-"

// userMetadata is an object's user metadata; nil where it has none.
func userMetadata(h http.Header) map[string]string {
	var meta map[string]string
	for name, values := range h {
		if strings.HasPrefix(name, metaPrefix) {
			if meta == nil {
				meta = make(map[string]string, 4)
			}
			meta[strings.ToLower(name[len(metaPrefix):])] = strings.Join(values, ",")
		}
	}
	return meta
}
