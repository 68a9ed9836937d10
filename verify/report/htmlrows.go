package report

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

const (
	manyRows    = 60    // above that, the chains of an account that are kept fold into one row
	maxHTMLRows = 4_000 // of chains that are kept, and of others, each
	maxClose    = 12    // chains that are looked at hour by hour
	maxCloseDay = 10    // days of each
)

// A htmlMap prints the chart's rows.
type htmlMap struct {
	*htmlChart
	grid        htmlGrid
	interrupted bool
	folded      bool
	printed     [2]int                          // rows: kept, others
	near        [verify.Tampering + 1][]htmlRow // by class: to be looked at hour by hour
	head        *htmlRow                        // of the account at hand
	cells       []mark                          // the worst of its chains
	classes     [verify.Tampering + 1]int       // its chains by class
	held        strings.Builder                 // its chains' rows
}

// each reads the rows back.
func (c *htmlChart) each() iter.Seq2[htmlRow, error] {
	return func(yield func(htmlRow, error) bool) {
		in, err := c.rows.reader()
		if err != nil {
			yield(htmlRow{}, err)
			return
		}
		for lines := bufio.NewReader(in); ; {
			line, err := lines.ReadBytes('\n')
			if err == io.EOF {
				return
			}
			var r htmlRow
			if err == nil {
				err = json.Unmarshal(line, &r)
			}
			if err != nil {
				err = fmt.Errorf("reading the spooled report: %w", err)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// print writes all rows, and the hours of those that are worst.
func (m *htmlMap) print(page *htmlPage) {
	m.folded = m.count > manyRows
	page.put(`<div class="x" role="region" aria-label="Timeline of the chains" tabindex="0"><table class="map{}">`, foldedClass(m.folded))
	page.put(`<caption>Each row is a chain, each column {} from the date above it (UTC), marked with the worst that was found in it.</caption><thead>`, m.grid.unit())
	page.put(`<tr><th scope="col">Account, region, trail</th><th scope="col">{}</th><th scope="col" class="r">Covered</th><th scope="col" class="r">Digests kept</th><th scope="col" class="r">Logs kept</th></tr></thead>`, m.grid.axis())
	for r, err := range m.each() {
		if page.err = errors.Join(page.err, err); page.err != nil {
			return
		}
		m.row(page, r)
	}
	m.close(page)
	page.put(`</table></div>`)
	if left := m.count - m.printed[0] - m.printed[1]; left > 0 {
		page.put(`<p class="more">{} more chains are not shown here: see the JSON report.</p>`, thousands(left))
	}
}

func foldedClass(folded bool) markup {
	if folded {
		return " f"
	}
	return ""
}

// row takes a chain's row, and prints the account before when it is over.
func (m *htmlMap) row(page *htmlPage, r htmlRow) {
	if m.head == nil || m.head.Account != r.Account {
		m.close(page)
		m.head, m.cells, m.classes = &htmlRow{Account: r.Account, Told: true}, make([]mark, m.grid.n), [verify.Tampering + 1]int{}
		m.held.Reset()
	}
	cells := m.grid.cells(r, m.interrupted)
	m.classes[r.Class]++
	m.head.add(r)
	for i, c := range cells {
		m.cells[i] = max(m.cells[i], c)
		m.marks[c] = true
	}
	bad := 0
	if r.Class >= verify.ClassUnproven {
		bad = 1
		if near := m.near[r.Class]; m.grid.step > 1 && len(near) < maxClose {
			m.near[r.Class] = append(near, r)
		}
	}
	if m.printed[bad] < maxHTMLRows {
		m.printed[bad]++
		m.held.WriteString(string(m.chainRow(r, cells)))
	}
}

// add adds up a chain in its account's row.
func (r *htmlRow) add(c htmlRow) {
	r.Class = max(r.Class, c.Class)
	for i := range r.All {
		r.Kept[i] += c.Kept[i]
		r.All[i] += c.All[i]
		r.Covered[i] += c.Covered[i]
	}
}

// close prints the account at hand.
func (m *htmlMap) close(page *htmlPage) {
	if m.head == nil {
		return
	}
	chains := 0
	for _, n := range m.classes {
		chains += n
	}
	page.put(`<tbody{}>`, onlyOne(chains))
	name := fillIn(`<b>{}</b> <span>{} chains</span>`, m.head.Account, thousands(chains))
	switch {
	case chains > 1 && m.folded:
		m.head.Trouble = m.worse()
		page.put(`<tr class="h c{}"><th scope="rowgroup"><label><input type="checkbox"/><span class="hid">Show also the kept chains of </span> {}</label></th>{}</tr>`, int(m.head.Class), name, m.figures(*m.head, m.cells))
	case chains > 1:
		page.put(`<tr class="h"><th scope="rowgroup" colspan="5">{}</th></tr>`, name)
	}
	page.put(`{}</tbody>`, markup(m.held.String())) // of rows that fillIn made
	m.head = nil
}

// onlyOne marks an account of one chain, whose name is in its chain's row.
func onlyOne(chains int) markup {
	if chains == 1 {
		return ` class="one"`
	}
	return ""
}

// worse counts the chains at hand that are not kept.
func (m *htmlMap) worse() string {
	var parts []string
	for _, c := range []verify.Class{verify.Tampering, verify.ClassUnproven} {
		if n := m.classes[c]; n > 0 {
			parts = append(parts, thousands(n)+" "+plural(n, "chain", "chains")+" "+className(c))
		}
	}
	return strings.Join(parts, ", ")
}

// chainRow is one chain's row. One that is not bad is hidden where rows are
// folded, until its account is opened; the style says so.
func (m *htmlMap) chainRow(r htmlRow, cells []mark) markup {
	fold := markup("")
	if r.Class < verify.ClassUnproven {
		fold = " k"
	}
	return fillIn(`<tr class="c{}{}"><th scope="row"><b>{} </b>{}</th>{}</tr>`, int(r.Class), fold, r.Account, r.Name, m.figures(r, cells))
}

// figures are a row's strip and its numbers.
func (m *htmlMap) figures(r htmlRow, cells []mark) markup {
	trouble := markup("")
	if r.Trouble != "" {
		trouble = fillIn(`<small>{}</small>`, r.Trouble)
	}
	if !r.Told {
		return fillIn(`<td>{}</td><td class="r">–</td><td class="r">–</td><td class="r">–</td>`, m.grid.strip(cells))
	}
	return fillIn(`<td>{}{}</td><td class="r">{}</td><td class="r">{}</td><td class="r">{}</td>`,
		m.grid.strip(cells), trouble, r.coverage(), ofAll(r.Kept[0], r.All[0]), ofAll(r.Kept[1], r.All[1]))
}

func (r htmlRow) coverage() string {
	return covered([]verify.Share{{State: verify.Verified, Seconds: r.Covered[0]}, {State: verify.InGap, Seconds: r.Covered[1] - r.Covered[0]}})
}

// ofAll is a count of what is kept, and of how many where those are more.
func ofAll(kept, all int) string {
	if kept == all {
		return thousands(kept)
	}
	return thousands(kept) + " of " + thousands(all)
}

// closer looks hour by hour at the worst days of the worst chains, where a column
// of the map is more than an hour.
func (m *htmlMap) closer(page *htmlPage) {
	rows := append(m.near[verify.Tampering], m.near[verify.ClassUnproven]...)
	rows = rows[:min(len(rows), maxClose)]
	if len(rows) == 0 {
		return
	}
	page.put(`<h3 id="hours">Hour by hour</h3><p>The days on which something is wrong, of the chains that are worst: at most {} days of {} chains.</p><div class="days">`, maxCloseDay, maxClose)
	for _, r := range rows {
		days := m.worstDays(r)
		if len(days) == 0 {
			continue
		}
		page.put(`<table class="day"><caption>{} {}</caption><thead><tr><th scope="col">Day</th><th scope="col">{}</th></tr></thead><tbody>`,
			r.Account, r.Name, m.grid.day(days[0]*24).axis())
		for _, day := range days {
			g := m.grid.day(day * 24)
			page.put(`<tr><th scope="row">{}</th><td>{}</td></tr>`, g.label(0)[:len("2006-01-02")], g.strip(m.hours(g, r)))
		}
		page.put(`</tbody></table>`)
	}
	page.put(`</div>`)
}

// hours are a day's cells; those outside the window are empty.
func (m *htmlMap) hours(g htmlGrid, r htmlRow) []mark {
	cells := g.cells(r, m.interrupted)
	for i := range cells {
		if !m.holds(g.from + int64(i)) {
			cells[i] = markNone
		}
	}
	return cells
}
