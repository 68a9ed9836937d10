package verify

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// maxPeeks bounds how many holes of a chain are looked at before the walk. A
// trail moves to another bucket a few times in its life.
const maxPeeks = 64

// prepare finds the buckets and prefixes that the trail delivered to before,
// and lists the chain's digests there, so that they are read in order and in
// parallel with the rest. It looks at the digest after each hole of the
// listing; fill still follows what this does not find.
func (c *chainRun) prepare(ctx context.Context) {
	peeks := 0
	for i := c.first; i < len(c.refs) && peeks < maxPeeks && ctx.Err() == nil; i++ {
		if i > c.first && c.refs[i-1].name.End.After(c.book.window.End) {
			return // the hole lies after the window
		}
		if !c.afterHole(i) {
			continue
		}
		peeks++
		if c.hop(ctx, i) {
			i = c.first - 1 // what was listed there may have holes as well
		}
	}
}

// afterHole reports whether more than an hour and a half lies before a digest
// of the listing, or before the first.
func (c *chainRun) afterHole(i int) bool {
	before := c.book.window.Start
	if i > 0 && i > c.first {
		before = c.refs[i-1].name.End
	}
	return c.refs[i].peek == nil && (i == 0 || c.refs[i].name.End.Sub(before) > 90*time.Minute)
}

// hop looks at a digest and lists the place of the one before it, where that
// is another than its own and not listed yet. What it read is kept for its turn.
func (c *chainRun) hop(ctx context.Context, i int) bool {
	l := &c.refs[i]
	var err error
	if l.peek, err = c.r.look(ctx, l.Entry, l.name); err != nil {
		c.r.fail(err)
		return false
	}
	if l.peek.own != sigHolds || l.peek.record.Previous == nil {
		return false // only a digest that is signed chooses which bucket is asked
	}
	p := l.peek.record.Previous
	name, err := digest.ParseName(p.Object)
	at := place{Bucket: p.Bucket, Key: name.Prefix}
	if err != nil || name.Chain != c.id || c.g.knows(at) {
		return false
	}
	return c.g.adopt(ctx, at)
}

// adopt lists another place's digests, of all the group's chains, around the
// window. A refused listing is no answer: fill follows its digests one by one.
func (g *groupRun) adopt(ctx context.Context, at place) bool {
	w := g.r.Window
	folder := Ref{at.Bucket, at.Key + g.folder(digest.DigestFolder)}
	after := folder.Key + w.Start.Add(-24*time.Hour).UTC().Format(dayFolder)
	until := folder.Key + w.End.Add(PendingAge).UTC().Format(dayFolder)
	found := map[digest.Chain][]listing{}
	n := 0
	for e, err := range g.r.Store.List(ctx, folder, after, until) {
		if n++; err != nil || n > maxListed || len(found) > maxChains {
			return false
		}
		if name, err := digest.ParseName(e.Key); err == nil && g.owns(name) {
			found[name.Chain] = append(found[name.Chain], listing{Entry: e, name: name})
		}
	}
	if n == 0 {
		return false
	}
	g.extra = append(g.extra, at)
	for _, c := range slices.Concat(g.chains, g.others) {
		if refs := found[c.id]; refs != nil {
			c.refs = append(c.refs, refs...)
			c.order()
			delete(found, c.id)
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(found), compareChains) {
		g.addChain(id, found[id])
	}
	return true
}

// order sorts the listing by time and finds where the window begins in it.
func (c *chainRun) order() {
	slices.SortFunc(c.refs, func(a, b listing) int {
		if c := a.name.End.Compare(b.name.End); c != 0 {
			return c
		}
		return compareRefs(a.Ref, b.Ref)
	})
	c.first, _ = slices.BinarySearchFunc(c.refs, c.book.window.Start, func(l listing, t time.Time) int {
		if l.name.End.After(t) {
			return 1
		}
		return -1
	})
}

// startedBefore reports whether older digests of the chain lie in the bucket,
// further back than was listed. A chain that seems to start in the window did
// not, then: what came before was removed.
func (c *chainRun) startedBefore(ctx context.Context) bool {
	if c.r.everything {
		return false
	}
	for _, p := range c.g.g.places {
		at := Ref{p.Bucket, p.Key + c.id.Folder()}
		until := at.Key + c.book.window.Start.Add(-min(c.r.Lookback, maxLookback)).UTC().Format(dayFolder)
		for e, err := range c.r.Store.List(ctx, at, "", until) {
			if err != nil {
				return true // not known, so not excused
			}
			if n, err := digest.ParseName(e.Key); err == nil && n.Chain == c.id {
				return true
			}
		}
	}
	return false
}
