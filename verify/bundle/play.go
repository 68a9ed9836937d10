package bundle

import (
	"errors"
	"io"

	"github.com/trailseal/trailseal/verify"
)

// object is what was recorded of an object, as a store gives it.
func (o *Object) object() verify.Object {
	return verify.Object{Size: o.Size, Metadata: o.Metadata, Version: o.Version, SSE: o.SSE, Envelope: o.Envelope, Header: o.Header, Altered: o.Altered}
}

// errRest is the end of a body of which only a part was taken.
var errRest = errors.New("only the first part of it was collected: it is larger than what is collected of one object (--max-log-size)")

// playBody gives an entry to use.
func playBody(rec Record, o verify.Object, body io.Reader, use func(verify.Object) error) error {
	if rec.cut() {
		body = io.MultiReader(body, failing{errRest})
	}
	o.Body = body
	return use(o)
}

// cut reports whether only a part of an object was taken.
func (r *Record) cut() bool {
	return r.Object.Envelope.Scheme == "" && r.Object.Size > wholeBytes && r.Object.Size > r.Size
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
