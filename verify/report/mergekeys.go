package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// mergeKeys joins the KMS keys of all reports. Their state is the latest that
// was asked for.
func mergeKeys(reports []*Saved) []verify.KeyUse {
	var keys []verify.KeyUse
	asked := map[string]time.Time{}
	for _, r := range reports {
		for _, k := range r.Summary.Keys {
			i := slices.IndexFunc(keys, func(of verify.KeyUse) bool { return of.ARN == k.ARN })
			if i < 0 {
				keys, asked[k.ARN] = append(keys, k), r.Summary.Finished
				continue
			}
			newer := r.Summary.Finished.After(asked[k.ARN])
			if newer {
				asked[k.ARN] = r.Summary.Finished
			}
			keys[i] = joinKeys(keys[i], k, newer)
		}
	}
	slices.SortFunc(keys, func(a, b verify.KeyUse) int { return cmp.Compare(a.ARN, b.ARN) })
	return keys
}

func joinKeys(a, b verify.KeyUse, newer bool) verify.KeyUse {
	joined, other := a, b
	if newer && b.State != "unknown" {
		joined, other = b, a
	}
	joined.Files, joined.Digests = a.Files+b.Files, a.Digests+b.Digests
	joined.Unreadable, joined.Bytes = a.Unreadable+b.Unreadable, a.Bytes+b.Bytes
	joined.First, joined.Last = earliest(a.First, b.First), latest(a.Last, b.Last)
	joined.Encryption = slices.Compact(slices.Sorted(slices.Values(slices.Concat(joined.Encryption, other.Encryption))))
	return joined
}

func earliest(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.Before(*a) {
		return b
	}
	return a
}

func latest(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.After(*a) {
		return b
	}
	return a
}
