package bundle

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/trailseal/trailseal/verify"
)

// Read is the source's. One request gives the bytes to the bundle and to use.
func (r *Recorder) Read(ctx context.Context, ref verify.Ref, use func(verify.Object) error) error {
	if rec, ok := r.to.Get(ref); ok && rec.Object != nil {
		err := r.give(rec, use)
		if !errors.Is(err, ErrAltered) {
			r.reused.Add(1)
			return err
		}
	}
	if r.ready != nil {
		if err := r.ready(ctx); err != nil {
			return err
		}
	}
	err := r.under.Read(ctx, ref, func(o verify.Object) error { return r.take(ref, o, use) })
	u, missing, ok := refusalOf(err)
	switch {
	case err == nil:
		r.settle(ref.URI(), nil)
	case ok:
		r.settle(ref.URI(), u)
		if err := r.fail(r.to.Note(Record{Ref: ref, Missing: missing, Unreadable: u})); err != nil {
			return err
		}
	}
	return err
}

// Take reads an object for the bundle alone. An error of the source is no error:
// it is in the bundle.
func (r *Recorder) Take(ctx context.Context, ref verify.Ref) error {
	err := r.Read(ctx, ref, func(verify.Object) error { return nil })
	if _, _, ok := refusalOf(err); ok {
		return nil
	}
	return err
}

// take puts an object into the bundle and gives it to use.
func (r *Recorder) take(ref verify.Ref, o verify.Object, use func(verify.Object) error) error {
	rec := Record{Ref: ref, Object: objectOf(o)}
	r.entry(&rec)
	if o.Altered != nil {
		if err := r.fail(r.to.Note(rec)); err != nil {
			return err
		}
		return use(o)
	}
	body, ok := o.Body.(inMemory)
	if !ok {
		return r.tee(rec, o, use)
	}
	if _, err := r.to.Put(rec, o.Body); err != nil {
		r.unwritten(rec)
		return r.fail(err)
	}
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return use(o)
}

// objectOf is what is recorded of an object besides its bytes.
func objectOf(o verify.Object) *Object {
	return &Object{Size: o.Size, Metadata: o.Metadata, Header: answerHeader(o.Header), Version: o.Version, SSE: o.SSE, Envelope: o.Envelope, Altered: o.Altered}
}

// ofTheCaller are headers that tell of the one request, and not of the object.
var ofTheCaller = map[string]bool{
	"Date": true, "X-Amz-Request-Id": true, "X-Amz-Id-2": true, "Connection": true, "Keep-Alive": true, "Set-Cookie": true,
	"X-Amz-Request-Charged": true, "Via": true, "Server": true,
}

// mostHeader bounds what is kept of an answer's header, in bytes.
const mostHeader = 16 << 10

// answerHeader is an answer's header without what tells of the caller.
func answerHeader(h map[string][]string) map[string][]string {
	var kept map[string][]string
	size := 0
	for key, values := range h {
		if ofTheCaller[key] {
			continue
		}
		size += len(key)
		for _, v := range values {
			size += len(v)
		}
		if kept == nil {
			kept = make(map[string][]string, len(h))
		}
		kept[key] = values
	}
	if size > mostHeader {
		return nil
	}
	return kept
}

// tee puts a body into the bundle while use reads it, and what use leaves unread
// after that. A body that breaks goes back to who reads it again.
func (r *Recorder) tee(rec Record, o verify.Object, use func(verify.Object) error) error {
	from, to := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := r.to.Put(rec, from)
		from.CloseWithError(err) // so that no write waits for a reader that is gone
		done <- err
	}()
	t := &tee{body: o.Body, to: to}
	o.Body = t
	used := use(o)
	if used == nil {
		t.drain(r.most)
	}
	switch {
	case t.broke != nil:
		to.CloseWithError(t.broke)
		<-done
		r.unwritten(rec)
		if used == nil {
			return t.broke
		}
		return used
	case used != nil && t.refused == nil:
		to.CloseWithError(used)
		<-done
		r.unwritten(rec)
		return used
	}
	to.Close()
	if err := <-done; err != nil {
		r.unwritten(rec)
		return r.fail(err)
	}
	return used
}

// A tee is a body whose bytes also go to a bundle.
type tee struct {
	body    io.Reader
	to      io.Writer
	n       int64
	ended   bool
	broke   error // the body's
	refused error // the bundle's
}

func (t *tee) Read(p []byte) (int, error) {
	if t.refused != nil {
		return 0, t.refused
	}
	n, err := t.body.Read(p)
	t.n += int64(n)
	if n > 0 {
		if _, t.refused = t.to.Write(p[:n]); t.refused != nil {
			return 0, t.refused
		}
	}
	switch err {
	case nil:
	case io.EOF:
		t.ended = true
	default:
		t.broke = err
	}
	return n, err
}

// drain reads the rest, up to so many bytes of all.
func (t *tee) drain(most int64) {
	buf := make([]byte, 64<<10)
	for !t.ended && t.broke == nil && t.refused == nil && t.n < most {
		if _, err := t.Read(buf); err != nil {
			return
		}
	}
}

// give plays an object back.
func (r *Recorder) give(rec Record, use func(verify.Object) error) error {
	o := rec.Object.object()
	if o.Altered != nil {
		o.Body = bytes.NewReader(nil)
		return use(o)
	}
	body, err := r.to.Body(rec)
	if err != nil {
		return err
	}
	defer body.Close()
	return playBody(rec, o, body, use)
}
