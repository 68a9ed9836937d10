package source

import (
	"context"
	"errors"
	"iter"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// CopyOf is a store of a bucket that is a copy of another, as replication or an
// archive makes them. Files have the names that CloudTrail gave them in the
// original, for those are what digests sign and list; they are read where they
// lie in the copy. What lay elsewhere than in the original is not in the copy.
type CopyOf struct {
	verify.Store
	at, of verify.Ref // where the copy is, and what it is a copy of; each key empty or with a final "/"
	reads
}

// NewCopyOf wraps the store of a copy. original is s3://BUCKET[/PREFIX]; one that
// cannot be is a *UsageError.
func NewCopyOf(copied *S3, original string) (*CopyOf, error) {
	of, err := parseURI(original)
	if err != nil {
		return nil, err
	}
	return &CopyOf{Store: copied, at: copied.root, of: of}, nil
}

// Roots is the original's.
func (c *CopyOf) Roots(context.Context) ([]verify.Ref, error) { return []verify.Ref{c.of}, nil }

// Dirs lists a folder of the original, as the copy has it.
func (c *CopyOf) Dirs(ctx context.Context, at verify.Ref) ([]string, error) {
	there, err := c.there(at)
	if err != nil {
		return nil, err
	}
	return c.Store.Dirs(ctx, there)
}

// List yields the original's objects, as the copy has them.
func (c *CopyOf) List(ctx context.Context, at verify.Ref, after, until string) iter.Seq2[verify.Entry, error] {
	return func(yield func(verify.Entry, error) bool) {
		there, err := c.there(at)
		if err != nil {
			yield(verify.Entry{}, err)
			return
		}
		for e, err := range c.Store.List(ctx, there, c.bound(after), c.bound(until)) {
			if err == nil {
				e.Ref = c.here(e.Ref)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// Read opens one of the original's objects in the copy. That the copy lacks it
// is said with authority.
func (c *CopyOf) Read(ctx context.Context, ref verify.Ref, use func(verify.Object) error) error {
	there, err := c.there(ref)
	if err != nil {
		return err
	}
	err = c.Store.Read(ctx, there, use)
	if err == nil {
		c.read.Add(1)
	}
	var missing *verify.NotFoundError
	if errors.As(err, &missing) {
		return &verify.NotFoundError{Ref: ref}
	}
	return err
}

// there is where one of the original's objects lies in the copy.
func (c *CopyOf) there(ref verify.Ref) (verify.Ref, error) {
	if ref.Bucket != c.of.Bucket || !strings.HasPrefix(ref.Key, c.of.Key) {
		return verify.Ref{}, &verify.UnreadableError{What: object(ref), Reason: verify.NotCopied,
			Err: errors.New("the source is a copy of " + c.of.URI()), Hint: "verify that bucket and prefix, or its copy, in a run of its own"}
	}
	return verify.Ref{Bucket: c.at.Bucket, Key: c.at.Key + strings.TrimPrefix(ref.Key, c.of.Key)}, nil
}

// here is the name in the original of what lies in the copy.
func (c *CopyOf) here(there verify.Ref) verify.Ref {
	return verify.Ref{Bucket: c.of.Bucket, Key: c.of.Key + strings.TrimPrefix(there.Key, c.at.Key)}
}

// bound is a bound of a listing as it is in the copy; an empty one is none.
func (c *CopyOf) bound(key string) string {
	if key == "" {
		return ""
	}
	return c.at.Key + strings.TrimPrefix(key, c.of.Key)
}
