package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/trailseal/trailseal/digest"
)

const (
	// expirySlack is how much older than a missing file another may be that is
	// still there: S3 deletes in its own time, not in the order of age.
	expirySlack = 24 * time.Hour
	// maxOldest bounds the digests of a folder's first day that are looked at.
	maxOldest = 1000
)

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

// due is from when on a rule deletes an object that was stored at a time: S3
// rounds up to the next midnight UTC. A rule that asks for more than a prefix
// may be about others than this object.
func (e Expiration) due(key string, stored time.Time) (time.Time, bool) {
	if e.Narrow || e.MinSize > 0 || e.MaxSize > 0 || !strings.HasPrefix(key, e.Prefix) {
		return time.Time{}, false
	}
	if e.Days > 0 {
		return stored.UTC().AddDate(0, 0, e.Days).Truncate(24*time.Hour).AddDate(0, 0, 1), true
	}
	return e.On, !e.On.IsZero()
}

// says puts a rule into words. Its names are whoever's who may write it.
func (e Expiration) says() string {
	what, when := "all objects", fmt.Sprintf("after %d days", e.Days)
	if e.Prefix != "" {
		what = fmt.Sprintf("objects under %.1024q", e.Prefix)
	}
	switch {
	case e.Days == 1:
		when = "after 1 day"
	case e.Days <= 0:
		when = "from " + e.On.UTC().Format(time.RFC3339) + " on"
	}
	return fmt.Sprintf("the bucket's lifecycle rule %.255q deletes %s %s", e.ID, what, when)
}

// judgeExpiry is the rule that has deleted a file that was stored at a time, or
// nil. A rule deletes the oldest first: where something older of the same folder
// is still there, it was not the rule. It is a pure function.
func judgeExpiry(rules []Expiration, key string, stored, oldest, now time.Time) *Expiration {
	if !oldest.IsZero() && oldest.Before(stored.Add(-expirySlack)) {
		return nil
	}
	i := slices.IndexFunc(rules, func(e Expiration) bool {
		due, covers := e.due(key, stored)
		return covers && !due.After(now)
	})
	if i < 0 {
		return nil
	}
	return &rules[i]
}

// expired is the rule that deleted what is missing at a place, or nil. The error
// says why the bucket's rules are not known.
func (r *run) expired(ref Ref, stored time.Time) (*Expiration, error) {
	store, ok := r.Store.(Expiring)
	if !ok || stored.IsZero() {
		return nil, nil
	}
	rules, err := r.expiries.of(r.ctx, store, ref.Bucket)
	if rule := judgeExpiry(rules, ref.Key, stored, time.Time{}, r.Now); rule == nil || err != nil {
		return nil, err
	}
	return judgeExpiry(rules, ref.Key, stored, r.expiries.oldestBy(r, ref), r.Now), nil
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

// expire adds to a deleted file that a lifecycle rule has deleted it. unasked says
// that this is not known, and why.
func (r *run) expire(f *File) (unasked string) {
	if f.Verdict != Deleted || !slices.Equal(f.Reasons, []Reason{NotFound}) {
		return ""
	}
	ref := refOf(f.URI)
	_, _, stored, err := placeInTime(ref.Key)
	if err != nil {
		return ""
	}
	if f.Kind == "log" {
		stored = stored.Add(-clockSlack)
	}
	rule, err := r.expired(ref, stored)
	switch {
	case err != nil && r.ctx.Err() == nil:
		return "whether a lifecycle rule of the bucket deleted it could not be asked: " + judgeError(err).detail
	case rule == nil:
		return ""
	}
	f.Reasons = append(f.Reasons, Expired)
	f.Detail = joined(f.Detail, rule.says())
	return ""
}

// expireGap adds to a stretch without digests that rules have deleted all that
// may have lain in it, wherever the chain's digests lie.
func (g *groupRun) expireGap(c *chainRun, f *Finding) {
	if f.Kind != Gap || f.End == nil {
		return
	}
	var says string
	for _, p := range slices.Concat(g.g.places, g.extra) {
		last := digest.Name{Prefix: p.Key, Chain: c.id, End: *f.End}
		rule, err := g.r.expired(Ref{p.Bucket, last.Key()}, *f.End)
		if err != nil || rule == nil {
			return
		}
		says = rule.says()
	}
	if says != "" {
		f.Reason, f.Message = Expired, joined(f.Message, says)
	}
}

func joined(text, more string) string {
	if text == "" {
		return more
	}
	return text + "; " + more
}
