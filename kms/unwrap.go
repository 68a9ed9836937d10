package kms

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// mostWrapped is the longest ciphertext that KMS's Decrypt takes, in bytes.
const mostWrapped = 6144

// A wrapped is a data key as an object holds it, and how KMS may be asked.
type wrapped struct {
	blob     []byte
	contexts []map[string]string // encryption contexts it may be under, the likeliest first
	keys     []string            // to ask, in this order; "" leaves the choice to KMS
	named    string              // the key that the object itself names, where that is an ARN
}

// unwrap asks KMS for a data key. A key that refuses is followed by the next, for
// not every store tells a wrong key from a wrong context; where all refuse, the
// most telling refusal is the error. The key that KMS says it used must be an
// allowed one, whatever it was asked.
func (o *Opener) unwrap(ctx context.Context, w wrapped) (dataKey []byte, used string, err error) {
	var worst *RefusedError
	for _, key := range w.keys {
		dataKey, used, err := o.unwrapWith(ctx, w, key)
		if err == nil && o.allows(used) {
			return dataKey, used, nil
		}
		if err == nil {
			err = notAllowed(used)
		}
		r, refused := errors.AsType[*RefusedError](err)
		if !refused {
			return nil, "", err
		}
		worst = moreTelling(worst, r)
	}
	if worst == nil {
		worst = notAllowed(w.named)
	}
	return nil, "", worst
}

// unwrapWith asks with one key, under one context after the other as long as KMS
// says that it may be the context.
func (o *Opener) unwrapWith(ctx context.Context, w wrapped, key string) (dataKey []byte, used string, err error) {
	for _, c := range w.contexts {
		dataKey, used, err = o.KMS.Decrypt(ctx, w.blob, c, key)
		if err == nil {
			if used == "" {
				used = key
			}
			return dataKey, used, nil
		}
		err = refusal(ctx, err, key, w.named)
		if r, ok := errors.AsType[*RefusedError](err); !ok || r.Reason != EnvelopeRefused {
			break
		}
	}
	return nil, "", err
}

// refusal makes a *RefusedError of what KMS answered. Only where the caller gave
// up is the error left as it is: a deadline of the network's own is a KMS that
// did not answer.
func refusal(ctx context.Context, err error, key, named string) error {
	if ctx.Err() != nil || errors.Is(err, context.Canceled) {
		return err
	}
	if r, own := errors.AsType[*RefusedError](err); own {
		return r // it was not even asked
	}
	r := &RefusedError{Key: key, Err: fmt.Errorf("KMS does not give the data key: %w", err)}
	var coded interface {
		ErrorCode() string
		ErrorMessage() string
	}
	if errors.As(err, &coded) {
		code, message := coded.ErrorCode(), coded.ErrorMessage()
		r.Reason, r.Hint = Classify(code, message)
		r.Err = fmt.Errorf("KMS does not give the data key: %s: %.1000q", code, message)
		if key == "" && r.Reason != KeyNotAllowed {
			r.Key = KeyIn(message)
		}
	}
	if r.Key == "" {
		r.Key = named
	}
	if key == "" && (r.Reason == Denied || r.Reason == KeyNotFound) {
		r.Hint += "; the configured region alone was asked: --kms-key ARN says where the key is"
	}
	switch r.Reason {
	case "":
		r.Reason, r.Hint = Unreachable, ""
	case KeyNotAllowed: // the key that was asked is allowed, and is not the one
		r.Key = named
	}
	return r
}

// telling is the order in which refusals of several keys are reported: first
// what another run may change, then what is known of a key, and last what may
// only mean that another key is the right one.
var telling = [...]Reason{Throttled, Unreachable, KeyDisabled, KeyPending, KeyUnusable, KeyChanged,
	EnvelopeRefused, KeyNotFound, Denied, KeyNotAllowed}

func moreTelling(a, b *RefusedError) *RefusedError {
	if a != nil && slices.Index(telling[:], a.Reason) <= slices.Index(telling[:], b.Reason) {
		return a
	}
	return b
}
