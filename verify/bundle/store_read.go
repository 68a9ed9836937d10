package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/trailseal/trailseal/verify"
)

// Read plays an object back. Bytes that are not those collected are given all the
// same, for what a digest says of them decides; the testimony tells of them.
func (s *Store) Read(ctx context.Context, ref verify.Ref, use func(verify.Object) error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.gets.Add(1)
	rec, ok, err := s.from.index.get(ref)
	switch {
	case err != nil:
		return &verify.UnreadableError{What: objectAt(ref), Reason: verify.ReadFailed, Err: err, Hint: alteredHint}
	case ok && rec.Object != nil:
		return s.play(rec, use)
	case ok && rec.Missing:
		return &verify.NotFoundError{Ref: ref}
	case ok && rec.Unreadable != nil:
		return rec.Unreadable.again()
	}
	return notCollected(objectAt(ref))
}

const alteredHint = "the bundle is not what was collected: take another copy of it"

func (s *Store) play(rec numberedRecord, use func(verify.Object) error) error {
	o := rec.Object.object()
	if o.Altered != nil {
		o.Body = bytes.NewReader(nil)
		return use(o)
	}
	body, err := s.from.bodyOf(rec)
	if body == nil || err != nil && !errors.Is(err, ErrAltered) {
		if isGone(err) {
			err = fmt.Errorf("it is missing from the bundle, or is no longer a plain file of its size: %w", err)
		}
		return &verify.UnreadableError{What: objectAt(rec.Ref), Reason: verify.ReadFailed, Err: err, Hint: alteredHint}
	}
	defer body.Close()
	if _, ok := body.(inMemory); ok {
		return playBody(rec.Record, o, body, use)
	}
	b := &lenient{r: body}
	err = playBody(rec.Record, o, b, use)
	if errors.Is(err, errRest) {
		return &verify.UnreadableError{What: objectAt(rec.Ref), Reason: verify.NotCopied, Err: errRest}
	}
	if b.broke != nil {
		return &verify.UnreadableError{What: objectAt(rec.Ref), Reason: verify.ReadFailed, Err: b.broke}
	}
	return err
}

// A lenient body ends where its bytes do, also where they are others than were
// collected.
type lenient struct {
	r     io.Reader
	broke error
}

func (l *lenient) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	switch {
	case err == nil || err == io.EOF:
	case errors.Is(err, ErrAltered):
		err = io.EOF
	default:
		l.broke = err
	}
	return n, err
}

// List plays a listing back, as far as it was seen.
func (s *Store) List(ctx context.Context, at verify.Ref, after, until string) iter.Seq2[verify.Entry, error] {
	return func(yield func(verify.Entry, error) bool) {
		s.lists.Add(1)
		if err := s.answered(ctx, listingsFile, listingAt(at)); err != nil {
			yield(verify.Entry{}, err)
			return
		}
		from, end, some := bounds(at.Key, after, until)
		if !some {
			return
		}
		to, problem := s.reach(query{at, after, until}, from, end)
		if to == "" || to > from {
			for rec, err := range s.from.List(at.Bucket, before(from), to) {
				switch {
				case ctx.Err() != nil:
					err = ctx.Err()
				case err != nil:
					err = &verify.UnreadableError{What: listingAt(at), Reason: verify.ReadFailed, Err: err, Hint: alteredHint}
				case !rec.Listed || rec.Ref.Key < from:
					continue
				}
				if !yield(verify.Entry{Ref: rec.Ref, Size: rec.ListedSize, Modified: rec.Modified}, err) || err != nil {
					return
				}
			}
		}
		if problem != nil {
			yield(verify.Entry{}, problem)
		}
	}
}

// reach is up to where a listing was seen, and why no further.
func (s *Store) reach(q query, from, end string) (to string, problem error) {
	if f, ok := s.failed[q]; ok {
		return max(string(f.To), from), f.Error.again()
	}
	seen, ok := "", false
	if s.listed[q.at.Bucket] != nil {
		seen, ok = s.listed[q.at.Bucket].reach(from)
	}
	switch {
	case !ok:
		return from, notCollected(listingAt(q.at))
	case earlier(seen, end):
		return seen, notCollected(listingAt(q.at))
	}
	return end, nil
}
