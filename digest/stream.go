package digest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"io"
	"sync"
)

// magic begins every gzip file: two bytes of its own and the method, deflate.
var magic = []byte{0x1f, 0x8b, 8}

// reservedFlags must be zero; a reader cannot know what they would announce.
const reservedFlags = 0xe0

// A streamer reads gzip with the standard library. It is for bodies too large
// to read ahead, and it has the last word wherever the fast way found fault.
type streamer struct {
	br  *bufio.Reader
	gz  gzip.Reader
	buf []byte
	out sink
}

var streamers = sync.Pool{New: func() any {
	return &streamer{br: bufio.NewReaderSize(nil, 32<<10), buf: make([]byte, 64<<10), out: sink{sha: sha256.New()}}
}}

// readStream reads what r has. The error is the source's, which may lie below r.
func readStream(r io.Reader, src *source, limit int64, to kept) (Content, error) {
	s := streamers.Get().(*streamer)
	defer func() {
		s.br.Reset(nil)
		s.out.keep, s.out.tee = nil, nil
		streamers.Put(s)
	}()
	s.br.Reset(r)
	s.out.reset(limit, to)
	form := s.member()
	if src.err != nil {
		return Content{}, src.err
	}
	return s.out.content(form), nil
}

// member reads one gzip member and looks whether anything follows it.
func (s *streamer) member() Form {
	head, _ := s.br.Peek(len(magic) + 1)
	switch n := min(len(head), len(magic)); {
	case !bytes.Equal(head[:n], magic[:n]):
		return NotGzip
	case len(head) <= len(magic):
		return Truncated
	case head[len(magic)]&reservedFlags != 0:
		return Corrupt
	}
	if err := s.gz.Reset(s.br); err != nil {
		return formOf(err)
	}
	s.gz.Multistream(false)
	if _, err := io.CopyBuffer(struct{ io.Writer }{&s.out}, &s.gz, s.buf); err != nil {
		return formOf(err)
	}
	if _, err := s.br.ReadByte(); err != io.EOF {
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
