package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
)

// measure reads a body to learn its size and hash: in memory, or where it is
// large in a file.
func (w *Writer) measure(body io.Reader) (spool io.ReadCloser, size int64, sum string, err error) {
	h := sha256.New()
	if m, ok := body.(inMemory); ok && m.Len() <= wholeBytes {
		n := m.Len()
		if _, err := m.WriteTo(h); err != nil {
			return nil, 0, "", err
		}
		if _, err := m.Seek(-int64(n), io.SeekEnd); err != nil {
			return nil, 0, "", err
		}
		return io.NopCloser(m), int64(n), hex.EncodeToString(h.Sum(nil)), nil
	}
	s := &spooled{work: w.work}
	if size, err = io.Copy(io.MultiWriter(h, s), body); err == nil {
		err = s.rewind()
	}
	if s.err != nil {
		err = w.failed(s.err)
	}
	if err != nil {
		s.Close()
		return nil, 0, "", err
	}
	return s, size, hex.EncodeToString(h.Sum(nil)), nil
}

// inMemory is what a bytes.Reader can do.
type inMemory interface {
	io.Reader
	io.WriterTo
	io.Seeker
	Len() int
}

// A spooled body is in memory, or where it is large in a file.
type spooled struct {
	work string
	mem  bytes.Buffer
	file *os.File
	err  error // of writing it
}

func (s *spooled) Write(p []byte) (n int, err error) {
	defer func() { s.err = err }()
	if s.file == nil && s.mem.Len()+len(p) <= wholeBytes {
		return s.mem.Write(p)
	}
	if s.file == nil {
		f, err := os.CreateTemp(s.work, "spool-*")
		if err != nil {
			return 0, err
		}
		s.file = f
		if _, err := s.mem.WriteTo(f); err != nil {
			return 0, err
		}
	}
	return s.file.Write(p)
}

func (s *spooled) rewind() error {
	if s.file == nil {
		return nil
	}
	_, s.err = s.file.Seek(0, io.SeekStart)
	return s.err
}

func (s *spooled) Read(p []byte) (int, error) {
	if s.file == nil {
		return s.mem.Read(p)
	}
	return s.file.Read(p)
}

func (s *spooled) Close() error {
	if s.file == nil {
		return nil
	}
	return errors.Join(s.file.Close(), os.Remove(s.file.Name()))
}
