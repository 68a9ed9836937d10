package report

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// bundle is the bundle that all reports are of; nil where they are of several.
func (m *merger) bundle() *verify.Bundle {
	var one *verify.Bundle
	for i, r := range m.reports {
		b := r.Header.Bundle
		if b == nil || i > 0 && b.Seal != one.Seal {
			return nil
		}
		if one == nil {
			one = b
		}
	}
	return one
}

// mapPlaces notes which places the explanations name: only of those must it be
// known what becomes of them.
func (m *merger) mapPlaces() {
	for _, r := range m.reports {
		places := map[int64]int64{}
		for _, e := range r.Summary.Explained {
			for _, seq := range e.Explains {
				places[seq] = 0
			}
		}
		m.places = append(m.places, places)
	}
}

// move notes the new place of what a report has at an old one.
func (m *merger) move(report int, from, to int64) {
	if _, named := m.places[report][from]; named {
		m.places[report][from] = to
	}
}

// moved is the next place, for what a report has at an old one.
func (m *merger) moved(report int, from int64) int64 {
	to := m.place()
	m.move(report, from, to)
	return to
}

// An eventKey is an event in several reports.
type eventKey struct {
	id, name string
	at       time.Time
}

// explanations are those of all reports, each event once: what it explains in one
// report and in another adds up. What was not told again is explained no more.
func (m *merger) explanations() []verify.Explanation {
	var all []verify.Explanation
	known := map[eventKey]int{}
	for i, r := range m.reports {
		for _, e := range r.Summary.Explained {
			key := eventKey{e.ID, e.Event, seconds(e.Time)}
			at, told := known[key]
			if !told {
				at, known[key] = len(all), len(all)
				all = append(all, e)
				all[at].Explains = nil
			}
			for _, seq := range e.Explains {
				if to := m.places[i][seq]; to > 0 {
					all[at].Explains = append(all[at].Explains, to)
				}
			}
		}
	}
	for i := range all {
		slices.Sort(all[i].Explains)
		all[i].Explains = slices.Compact(all[i].Explains)
	}
	slices.SortStableFunc(all, func(a, b verify.Explanation) int {
		return cmp.Or(explainsNone(a)-explainsNone(b), a.Time.Compare(b.Time))
	})
	return m.bounded(all)
}

// explainsNone is 1 for an event that explains nothing.
func explainsNone(e verify.Explanation) int {
	if len(e.Explains) == 0 {
		return 1
	}
	return 0
}

// bounded leaves as many as a saved report may have, and counts the others.
func (m *merger) bounded(all []verify.Explanation) []verify.Explanation {
	n, places := min(len(all), maxExplanations), 0
	for i, e := range all[:n] {
		all[i].Explains = e.Explains[:min(len(e.Explains), maxPlaces-places)]
		places += len(all[i].Explains)
	}
	m.summary.UnlistedEvents = addEvents(m.summary.UnlistedEvents, int64(len(all)-n))
	return all[:n]
}

// addEvents adds counts up, and stays at the most where a forged report says more.
func addEvents(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
