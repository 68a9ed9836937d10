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
	named  [2]map[uint64]uint64 // log files that digests of this stretch and the one before name: hash of the place -> of what is expected there
	chains []*chainRun          // judged
	others []*chainRun          // of trails that were filtered out
	extra  []place              // where chains turned out to have been delivered before
}

// verifyGroup runs one group and sends its results. It stops early only when
// nobody takes results any more; an interrupted run still says what it had
// found and what it had not.
func (r *run) verifyGroup(g group, send func(event) bool) {
	defer r.Progress.ChainsDone.Add(1)
	gr := &groupRun{r: r, g: g, ctx: r.ctx, send: send, sums: newSums(), seed: maphash.MakeSeed()}
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
	if len(g.chains) == 0 && len(g.others) > 0 {
		return
	}
	if len(g.chains) == 0 {
		g.find(Finding{Kind: NoDigests, Chain: g.g.chainRef(), Message: "there are folders for this account and region, but no digest files"})
	}
	for s := range stretches(w) {
		g.named[0], g.named[1] = map[uint64]uint64{}, g.named[0]
		for _, c := range g.chains {
			g.runChain(c, s.until)
		}
		if g.ctx.Err() != nil {
			break
		}
		g.sweep(w, s)
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
	if e.file.Verdict != Kept || g.r.All {
		g.send(e)
	}
}

func (g *groupRun) find(f Finding) {
	f.Class = g.r.Policy.Finding(f.Kind)
	g.sums.worst = max(g.sums.worst, f.Class)
	if f.Chain != nil {
		for _, c := range g.chains {
			if *f.Chain == *c.ref() {
				c.record.Class = max(c.record.Class, f.Class)
			}
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

// listed reports whether a place was listed at the start.
func (g *groupRun) listed(p place) bool { return slices.Contains(g.g.places, p) }

// addPlace remembers where else the group's files lie, for the sweep.
func (g *groupRun) addPlace(p place) {
	if !slices.Contains(g.g.places, p) && !slices.Contains(g.extra, p) {
		g.extra = append(g.extra, p)
	}
}

// firstTime reports whether a log file is to be judged: it is not when a digest
// before named it with the same hash. What is kept of a log is 16 bytes, keyed
// by a seed that nobody outside can know.
func (g *groupRun) firstTime(l digest.Log, trusted bool) bool {
	key, want := g.key(Ref{l.Bucket, l.Object}), uint64(0)
	if trusted {
		want = maphash.Bytes(g.seed, l.Hash[:]) | 1
	}
	for _, named := range g.named {
		if before, seen := named[key]; seen && (!trusted || before == want) {
			return false
		}
	}
	g.named[0][key] = want
	return true
}

// note remembers log files that are named by a digest outside the window.
func (g *groupRun) note(logs []digest.Log) {
	for _, l := range logs {
		if key := g.key(Ref{l.Bucket, l.Object}); g.named[0][key] == 0 {
			g.named[0][key] = 0
		}
	}
}

func (g *groupRun) isNamed(ref Ref) bool {
	key := g.key(ref)
	_, now := g.named[0][key]
	_, before := g.named[1][key]
	return now || before
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
	ids := slices.SortedFunc(maps.Keys(chains), compareChains)
	for _, id := range ids {
		c := newChainRun(g, id, chains[id], w)
		if g.r.wanted("trail", g.r.Filter.Trails, id.Trail) && g.r.wanted("home region", g.r.Filter.HomeRegions, id.HomeRegion) {
			g.chains = append(g.chains, c)
			g.r.Progress.Digests.Add(int64(len(c.refs) - c.first))
		} else {
			g.others = append(g.others, c)
		}
	}
	return place{}, nil
}

const (
	maxJunk   = 20        // badly named things reported one by one
	maxListed = 1_000_000 // digests of one chain, which bounds the memory that planted names can take
)

// listPlace lists one place from a week before the window, so that a chain is
// missed when it stops, to the first digest of every chain after the window.
func (g *groupRun) listPlace(p place, w Window, chains map[digest.Chain][]listing, junk *int) error {
	at := Ref{p.Bucket, p.Key + g.folder(digest.DigestFolder)}
	after := ""
	if !g.r.everything {
		after = at.Key + w.Start.Add(-Lookback).UTC().Format("2006/01/02")
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
		if found = true; len(chains[name.Chain]) >= maxListed {
			return found, &UnreadableError{What: "listing", Reason: ReadFailed, Err: fmt.Errorf(
				"more than %d names of digests in one chain, which CloudTrail needs a century to write", maxListed)}
		}
		chains[name.Chain] = append(chains[name.Chain], listing{e, name})
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
