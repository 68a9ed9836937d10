package report

import (
	"time"

	"github.com/trailseal/trailseal/verify"
)

const (
	maxHourColumns = 3 * 24 // above that a column is a day or more
	maxColumns     = 110
	chartWidth     = 660 // pixels, about
)

// htmlSteps are how many hours a column may stand for: an hour, a day, a week, four
// weeks, a quarter, a year.
var htmlSteps = []int64{1, 24, 7 * 24, 28 * 24, 91 * 24, 364 * 24}

// A htmlGrid divides the window into columns of equal length, whole hours or whole
// days, UTC.
type htmlGrid struct {
	from, to int64 // hours since 1970; from may lie before the window's start
	step     int64
	n        int
	px       int  // of a column
	clock    bool // it is one day, whose date stands elsewhere
}

func newGrid(w verify.Window) htmlGrid {
	g := htmlGrid{from: hourOf(w.Start), to: max(hourAfter(w.End), hourOf(w.Start)+1), step: 1}
	if g.to-g.from > maxHourColumns {
		g.from = floorDiv(g.from, 24) * 24
		for _, g.step = range htmlSteps[1:] {
			if g.to-g.from <= maxColumns*g.step {
				break
			}
		}
		for g.to-g.from > maxColumns*g.step {
			g.step *= 2
		}
	}
	g.n = int((g.to - g.from + g.step - 1) / g.step)
	g.px = min(max(chartWidth/g.n, 6), 24)
	return g
}

// day is the grid of one day's hours.
func (g htmlGrid) day(hour int64) htmlGrid {
	from := floorDiv(hour, 24) * 24
	return htmlGrid{from: from, to: from + 24, step: 1, n: 24, px: 16, clock: true}
}

func (g htmlGrid) width() int { return g.n * g.px }

// unit is what a column is, in words.
func (g htmlGrid) unit() string {
	switch g.step {
	case 1:
		return "an hour"
	case 24:
		return "a day"
	}
	return thousands(int(g.step/24)) + " days"
}

// label is when a column begins, in words.
func (g htmlGrid) label(column int) string {
	layout := "2006-01-02"
	hour := g.from + int64(column)*g.step
	if g.step == 1 {
		layout = "2006-01-02 15h"
	}
	return time.Unix(hour*3600, 0).UTC().Format(layout)
}

// cells are the columns of a row, each the worst mark of its hours.
func (g htmlGrid) cells(r htmlRow, interrupted bool) []mark {
	cells := make([]mark, g.n)
	paint := func(s htmlSpan) {
		from, to := max(s.From, g.from), min(s.To, g.to)
		for hour := from; hour < to; hour = g.from + ((hour-g.from)/g.step+1)*g.step {
			i := (hour - g.from) / g.step
			cells[i] = max(cells[i], s.Mark)
		}
	}
	base := markVerified
	if r.Backfill {
		base = markBackfill
	}
	if r.Last > r.First {
		paint(htmlSpan{From: r.First, To: r.Last, Mark: base})
	}
	for _, s := range r.Spans {
		if !s.Day || g.step > 1 {
			paint(s)
		}
	}
	for i, m := range cells {
		if m == markNone {
			cells[i] = r.silence(g.from+int64(i)*g.step, interrupted)
		}
	}
	return cells
}

// silence is what time is of which nothing was told. It is never verified.
func (r htmlRow) silence(hour int64, interrupted bool) mark {
	switch {
	case !r.Told: // only files are known
		return markNone
	case r.Backfill && !interrupted, r.Due && !interrupted && hour >= r.Last:
		return markNotDue
	case r.Late && hour < r.First:
		return markNotStarted
	}
	return markUnknown
}

// A htmlRun is neighbouring columns of one mark, the last not included.
type htmlRun struct {
	from, to int
	mark     mark
}

func runsOf(cells []mark) []htmlRun {
	var runs []htmlRun
	for i, m := range cells {
		if n := len(runs); n > 0 && runs[n-1].mark == m {
			runs[n-1].to++
			continue
		}
		runs = append(runs, htmlRun{i, i + 1, m})
	}
	return runs
}
