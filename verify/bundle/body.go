package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
)

// A memoryBody is a whole entry in memory.
type memoryBody struct{ *bytes.Reader }

func (memoryBody) Close() error { return nil }

// checked gives an entry's bytes. A small one is checked before any of it is
// given: where it is not what was collected, the bytes that are there come with
// the error. A larger one ends in the error in place of io.EOF. whole is told once
// an entry was read and is what it must be; it may be nil.
func checked(raw io.ReadCloser, e entry, whole func()) (Body, error) {
	if whole == nil {
		whole = func() {}
	}
	if e.size > wholeBytes {
		return &checkedBody{raw: raw, e: e, h: sha256.New(), whole: whole}, nil
	}
	defer raw.Close()
	text := make([]byte, e.size+1)
	got, err := io.ReadFull(raw, text)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	n := int64(got)
	text = text[:min(n, e.size)]
	b := memoryBody{bytes.NewReader(text)}
	switch {
	case err != nil:
		return b, damage(err)
	case n != e.size:
		return b, fmt.Errorf("%w: %d bytes and not %d", ErrAltered, n, e.size)
	case hashOf(text) != e.sha256:
		return b, fmt.Errorf("%w: its SHA-256 is another", ErrAltered)
	}
	whole()
	return b, nil
}

// A checkedBody hashes a large entry while it is read.
type checkedBody struct {
	raw   io.ReadCloser
	e     entry
	h     hash.Hash
	n     int64
	whole func()
}

func (b *checkedBody) Read(p []byte) (int, error) {
	n, err := b.raw.Read(p)
	b.h.Write(p[:n])
	b.n += int64(n)
	switch {
	case err == io.EOF && (b.n != b.e.size || hex.EncodeToString(b.h.Sum(nil)) != b.e.sha256):
		return n, fmt.Errorf("%w: its size or its SHA-256 is another", ErrAltered)
	case err == io.EOF:
		b.whole()
	case err == nil && b.n > b.e.size:
		return n, fmt.Errorf("%w: it is longer than %d bytes", ErrAltered, b.e.size)
	case err != nil:
		err = damage(err)
	}
	return n, err
}

func (b *checkedBody) Close() error { return b.raw.Close() }
