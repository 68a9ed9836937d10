package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// Bounds of what is looked at of one object. Whoever may write to the bucket may
// make as many versions as they like.
const (
	maxVersions     = 1000 // listed
	maxVersionsRead = 100
)

// versions is the store where former versions are to be looked at, else nil.
func (r *run) versions() Versioned {
	if v, ok := r.Store.(Versioned); ok && r.Versions {
		return v
	}
	return nil
}

// recoverable reports whether something else than what is there may be among the
// versions of a file. Without keys no version of a digest could be told from another.
func recoverable(v Verdict, reasons []Reason) bool {
	return v == Modified || v == Deleted || v == Unverified && !slices.Contains(reasons, KeysUnavailable)
}

// recover looks through an object's versions for one that test takes, the newest
// first. current is the version that was judged already. The error is for what
// stops the run.
func (r *run) recover(ctx context.Context, ref Ref, current string, test func(o Object) (bool, error)) (*Recover, error) {
	store := r.versions()
	versions, more, err := store.Versions(ctx, ref, maxVersions)
	if err != nil {
		if !isData(err) {
			return nil, err
		}
		return &Recover{Problem: "its versions could not be listed: " + judgeError(err).detail}, nil
	}
	out := &Recover{}
	if more {
		out.Problem = fmt.Sprintf("there are more than %d versions, and only the newest were looked at", maxVersions)
	}
	for i, v := range versions {
		if v.Marker || v.ID == current && current != "" || v.Latest && current == "" && i == 0 {
			continue // there is no content, or it was judged
		}
		if out.Looked == maxVersionsRead {
			out.Problem = fmt.Sprintf("only the newest %d of its versions were read", maxVersionsRead)
			break
		}
		out.Looked++
		found := false
		err := store.ReadVersion(ctx, ref, v.ID, func(o Object) (err error) {
			found, err = test(o)
			return err
		})
		switch {
		case err != nil && !isData(err):
			return nil, err
		case err != nil:
			out.Problem = fmt.Sprintf("the version %.200q could not be read: %s", v.ID, judgeError(err).detail)
		case found:
			out.found(ref, versions, i)
			return out, nil
		}
	}
	out.removed(versions, 0)
	if out.Looked == 0 && out.Problem == "" {
		out.Problem = "no other version of it is there: versioning was off, or they were deleted for good"
	}
	return out, nil
}

// found notes the version that was looked for, and what came after it.
func (out *Recover) found(ref Ref, versions []Version, i int) {
	v := versions[i]
	out.Version, out.Size, out.Problem = v.ID, v.Size, ""
	out.Modified = stamp(v.Modified)
	if i > 0 {
		out.removed(versions, i-1)
	}
	if top := versions[0]; i > 0 && top.Latest && top.Marker {
		out.Marker = top.ID // it hides the version, whatever came between
	}
	if v.At != (Ref{}) && v.At != ref {
		ref = v.At
		out.At = ref.URI()
	}
	out.Command = restoreCommand(ref, v.ID, out.Marker, onlyHidden(versions, i))
}

// onlyHidden reports whether the newest version is a delete marker and the i-th
// comes right below it. Markers and versions are listed apart and dated to the
// second: of those of the same second none is known to be below the other.
func onlyHidden(versions []Version, i int) bool {
	tied := len(versions) > 2 && versions[2].Modified.Equal(versions[1].Modified)
	return i == 1 && versions[0].Marker && versions[0].Latest && !tied
}

// removed notes by which version or delete marker an object was removed.
func (out *Recover) removed(versions []Version, i int) {
	if i >= len(versions) {
		return
	}
	out.Removed, out.RemovedBy = stamp(versions[i].Modified), versions[i].Owner
	if versions[i].Marker {
		out.Marker = versions[i].ID
	}
}

// completeLog adds what is to be said of a log beside its verdict: what vouches for
// it, and what its versions hold where it is not what a trusted digest vouches for.
func (r *run) completeLog(ctx context.Context, f *File, s *logStep, seen logSight) (err error) {
	f.Detail = strings.TrimPrefix(strings.TrimSuffix(f.Detail+"; "+s.detail, "; "), "; ")
	if r.versions() == nil || !s.trusted || !recoverable(f.Verdict, nil) {
		return nil
	}
	f.Recover, err = r.recover(ctx, Ref{s.listed.Bucket, s.listed.Object}, seen.version, func(o Object) (bool, error) {
		was := logSight{altered: o.Altered}
		if o.Altered == nil {
			content, err := digest.HashGzip(o.Body, r.LogLimit)
			if err != nil {
				return false, err
			}
			was.content = content
		}
		return judgeLog(s.listed, true, was).verdict == Kept, nil
	})
	return err
}

// recoverDigest looks through the versions of a digest file for one that CloudTrail
// signed for this place, and that is what next, a trusted digest that names it,
// says, where there is one. Its signature proves itself wherever it was kept, so
// that it may speak for the logs that it lists and for the digest before it.
func (r *run) recoverDigest(ctx context.Context, d, next *sight) error {
	if r.versions() == nil || d.recover != nil {
		return nil
	}
	// Keys first: no candidate, of which many goroutines may hold one each, and
	// each as large as whoever wrote it wants, shall wait for them.
	if _, err := r.regionKeys(ctx, d.name.Chain.Region); err != nil && !isData(err) {
		return err
	}
	var candidate *sight
	out, err := r.recover(ctx, d.found, d.version, func(o Object) (bool, error) {
		candidate = &sight{ref: d.ref, found: d.found, name: d.name}
		if err := candidate.read(ctx, r, o); err != nil {
			return false, err
		}
		if err := r.check(ctx, candidate); err != nil {
			return false, err
		}
		if next != nil && candidate.record != nil {
			candidate.link(next)
		}
		if candidate.authentic() && (next == nil || candidate.record.Hash == next.record.Previous.Hash) {
			return true, nil
		}
		candidate = nil
		return false, nil
	})
	if err != nil {
		return err
	}
	if d.recover = out; out.Version != "" {
		d.rescue = candidate
	}
	return nil
}

// speaker is who speaks for a digest: itself, or the version that was recovered.
func (d *sight) speaker() *sight {
	if d.rescue != nil {
		return d.rescue
	}
	return d
}

// revive goes back from an authentic digest over those that are at hand and are not:
// a version of one, where it is recovered, names the one before it, which may be
// missing.
func (c *chainRun) revive(ctx context.Context, namer *sight) {
	if c.r.versions() == nil {
		return
	}
	at := len(c.waiting)
	for range maxWalk {
		i := slices.IndexFunc(c.waiting[:at], func(w *sight) bool { return c.r.names(namer, w) })
		if i < 0 {
			break
		}
		w := c.waiting[i]
		if !slices.Contains(w.nexts, namer) {
			w.link(namer)
		}
		if w.authentic() {
			return
		}
		if err := c.r.recoverDigest(ctx, w, namer); err != nil {
			c.r.fail(err)
		}
		if w.rescue == nil || ctx.Err() != nil {
			return
		}
		namer, at = w.rescue, i
	}
	p := namer.record.Previous
	if p == nil || at == len(c.waiting) || c.given[Ref{p.Bucket, p.Object}] {
		return
	}
	name, err := digest.ParseName(p.Object)
	if err != nil || name.Chain != c.id || !name.End.After(c.since()) || !name.End.Before(namer.record.End) {
		return
	}
	found := c.walk(ctx, listing{Entry: Entry{Ref: Ref{p.Bucket, p.Object}}, name: name}, namer)
	rest := slices.Clone(c.waiting[at:])
	c.waiting = c.waiting[:at]
	c.insert(ctx, slices.Values(found), namer)
	c.reviveBefore(ctx, found)
	c.waiting = append(c.waiting, rest...)
}

// reviveBefore goes on where a walk back met a digest that is at hand and waits.
func (c *chainRun) reviveBefore(ctx context.Context, found []*sight) {
	if len(found) == 0 || c.r.versions() == nil || c.stopped || ctx.Err() != nil {
		return
	}
	if oldest := found[0].speaker(); oldest.record != nil && oldest.authentic() {
		c.revive(ctx, oldest)
	}
}

// promote admits those that wait and have become authentic since, because a version
// that was recovered carries their signature: each settles what waited before it.
func (c *chainRun) promote(ctx context.Context) {
	if c.r.versions() == nil {
		return
	}
	for !c.stopped && ctx.Err() == nil {
		i := slices.IndexFunc(c.waiting, func(w *sight) bool { return w != c.last && w.authentic() })
		if i < 0 {
			return
		}
		w, rest := c.waiting[i], slices.Clone(c.waiting[i+1:])
		c.waiting = c.waiting[:i]
		c.admit(ctx, w)
		c.waiting = append(c.waiting, rest...)
	}
}

// noteGiven remembers a digest that was given up.
func (c *chainRun) noteGiven(d *sight) {
	if c.r.versions() == nil {
		return
	}
	if c.given == nil {
		c.given = map[Ref]bool{}
	}
	c.given[d.found] = true
}

// rescued looks for a digest that is not kept among its versions, now that it is
// known what the next one says of it.
func (c *chainRun) rescued(d *sight, is ruling) bool {
	if c.r.versions() == nil || !recoverable(is.verdict, is.reasons) {
		return false
	}
	if next := d.next(); next != nil && d.rescue != nil && d.rescue.record.Hash != next.record.Previous.Hash {
		d.rescue, d.recover = nil, nil // what had named it was not to be trusted
	}
	if err := c.r.recoverDigest(c.r.ctx, d, d.next()); err != nil {
		c.r.fail(err)
	}
	return d.rescue != nil
}

// sayRecovered is what is said of a log whose digest was recovered.
func (d *sight) sayRecovered() string {
	return fmt.Sprintf("the digest that lists it was recovered from its version %.200q of %s", d.recover.Version, d.recover.Modified.UTC().Format(time.RFC3339))
}

const maxHeldHidden = 200 // hidden digests of a region that are read but once

// listHidden adds the digests that delete markers hide and of which a version is
// signed by CloudTrail: the newest ones, or all of a chain, which no other names.
// Names alone add nothing: anybody may have made them.
func (g *groupRun) listHidden(w Window, chains map[digest.Chain][]listing) {
	if g.r.versions() == nil {
		return
	}
	var found []listing
	for _, p := range g.g.places {
		at := Ref{p.Bucket, p.Key + g.folder(digest.DigestFolder)}
		after, until := at.Key+dayBefore(w.Start), at.Key+w.End.AddDate(0, 0, 2).UTC().Format(dayFolder)
		for e, err := range g.r.versions().Hidden(g.ctx, at, after, until) {
			if err != nil { // who may not list versions sees less, and is told so where something is missing
				g.unseen = "; whether versions of deleted ones are there could not be looked at: " + judgeError(err).detail
				break
			}
			name, err := digest.ParseName(e.Key)
			near := err == nil && g.owns(name) && name.End.After(w.Start) && !name.End.After(w.End.Add(time.Hour))
			if near && len(found) < maxListed {
				e.Modified = time.Time{} // the marker's
				found = append(found, listing{Entry: e, name: name, hidden: true})
			}
		}
	}
	look := func(ctx context.Context, l listing) listing {
		s, err := g.r.look(ctx, l.Entry, l.name)
		if err == nil {
			err = g.r.recoverDigest(ctx, s, nil)
		}
		if err != nil {
			g.r.fail(err)
			return listing{}
		}
		l.peek = s
		return l
	}
	held := 0
	for l := range ordered(g.ctx, g.r.slots, readAhead, values(found), look) {
		if l.peek == nil || l.peek.rescue == nil || !isMissing(l.peek.err) {
			continue
		}
		if held++; held > maxHeldHidden {
			l.peek = nil
		}
		chains[l.name.Chain] = append(chains[l.name.Chain], l)
	}
}
