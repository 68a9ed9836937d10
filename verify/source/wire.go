package source

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"time"
)

const (
	stallAfter     = 30 * time.Second // without one byte of a body
	headersAfter   = 30 * time.Second
	handshakeAfter = 10 * time.Second
	idleFor        = 60 * time.Second
	maxPageBytes   = 32 << 20 // of a listing's page: 1,000 keys of 1,024 bytes, escaped, have about 4 MiB
)

var errStalled = errors.New("no byte came for a while")

// A wire sends a store's requests. It never follows a redirect: where a
// signed request goes is decided by configuration alone.
type wire struct {
	transport *http.Transport
	stall     time.Duration
}

// newWire makes the transport: the session's own (proxy, CA bundle, dialer),
// with idle connections kept for all requests that may be in flight, since
// the SDK's 10 cost a TLS handshake for most requests beyond; HTTP/1.1, which
// is all that S3 speaks; and bodies left as they are stored.
func newWire(s session, inFlight int) *wire {
	t := s.bundle().GetTransport()
	t.MaxIdleConns = 0
	t.MaxIdleConnsPerHost = 2 * inFlight // a connection comes back a moment after its body's end
	t.IdleConnTimeout = idleFor
	t.TLSHandshakeTimeout = handshakeAfter
	t.ResponseHeaderTimeout = headersAfter
	t.DisableCompression = true
	t.ForceAttemptHTTP2 = false
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	t.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(inFlight)
	t.TLSClientConfig.NextProtos = nil
	return &wire{transport: t, stall: stallAfter}
}

// An exchange collects what one request met; it travels in the request's
// context through the SDK, which would keep only a part of it.
type exchange struct {
	cancel  context.CancelCauseFunc
	answer  *answer // of a refusal
	broken  error   // of a request or a body that the network ended
	version string  // of the object that is asked for; empty: the newest
}

type exchangeKey struct{}

// begin makes a context for one exchange. The caller must cancel it.
func begin(ctx context.Context) (context.Context, *exchange) {
	x := &exchange{}
	ctx, x.cancel = context.WithCancelCause(ctx)
	return context.WithValue(ctx, exchangeKey{}, x), x
}

// Do sends the SDK's requests. It makes *wire an aws.HTTPClient.
func (w *wire) Do(req *http.Request) (*http.Response, error) {
	x, _ := req.Context().Value(exchangeKey{}).(*exchange)
	if x == nil {
		x = &exchange{cancel: func(error) {}}
	}
	resp, err := w.transport.RoundTrip(req)
	if err != nil {
		x.broken = err
		return nil, err
	}
	b := w.watch(resp.Body, x)
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(b, maxPageBytes), b}
	if resp.StatusCode >= 300 {
		x.answer = readAnswer(resp)
	}
	return resp, nil
}

// A body is a response's body. It ends the exchange when no byte comes for
// stall, and remembers in the exchange that it broke, whatever its reader
// makes of that.
type body struct {
	io.ReadCloser
	x     *exchange
	timer *time.Timer
	stall time.Duration
}

func (w *wire) watch(r io.ReadCloser, x *exchange) *body {
	return &body{ReadCloser: r, x: x, stall: w.stall}
}

func (b *body) Read(p []byte) (int, error) {
	if b.timer == nil {
		b.timer = time.AfterFunc(b.stall, func() { b.x.cancel(errStalled) })
	} else {
		b.timer.Reset(b.stall)
	}
	n, err := b.ReadCloser.Read(p)
	b.timer.Stop() // its reader may take its time between two reads
	if err != nil && err != io.EOF {
		b.x.broken = err
	}
	return n, err
}
