package verify

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// fill looks for what an authentic digest names as the one before it, where
// the listing did not show it: deleted, or in the bucket that the trail
// delivered to before. Only an authentic digest is followed, because its words
// choose which bucket is asked.
func (c *chainRun) fill(ctx context.Context, d *sight) {
	p := d.record.Previous
	if p == nil || c.witness != nil {
		return
	}
	if slices.ContainsFunc(c.waiting, func(w *sight) bool { return slices.Contains(w.nexts, d) }) {
		c.revive(ctx, d)
		return
	}
	ref := Ref{p.Bucket, p.Object}
	name, err := digest.ParseName(p.Object)
	if err != nil || name.Chain != c.id {
		c.broken(d, fmt.Sprintf("it names %.1200q as the digest before it, which is not one of this chain", ref.URI()))
		return
	}
	if !name.End.Before(d.record.End) {
		c.broken(d, fmt.Sprintf("it names %.1200q as the digest before it, which is not of a time before it", ref.URI()))
		return
	}
	if !name.End.After(c.since()) || c.given[ref] {
		return // before the window, or passed already: see reportSkipped
	}
	missing := listing{Entry: Entry{Ref: ref}, name: name}
	if listed := c.elsewhere(ctx, d, ref, name); len(listed) > 0 {
		c.g.addPlace(Ref{ref.Bucket, name.Prefix})
		c.insert(ctx, c.read(ctx, listed), d)
		return
	}
	found := c.walk(ctx, missing, d)
	c.insert(ctx, slices.Values(found), d)
	c.reviveBefore(ctx, found)
}

// since is the time after which a missing digest matters: the end of the last
// authentic one, or the window's start.
func (c *chainRun) since() time.Time {
	since := c.book.window.Start
	if c.last != nil && c.last.record.End.After(since) {
		return c.last.record.End
	}
	return since
}

// elsewhere lists the chain's folder in another bucket or below another
// prefix, if that is where the digest before d lies, so that its digests can
// be read in parallel. A refused listing is no answer: they are then followed
// one by one.
func (c *chainRun) elsewhere(ctx context.Context, d *sight, ref Ref, name digest.Name) []listing {
	place := Ref{ref.Bucket, name.Prefix}
	if place == (Ref{d.ref.Bucket, d.name.Prefix}) || c.g.knows(place) {
		return nil
	}
	at := Ref{ref.Bucket, name.Prefix + c.id.Folder()}
	after := at.Key + c.since().UTC().Format(dayFolder)
	until := at.Key + d.record.End.AddDate(0, 0, 1).UTC().Format(dayFolder)
	var found []listing
	named := false
	for e, err := range c.r.Store.List(ctx, at, after, until) {
		if err != nil || len(found) >= maxListed {
			return nil
		}
		n, err := digest.ParseName(e.Key)
		if err == nil && n.Chain == c.id && n.End.After(c.since()) && n.End.Before(d.record.End) {
			found = append(found, listing{Entry: e, name: n})
			named = named || c.r.Store.Holds(e.Ref, ref)
		}
	}
	if !named {
		return nil
	}
	slices.SortFunc(found, func(a, b listing) int { return a.name.End.Compare(b.name.End) })
	return found
}

// walk follows the chain backward one digest at a time, from one that is
// named, until it meets what is known, the window's start, or one that cannot
// be read. What it found comes back in order of time.
func (c *chainRun) walk(ctx context.Context, l listing, namer *sight) []*sight {
	var found []*sight
	for len(found) < maxWalk {
		s, err := c.r.look(ctx, l.Entry, l.name)
		if err != nil {
			c.r.fail(err)
			break
		}
		found = append(found, s)
		c.r.Progress.Digests.Add(1)
		if s.own != sigHolds {
			if err := c.r.recoverDigest(ctx, s, namer); err != nil {
				c.r.fail(err)
				break
			}
		}
		said := s.speaker()
		if said.record == nil || said.record.Previous == nil || said.own != sigHolds && said.recovered != sigHolds {
			break
		}
		ref := Ref{said.record.Previous.Bucket, said.record.Previous.Object}
		name, err := digest.ParseName(ref.Key)
		known := slices.ContainsFunc(c.waiting, func(w *sight) bool { return c.r.names(said, w) })
		if known || err != nil || c.given[ref] || name.Chain != c.id || !name.End.After(c.since()) || !name.End.Before(said.record.End) {
			break
		}
		l, namer = listing{Entry: Entry{Ref: ref}, name: name}, said
	}
	slices.Reverse(found)
	return found
}

// reportSkipped reports a digest that is signed and stands in its place, but
// that the next authentic one passes over.
func (c *chainRun) reportSkipped(next *sight) {
	d, p := c.last, next.record.Previous
	if d == nil || p == nil || len(d.nexts) > 0 || !(d.inside || c.inside(next)) {
		return
	}
	name, err := digest.ParseName(p.Object)
	if err == nil && !name.End.After(d.record.End) {
		c.broken(next, fmt.Sprintf("it names %.1200q as the digest before it and passes over %.1200q, which is signed as well",
			Ref{p.Bucket, p.Object}.URI(), d.ref.URI()))
	}
}

func (c *chainRun) broken(d *sight, message string) {
	c.find(Finding{Kind: LinkBroken, URI: d.ref.URI(), Start: &d.record.Start, End: &d.record.End, Message: message})
}

func (c *chainRun) find(f Finding) {
	if c.witness == nil {
		f.Chain = c.ref()
		c.send(step{finding: &f, oldest: c.oldest})
	}
}

func (c *chainRun) ref() *ChainRef {
	return &ChainRef{c.id.Organization, c.id.Account, c.id.Region, c.id.Trail, c.id.Backfill}
}
