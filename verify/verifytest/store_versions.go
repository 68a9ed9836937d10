package verifytest

import (
	"bytes"
	"context"
	"iter"

	"github.com/trailseal/trailseal/verify"
)

var _ verify.Versioned = (*Store)(nil)

// Versions lists an object's versions, the newest first.
func (s *Store) Versions(ctx context.Context, ref verify.Ref, most int) (all []verify.Version, more bool, err error) {
	if err := s.count(ctx, "versions"); err != nil {
		return nil, false, err
	}
	if err := s.faults.versions; err != nil {
		return nil, false, err
	}
	for i, v := range s.w.Versions(ref) {
		if i == most {
			return all, true, nil
		}
		all = append(all, verify.Version{ID: v.ID, Modified: v.Modified, Size: int64(len(v.Bytes)), Owner: v.Owner, Latest: i == 0, Marker: v.Marker})
	}
	return all, false, nil
}

// Hidden yields what a delete marker hides.
func (s *Store) Hidden(ctx context.Context, at verify.Ref, after, until string) iter.Seq2[verify.Entry, error] {
	return func(yield func(verify.Entry, error) bool) {
		err := s.count(ctx, "versions")
		if err == nil {
			err = s.faults.versions
		}
		if err != nil {
			yield(verify.Entry{}, err)
			return
		}
		for _, v := range s.w.allVersions(at.Bucket, at.Key) {
			hidden := v.latest && v.Marker && v.key > after && (until == "" || v.key < until)
			if hidden && !yield(verify.Entry{Ref: verify.Ref{Bucket: at.Bucket, Key: v.key}, Modified: v.Modified}, nil) {
				return
			}
		}
	}
}

// ReadVersion opens one version of an object.
func (s *Store) ReadVersion(ctx context.Context, ref verify.Ref, id string, use func(verify.Object) error) error {
	if err := s.count(ctx, "get"); err != nil {
		return err
	}
	for _, v := range s.w.Versions(ref) {
		if v.ID == id && !v.Marker {
			return use(verify.Object{Body: bytes.NewReader(v.Bytes), Size: int64(len(v.Bytes)), Metadata: v.Metadata, Version: id})
		}
	}
	return &verify.NotFoundError{Ref: ref}
}

// FailVersions makes every listing of versions fail.
func (s *Store) FailVersions(err error) { s.faults.versions = err }
