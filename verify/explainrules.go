package verify

import (
	"slices"
	"strings"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// darkens reports whether an event may be why a stretch of a chain has no digest.
func (m *matcher) darkens(l *lead, t *trouble) bool {
	switch t.kind {
	case Gap, Stale, NotStarted, NoDigests:
	default:
		return false
	}
	at := func(fits func(chainPlace) bool) bool { return slices.ContainsFunc(t.places, fits) }
	inBucket := func(c chainPlace) bool { return slices.Contains(c.buckets, l.bucket) }
	begins := l.deed.may&stops != 0 && near(l.Time, t.start) && t.kind != NotStarted
	ends := l.deed.may&starts != 0 && near(l.Time, t.end) && t.kind != Stale
	// What a lifecycle rule deletes is missing from the oldest end.
	oldest := l.deed.may&expires != 0 && t.kind != Stale && near(m.window.Start, t.start)
	switch {
	case l.deed.of == ofObject:
		return l.deed.may&removes != 0 && at(inBucket) && l.removesDigest(t)
	case !begins && !ends && !oldest:
		return false
	case l.deed.of == ofTrail:
		return at(l.onTrail)
	case l.deed.of == ofBucket:
		return at(inBucket)
	}
	return l.deed.of == ofKey
}

// removesDigest reports whether an event removed a digest of a stretch, or may
// have: where it does not say which objects it deleted, any that was there.
func (l *lead) removesDigest(t *trouble) bool {
	if l.blind {
		return !l.Time.Before(t.start)
	}
	for _, key := range l.keys {
		n, err := digest.ParseName(key)
		c := n.Chain
		if err == nil && (ChainRef{c.Organization, c.Account, c.Region, c.Trail, c.Backfill}) == *t.chain &&
			n.End.After(t.start) && !n.End.After(t.end) {
			return true
		}
	}
	return false
}

func near(a, b time.Time) bool { return !b.IsZero() && a.Sub(b).Abs() <= aroundEvent }

// removed reports whether an event may be why a file is gone: it came after the
// file, and not after it was gone. A lifecycle rule stays, and takes later files.
func (l *lead) removed(t *trouble) bool {
	switch {
	case t.verdict != Deleted, l.deed.may&(removes|expires) == 0:
		return false
	case !t.removed.IsZero() && l.Time.After(t.removed.Add(clockSlack)):
		return false
	case l.deed.may&expires != 0:
		return true
	case !t.removed.IsZero() && l.isRemoval() && l.Time.Before(t.removed.Add(-removalSlack)):
		return false
	}
	return !l.Time.Before(t.at.Add(-clockSlack))
}

// isRemoval reports whether an event deletes by itself, and at once.
func (l *lead) isRemoval() bool {
	return strings.HasPrefix(l.deed.name, "Delete") && l.deed.of == ofObject
}

// altered reports whether an event may be why a file is not what CloudTrail
// stored, or is there at all.
func (l *lead) altered(t *trouble) bool {
	switch t.verdict {
	case Modified, Unverified, Unreferenced, Pending:
		return l.deed.may&alters != 0 && !l.Time.Before(t.at.Add(-clockSlack))
	case Unreadable:
		return l.deed.may&(alters|locks) != 0 && !l.Time.Before(t.at.Add(-clockSlack))
	}
	return t.kind == LinkBroken && l.deed.may&alters != 0
}

// shut reports whether an event on a bucket may be why a file cannot be read.
func (l *lead) shut(t *trouble) bool {
	const payment = "PutBucketRequestPayment"
	if l.deed.may&locks == 0 {
		return false
	}
	if slices.Contains(t.reasons, RequesterPays) {
		return l.deed.name == payment
	}
	denied := slices.Contains(t.reasons, AccessDenied) || slices.Contains(t.reasons, BucketNotFound)
	return denied && l.deed.name != payment && !strings.Contains(l.deed.name, "Encryption")
}

// keyStates are the reasons that a key's own state and policy may be behind.
var keyStates = []Reason{KMSDenied, KMSKeyDisabled, KMSKeyPending, KMSKeyNotFound, KMSKeyUnusable, KMSKeyChanged}

// keyed reports whether an event on a key may be why files cannot be read, or why
// the key is as it is.
func (l *lead) keyed(t *trouble) bool {
	switch {
	case t.kind == KeyDoomed:
		return l.deed.may&dooms != 0
	case t.kind == KeyDisabled:
		return slices.Contains([]string{"DisableKey", "CancelKeyDeletion", "DeleteImportedKeyMaterial"}, l.deed.name)
	case t.kind == KeyForeign:
		return l.deed.may&rekeys != 0
	}
	return t.verdict == Unreadable && l.deed.may&locks != 0 && slices.ContainsFunc(t.reasons, func(r Reason) bool { return slices.Contains(keyStates, r) })
}
