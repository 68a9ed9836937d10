package kms

import (
	"bytes"
	"errors"
	"io"
)

// inMemory is what a bytes.Reader can do. Its WriteTo gives all its bytes in one
// piece, without copying them.
type inMemory interface {
	io.WriterTo
	io.Seeker
	Len() int
}

// A source is a sealed body. Its own errors come through as they are: that it
// ended early is only said of a body that says itself that it ended.
type source struct {
	r      io.Reader
	size   int64    // bytes; -1 where not known
	memory inMemory // nil where it is not in memory
}

func newSource(in Sealed) *source {
	s := &source{r: in.Body, size: in.Size}
	if s.r == nil {
		s.r, s.size = bytes.NewReader(nil), 0
	}
	if m, ok := s.r.(inMemory); ok {
		s.memory, s.size = m, int64(m.Len())
	}
	return s
}

// head looks at the first bytes, without taking them.
func (s *source) head() ([]byte, error) {
	b := make([]byte, HeadBytes)
	n, err := readFull(s.r, b)
	if err != nil && err != io.EOF {
		return nil, err
	}
	b = b[:n]
	if s.memory != nil {
		_, err := s.memory.Seek(-int64(n), io.SeekCurrent)
		return b, err
	}
	s.r = io.MultiReader(bytes.NewReader(b), s.r)
	return b, nil
}

// whole gives use all bytes. They are the caller's where they were in memory, and
// may not be changed then; otherwise they are a copy. At most limit are held; the
// caller has compared the size with that where it is known.
func (s *source) whole(limit int64, use func(z []byte, caller bool) error) error {
	if s.memory != nil {
		w := &onePiece{size: s.memory.Len(), use: use}
		if _, err := s.memory.WriteTo(w); err == nil && w.used {
			return w.err
		}
		if _, err := s.memory.Seek(-int64(w.size), io.SeekEnd); err != nil {
			return err
		}
	}
	z, err := s.read(limit)
	if err != nil {
		return err
	}
	return use(z, false)
}

func (s *source) read(limit int64) ([]byte, error) {
	if s.size < 0 {
		z, err := io.ReadAll(io.LimitReader(s.r, limit+1))
		if err == nil && int64(len(z)) > limit {
			err = tooLarge(limit)
		}
		return z, err
	}
	z := make([]byte, s.size)
	n, err := readFull(s.r, z)
	if err == io.EOF {
		return nil, malformed("the body ends after %d of %d bytes", n, s.size)
	}
	if err != nil {
		return nil, err
	}
	end, err := ended(s.r)
	if err == nil && !end {
		err = malformed("the body has more than its %d bytes", s.size)
	}
	return z, err
}

func tooLarge(limit int64) error {
	return refuse(TooLarge, "one piece of more than %d bytes, which must be held whole", limit)
}

// A onePiece uses a body that is written to it in one piece, and refuses another.
type onePiece struct {
	size int
	use  func(z []byte, caller bool) error
	used bool
	err  error
}

func (w *onePiece) Write(z []byte) (int, error) {
	if len(z) != w.size || w.used {
		return 0, errors.New("the body comes in pieces")
	}
	w.used, w.err = true, w.use(z, true)
	return len(z), nil
}
