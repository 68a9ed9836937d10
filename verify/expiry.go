package verify

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// expirySlack is how much older than a missing file another may be that is still
// there: S3 deletes in its own time, not in the order of age.
const expirySlack = 24 * time.Hour

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
	now := r.Now
	if f.Recover != nil && f.Recover.Removed != nil {
		now = earlier(now, *f.Recover.Removed) // versions tell when it went, which may be before a rule was to delete it
	}
	rule, err := r.expired(ref, stored, now)
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
		rule, err := g.r.expired(Ref{p.Bucket, last.Key()}, *f.End, g.r.Now)
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
