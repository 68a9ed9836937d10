package kms

import (
	"errors"
	"fmt"
	"slices"
	"strings"
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
// multi-region key is asked for where the user named it, never where the object
// does: an object must not choose which region, or whose partition, is sent a
// signed request. Where every key is allowed it may, among those there can be.
func (o *Opener) keysFor(named string) (keys []string) {
	for _, k := range o.Keys {
		if sameKey(k, named) && !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	if o.AnyKey && !slices.Contains(keys, named) && inPartition(named) {
		keys = append(keys, named)
	}
	return keys
}

// partitions are the beginnings of the regions of other partitions than aws.
var partitions = []struct{ region, partition string }{
	{"cn-", "aws-cn"}, {"us-gov-", "aws-us-gov"}, {"us-iso-", "aws-iso"}, {"us-isob-", "aws-iso-b"},
	{"eu-isoe-", "aws-iso-e"}, {"us-isof-", "aws-iso-f"}, {"eusc-", "aws-eusc"},
}

// inPartition reports whether a key's region is one of the partition that its
// ARN names.
func inPartition(arn string) bool {
	return strings.HasPrefix(arn, "arn:"+Partition(KeyRegion(arn))+":")
}

// Partition is the partition that a region is of: "aws", "aws-cn", …
func Partition(region string) string {
	for _, p := range partitions {
		if strings.HasPrefix(region, p.region) {
			return p.partition
		}
	}
	return "aws"
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
		if h := keyLike(hinted); h != "" && inPartition(h) && !slices.Contains(keys, h) {
			keys = append(keys, h) // in its own region, which "" does not ask
		}
		keys = append(keys, "")
	}
	return keys
}
