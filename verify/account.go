package verify

import (
	"fmt"
	"slices"
	"sort"
	"time"
)

// A ledger says of every second of a window which state it is in. It is
// written forward in time, so that no second is counted twice or left out.
type ledger struct {
	window Window
	at     time.Time // all before it is accounted for
	dark   []span    // what no kept digest covers
	spans  []span    // all that was painted, in order, neighbours of one state joined
	sums   map[State]time.Duration
}

type span struct {
	state      State
	start, end time.Time
}

func newLedger(w Window) *ledger {
	return &ledger{window: w, at: w.Start, sums: map[State]time.Duration{}}
}

// paint accounts for the time up to end, as far as it is in the window and not
// yet accounted for, and returns what it painted.
func (l *ledger) paint(state State, end time.Time) span {
	s := span{state, l.at, end}
	if s.end.After(l.window.End) {
		s.end = l.window.End
	}
	if !s.end.After(s.start) {
		return span{state, s.start, s.start}
	}
	l.at = s.end
	l.sums[state] += s.end.Sub(s.start)
	if n := len(l.spans); n > 0 && l.spans[n-1].state == state {
		l.spans[n-1].end = s.end
	} else {
		l.spans = append(l.spans, s)
	}
	if state != Verified && state != VerifiedEmpty && state != NotYetDue {
		l.dark = append(l.dark, s)
	}
	return s
}

// rewind takes back what was painted after a time.
func (l *ledger) rewind(to time.Time) {
	for n := len(l.spans); n > 0 && l.spans[n-1].end.After(to); n = len(l.spans) {
		s := &l.spans[n-1]
		from := s.start
		if from.Before(to) {
			from = to
		}
		if l.sums[s.state] -= s.end.Sub(from); l.sums[s.state] == 0 {
			delete(l.sums, s.state)
		}
		if s.end = from; !s.end.After(s.start) {
			l.spans = l.spans[:n-1]
		}
	}
	l.at = earlier(l.at, to)
}

// darkness is the stretch without a kept digest that a log delivered at a time
// lies in, to the few minutes that names are off by.
func (l *ledger) darkness(at time.Time) (span, bool) {
	const slack = 5 * time.Minute
	i := sort.Search(len(l.dark), func(i int) bool { return l.dark[i].end.After(at.Add(-slack)) })
	if i == len(l.dark) || !at.Add(slack).After(l.dark[i].start) {
		return span{}, false
	}
	return l.dark[i], true
}

// shares are the seconds in each state. Digests begin and end on whole
// seconds; a window need not, and its odd part goes to the largest share.
func (l *ledger) shares() []Share {
	total := int64(l.window.End.Sub(l.window.Start) / time.Second)
	var shares []Share
	largest := 0
	for _, state := range States {
		d, ok := l.sums[state]
		if !ok {
			continue
		}
		shares = append(shares, Share{state, int64(d / time.Second)})
		total -= shares[len(shares)-1].Seconds
		if shares[len(shares)-1].Seconds > shares[largest].Seconds {
			largest = len(shares) - 1
		}
	}
	if len(shares) > 0 {
		shares[largest].Seconds += total
	}
	return shares
}

// accountDigest paints an authentic digest's own span.
func (c *chainRun) accountDigest(d *sight, v Verdict) {
	c.rest(c.background(), d.record.Start)
	state := Verified
	switch {
	case v != Kept:
		state = Unproven
	case len(d.record.Logs) == 0:
		state = VerifiedEmpty
	}
	c.book.paint(state, d.record.End)
}

// background is what time is in that no rule speaks of. Backfill digests come
// only when they are needed, so nothing is missing between them.
func (c *chainRun) background() State {
	if c.id.Backfill {
		return NotYetDue
	}
	return InGap
}

// accountHole paints the time between the last authentic digest and next, in
// which untrusted digests may lie.
func (c *chainRun) accountHole(next *sight, untrusted []*sight) {
	if c.witness != nil {
		return
	}
	state, reason := c.holeState(next, untrusted)
	start := c.coveredFrom(next)
	// A deleted digest is reported itself, but not where it lies after the window.
	unsaid := state == DigestDeleted && !slices.ContainsFunc(untrusted, func(d *sight) bool {
		return d.inside && d.err != nil && judgeDigest(d).verdict == Deleted
	})
	// A rule deletes from the oldest end on, and starts no chain anew.
	c.oldest = state == DigestDeleted || c.last == nil && next.record.Previous != nil
	defer func() { c.oldest = false }()
	hole := func(s span) {
		if c.hole(s, reason); unsaid && s.state == DigestDeleted && s.end.After(s.start) {
			c.find(Finding{Kind: Gap, Start: &s.start, End: &s.end, Message: reason})
		}
	}
	for _, d := range untrusted {
		from := d.name.End.Add(-time.Hour)
		if d.err != nil && judgeDigest(d).verdict == Deleted {
			if c.id.Backfill {
				c.rest(NotYetDue, earlier(from, start))
				c.hole(c.book.paint(DigestDeleted, earlier(d.name.End, start)), "its digest is deleted")
			} else if d.rescue != nil && state == InGap { // its version says what it covered
				hole(c.book.paint(state, earlier(d.rescue.record.Start, start)))
				c.hole(c.book.paint(DigestDeleted, earlier(d.rescue.record.End, start)), recoveredHole)
			}
			continue
		}
		hole(c.book.paint(state, earlier(from, start)))
		c.book.paint(Unproven, earlier(d.name.End, start))
		c.oldest = state == DigestDeleted
	}
	if c.id.Backfill {
		state = NotYetDue
	}
	painted := c.book.paint(state, start)
	hole(painted)
	if next.record.Previous == nil && c.last != nil && !painted.end.After(painted.start) && c.inside(next) {
		c.find(Finding{Kind: Gap, Start: &next.record.Start, End: &next.record.End, Message: reason})
	}
}

const recoveredHole = "its digest is deleted, and a version of it is there"

// coveredFrom is the time from which on a digest speaks. The span of an empty
// starting digest is the hour before logging began: where the chain had
// stopped before, nothing was logged in it, and to take it for an empty hour
// would hide a stop of less than an hour.
func (c *chainRun) coveredFrom(d *sight) time.Time {
	if d.record.Previous == nil && len(d.record.Logs) == 0 && c.last != nil {
		return d.record.End
	}
	return d.record.Start
}

// holeState says why no trusted digest covers the time before next.
func (c *chainRun) holeState(next *sight, untrusted []*sight) (State, string) {
	if next.record.Previous == nil {
		if c.last == nil && c.first == 0 && !c.startedBefore(c.r.ctx) {
			return BeforeStart, "the chain starts later"
		}
		return InGap, "no digest: logging or log file validation was off; the chain starts anew"
	}
	for _, d := range untrusted {
		if d.err != nil && slices.Contains(d.nexts, next) && judgeDigest(d).verdict == Deleted {
			return DigestDeleted, "the next digest names one that is deleted"
		}
	}
	return InGap, "no digest covers it"
}

// accountRest paints the time after the last authentic digest.
func (c *chainRun) accountRest(untrusted []*sight) {
	if c.witness != nil {
		return
	}
	for _, d := range untrusted {
		if d.rescue != nil && judgeDigest(d).verdict == Deleted {
			c.rest(c.background(), d.rescue.record.Start)
			c.hole(c.book.paint(DigestDeleted, d.rescue.record.End), recoveredHole)
			continue
		}
		if d.err == nil || judgeDigest(d).verdict != Deleted {
			c.rest(c.background(), d.name.End.Add(-time.Hour))
			c.book.paint(Unproven, d.name.End)
		}
	}
}

// rest paints a stretch that no digest covers, and reports it.
func (c *chainRun) rest(state State, end time.Time) {
	c.hole(c.book.paint(state, end), "no digest covers it")
}

// hole reports a stretch without a digest.
func (c *chainRun) hole(s span, reason string) {
	if !s.end.After(s.start) || c.witness != nil {
		return
	}
	switch s.state {
	case InGap:
		c.record.Gaps = append(c.record.Gaps, Hole{s.start, s.end, reason})
		c.find(Finding{Kind: Gap, Start: &s.start, End: &s.end, Message: reason})
	case DigestDeleted:
		c.record.Gaps = append(c.record.Gaps, Hole{s.start, s.end, reason})
	case BeforeStart:
		c.find(Finding{Kind: NotStarted, Start: &s.start, End: &s.end, Message: reason})
	}
}

// tail accounts for the end of the window: what must have been delivered by
// now and was not found is stale, the rest is not yet due.
func (c *chainRun) tail() {
	if c.witness != nil {
		return
	}
	due := earlier(c.book.window.End, c.r.horizon.Add(-DigestDue))
	if len(c.refs) == 0 {
		c.find(Finding{Kind: NoDigests, Message: "the trail's backfill digests are there, its hourly ones are not"})
		c.book.paint(InGap, c.book.window.End)
		return
	}
	if s := c.book.paint(c.background(), due); s.state == InGap && s.end.After(s.start) {
		const reason = "no digest, though one is due"
		c.record.Gaps = append(c.record.Gaps, Hole{s.start, s.end, reason})
		c.find(Finding{Kind: Stale, Start: &s.start, End: &s.end, Message: fmt.Sprintf(
			"the newest digest found ends at %s; later ones are due and are not there: cut off, logging stopped, or delivery fails",
			c.newest().Format(time.RFC3339)) + c.g.unseen})
	}
	c.book.paint(NotYetDue, c.book.window.End)
}

// newest is the end of the newest digest found, be it before the window.
func (c *chainRun) newest() time.Time {
	if c.record.Last != nil {
		return *c.record.Last
	}
	return c.refs[len(c.refs)-1].name.End
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
