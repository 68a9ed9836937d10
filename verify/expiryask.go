package verify

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// maxOldest bounds the digests of a folder's first day that are looked at.
const maxOldest = 1000

// expiries is what a run has found out about what buckets delete by themselves. It
// asks each bucket once, and only when something is missing there.
type expiries struct {
	mu     sync.Mutex
	rules  map[string]func() ([]Expiration, error)
	oldest map[oldestIn]func() time.Time
}

// An oldestIn is a folder of a region's logs or digests.
type oldestIn struct {
	folder   Ref
	backfill bool
}

// expired is the rule that had deleted what is missing at a place by a time, or
// nil. The error says why the bucket's rules are not known.
func (r *run) expired(ref Ref, stored, now time.Time) (*Expiration, error) {
	store, ok := r.Store.(Expiring)
	if !ok || stored.IsZero() {
		return nil, nil
	}
	rules, err := r.expiries.of(r.ctx, store, ref.Bucket)
	if rule := judgeExpiry(rules, ref.Key, stored, time.Time{}, now); rule == nil || err != nil {
		return nil, err
	}
	return judgeExpiry(rules, ref.Key, stored, r.expiries.oldestBy(r, ref), now), nil
}

func (x *expiries) of(ctx context.Context, store Expiring, bucket string) ([]Expiration, error) {
	x.mu.Lock()
	if x.rules == nil {
		x.rules = map[string]func() ([]Expiration, error){}
	}
	ask := x.rules[bucket]
	if ask == nil {
		ask = sync.OnceValues(func() ([]Expiration, error) { return store.Expirations(ctx, bucket) })
		x.rules[bucket] = ask
	}
	x.mu.Unlock()
	return ask()
}

// oldestBy is the time of the oldest file of the folder that a file is in, by its
// name; the zero time where there is none, and one before all where it is not
// known. Names and not S3's times count, because who stores a file again makes it
// young.
func (x *expiries) oldestBy(r *run, ref Ref) time.Time {
	in := oldestIn{folder: Ref{ref.Bucket, dayRoot(ref.Key)}}
	if n, err := digest.ParseName(ref.Key); err == nil {
		in.backfill = n.Chain.Backfill
	}
	x.mu.Lock()
	if x.oldest == nil {
		x.oldest = map[oldestIn]func() time.Time{}
	}
	look := x.oldest[in]
	if look == nil {
		look = sync.OnceValue(func() time.Time { return r.oldestOf(in) })
		x.oldest[in] = look
	}
	x.mu.Unlock()
	return look()
}

// dayRoot is the folder above a file's year, month and day.
func dayRoot(key string) string {
	for range 4 {
		key = folderOf(strings.TrimSuffix(key, "/"))
	}
	return key
}

// folderOf is a key up to its last "/".
func folderOf(key string) string { return key[:strings.LastIndexByte(key, '/')+1] }

// oldestOf looks for a folder's oldest file. A folder is listed by day, and the
// logs of a day by time; its digests by trail. What is not named like a file of
// its day is not CloudTrail's, and must not pass for the oldest.
func (r *run) oldestOf(in oldestIn) time.Time {
	unknown := time.Unix(0, 0)
	var oldest time.Time
	day, others, seen := "", 0, 0
	for e, err := range r.Store.List(r.ctx, in.folder, "", "") {
		if err != nil || others > maxStray {
			return unknown
		}
		at, isDigest, ok := datedFile(e.Key, in.backfill)
		if !ok || !r.plausible(at) {
			others++
			continue
		}
		if seen++; seen > 1 && folderOf(e.Key) != day || seen > maxOldest {
			break
		}
		day = folderOf(e.Key)
		if oldest.IsZero() || at.Before(oldest) {
			oldest = at
		}
		if !isDigest {
			break
		}
	}
	if r.ctx.Err() != nil {
		return unknown
	}
	return oldest
}

// datedFile is the time in the name of a file that lies in that day's folder.
func datedFile(key string, backfill bool) (at time.Time, isDigest, ok bool) {
	if n, err := digest.ParseName(key); err == nil {
		at, isDigest, ok = n.End, true, n.Chain.Backfill == backfill
	} else if n, err := digest.ParseLogName(key); err == nil {
		at, ok = n.Delivered, true
	}
	return at, isDigest, ok && strings.HasSuffix(folderOf(key), at.UTC().Format("/2006/01/02/"))
}
