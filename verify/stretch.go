package verify

import (
	"iter"
	"slices"
	"time"
)

// A stretch is a part of the window that is worked on at once: all chains of
// the group are read up to a time, then the logs are swept that their digests
// must have named by then. Only the logs of two stretches are remembered, so
// memory does not grow with the window.
type stretch struct {
	until       time.Time // digests are read up to then; zero: to the end
	sweep       Window    // logs are swept from Start up to, not including, End
	first, last bool
}

const stretchLength = 3 * 24 * time.Hour

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
