package source

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/trailseal/trailseal/verify"
)

var _ verify.Versioned = (*S3)(nil)

// Versions lists an object's versions and delete markers, the newest first. Those
// of other objects whose keys begin like this one's are passed over.
func (s *S3) Versions(ctx context.Context, ref verify.Ref, most int) (all []verify.Version, more bool, err error) {
	in := &s3.ListObjectVersionsInput{Bucket: &ref.Bucket, Prefix: &ref.Key, EncodingType: types.EncodingTypeUrl}
	if s.payer {
		in.RequestPayer = types.RequestPayerRequester
	}
	for {
		page, err := s.versionPage(ctx, ref, in)
		if err != nil {
			return nil, false, err
		}
		beyond, err := add(&all, page, ref.Key)
		if err != nil {
			return nil, false, incomplete(ref, err)
		}
		next, err := nextVersions(in, page)
		if err != nil {
			return nil, false, incomplete(ref, err)
		}
		if beyond || len(all) > most || !next {
			newestFirst(all)
			return all[:min(len(all), most)], len(all) > most, nil
		}
	}
}

// add takes the object's own versions from a page; beyond: others follow.
func add(all *[]verify.Version, page *s3.ListObjectVersionsOutput, key string) (beyond bool, err error) {
	own := func(listed *string) bool {
		name, failed := unescaped(page.EncodingType, listed)
		if failed != nil {
			err = failed
		}
		beyond = beyond || name > key
		return name == key
	}
	for _, v := range page.Versions {
		if own(v.Key) {
			*all = append(*all, verify.Version{ID: aws.ToString(v.VersionId), Modified: aws.ToTime(v.LastModified).UTC(),
				Size: aws.ToInt64(v.Size), Owner: owner(v.Owner), Latest: aws.ToBool(v.IsLatest)})
		}
	}
	for _, m := range page.DeleteMarkers {
		if own(m.Key) {
			*all = append(*all, verify.Version{ID: aws.ToString(m.VersionId), Modified: aws.ToTime(m.LastModified).UTC(),
				Owner: owner(m.Owner), Latest: aws.ToBool(m.IsLatest), Marker: true})
		}
	}
	return beyond, err
}

func owner(o *types.Owner) string {
	if o == nil {
		return ""
	}
	return aws.ToString(o.ID)
}

// newestFirst puts versions and delete markers, which come in lists of their own,
// into one order. S3 tells times to the second.
func newestFirst(all []verify.Version) {
	latest := func(v verify.Version) int {
		if v.Latest {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(all, func(a, b verify.Version) int {
		return cmp.Or(cmp.Compare(latest(a), latest(b)), b.Modified.Compare(a.Modified))
	})
}

func (s *S3) versionPage(ctx context.Context, ref verify.Ref, in *s3.ListObjectVersionsInput) (page *s3.ListObjectVersionsOutput, err error) {
	err = s.retrier.do(ctx, func() error {
		page, err = s.versionPageOnce(ctx, ref, in)
		return err
	})
	var u *verify.UnreadableError
	if errors.As(err, &u) && u.Reason == verify.AccessDenied {
		return nil, with(u, u.Reason, "the caller needs s3:ListBucketVersions on the bucket")
	}
	return page, err
}

func (s *S3) versionPageOnce(ctx context.Context, ref verify.Ref, in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
	place, err := s.places.of(ctx, ref.Bucket)
	if err != nil {
		return nil, refused(listing(ref), verify.ReadFailed, "", err)
	}
	if err := s.limiter.acquire(ctx); err != nil {
		return nil, err
	}
	slot := &slot{s.limiter}
	defer slot.release(neutral)
	outer := ctx
	ctx, x := begin(ctx)
	defer x.cancel(nil)
	s.versions.Add(1)
	page, err := s.client.ListObjectVersions(ctx, in, func(o *s3.Options) { o.Region = place.region })
	switch {
	case err == nil && page.Name == nil && page.IsTruncated == nil:
		return nil, refused(listing(ref), verify.ReadFailed, "does the endpoint speak S3?", errNoListing)
	case err == nil:
		slot.release(success)
		return page, nil
	case outer.Err() != nil:
		return nil, outer.Err()
	}
	return nil, s.mend(ctx, listFault(ctx, err, x, ref), slot, x, place, ref.Bucket)
}

// Hidden yields what a delete marker hides.
func (s *S3) Hidden(ctx context.Context, at verify.Ref, after, until string) iter.Seq2[verify.Entry, error] {
	in := &s3.ListObjectVersionsInput{Bucket: &at.Bucket, Prefix: &at.Key, EncodingType: types.EncodingTypeUrl}
	if after != "" {
		in.KeyMarker = &after
	}
	if s.payer {
		in.RequestPayer = types.RequestPayerRequester
	}
	return func(yield func(verify.Entry, error) bool) {
		for {
			page, err := s.versionPage(ctx, at, in)
			if err != nil {
				yield(verify.Entry{}, err)
				return
			}
			for _, m := range page.DeleteMarkers {
				key, err := unescaped(page.EncodingType, m.Key)
				if err != nil {
					yield(verify.Entry{}, incomplete(at, err))
					return
				}
				hidden := aws.ToBool(m.IsLatest) && strings.HasPrefix(key, at.Key) && (until == "" || key < until)
				if hidden && !yield(verify.Entry{Ref: verify.Ref{Bucket: at.Bucket, Key: key}, Modified: aws.ToTime(m.LastModified).UTC()}, nil) {
					return
				}
			}
			more, err := nextVersions(in, page)
			if err != nil {
				yield(verify.Entry{}, incomplete(at, err))
				return
			}
			if !more || until != "" && aws.ToString(in.KeyMarker) >= until {
				return
			}
		}
	}
}

// nextVersions asks for the next page, where there is one.
func nextVersions(in *s3.ListObjectVersionsInput, page *s3.ListObjectVersionsOutput) (bool, error) {
	if !aws.ToBool(page.IsTruncated) {
		return false, nil
	}
	next, err := unescaped(page.EncodingType, page.NextKeyMarker)
	if err != nil || next == "" || next == aws.ToString(in.KeyMarker) && aws.ToString(page.NextVersionIdMarker) == aws.ToString(in.VersionIdMarker) {
		return false, errors.New("the store says that there are more versions, but not how to ask for them")
	}
	in.KeyMarker, in.VersionIdMarker = &next, page.NextVersionIdMarker
	return true, nil
}

// ReadVersion is Read of one version.
func (s *S3) ReadVersion(ctx context.Context, ref verify.Ref, id string, use func(verify.Object) error) error {
	err := s.retrier.do(ctx, func() error { return s.readOnce(ctx, ref, id, use) })
	var u *verify.UnreadableError
	if errors.As(err, &u) && u.Reason == verify.AccessDenied {
		return with(u, u.Reason, "the caller needs s3:GetObjectVersion")
	}
	return err
}
