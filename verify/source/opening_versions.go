package source

import (
	"context"
	"io"
	"iter"

	"github.com/trailseal/trailseal/verify"
)

// Versions lists the store's, where it has any.
func (s *Opening) Versions(ctx context.Context, ref verify.Ref, most int) ([]verify.Version, bool, error) {
	v, ok := s.Store.(verify.Versioned)
	if !ok {
		return nil, false, nil
	}
	return v.Versions(ctx, ref, most)
}

// Hidden yields what a delete marker hides in the store.
func (s *Opening) Hidden(ctx context.Context, at verify.Ref, after, until string) iter.Seq2[verify.Entry, error] {
	v, ok := s.Store.(verify.Versioned)
	if !ok {
		return func(func(verify.Entry, error) bool) {}
	}
	return v.Hidden(ctx, at, after, until)
}

// ReadVersion opens a version, and what is sealed in it.
func (s *Opening) ReadVersion(ctx context.Context, ref verify.Ref, id string, use func(verify.Object) error) error {
	v, ok := s.Store.(verify.Versioned)
	if !ok {
		return &verify.NotFoundError{Ref: ref}
	}
	return s.read(ctx, ref, true, func(use func(verify.Object) error) error { return v.ReadVersion(ctx, ref, id, use) }, use)
}

// formerInstruction is the newest version of an instruction file that is gone; nil
// where there is none.
func (s *Opening) formerInstruction(ctx context.Context, ref verify.Ref) (text []byte, err error) {
	v, ok := s.Store.(verify.Versioned)
	if !ok {
		return nil, nil
	}
	versions, _, err := v.Versions(ctx, ref, 100)
	for _, version := range versions {
		if err != nil || version.Marker {
			continue
		}
		err = v.ReadVersion(ctx, ref, version.ID, func(o verify.Object) (err error) {
			text, err = io.ReadAll(io.LimitReader(o.Body, maxInstructionBytes+1))
			return err
		})
		if err != nil || len(text) > maxInstructionBytes {
			return nil, err
		}
		return text, nil
	}
	return nil, err
}

// Versions lists those of an object in the copy.
func (c *CopyOf) Versions(ctx context.Context, ref verify.Ref, most int) ([]verify.Version, bool, error) {
	there, err := c.there(ref)
	v, ok := c.Store.(verify.Versioned)
	if err != nil || !ok {
		return nil, false, err
	}
	versions, more, err := v.Versions(ctx, there, most)
	for i := range versions {
		versions[i].At = there // what restores it must not touch the original
	}
	return versions, more, err
}

// Hidden yields what a delete marker hides in the copy, by the names of the original.
func (c *CopyOf) Hidden(ctx context.Context, at verify.Ref, after, until string) iter.Seq2[verify.Entry, error] {
	return func(yield func(verify.Entry, error) bool) {
		there, err := c.there(at)
		v, ok := c.Store.(verify.Versioned)
		if err != nil || !ok {
			return
		}
		for e, err := range v.Hidden(ctx, there, c.bound(after), c.bound(until)) {
			if err == nil {
				e.Ref = c.here(e.Ref)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// ReadVersion reads a version of an object in the copy.
func (c *CopyOf) ReadVersion(ctx context.Context, ref verify.Ref, id string, use func(verify.Object) error) error {
	there, err := c.there(ref)
	v, ok := c.Store.(verify.Versioned)
	if err != nil || !ok {
		return err
	}
	return v.ReadVersion(ctx, there, id, use)
}
