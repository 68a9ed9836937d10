package verify

import (
	"context"
	"fmt"
	"hash/maphash"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// An event is one result of a group, on its way to the sink.
type event struct {
	file    *File
	finding *Finding
	chain   *Chain
	sums    *sums
}

// sums counts what a group found, the kept files that are not reported
// included.
type sums struct {
	digests, logs map[Verdict]int
	worst         Class
}

func newSums() *sums { return &sums{digests: map[Verdict]int{}, logs: map[Verdict]int{}} }

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
	doubt  int                  // how many of them only untrusted digests name
	byRef  map[ChainRef][]*chainRun
	chains []*chainRun // judged
	others []*chainRun // of trails that were filtered out
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
		g.find(Finding{Kind: NoDigests, Chain: g.g.chainRef(), Message: "there are folders for this account and region, but no digest files"})
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
		g.sweep(w, s, logs)
	}
	for _, c := range g.chains {
		g.finish(c)
	}
}

// A stretch is a part of the window that is worked on at once: all chains of
// the group are read up to a time, then the logs are swept that their digests
// must have named by then. Only the logs of two stretches are remembered, so
// memory does not grow with the window.
type stretch struct {
	until       time.Time // digests are read up to then; zero: to the end
	sweep       Window    // logs are swept from Start up to, not including, End
	first, last bool
}

const stretchLength = 4 * 24 * time.Hour

func stretches(w Window) iter.Seq[stretch] {
	return func(yield func(stretch) bool) {
		from := w.Start
		for until := w.Start.Add(stretchLength); until.Before(w.End.Add(-stretchLength / 2)); until = until.Add(stretchLength) {
			// What is named late is named within this time, or in a backfill digest.
			settled := until.Add(-PendingAge)
			if !yield(stretch{until: until, sweep: Window{from, settled}, first: from.Equal(w.Start)}) {
				return
			}
			from = settled
		}
		yield(stretch{sweep: Window{from, w.End}, first: from.Equal(w.Start), last: true})
	}
}

// runChain judges one chain up to a time and reports what comes of it, in
// order.
func (g *groupRun) runChain(c *chainRun, until time.Time) {
	for e := range ordered(g.ctx, g.r.slots, g.r.InFlight, c.steps(until), g.do) {
		switch {
		case e.file != nil:
			g.count(c, e.file)
			g.report(e)
		case e.finding != nil:
			g.find(*e.finding)
		}
	}
}

// do turns a step into its result; hashing a log is the work of a run.
func (g *groupRun) do(ctx context.Context, s step) event {
	if s.log == nil {
		return event{file: s.file, finding: s.finding}
	}
	var seen logSight
	if s.log.trusted && s.log.listed.Algorithm == digest.HashAlgorithm {
		var err error
		if seen, err = g.r.hash(ctx, Ref{s.log.listed.Bucket, s.log.listed.Object}); err != nil {
			g.r.fail(err)
			return event{}
		}
	}
	g.r.Progress.LogsDone.Add(1)
	return event{file: logFile(s.log, seen, judgeLog(s.log.listed, s.log.trusted, seen))}
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
	}
	all[f.Verdict]++
	chain[f.Verdict]++
	g.sums.worst = max(g.sums.worst, f.Class)
}

func (g *groupRun) report(e event) {
	if e.file.Class > Good || e.file.Verdict != Kept || g.r.All {
		g.send(e)
	}
}

func (g *groupRun) find(f Finding) {
	f.Class = g.r.Policy.Finding(f.Kind)
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
	if from, to := c.book.at, c.book.window.End; g.ctx.Err() != nil && from.Before(to) {
		g.find(Finding{Kind: NotChecked, Chain: c.ref(), Start: &from, End: &to,
			Message: "the run was interrupted before this part of the chain was checked to its end"})
		c.book.paint(Unproven, to)
	}
	c.record.Coverage = c.book.shares()
	g.r.noteNewest(c)
	if len(c.record.Digests) == 0 && len(c.record.Gaps) == 0 && c.id.Backfill {
		return
	}
	g.send(event{chain: &c.record})
}

// folder is one of the group's folders, from "AWSLogs/" to the region's "/".
func (g *groupRun) folder(kind string) string {
	return accountFolder(g.g.organization, g.g.account) + kind + "/" + g.g.region + "/"
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

// firstTime reports whether a log file is to be judged: it is not when a digest
// before named it with the same hash. What is kept of a log is 16 bytes, keyed
// by a seed that nobody outside can know.
func (g *groupRun) firstTime(l digest.Log, trusted, backfill bool) bool {
	key, want := g.key(Ref{l.Bucket, l.Object}), uint64(0)
	if trusted {
		want = maphash.Bytes(g.seed, l.Hash[:]) | 1
	}
	for _, named := range g.named {
		if before, seen := named[key]; seen && (!trusted || before == want) {
			return false
		}
	}
	if g.doubt++; trusted || g.doubt < maxDoubt {
		g.slot(backfill)[key] = want
	}
	return true
}

// maxDoubt bounds how many log files that only untrusted digests name are
// remembered: anyone can plant those. Beyond it such a log may be spoken of
// twice.
const maxDoubt = 200_000

// slot is where a digest's logs are remembered. Backfill digests are few, and
// all of them are read before the first sweep.
func (g *groupRun) slot(backfill bool) map[uint64]uint64 {
	if backfill {
		return g.named[2]
	}
	return g.named[0]
}

// note remembers log files that are named by a digest outside the window.
func (g *groupRun) note(logs []digest.Log, backfill bool) {
	for _, l := range logs {
		if key := g.key(Ref{l.Bucket, l.Object}); !g.isNamed(Ref{l.Bucket, l.Object}) {
			g.slot(backfill)[key] = 0
		}
	}
}

func (g *groupRun) isNamed(ref Ref) bool {
	key := g.key(ref)
	for _, named := range g.named {
		if _, ok := named[key]; ok {
			return true
		}
	}
	return false
}

// key stands for a place. A copy knows a log's place only from "AWSLogs/" on.
func (g *groupRun) key(ref Ref) uint64 {
	var h maphash.Hash
	h.SetSeed(g.seed)
	if rest, ok := digest.FromAWSLogs(ref.Key); ok && g.r.relative {
		h.WriteString(rest)
	} else {
		h.WriteString(ref.Bucket)
		h.WriteByte('/')
		h.WriteString(ref.Key)
	}
	return h.Sum64()
}

// list finds the group's chains from the names of its digest files. With an
// error comes the place that could not be listed.
func (g *groupRun) list(w Window) (place, error) {
	chains := map[digest.Chain][]listing{}
	junk := 0
	for _, p := range g.g.places {
		if err := g.listPlace(p, w, chains, &junk); err != nil {
			return p, err
		}
	}
	if junk > maxJunk {
		g.find(Finding{Kind: Junk, Chain: g.g.chainRef(), Message: fmt.Sprintf("and %d more things that are named almost like digest files", junk-maxJunk)})
	}
	for id := range maps.Clone(chains) {
		// Backfill digests come beside a chain. Where they stand alone, the chain
		// is gone.
		if id.Backfill {
			id.Backfill = false
			chains[id] = append([]listing(nil), chains[id]...)
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(chains), compareChains) {
		g.addChain(id, chains[id])
	}
	return place{}, nil
}

// addChain makes a chain of what was listed, to be judged or, where the filter
// does not want it, to be asked which logs are its own.
func (g *groupRun) addChain(id digest.Chain, refs []listing) {
	c := newChainRun(g, id, refs, g.r.Window)
	if !g.r.wanted("trail", g.r.Filter.Trails, id.Trail) || !g.r.wanted("home region", g.r.Filter.HomeRegions, id.HomeRegion) {
		g.others = append(g.others, c)
		return
	}
	g.chains = append(g.chains, c)
	g.byRef[*c.ref()] = append(g.byRef[*c.ref()], c)
	g.r.Progress.Digests.Add(int64(len(c.refs) - c.first))
}

// begins is where there is something to look at: a window of years is not
// swept week by week before the first log.
func (g *groupRun) begins(w Window) time.Time {
	if w.End.Sub(w.Start) < 2*stretchLength {
		return w.Start
	}
	first := w.End
	for _, c := range g.chains {
		if len(c.refs) > c.first {
			first = earlier(first, c.refs[c.first].name.End.Add(-24*time.Hour))
		}
	}
	for _, p := range slices.Concat(g.g.places, g.extra) {
		for _, kind := range g.g.kinds {
			at := Ref{p.Bucket, p.Key + g.folder(kind)}
			for e, err := range g.r.Store.List(g.ctx, at, at.Key+dayBefore(w.Start), "") {
				at := deliveredAt(e)
				if err != nil || at.IsZero() {
					return w.Start
				}
				first = earlier(first, at.Add(-24*time.Hour))
				break
			}
		}
	}
	if first.Before(w.Start) {
		return w.Start
	}
	return first
}

const (
	maxJunk   = 20        // badly named things reported one by one
	maxChains = 10_000    // in one account's region
	maxListed = 1_000_000 // digests of one chain, which bounds the memory that planted names can take
)

// listPlace lists one place from a week before the window, so that a chain is
// missed when it stops, to the first digest of every chain after the window.
func (g *groupRun) listPlace(p place, w Window, chains map[digest.Chain][]listing, junk *int) error {
	at := Ref{p.Bucket, p.Key + g.folder(digest.DigestFolder)}
	after := ""
	if !g.r.everything {
		after = at.Key + dayBefore(w.Start.Add(-min(g.r.Lookback, maxLookback)))
	}
	found, err := g.listFrom(at, after, w, chains, junk)
	if err != nil || found || after == "" {
		return err
	}
	// Nothing for a week: the newest digests before that say which chains are
	// missed.
	day, err := g.r.edgeDay(g.ctx, at, true)
	if err != nil || day == "" {
		return err
	}
	_, err = g.listFrom(Ref{at.Bucket, day}, "", w, chains, junk)
	return err
}

func (g *groupRun) listFrom(at Ref, after string, w Window, chains map[digest.Chain][]listing, junk *int) (bool, error) {
	found := false
	after3 := w.End.AddDate(0, 0, 3)
	past := map[digest.Chain]bool{} // whether a digest that begins after the window is listed
	open := 0                       // of how many chains none is
	for e, err := range g.r.Store.List(g.ctx, at, after, "") {
		if err != nil {
			return found, err
		}
		name, err := digest.ParseName(e.Key)
		if err != nil || !g.owns(name) {
			g.junk(e, junk)
			continue
		}
		if !name.Chain.Backfill {
			found = true
		}
		if len(chains[name.Chain]) >= maxListed || len(chains) > maxChains {
			return found, &UnreadableError{What: "listing", Reason: ReadFailed, Err: fmt.Errorf(
				"more than %d names of digests in one chain, or %d chains, which CloudTrail does not write", maxListed, maxChains)}
		}
		chains[name.Chain] = append(chains[name.Chain], listing{Entry: e, name: name})
		was, known := past[name.Chain]
		if !known {
			open++
		}
		if is := was || name.End.After(w.End.Add(2*time.Hour)); is && !was {
			past[name.Chain] = true
			open--
		} else {
			past[name.Chain] = is
		}
		if open == 0 && !g.r.everything && name.End.After(after3) {
			break
		}
	}
	return found, nil
}

func (g *groupRun) owns(n digest.Name) bool {
	return n.Chain.Organization == g.g.organization && n.Chain.Account == g.g.account && n.Chain.Region == g.g.region
}

// junk reports something that lies among the digests and is none. Folder
// markers are not worth a word.
func (g *groupRun) junk(e Entry, junk *int) {
	if strings.HasSuffix(e.Key, "/") {
		return
	}
	if *junk++; *junk <= maxJunk {
		g.find(Finding{Kind: Junk, URI: e.URI(), Chain: g.g.chainRef(), Message: "it lies among the digest files and is not named like one; it was not read"})
	}
}

func compareChains(a, b digest.Chain) int {
	if c := strings.Compare(a.Trail, b.Trail); c != 0 {
		return c
	}
	if c := strings.Compare(a.HomeRegion, b.HomeRegion); c != 0 {
		return c
	}
	switch {
	case a.Backfill == b.Backfill:
		return 0
	case a.Backfill:
		return 1
	default:
		return -1
	}
}
