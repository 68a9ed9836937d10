package verify

import (
	"context"
	"slices"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// Bounds of the backfill digests that are held at once. There are a few in a
// month; more are taken a part at a time, and then link only within it.
const (
	maxBackfill     = 5_000
	maxBackfillLogs = 200_000
)

// backfill judges a backfill chain. Its digests are made when they are needed,
// and so one may name another of a later hour as the one before it: they are
// linked by name, all at once, and then judged in the order of their hours.
func (c *chainRun) backfill(ctx context.Context) {
	var part []*sight
	for s := range c.sights(ctx, time.Time{}) {
		if part = append(part, s); len(part) >= maxBackfill || listed(part) > maxBackfillLogs {
			c.backfillPart(ctx, part)
			part = nil
		}
		if c.stopped || ctx.Err() != nil {
			return
		}
	}
	c.backfillPart(ctx, part)
	if c.stopped || ctx.Err() != nil {
		return
	}
	c.tail()
}

func (c *chainRun) backfillPart(ctx context.Context, part []*sight) {
	part = c.complete(ctx, part)
	if ctx.Err() != nil {
		return
	}
	slices.SortStableFunc(part, func(a, b *sight) int { return a.name.End.Compare(b.name.End) })
	for _, d := range part {
		c.settleOne(d)
		if d.authentic() {
			c.last = d
			continue
		}
		c.rest(NotYetDue, d.name.End.Add(-time.Hour))
		if judgeDigest(d).verdict == Deleted {
			c.hole(c.book.paint(DigestDeleted, d.name.End), "its digest is deleted")
		} else {
			c.book.paint(Unproven, d.name.End)
		}
	}
}

// complete links digests by name, and adds those that an authentic one names
// and the listing did not show.
func (c *chainRun) complete(ctx context.Context, part []*sight) []*sight {
	byName := map[string][]*sight{}
	for _, d := range part {
		byName[suffixOf(d.found.Key)] = append(byName[suffixOf(d.found.Key)], d)
	}
	find := func(s *sight) bool {
		found := false
		for _, d := range byName[suffixOf(s.record.Previous.Object)] {
			if d != s && c.r.names(s, d) {
				d.link(s)
				found = true
			}
		}
		return found
	}
	var lost []*sight // of which the one before is not at hand
	for _, s := range part {
		if s.record != nil && s.record.Previous != nil && !find(s) {
			lost = append(lost, s)
		}
	}
	for n := 0; n < len(lost) && n < maxWalk && ctx.Err() == nil; n++ {
		s := lost[n]
		ref := Ref{s.record.Previous.Bucket, s.record.Previous.Object}
		name, err := digest.ParseName(ref.Key)
		if !s.authentic() || err != nil || name.Chain != c.id || !c.book.window.Touches(name.End.Add(-time.Hour), name.End) || find(s) {
			continue
		}
		d, err := c.r.look(ctx, Entry{Ref: ref}, name)
		if err != nil {
			c.r.fail(err)
			return part
		}
		d.link(s)
		part = append(part, d)
		byName[suffixOf(ref.Key)] = append(byName[suffixOf(ref.Key)], d)
		if d.record != nil && d.record.Previous != nil && !find(d) {
			lost = append(lost, d)
		}
	}
	return part
}
