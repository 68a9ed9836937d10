package verify

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/trailseal/trailseal/digest"
	"golang.org/x/sync/semaphore"
)

// A listing names one digest file of a chain before it is read.
type listing struct {
	Entry
	name   digest.Name
	peek   *sight // what was seen of it, where it was read before its turn
	hidden bool   // a delete marker hides it, and a version of it is signed
}

// A step is one thing to report, in order: a result that is ready, or a log
// file that must be hashed first.
type step struct {
	file    *File
	finding *Finding
	oldest  bool // nothing of the chain from before the finding is known: a rule may have deleted what was there
	log     *logStep
	edge    *digest.Log // of a digest beside the window, to be looked through
}

type logStep struct {
	listed  digest.Log
	digest  string // URI of the digest that lists it
	trusted bool
	detail  string // what is to be said of that digest; mostly nothing
}

// A chainRun walks one chain forward through the window. It reads digests
// ahead in parallel, but decides in this one goroutine and in order of time.
//
// A digest is settled once a later authentic digest is at hand, because that
// one says what the bytes and the signature before it must be. Whether a
// digest is authentic is known as soon as the digest after it has been read,
// for that one carries its signature where its own is lost. So two digests of
// look-ahead decide everything, and memory does not grow with the chain.
type chainRun struct {
	r     *run
	g     *groupRun
	id    digest.Chain
	refs  []listing // by end time
	first int       // the first of refs that ends after the window's start

	handed  int          // how many of refs have been handed out to be read
	held    *sight       // the last one read, not admitted before the next one is
	waiting []*sight     // read, in order, not yet settled; the first may be authentic, the rest are not
	last    *sight       // the last authentic one
	given   map[Ref]bool // given up since, where versions are looked at: said already, and not to be found once more
	book    *ledger
	oldest  bool      // what is being accounted for: see step
	told    time.Time // all before it is reported: the book runs ahead of the logs that are hashed
	yield   func(step) bool
	stopped bool            // the consumer wants no more
	in      map[string]bool // buckets that its digests lie in, where the run is to explain
	witness func(*sight)    // in place of reporting: takes each settled digest

	record Chain
	keys   keyring
}

const (
	readAhead      = 32        // digests of a chain read before their turn
	readAheadBytes = 128 << 10 // and their compressed bytes: entries hardly compress below 70 bytes
	maxWaiting     = 24        // unconfirmed digests kept while looking for one that speaks of them; hours, less than PendingAge
	maxWaitingLogs = 50_000    // and the logs they list
	maxForged      = 64        // badly signed digests after the window that are read past
	maxWalk        = 10_000    // digests followed one by one where a listing is refused
)

func newChainRun(g *groupRun, id digest.Chain, refs []listing, w Window) *chainRun {
	c := &chainRun{r: g.r, g: g, id: id, refs: refs, book: newLedger(w), told: w.Start, keys: newKeyring()}
	c.order()
	c.record = Chain{
		Organization: id.Organization, Account: id.Account, Region: id.Region, HomeRegion: id.HomeRegion,
		Trail: id.Trail, Backfill: id.Backfill, Digests: map[Verdict]int{}, Logs: map[Verdict]int{}, Gaps: []Hole{},
	}
	return c
}

// steps is the chain, up to a time, as a source of things to report. It goes
// on where it stopped before; rest stands for a time after everything.
func (c *chainRun) steps(until time.Time) source[step] {
	return func(ctx context.Context) iter.Seq[step] {
		return func(yield func(step) bool) {
			c.yield = yield
			if c.id.Backfill && c.witness == nil {
				c.backfill(ctx)
				return
			}
			c.held = c.through(ctx, c.sights(ctx, until), c.held)
			if ctx.Err() != nil || c.stopped || !until.IsZero() {
				return
			}
			if c.held != nil {
				c.admit(ctx, c.held)
			}
			c.settle(nil)
			c.tail()
		}
	}
}

func (c *chainRun) send(s step) {
	if !c.stopped && !c.yield(s) {
		c.stopped = true
	}
}

// sights reads the chain's digests in order: the one before the window, whose
// logs may be named at its edge, those inside that end by a certain time (the
// zero time: all), and then those after it until one speaks for the last
// inside.
func (c *chainRun) sights(ctx context.Context, until time.Time) iter.Seq[*sight] {
	w := c.book.window
	last := until.IsZero()
	if last {
		until = w.End.Add(time.Hour)
	}
	from := max(c.handed, c.before())
	to := from
	for to < len(c.refs) && !c.refs[to].name.End.After(until) {
		to++
	}
	c.handed = to
	return func(yield func(*sight) bool) {
		more := c.witnessed()
		done := false
		for s := range c.read(ctx, c.refs[from:to]) {
			done = more(s)
			if !yield(s) {
				return
			}
		}
		for i := to; last && i < len(c.refs) && !done && ctx.Err() == nil; i++ {
			for s := range c.read(ctx, c.refs[i:i+1]) {
				done = more(s)
				if !yield(s) {
					return
				}
			}
		}
	}
}

// before is the first digest to read: the one before the window, because logs
// near its edge may be named there, with all that pass for that one.
func (c *chainRun) before() int {
	const most = 8
	i := max(c.first-1, 0)
	for i > 0 && c.first-i < most && c.refs[c.first-1].name.End.Sub(c.refs[i-1].name.End) < 30*time.Minute {
		i--
	}
	return i
}

// witnessed says of each digest in turn whether enough has been read after the
// window. One that is signed is enough. Where signatures are lost, the next
// but one confirms the next. What is not signed by CloudTrail, and says it is,
// cannot crowd those out.
func (c *chainRun) witnessed() func(*sight) bool {
	w, copied := c.book.window, c.r.relative
	later, forged := 0, 0
	return func(s *sight) bool {
		switch {
		case s.start().Before(w.End):
		case s.own != sigHolds && !copied: // a bucket's digests are signed
			forged++
		default:
			later++
		}
		return later >= 3 || forged >= maxForged || later > 0 && s.own == sigHolds
	}
}

// read looks at digests in parallel and yields them in order.
func (c *chainRun) read(ctx context.Context, refs []listing) iter.Seq[*sight] {
	budget := semaphore.NewWeighted(readAheadBytes)
	weight := func(l listing) int64 { return min(max(l.Size, 1), readAheadBytes) }
	type read struct {
		s *sight
		l listing
	}
	in := func(ctx context.Context) iter.Seq[listing] {
		return func(yield func(listing) bool) {
			for _, l := range refs {
				if budget.Acquire(ctx, weight(l)) != nil || !yield(l) {
					return
				}
			}
		}
	}
	look := func(ctx context.Context, l listing) read {
		if l.peek != nil {
			return read{l.peek, l}
		}
		s, err := c.r.look(ctx, l.Entry, l.name)
		if err == nil && l.hidden {
			err = c.r.recoverDigest(ctx, s, nil)
		}
		if err != nil {
			c.r.fail(err)
		}
		return read{s, l}
	}
	return func(yield func(*sight) bool) {
		for got := range ordered(ctx, c.r.slots, readAhead, in, look) {
			budget.Release(weight(got.l))
			if got.s == nil || !yield(got.s) {
				return
			}
		}
	}
}

// through admits digests in order, each once the next has been read, and
// returns the last, which waits for its next. held is such a last one.
func (c *chainRun) through(ctx context.Context, sights iter.Seq[*sight], held *sight) *sight {
	for s := range sights {
		if held != nil {
			c.introduce(s, held)
			c.admit(ctx, held)
		}
		if held = s; c.stopped || ctx.Err() != nil {
			break
		}
	}
	return held
}

// insert admits digests that were found missing, all before next, which is
// read already.
func (c *chainRun) insert(ctx context.Context, sights iter.Seq[*sight], next *sight) {
	if held := c.through(ctx, sights, nil); held != nil && !c.stopped && ctx.Err() == nil {
		c.introduce(next, held)
		c.admit(ctx, held)
	}
}

// introduce tells the digest that s names, if it is at hand, that s does.
func (c *chainRun) introduce(s, held *sight) {
	if s = s.speaker(); c.r.names(s, held) {
		held.link(s)
		return
	}
	for _, d := range slices.Backward(c.waiting) {
		if c.r.names(s, d) {
			d.link(s)
			return
		}
	}
}

// admit takes the next digest in order, with all that can be known of it.
func (c *chainRun) admit(ctx context.Context, d *sight) {
	if !d.authentic() {
		c.waiting = append(c.waiting, d)
		c.giveUp()
		return
	}
	c.fill(ctx, d)
	c.promote(ctx)
	if c.stopped || ctx.Err() != nil {
		return
	}
	c.settle(d)
	c.waiting = append(c.waiting[:0], d)
	c.last = d
}

// giveUp settles what has waited for too long. The authentic one at the head
// is not given up: whoever plants digests behind it would choose when.
func (c *chainRun) giveUp() {
	head := 0
	if len(c.waiting) > 0 && c.waiting[0].authentic() {
		head = 1
	}
	for len(c.waiting) > head+1 && (len(c.waiting) > maxWaiting || listed(c.waiting[head:]) > maxWaitingLogs) {
		c.settleOne(c.waiting[head])
		c.noteGiven(c.waiting[head])
		c.waiting = slices.Delete(c.waiting, head, head+1)
	}
}

// listed is how many logs digests list that have not been handed out.
func listed(digests []*sight) int {
	n := 0
	for _, d := range digests {
		if d.record != nil {
			n += len(d.record.Logs)
		}
	}
	return n
}

// settle judges all that wait, now that next, an authentic digest or the end
// of the chain, is at hand, and accounts for the time before next.
func (c *chainRun) settle(next *sight) {
	var untrusted []*sight
	for _, d := range c.waiting {
		c.settleOne(d)
		if !d.authentic() {
			untrusted = append(untrusted, d)
		}
	}
	c.waiting = c.waiting[:0]
	if next != nil {
		clear(c.given)
		c.accountHole(next, untrusted)
		c.reportSkipped(next)
	} else {
		c.accountRest(untrusted)
	}
}

// settleOne judges one digest, reports it where it is inside the window, and
// hands out its logs.
func (c *chainRun) settleOne(d *sight) {
	ruling := judgeDigest(d)
	if c.witness != nil {
		if ruling.verdict == Kept {
			c.witness(d)
		}
		return
	}
	c.r.watch.settled(d, ruling)
	d.inside = c.inside(d)
	if d.authentic() {
		if c.r.Explain {
			c.lies(d.record.Bucket)
		}
		c.accountDigest(d, ruling.verdict)
	}
	if !d.inside {
		// Its logs are not this run's business, but a log near the window's
		// edge may be named by it.
		if ruling.verdict == Kept {
			c.edges(d)
			c.g.note(d.record.Logs, c.id.Backfill)
		}
		if d.record != nil {
			d.record.Logs = nil
		}
		return
	}
	c.r.Progress.DigestsDone.Add(1)
	c.extend(d)
	recovered := c.rescued(d, ruling)
	file := digestFile(d, ruling)
	file.Recover = d.recover
	c.send(step{file: file})
	switch {
	case recovered:
		c.logs(d, d.rescue.record, true, d.sayRecovered())
	case d.record != nil && c.r.watch.wants(d):
		c.logs(d, d.record, ruling.verdict == Kept, "")
	}
}

// inside reports whether a digest is to be judged. Only an authentic one is
// believed about its span: otherwise a forged one could excuse itself.
func (c *chainRun) inside(d *sight) bool {
	if d.authentic() {
		return c.book.window.Touches(d.record.Start, d.record.End)
	}
	return c.book.window.Touches(d.name.End.Add(-time.Hour), d.name.End)
}

func (c *chainRun) extend(d *sight) {
	start, end := d.start(), d.end()
	if c.record.First == nil || start.Before(*c.record.First) {
		c.record.First = &start
	}
	if c.record.Last == nil || end.After(*c.record.Last) {
		c.record.Last = &end
	}
}
