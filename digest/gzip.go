package digest

import (
	"bytes"
	"errors"
	"io"
)

// A Form says whether stored bytes are exactly one complete gzip member.
type Form int

const (
	Exact        Form = iota // one member, nothing before or after it
	NotGzip                  // it does not begin like gzip
	Corrupt                  // it does, and then come bytes that are none, or a wrong checksum or length
	Truncated                // the bytes end before the member does; also no bytes at all
	TrailingData             // bytes follow the member, were they NUL or another member
	TooLarge                 // more uncompressed bytes than allowed; the rest was not read
)

func (f Form) String() string {
	return [...]string{"exact", "not-gzip", "gzip-corrupt", "truncated", "trailing-data", "too-large"}[f]
}

// A Content is what reading a gzip file found.
type Content struct {
	Form Form
	Hash Hash  // SHA-256 of the uncompressed bytes, as far as they could be read and are allowed
	Size int64 // how many those were
}

// HashGzip inflates what it reads and hashes it in one pass, in memory that
// does not depend on the size. At most limit uncompressed bytes are allowed.
// The error is the reader's own: a Content is never judged from a body that
// broke.
//
// A body that is in memory is best given as a *bytes.Reader, which is read
// where it is; one of another kind is first read ahead as far as maxAhead.
func HashGzip(r io.Reader, limit int64) (Content, error) {
	return readGzip(r, limit, nil)
}

// ReadGzip is HashGzip that also returns the uncompressed bytes.
func ReadGzip(r io.Reader, limit int64) ([]byte, Content, error) {
	var b bytes.Buffer
	c, err := readGzip(r, limit, &b)
	return b.Bytes(), c, err
}

func readGzip(r io.Reader, limit int64, keep *bytes.Buffer) (Content, error) {
	if b, ok := r.(*bytes.Reader); ok {
		var c Content
		w := whole(func(z []byte) { c = readWhole(z, limit, keep) })
		if b.Len() == 0 {
			w(nil)
		}
		_, err := b.WriteTo(w)
		return c, err
	}
	src := &source{r: r}
	a := aheads.Get().(*ahead)
	defer aheads.Put(a)
	switch z, err := a.read(src); {
	case src.err != nil:
		return Content{}, src.err
	case err == io.EOF:
		return readWhole(z, limit, keep), nil
	default:
		return readStream(io.MultiReader(bytes.NewReader(z), src), src, limit, keep)
	}
}

// A whole is a function of a whole body: bytes.Reader gives its bytes to the
// one writer it writes to in one piece.
type whole func(z []byte)

func (f whole) Write(z []byte) (int, error) {
	f(z)
	return len(z), nil
}

var errTooLarge = errors.New("more uncompressed bytes than allowed")
