package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// explainedPlaces are the places of what each report's events explain. Which
// place each has in the merged report is noted when it is told.
func explainedPlaces(reports []*Saved) []map[int64]int64 {
	all := make([]map[int64]int64, len(reports))
	for i, r := range reports {
		all[i] = map[int64]int64{}
		for _, e := range r.Summary.Explained {
			for _, seq := range e.Explains {
				all[i][seq] = 0
			}
		}
	}
	return all
}

// moved notes the place that was given last to what had another in a report.
func (m *merger) moved(report int, from int64) { m.placed(report, from, m.seq) }

func (m *merger) placed(report int, from, to int64) {
	if _, wanted := m.places[report][from]; wanted {
		m.places[report][from] = to
	}
}

// maxMergedEvents is how many events a merged report tells: as many as that of a run
// does, so that it can be read again.
const maxMergedEvents = 1_000

// explained are the events of all reports, each once, beside what they explain in
// the merged one.
func (m *merger) explained() []verify.Explanation {
	type id struct {
		id, account, name string
		at                int64 // seconds since 1970, as reports have it
	}
	index := map[id]int{}
	var all []verify.Explanation
	for i, r := range m.reports {
		for _, e := range r.Summary.Explained {
			var explains []int64
			for _, seq := range e.Explains {
				if place := m.places[i][seq]; place > 0 {
					explains = append(explains, place)
				}
			}
			key := id{e.ID, e.Account, e.Event, e.Time.Unix()}
			at, known := index[key]
			if !known {
				at, index[key] = len(all), len(all)
				e.Explains = nil
				all = append(all, e)
			}
			all[at].Explains = slices.Compact(slices.Sorted(slices.Values(slices.Concat(all[at].Explains, explains))))
		}
	}
	none := func(e verify.Explanation) int {
		if len(e.Explains) == 0 {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(all, func(a, b verify.Explanation) int {
		return cmp.Or(none(a)-none(b), a.Time.Compare(b.Time), strings.Compare(a.ID, b.ID), strings.Compare(a.Event, b.Event))
	})
	return m.bounded(all)
}

// bounded leaves as many events, and places, as a saved report may have.
func (m *merger) bounded(all []verify.Explanation) []verify.Explanation {
	n, places := min(len(all), maxExplanations), 0
	m.summary.UnlistedEvents = addEvents(m.summary.UnlistedEvents, int64(len(all)-n))
	for i, e := range all[:n] {
		all[i].Explains = e.Explains[:min(len(e.Explains), maxPlaces-places)]
		places += len(all[i].Explains)
	}
	return all[:n]
}

// oneBundle is the bundle that all reports are of; nil where there is no such.
func oneBundle(reports []*Saved) *verify.Bundle {
	first := reports[0].Header.Bundle
	for _, r := range reports {
		if b := r.Header.Bundle; b == nil || first == nil || b.Seal != first.Seal {
			return nil
		}
	}
	return first
}
