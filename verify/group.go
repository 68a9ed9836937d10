package verify

import (
	"context"
	"hash/maphash"
	"slices"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// An event is one result of a group, on its way to the sink.
type event struct {
	file    *File
	finding *Finding
	chain   *Chain
	sums    *sums
	buckets []string // of the chain
	unasked string   // of a deleted file: why it is not known whether a rule of its bucket deleted it
	leads   *leads
	oldest  bool // see step
}

// sums counts what a group found, the kept files that are not reported
// included.
type sums struct {
	digests, logs map[Verdict]int
	worst         Class
	keys          keyring
	account       string // whose logs they are
}

func newSums() *sums {
	return &sums{digests: map[Verdict]int{}, logs: map[Verdict]int{}, keys: newKeyring()}
}

// A groupRun verifies one group: its chains one after the other, then the logs
// that none of them named.
type groupRun struct {
	r      *run
	g      group
	ctx    context.Context
	send   func(event) bool
	sums   *sums
	seed   maphash.Seed
	named  [3]map[uint64]uint64 // log files that digests of this stretch, of the one before, and backfill digests name: hash of the place -> of what is expected there
	beside int                  // how many objects were looked into that may be digests' instruction files
	doubt  int                  // how many of them only untrusted digests name
	byRef  map[ChainRef][]*chainRun
	chains []*chainRun // judged
	others []*chainRun // of trails that were filtered out
	unseen string      // why delete markers could not be listed, to be said where digests are missing; mostly empty
	extra  []place     // where chains turned out to have been delivered before
}

// verifyGroup runs one group and sends its results. It stops early only when
// nobody takes results any more; an interrupted run still says what it had
// found and what it had not.
func (r *run) verifyGroup(g group, send func(event) bool) {
	defer r.Progress.ChainsDone.Add(1)
	gr := &groupRun{r: r, g: g, ctx: r.ctx, send: send, sums: newSums(), seed: maphash.MakeSeed(), byRef: map[ChainRef][]*chainRun{}}
	if g.problem != nil {
		gr.find(*g.problem)
	} else {
		gr.verify()
		gr.sums.account = g.account
		for _, c := range gr.chains {
			c.keys.markOdd(r.trailKey())
			gr.sums.keys.merge(c.keys)
		}
	}
	send(event{sums: gr.sums})
}

func (g *groupRun) verify() {
	w := g.r.Window
	if at, err := g.list(w); err != nil {
		if g.ctx.Err() == nil {
			f := unlisted(Ref{at.Bucket, at.Key + g.folder(digest.DigestFolder)}, err)
			f.Chain = g.g.chainRef()
			g.find(*f)
		}
		return
	}
	if len(g.chains) == 0 && len(g.others) == 0 {
		g.find(Finding{Kind: NoDigests, Chain: g.g.chainRef(), Message: "there are folders for this account and region, but no digest files" + g.unseen})
	}
	for i := 0; i < len(g.chains); i++ { // preparing one may find another
		g.chains[i].prepare(g.ctx)
	}
	slices.SortStableFunc(g.chains, func(a, b *chainRun) int { return compareChains(a.id, b.id) })
	g.named[2] = map[uint64]uint64{}
	for s := range stretches(Window{g.begins(w), w.End}) {
		g.named[0], g.named[1] = map[uint64]uint64{}, g.named[0]
		logs := g.listAhead(s)
		for _, c := range g.chains {
			switch {
			case !c.id.Backfill:
				g.runChain(c, s.until)
			case s.first:
				g.runChain(c, time.Time{})
			}
		}
		logs.wait()
		if g.ctx.Err() != nil {
			break
		}
		if g.r.Only != nil {
			continue
		}
		g.sweep(w, s, logs)
	}
	for _, c := range g.chains {
		g.finish(c)
	}
}

// logWindow is how many logs may be begun and not yet reported. It is much more
// than are in flight at once: while one waits to be asked for again, because
// the store said SlowDown, the others must not wait for it.
const logWindow = 4096

// runChain judges one chain up to a time and reports what comes of it, in
// order.
func (g *groupRun) runChain(c *chainRun, until time.Time) {
	for e := range ordered(g.ctx, g.r.slots, logWindow, c.steps(until), g.do) {
		switch {
		case e.file != nil:
			if e.file.Kind == "digest" && e.file.Start.After(c.told) {
				c.told = *e.file.Start // its logs may still be to come
			}
			unasked := g.r.expire(e.file)
			g.count(c, e.file)
			g.report(event{file: e.file, unasked: unasked})
		case e.finding != nil:
			if e.oldest {
				g.expireGap(c, e.finding)
			}
			g.find(*e.finding)
		}
		if e.leads != nil {
			g.send(event{leads: e.leads})
		}
	}
	if g.ctx.Err() == nil {
		c.told = c.book.at
	}
}

// do turns a step into its result; hashing a log is the work of a run.
func (g *groupRun) do(ctx context.Context, s step) event {
	if s.edge != nil {
		return g.edge(ctx, *s.edge)
	}
	if s.log == nil {
		return event{file: s.file, finding: s.finding, oldest: s.oldest}
	}
	if listed := (Ref{s.log.listed.Bucket, s.log.listed.Object}); g.r.Only != nil && !g.r.watch.chooses() && !g.r.Store.Holds(*g.r.Only, listed) {
		return event{}
	}
	var seen logSight
	tee := g.r.watch.tee()
	if s.log.trusted && s.log.listed.Algorithm == digest.HashAlgorithm {
		var err error
		if seen, err = g.r.hash(ctx, Ref{s.log.listed.Bucket, s.log.listed.Object}, tee); err != nil {
			g.r.fail(err)
			return event{}
		}
	}
	g.r.Progress.LogsDone.Add(1)
	e := event{file: logFile(s.log, seen, judgeLog(s.log.listed, s.log.trusted, seen))}
	g.r.watch.hashed(e.file, seen, tee)
	if err := g.r.completeLog(ctx, e.file, s.log, seen); err != nil {
		g.r.fail(err)
		return event{}
	}
	if e.file.Verdict == Kept {
		found, err := g.r.certain(ctx, s.log.listed, seen.leads)
		if err != nil {
			g.r.fail(err)
			return event{}
		}
		e.leads = found.of(s.log.listed)
	}
	return e
}

// count adds a file to its chain's counts, where it has one.
func (g *groupRun) count(c *chainRun, f *File) {
	f.Class = g.r.Policy.File(f.Verdict, f.Reasons)
	if len(f.Reasons) > 0 {
		f.Reason = f.Reasons[0]
	}
	all, chain := g.sums.logs, map[Verdict]int{}
	if f.Kind == "digest" {
		all = g.sums.digests
	}
	if c != nil {
		chain = c.record.Logs
		if f.Kind == "digest" {
			chain = c.record.Digests
		}
		c.record.Class = max(c.record.Class, f.Class)
		c.edge(f)
	}
	all[f.Verdict]++
	chain[f.Verdict]++
	if c != nil {
		c.keys.note(f)
	} else {
		g.sums.keys.note(f)
	}
	g.sums.worst = max(g.sums.worst, f.Class)
}

// edge counts what the digest that spans the window's start brings with it.
func (c *chainRun) edge(f *File) {
	e := c.record.Edge
	switch {
	case f.Kind == "digest" && f.Start.Before(c.book.window.Start) && f.End.After(c.book.window.Start):
		c.record.Edge = &Edge{URI: f.URI, End: *f.End, Verdict: f.Verdict, Logs: map[Verdict]int{}}
	case f.Kind == "log" && e != nil && f.Digest == e.URI:
		e.Logs[f.Verdict]++
	}
}

func (g *groupRun) report(e event) {
	if e.file.Class > Good || e.file.Verdict != Kept || g.r.All {
		g.send(e)
	}
}

func (g *groupRun) find(f Finding) {
	f.Class = g.r.Policy.Finding(f)
	g.sums.worst = max(g.sums.worst, f.Class)
	if f.Chain != nil {
		for _, c := range g.byRef[*f.Chain] {
			c.record.Class = max(c.record.Class, f.Class)
		}
	}
	g.send(event{finding: &f})
}

// finish sends a chain's record. A chain of which the window holds nothing, and
// nothing is missing, is not of this run.
func (g *groupRun) finish(c *chainRun) {
	if from, to := earlier(c.told, c.book.at), c.book.window.End; g.ctx.Err() != nil && from.Before(to) {
		c.book.rewind(from)
		g.find(Finding{Kind: NotChecked, Chain: c.ref(), Start: &from, End: &to,
			Message: "the run was interrupted before this part of the chain was checked to its end"})
		c.book.paint(Unproven, to)
	}
	c.record.Coverage = c.book.shares()
	g.r.noteNewest(c)
	if len(c.record.Digests) == 0 && len(c.record.Gaps) == 0 && c.id.Backfill {
		return
	}
	e := event{chain: &c.record}
	if g.r.Explain {
		e.buckets = c.buckets()
	}
	g.send(e)
}

// folder is one of the group's folders, from "AWSLogs/" to the region's "/".
func (g *groupRun) folder(kind string) string {
	return digest.AccountFolder(g.g.organization, g.g.account) + kind + "/" + g.g.region + "/"
}

// knows reports whether a place has been listed.
func (g *groupRun) knows(p place) bool {
	return slices.Contains(g.g.places, p) || slices.Contains(g.extra, p)
}

// addPlace remembers where else the group's files lie, for the sweep.
func (g *groupRun) addPlace(p place) {
	if !g.knows(p) {
		g.extra = append(g.extra, p)
	}
}
