package verifytest

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/trailseal/trailseal/verify"
)

// Tries is how often Read opens an object whose body breaks.
const Tries = 4

// Read opens an object and hands it to use, again where its body breaks.
func (s *Store) Read(ctx context.Context, ref verify.Ref, use func(verify.Object) error) error {
	for try := 1; ; try++ {
		if try > 1 {
			s.count(ctx, "retry")
		}
		if err := s.count(ctx, "get"); err != nil {
			return err
		}
		err := s.readOnce(ref, use)
		if !errors.Is(err, errBroken) {
			return err
		}
		if try == Tries {
			return &verify.UnreadableError{What: ref.URI(), Reason: verify.ReadFailed, Err: err}
		}
	}
}

var errBroken = errors.New("the body broke half-way")

func (s *Store) readOnce(ref verify.Ref, use func(verify.Object) error) error {
	if err := s.faults.read[ref]; err != nil {
		return err
	}
	if s.faults.match != nil {
		if err := s.faults.match(ref); err != nil {
			return err
		}
	}
	o, ok := s.w.Get(ref)
	if !ok {
		return &verify.NotFoundError{Ref: ref}
	}
	body := io.Reader(bytes.NewReader(o.Bytes))
	broken := s.breaks(ref)
	if broken {
		body = io.MultiReader(bytes.NewReader(o.Bytes[:len(o.Bytes)/2]), brokenReader{})
	}
	found := verify.Object{Body: body, Size: int64(len(o.Bytes))}
	if !s.Copy {
		found.Metadata, found.SSE = o.Metadata, verify.SSE{Algorithm: o.SSE, Key: o.Key}
	}
	return use(found)
}

func (s *Store) breaks(ref verify.Ref) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.faults.cuts[ref]
	if n > 0 {
		s.faults.cuts[ref]--
	}
	return n != 0
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errBroken }
