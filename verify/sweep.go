package verify

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// maxOrphans bounds the log files without a digest that are held in memory
// while later digests are asked about them. Beyond it the logs are listed a
// second time.
const maxOrphans = 10_000

// An orphan is a stored log file that no digest read so far names.
type orphan struct {
	Entry
	kind string
	at   time.Time // when it was delivered by its name; where it has none like a log's, the zero time
}

// maxAhead bounds the log files of a stretch that are listed while it is
// worked on. Where there are more they are listed once more afterwards, and
// not held.
const maxAhead = 50_000

// An ahead is a stretch's listing, taken while its logs are hashed.
type ahead struct {
	found  []stored
	many   bool
	places []place
	wait   func()
}

// A stored is an object among the logs, or a listing that failed there.
type stored struct {
	orphan
	err error
}

func (g *groupRun) listAhead(s stretch) *ahead {
	a := &ahead{places: slices.Concat(g.g.places, g.extra), wait: func() {}}
	if g.r.Only != nil {
		return a
	}
	a.wait = aside(func() {
		for o := range g.stored(s, a.places) {
			if a.many = len(a.found) >= maxAhead; a.many {
				return
			}
			a.found = append(a.found, o)
		}
	})
	return a
}

// all is the listing, from memory where it is there and whole.
func (g *groupRun) all(s stretch, a *ahead) iter.Seq[stored] {
	places := slices.Concat(g.g.places, g.extra)
	if a.many || !slices.Equal(places, a.places) {
		return g.stored(s, places)
	}
	return slices.Values(a.found)
}

// sweep reports a stretch's logs that no digest names.
func (g *groupRun) sweep(w Window, s stretch, a *ahead) {
	var held []orphan
	old, many := false, false
	for o := range g.orphans(g.all(s, a)) {
		old = old || g.r.age(o) >= PendingAge
		if many = len(held) >= maxOrphans; many {
			break
		}
		held = append(held, o)
	}
	if g.ctx.Err() != nil {
		return
	}
	if old || many || len(held) > 0 && len(g.others) > 0 {
		g.readWitnesses(w, s.sweep)
	}
	if g.ctx.Err() != nil {
		return // what was not asked to the end accuses nobody
	}
	if !many {
		g.reportOrphans(slices.Values(held))
		return
	}
	g.reportOrphans(g.orphans(g.all(s, a)))
}

func (g *groupRun) reportOrphans(orphans iter.Seq[orphan]) {
	var only *chainRun // logs do not say which trail they are of
	for _, c := range g.chains {
		if only != nil && !c.id.Backfill {
			only = nil
			break
		}
		if !c.id.Backfill {
			only = c
		}
	}
	for o := range orphans {
		if g.isNamed(o.Ref) || g.accompanies(o.Ref) {
			continue
		}
		f := &File{Kind: "log", URI: o.URI(), Verdict: Pending, Reasons: []Reason{NoDigest}}
		if g.r.age(o) >= PendingAge {
			f.Verdict = Unreferenced
		}
		if o.kind != digest.LogFolders[0] {
			f.Verdict, f.Reasons = Unreferenced, []Reason{CoverageUnknown}
		}
		f.Detail = g.explainOrphan(o)
		g.count(only, f)
		g.report(event{file: f})
	}
}

// accompanies reports whether a stored object belongs to a log that a digest
// names: what it was sealed with lies beside it.
func (g *groupRun) accompanies(ref Ref) bool {
	owner, ok := strings.CutSuffix(ref.Key, companionSuffix)
	if c, layer := g.r.Store.(Companions); ok && layer && g.isNamed(Ref{ref.Bucket, owner}) {
		return c.Companion(g.ctx, ref)
	}
	return false
}

// explainOrphan says of a log without a digest whether its digest may be what
// is missing. Where every digest of its time is kept, it is not.
func (g *groupRun) explainOrphan(o orphan) string {
	for _, c := range g.chains {
		if s, dark := c.book.darkness(o.at); dark && !c.id.Backfill {
			return fmt.Sprintf("no trusted digest covers %s to %s, so whether CloudTrail delivered it cannot be told",
				s.start.Format(time.RFC3339), s.end.Format(time.RFC3339))
		}
	}
	return ""
}

// age is how long ago a log was stored, by S3's own word or the time in its
// name, whichever is longer ago: who stores it again makes it young in S3, and
// nobody's name is delivered in the future.
func (r *run) age(o orphan) time.Duration {
	const clock = time.Hour // how far clocks may be apart
	switch {
	case o.at.After(r.Now.Add(clock)), o.at.IsZero() && o.Modified.IsZero():
		return PendingAge
	case o.at.IsZero() || !o.Modified.IsZero() && o.Modified.Before(o.at):
		return r.Now.Sub(o.Modified)
	default:
		return r.Now.Sub(o.at)
	}
}

// orphans are those of the stored objects that no digest read so far names.
func (g *groupRun) orphans(all iter.Seq[stored]) iter.Seq[orphan] {
	return func(yield func(orphan) bool) {
		for o := range all {
			switch {
			case o.err != nil && g.ctx.Err() == nil:
				f := unlisted(o.Ref, o.err)
				f.Chain = g.g.chainRef()
				f.Message += "; log files there that no digest names could not be looked for"
				g.find(*f)
			case o.err != nil || g.isNamed(o.Ref):
			case !yield(o.orphan):
				return
			}
		}
	}
}

// stored lists what lies among the logs of a stretch.
func (g *groupRun) stored(s stretch, places []place) iter.Seq[stored] {
	return func(yield func(stored) bool) {
		for _, p := range places {
			for _, kind := range g.g.kinds {
				at := Ref{p.Bucket, p.Key + g.folder(kind)}
				for o, err := range g.storedAt(at, kind, s) {
					if err != nil {
						o.Ref = at
					}
					if !yield(stored{o, err}) {
						return
					}
				}
			}
		}
	}
}

func (g *groupRun) storedAt(at Ref, kind string, s stretch) iter.Seq2[orphan, error] {
	after, until := at.Key+dayBefore(s.sweep.Start), at.Key+s.sweep.End.AddDate(0, 0, 1).UTC().Format(dayFolder)
	if g.r.everything && s.first {
		after = ""
	}
	if g.r.everything && s.last {
		until = ""
	}
	return func(yield func(orphan, error) bool) {
		for e, err := range g.r.Store.List(g.ctx, at, after, until) {
			if err != nil {
				yield(orphan{}, err)
				return
			}
			o := orphan{Entry: e, kind: kind, at: deliveredAt(e)}
			if strings.HasSuffix(e.Key, "/") || !g.within(o, s, at.Key) {
				continue
			}
			if !yield(o, nil) {
				return
			}
		}
	}
}

// within reports whether a log is of a stretch. Everything means everything:
// then the first and the last stretch have no outer edge.
func (g *groupRun) within(o orphan, s stretch, folder string) bool {
	if o.at.IsZero() {
		return g.withinDays(strings.TrimPrefix(o.Key, folder), s)
	}
	if o.at.Before(s.sweep.Start) {
		return g.r.everything && s.first
	}
	if s.last {
		return g.r.everything || !o.at.After(s.sweep.End)
	}
	return o.at.Before(s.sweep.End)
}

// withinDays is within for what is not named like a log. It lies among the
// logs all the same, and whoever reads the logs reads it too: it is of the
// stretch whose days its place in the listing falls in.
func (g *groupRun) withinDays(rest string, s stretch) bool {
	from, to := s.sweep.Start.UTC().Format(dayFolder), s.sweep.End.UTC().Format(dayFolder)
	if s.last {
		to = s.sweep.End.AddDate(0, 0, 1).UTC().Format(dayFolder)
	}
	return (rest >= from || g.r.everything && s.first) && (rest < to || g.r.everything && s.last)
}

// deliveredAt is the time in a log file's name, or the zero time.
func deliveredAt(e Entry) time.Time {
	n, err := digest.ParseLogName(e.Key)
	if err != nil {
		return time.Time{}
	}
	return n.Delivered
}

// readWitnesses reads digests around the window that were not needed before,
// for the logs they name: a log may be named by a digest of a trail that was
// filtered out, or by a later one.
func (g *groupRun) readWitnesses(w, swept Window) {
	for _, c := range slices.Concat(g.chains, g.others) {
		mine := slices.Contains(g.chains, c)
		var refs []listing
		for _, l := range c.refs {
			near := l.name.End.After(swept.Start.Add(-2*time.Hour)) && l.name.End.Before(swept.End.Add(PendingAge))
			// A judged chain's digests in the window have been read for it.
			if near && !(mine && !l.name.End.After(w.End)) {
				refs = append(refs, l)
			}
		}
		witness := newChainRun(g, c.id, refs, Window{Start: swept.Start.Add(-3 * time.Hour), End: swept.End.Add(PendingAge)})
		witness.witness = func(d *sight) { g.note(d.record.Logs, false) }
		discard := func(context.Context, step) struct{} { return struct{}{} }
		for range ordered(g.ctx, g.r.slots, 1, witness.steps(time.Time{}), discard) {
			continue
		}
	}
}
