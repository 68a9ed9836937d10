package kms

import (
	"errors"
	"fmt"
	"slices"
)

// notAllowed says that a key may not be asked: the one that an object names, or
// whichever it was sealed with.
func notAllowed(key string) *RefusedError {
	err := errors.New("sealed with a KMS key that may not be asked")
	if key != "" {
		err = fmt.Errorf("sealed with %.200q, which may not be asked", key)
	}
	return &RefusedError{Reason: KeyNotAllowed, Key: keyLike(key), Hint: keyHint, Err: err}
}

// allows says whether a key may be used.
func (o *Opener) allows(key string) bool {
	return o.AnyKey || slices.ContainsFunc(o.Keys, func(k string) bool { return sameKey(k, key) })
}

// keysFor lists whom to ask where an object names its key, which is an ARN. A
// multi-region key is asked for first in the region that the user named, which
// is the one he can reach, then in the object's.
func (o *Opener) keysFor(named string) (keys []string) {
	for _, k := range o.Keys {
		if sameKey(k, named) && !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	if (o.AnyKey || len(keys) > 0) && !slices.Contains(keys, named) {
		keys = append(keys, named)
	}
	return keys
}

// keysForAny lists whom to ask where an object does not name its key, or only
// hints at it: every allowed key, the hinted one first, and then whichever KMS
// finds, where that is allowed.
func (o *Opener) keysForAny(hinted string) (keys []string) {
	for _, k := range o.Keys {
		switch {
		case slices.Contains(keys, k):
		case sameKey(k, hinted):
			keys = slices.Insert(keys, 0, k)
		default:
			keys = append(keys, k)
		}
	}
	if o.AnyKey {
		keys = append(keys, "")
	}
	return keys
}
