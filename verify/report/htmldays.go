package report

import (
	"cmp"
	"maps"
	"slices"
)

// maxDays bounds how many days of a chain are compared.
const maxDays = 20_000

// worstDays are the days of a row, in order, on which the worst happened: days
// since 1970.
func (m *htmlMap) worstDays(r htmlRow) []int64 {
	type badness struct {
		mark  mark
		hours int64
	}
	days := map[int64]badness{}
	for _, s := range r.Spans {
		from, to := max(s.From, hourOf(m.window.Start)), min(s.To, hourAfter(m.window.End))
		for hour := from; hour < to && len(days) < maxDays; {
			day := floorDiv(hour, 24)
			end := min(to, (day+1)*24)
			if s.Mark >= markUnknown && !s.Day {
				b := days[day]
				days[day] = badness{max(b.mark, s.Mark), b.hours + end - hour}
			}
			hour = end
		}
	}
	worst := slices.SortedFunc(maps.Keys(days), func(a, b int64) int {
		return cmp.Or(cmp.Compare(days[b].mark, days[a].mark), cmp.Compare(days[b].hours, days[a].hours), cmp.Compare(a, b))
	})
	worst = worst[:min(len(worst), maxCloseDay)]
	slices.Sort(worst)
	return worst
}
