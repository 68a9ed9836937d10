package source

import (
	"context"
	"errors"
	"iter"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/trailseal/trailseal/verify"
)

// Dirs lists one level of folders, by delimiter listings.
func (s *S3) Dirs(ctx context.Context, at verify.Ref) ([]string, error) {
	var dirs []string
	for page, err := range s.pages(ctx, at, "", "/") {
		if err != nil {
			return nil, err
		}
		for _, p := range page.CommonPrefixes {
			name, err := below(at, page, p.Prefix)
			if err != nil {
				return nil, incomplete(at, err)
			}
			dirs = append(dirs, name)
		}
	}
	return dirs, nil
}

// List yields a prefix's objects, 1,000 a request, and asks for no page past
// until. A listing out of order is an error: what it left out is unknown.
func (s *S3) List(ctx context.Context, at verify.Ref, after, until string) iter.Seq2[verify.Entry, error] {
	return func(yield func(verify.Entry, error) bool) {
		last := after
		for page, err := range s.pages(ctx, at, after, "") {
			if err != nil {
				yield(verify.Entry{}, err)
				return
			}
			for _, o := range page.Contents {
				name, err := below(at, page, o.Key)
				key := at.Key + name
				if err == nil && key <= last && last != "" {
					err = errors.New("the store's answer is not in the order of its keys")
				}
				if err != nil {
					yield(verify.Entry{}, incomplete(at, err))
					return
				}
				last = key
				if until != "" && key >= until {
					return
				}
				if !yield(entry(verify.Ref{Bucket: at.Bucket, Key: key}, o), nil) {
					return
				}
			}
		}
	}
}

func entry(ref verify.Ref, o types.Object) verify.Entry {
	return verify.Entry{Ref: ref, Size: aws.ToInt64(o.Size), Modified: aws.ToTime(o.LastModified).UTC()}
}

// below is a listed name without the prefix, unescaped where the answer says
// that it is escaped: keys may hold bytes that XML cannot.
func below(at verify.Ref, page *s3.ListObjectsV2Output, listed *string) (string, error) {
	key, err := unescaped(page.EncodingType, listed)
	if err != nil {
		return "", err
	}
	name, ok := strings.CutPrefix(key, at.Key)
	if !ok {
		return "", errors.New("the store's answer names a key outside of the prefix asked for")
	}
	return name, nil
}

// unescaped is a listed key, which is escaped only where the answer says so: not
// every store does it when asked.
func unescaped(encoding types.EncodingType, listed *string) (string, error) {
	if encoding != types.EncodingTypeUrl {
		return aws.ToString(listed), nil
	}
	return url.QueryUnescape(aws.ToString(listed))
}

func incomplete(at verify.Ref, err error) error {
	return &verify.UnreadableError{What: listing(at), Reason: verify.ReadFailed, Err: err}
}

// pages yields the pages of a listing, each asked for when it is wanted.
func (s *S3) pages(ctx context.Context, at verify.Ref, after, delimiter string) iter.Seq2[*s3.ListObjectsV2Output, error] {
	in := &s3.ListObjectsV2Input{Bucket: &at.Bucket, Prefix: &at.Key, EncodingType: types.EncodingTypeUrl}
	if after != "" {
		in.StartAfter = &after
	}
	if delimiter != "" {
		in.Delimiter = &delimiter
	}
	if s.payer {
		in.RequestPayer = types.RequestPayerRequester
	}
	return func(yield func(*s3.ListObjectsV2Output, error) bool) {
		for {
			page, err := s.page(ctx, at, in)
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(page, nil) || !aws.ToBool(page.IsTruncated) {
				return
			}
			next := aws.ToString(page.NextContinuationToken)
			if next == "" || next == aws.ToString(in.ContinuationToken) {
				yield(nil, incomplete(at, errors.New("the store says that there is more, but not how to ask for it")))
				return
			}
			in.ContinuationToken = &next
		}
	}
}

// page asks for one page, again where that may help.
func (s *S3) page(ctx context.Context, at verify.Ref, in *s3.ListObjectsV2Input) (page *s3.ListObjectsV2Output, err error) {
	err = s.retrier.do(ctx, func() error {
		page, err = s.pageOnce(ctx, at, in)
		return err
	})
	return page, s.explain(ctx, at.Bucket, err)
}

func (s *S3) pageOnce(ctx context.Context, at verify.Ref, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	place, err := s.places.of(ctx, at.Bucket)
	if err != nil {
		return nil, refused(listing(at), verify.ReadFailed, "", err)
	}
	if err := s.limiter.acquire(ctx); err != nil {
		return nil, err
	}
	slot := &slot{s.limiter}
	defer slot.release(neutral)
	outer := ctx
	ctx, x := begin(ctx)
	defer x.cancel(nil)
	s.lists.Add(1)
	page, err := s.client.ListObjectsV2(ctx, in, func(o *s3.Options) { o.Region = place.region })
	if err == nil {
		slot.release(success)
		if page.Name == nil && page.IsTruncated == nil && page.KeyCount == nil {
			// The SDK takes a body that is no listing at all for an empty one.
			return nil, refused(listing(at), verify.ReadFailed, "does the endpoint speak S3?", errNoListing)
		}
		return page, nil
	}
	if outer.Err() != nil {
		return nil, outer.Err()
	}
	return nil, s.mend(ctx, listFault(ctx, err, x, at), slot, x, place, at.Bucket)
}

var errNoListing = errors.New("the answer is not a listing")

// listFault sorts a failed listing. NoSuchKey is no answer to one, so a
// NotFoundError never comes of it.
func listFault(ctx context.Context, err error, x *exchange, at verify.Ref) *fault {
	what := listing(at)
	switch {
	case x.answer != nil:
		f := decide(x.answer, what, at)
		var missing *verify.NotFoundError
		if errors.As(f.err, &missing) {
			f = refused(what, verify.ReadFailed, "", x.answer)
		}
		var u *verify.UnreadableError
		if errors.As(f.err, &u) && u.Reason == verify.AccessDenied && x.answer.code == "AccessDenied" {
			u.Hint = "the caller needs s3:ListBucket on the bucket"
		}
		return f
	case x.broken != nil:
		return broken(cause(ctx, x.broken), what)
	}
	return refused(what, verify.ReadFailed, "", err) // never sent, or not understood
}
