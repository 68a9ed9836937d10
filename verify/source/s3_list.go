package source

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
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
		for _, prefix := range page.prefixes {
			name, err := below(at, page, prefix)
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
			for _, o := range page.objects {
				key, err := keyIn(at, page, o.key)
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
				if !yield(verify.Entry{Ref: verify.Ref{Bucket: at.Bucket, Key: key}, Size: o.size, Modified: o.modified.UTC()}, nil) {
					return
				}
			}
		}
	}
}

// below is a listed name without the prefix.
func below(at verify.Ref, p *page, name []byte) (string, error) {
	key, err := keyIn(at, p, name)
	return strings.TrimPrefix(key, at.Key), err
}

// keyIn is a listed name, unescaped where the answer says that it is escaped: keys
// may hold bytes that XML cannot. It must lie where was asked.
func keyIn(at verify.Ref, p *page, name []byte) (key string, err error) {
	key = string(name)
	if p.escaped && bytes.ContainsAny(name, "%+") {
		if key, err = url.QueryUnescape(key); err != nil {
			return "", err
		}
	}
	if !strings.HasPrefix(key, at.Key) {
		return "", errors.New("the store's answer names a key outside of the prefix asked for")
	}
	return key, nil
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
	var unsigned *unsignedError
	if errors.As(err, &unsigned) {
		return refused(what, verify.AccessDenied, credentialsHint, err)
	}
	return refused(what, verify.ReadFailed, "", err) // never sent, or not understood
}
