package kms

import (
	"errors"
	"io"
)

// readFull fills b. The error is io.EOF where the reader ended before that, and
// otherwise the reader's own: io.ReadFull gives io.ErrUnexpectedEOF for both.
func readFull(r io.Reader, b []byte) (n int, err error) {
	for idle := 0; n < len(b); {
		m, err := r.Read(b[n:])
		n += m
		if err != nil && n < len(b) {
			return n, err
		}
		if idle++; m > 0 {
			idle = 0
		}
		if idle > 100 {
			return n, io.ErrNoProgress
		}
	}
	return n, nil
}

// ended says whether nothing is left of a reader. A transport that checks what it
// carried says so only here.
func ended(r io.Reader) (bool, error) {
	n, err := readFull(r, make([]byte, 1))
	if err == io.EOF {
		err = nil
	}
	return n == 0, err
}

// judged is err, unless it blames the bytes while the rest of the body cannot be
// read: then the transport may be what altered them, and its error stands.
func judged(err error, rest io.Reader, limit int64) error {
	if _, blames := errors.AsType[*AlteredError](err); blames {
		if _, broken := io.CopyN(io.Discard, rest, limit); broken != nil && broken != io.EOF {
			return broken
		}
	}
	return err
}
