package verify

import (
	"context"
	"iter"
	"slices"
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
	at   time.Time // when it was delivered, as far as is known
}

// sweep lists the window's logs and reports those that no digest names.
func (g *groupRun) sweep(w Window) {
	var held []orphan
	old, many := false, false
	for o := range g.orphans(w) {
		old = old || g.r.age(o) >= PendingAge
		if many = len(held) >= maxOrphans; many {
			break
		}
		held = append(held, o)
	}
	if g.ctx.Err() != nil {
		return
	}
	if old || many {
		g.readWitnesses(w)
	}
	if !many {
		g.reportOrphans(slices.Values(held))
		return
	}
	g.reportOrphans(g.orphans(w))
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
		if g.isNamed(o.Ref) {
			continue
		}
		f := &File{Kind: "log", URI: o.URI(), Verdict: Pending, Reasons: []Reason{NoDigest}}
		if g.r.age(o) >= PendingAge {
			f.Verdict = Unreferenced
		}
		if o.kind != digest.LogFolders[0] {
			f.Verdict, f.Reasons = Unreferenced, []Reason{CoverageUnknown}
		}
		g.count(only, f)
		g.report(event{file: f})
	}
}

// age is how long ago a log was stored: S3's own word, or in a copy the time
// in its name.
func (r *run) age(o orphan) time.Duration {
	if !o.Modified.IsZero() {
		return r.Now.Sub(o.Modified)
	}
	return r.Now.Sub(o.at)
}

// orphans lists what lies among the logs of the window and is not named by a
// digest read so far.
func (g *groupRun) orphans(w Window) iter.Seq[orphan] {
	return func(yield func(orphan) bool) {
		for _, p := range slices.Concat(g.g.places, g.extra) {
			for _, kind := range g.g.kinds {
				for o, err := range g.orphansAt(p, kind, w) {
					if err != nil {
						if g.ctx.Err() == nil {
							f := unlisted(Ref{p.Bucket, p.Key + g.folder(kind)}, err)
							f.Chain = g.g.chainRef()
							f.Message += "; log files there that no digest names could not be looked for"
							g.find(*f)
						}
						break
					}
					if !yield(o) {
						return
					}
				}
			}
		}
	}
}

func (g *groupRun) orphansAt(p place, kind string, w Window) iter.Seq2[orphan, error] {
	at := Ref{p.Bucket, p.Key + g.folder(kind)}
	after, until := "", ""
	if !g.r.everything {
		after = at.Key + w.Start.UTC().Format("2006/01/02")
		until = at.Key + w.End.AddDate(0, 0, 1).UTC().Format("2006/01/02")
	}
	return func(yield func(orphan, error) bool) {
		for e, err := range g.r.Store.List(g.ctx, at, after, until) {
			if err != nil {
				yield(orphan{}, err)
				return
			}
			if e.Key[len(e.Key)-1] == '/' || g.isNamed(e.Ref) {
				continue
			}
			o := orphan{Entry: e, kind: kind, at: deliveredAt(e)}
			if !g.r.everything && !w.Holds(o.at) {
				continue
			}
			if !yield(o, nil) {
				return
			}
		}
	}
}

// deliveredAt is the time in a log file's name. What is named otherwise lies
// among the logs all the same, and whoever reads the logs reads it too.
func deliveredAt(e Entry) time.Time {
	if n, err := digest.ParseLogName(e.Key); err == nil {
		return n.Delivered
	}
	return e.Modified
}

// readWitnesses reads digests around the window that were not needed before,
// for the logs they name: a log may be named by a digest of a trail that was
// filtered out, or by a later one.
func (g *groupRun) readWitnesses(w Window) {
	for _, c := range slices.Concat(g.chains, g.others) {
		var refs []listing
		for _, l := range c.refs {
			if l.name.End.After(w.Start.Add(-2*time.Hour)) && l.name.End.Before(w.End.Add(PendingAge)) {
				refs = append(refs, l)
			}
		}
		wide := Window{Start: w.Start.Add(-3 * time.Hour), End: w.End.Add(PendingAge)}
		witness := newChainRun(g, c.id, refs, wide)
		witness.witness = func(d *sight) { g.note(d.record.Logs) }
		if slices.Contains(g.chains, c) {
			witness.refs = slices.DeleteFunc(refs, func(l listing) bool {
				return !l.name.End.After(w.End) // read already, but for the one that speaks for the last
			})
			witness.first = 0
		}
		discard := func(context.Context, step) struct{} { return struct{}{} }
		for range ordered(g.ctx, g.r.slots, 1, witness.steps, discard) {
			continue
		}
	}
}
