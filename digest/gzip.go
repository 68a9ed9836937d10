package digest

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// A Form says whether stored bytes are exactly one complete gzip member.
type Form int

const (
	Exact        Form = iota // one member, nothing before or after it
	NotGzip                  // no gzip header
	Corrupt                  // a header, then bytes that do not inflate, or a wrong checksum or length
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
	Hash Hash  // SHA-256 of the uncompressed bytes, as far as they could be read
	Size int64 // how many those were
}

// HashGzip inflates what it reads and hashes it in one pass, in memory that
// does not depend on the size. At most limit uncompressed bytes are allowed.
// The error is the reader's own: a Content is never judged from a body that
// broke.
func HashGzip(r io.Reader, limit int64) (Content, error) {
	return inflate(r, limit, nil)
}

// ReadGzip is HashGzip that also returns the uncompressed bytes.
func ReadGzip(r io.Reader, limit int64) ([]byte, Content, error) {
	var b bytes.Buffer
	c, err := inflate(r, limit, &b)
	return b.Bytes(), c, err
}

// An inflater is all the state that one file needs at a time: about 200 KiB,
// kept from file to file because making it costs as much as inflating a
// small log.
type inflater struct {
	in  source
	br  *bufio.Reader
	gz  gzip.Reader
	out sink
}

var inflaters = sync.Pool{New: func() any {
	return &inflater{br: bufio.NewReaderSize(nil, 32<<10), out: sink{sha: sha256.New()}}
}}

func inflate(r io.Reader, limit int64, keep *bytes.Buffer) (Content, error) {
	f := inflaters.Get().(*inflater)
	defer f.release()
	f.in = source{r: r}
	f.br.Reset(&f.in)
	f.out.reset(limit, keep)
	form := f.member()
	if f.in.err != nil {
		return Content{}, f.in.err
	}
	c := Content{Form: form, Size: f.out.size}
	f.out.sha.Sum(c.Hash[:0])
	return c, nil
}

// release forgets the caller's reader and buffer before the pool keeps the rest.
func (f *inflater) release() {
	f.in, f.out.keep = source{}, nil
	f.br.Reset(nil)
	inflaters.Put(f)
}

// member reads one gzip member and looks whether anything follows it.
func (f *inflater) member() Form {
	// gzip itself says only that a short header ended early.
	if magic, _ := f.br.Peek(2); len(magic) > 0 && !bytes.HasPrefix([]byte("\x1f\x8b"), magic) {
		return NotGzip
	}
	if err := f.gz.Reset(f.br); err != nil {
		return formOf(err, NotGzip)
	}
	f.gz.Multistream(false)
	if _, err := f.gz.WriteTo(&f.out); err != nil {
		return formOf(err, Corrupt)
	}
	if _, err := f.br.ReadByte(); err != io.EOF {
		return TrailingData
	}
	return Exact
}

func formOf(err error, otherwise Form) Form {
	switch {
	case errors.Is(err, errTooLarge):
		return TooLarge
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return Truncated
	default:
		return otherwise
	}
}

// A source remembers the error of the reader below, which gzip would report
// as if the stored bytes were bad.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

var errTooLarge = errors.New("more uncompressed bytes than allowed")

// A sink hashes each piece while it is still in the cache.
type sink struct {
	sha   hash.Hash
	size  int64
	limit int64
	keep  *bytes.Buffer
}

func (s *sink) reset(limit int64, keep *bytes.Buffer) {
	s.sha.Reset()
	s.size, s.limit, s.keep = 0, limit, keep
}

func (s *sink) Write(p []byte) (int, error) {
	if s.size += int64(len(p)); s.size > s.limit {
		return 0, errTooLarge
	}
	if s.keep != nil {
		s.keep.Write(p)
	}
	return s.sha.Write(p)
}
