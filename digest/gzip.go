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
// A body that is in memory is read where it is when it comes as a
// *bytes.Reader, or as anything that embeds one; a body of another kind is
// first read ahead as far as maxAhead. What is larger is read as it comes, at
// about half the speed.
func HashGzip(r io.Reader, limit int64) (Content, error) {
	return readGzip(r, limit, kept{})
}

// HashGzipTo is HashGzip that gives the uncompressed bytes to a tee as well. They
// are worth what the Content then says of them.
func HashGzipTo(r io.Reader, limit int64, tee Tee) (Content, error) {
	tee.Reset()
	return readGzip(r, limit, kept{tee: tee})
}

// ReadGzip is HashGzip that also returns the uncompressed bytes.
func ReadGzip(r io.Reader, limit int64) ([]byte, Content, error) {
	keep := []byte{}
	c, err := readGzip(r, limit, kept{bytes: &keep})
	return keep, c, err
}

func readGzip(r io.Reader, limit int64, to kept) (Content, error) {
	if m, ok := r.(inMemory); ok {
		w := &wholeWriter{size: m.Len(), use: func(z []byte) Content { return readWhole(z, limit, to) }}
		if _, err := m.WriteTo(w); err == nil {
			return w.found(), nil
		}
		to.restart()
		if _, err := m.Seek(-int64(w.size), io.SeekEnd); err != nil {
			return Content{}, err
		}
	}
	src := &source{r: r}
	a := aheads.Get().(*ahead)
	defer aheads.Put(a)
	switch z, err := a.read(src); {
	case src.err != nil:
		return Content{}, src.err
	case err == io.EOF:
		return readWhole(z, limit, to), nil
	default:
		return readStream(io.MultiReader(bytes.NewReader(z), src), src, limit, to)
	}
}

// inMemory is what a bytes.Reader can do. Its WriteTo gives all its bytes in
// one piece, without copying them.
type inMemory interface {
	io.WriterTo
	io.Seeker
	Len() int
}

// A wholeWriter uses a body that is written to it in one piece, and refuses
// another. No piece at all is an empty body.
type wholeWriter struct {
	size    int
	use     func(z []byte) Content
	content *Content
}

var errPieces = errors.New("the body comes in pieces")

func (w *wholeWriter) Write(z []byte) (int, error) {
	if len(z) != w.size || w.content != nil {
		return 0, errPieces
	}
	c := w.use(z)
	w.content = &c
	return len(z), nil
}

func (w *wholeWriter) found() Content {
	if w.content == nil {
		return w.use(nil)
	}
	return *w.content
}

var errTooLarge = errors.New("more uncompressed bytes than allowed")
