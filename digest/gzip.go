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

// magic begins every gzip file: two bytes of its own and the method, deflate.
var magic = []byte{0x1f, 0x8b, 8}

// reservedFlags must be zero; a reader cannot know what they would announce.
const reservedFlags = 0xe0

// member reads one gzip member and looks whether anything follows it.
func (f *inflater) member() Form {
	head, _ := f.br.Peek(len(magic) + 1)
	switch n := min(len(head), len(magic)); {
	case !bytes.Equal(head[:n], magic[:n]):
		return NotGzip
	case len(head) <= len(magic):
		return Truncated
	case head[len(magic)]&reservedFlags != 0:
		return Corrupt
	}
	if err := f.gz.Reset(f.br); err != nil {
		return formOf(err)
	}
	f.gz.Multistream(false)
	if _, err := f.gz.WriteTo(&f.out); err != nil {
		return formOf(err)
	}
	if _, err := f.br.ReadByte(); err != io.EOF {
		return TrailingData
	}
	return Exact
}

func formOf(err error) Form {
	switch {
	case errors.Is(err, errTooLarge):
		return TooLarge
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return Truncated
	default:
		return Corrupt
	}
}

// A source remembers the error of the reader below, which gzip would report
// as if the stored bytes were bad.
type source struct {
	r     io.Reader
	err   error
	empty int // reads in a row that brought nothing
}

// maxEmpty is fewer than bufio's own bound, so that its error is never ours.
const maxEmpty = 50

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if s.empty++; n > 0 {
		s.empty = 0
	}
	if err == nil && s.empty > maxEmpty {
		err = io.ErrNoProgress
	}
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

var errTooLarge = errors.New("more uncompressed bytes than allowed")

// A sink hashes each piece while it is still in the cache.
type sink struct {
	sha  hash.Hash
	size int64
	room int64 // how many more bytes are allowed
	keep *bytes.Buffer
}

func (s *sink) reset(limit int64, keep *bytes.Buffer) {
	s.sha.Reset()
	s.size, s.room, s.keep = 0, max(limit, 0), keep
}

// Write takes what is allowed and refuses the rest, so that a content too
// large has the same hash whatever pieces it comes in.
func (s *sink) Write(p []byte) (n int, err error) {
	if int64(len(p)) > s.room {
		p, err = p[:s.room], errTooLarge
	}
	s.room -= int64(len(p))
	s.size += int64(len(p))
	if s.keep != nil {
		s.keep.Write(p)
	}
	s.sha.Write(p)
	return len(p), err
}
