package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

// Bounds of what is held of the account's region at hand, whatever names its
// bucket has. A chain of ten years has 87,600 hours.
const (
	maxLanes     = 20_000
	maxLaneHours = 100_000
	maxLaneSpans = 100_000
)

// A htmlChart gathers what is known of the time of each chain. It holds the hours
// of one account's region; what is done waits as a row in a spool.
type htmlChart struct {
	window verify.Window // as far as it is known
	lanes  map[digest.Chain]*htmlLane
	spans  map[verify.ChainRef][]htmlSpan // of findings
	nSpans int
	chains []verify.Chain // of the region at hand
	rows   spool
	shares map[verify.State]int64
	count  int // rows
	bad    int // rows that are unproven or worse
	marks  [len(htmlMarks)]bool
}

// A htmlLane is the hours of one chain in which something is not kept; without a
// trail in its key, those of files that no digest names.
type htmlLane struct {
	hours map[int64]mark
	days  map[int64]mark // of files of which only the day is known
	class verify.Class
}

// A htmlSpan is a stretch of hours, the last not included.
type htmlSpan struct {
	From int64 `json:"f"`
	To   int64 `json:"t"`
	Mark mark  `json:"m"`
	Day  bool  `json:"d,omitempty"` // in some hour of a day
}

// A htmlRow is a chain as the chart shows it.
type htmlRow struct {
	Account  string       `json:"a"`
	Name     string       `json:"n"` // the rest of its name
	Class    verify.Class `json:"c"`
	Told     bool         `json:"o"` // the chain itself was told, not only its files
	Backfill bool         `json:"b,omitempty"`
	First    int64        `json:"f"` // the hours that it spans
	Last     int64        `json:"l"`
	Due      bool         `json:"d,omitempty"` // a part of the window is not due yet
	Late     bool         `json:"s,omitempty"` // it begins in the window
	Kept     [2]int       `json:"k"`           // digests and logs
	All      [2]int       `json:"w"`
	Covered  [2]int64     `json:"v"` // seconds covered, of those that are due
	Trouble  string       `json:"t,omitempty"`
	Spans    []htmlSpan   `json:"h,omitempty"`
}

func newChart(dir string) htmlChart {
	return htmlChart{lanes: map[digest.Chain]*htmlLane{}, spans: map[verify.ChainRef][]htmlSpan{}, rows: spool{dir: dir}, shares: map[verify.State]int64{}}
}

func hourOf(t time.Time) int64 { return floorDiv(t.Unix(), 3600) }

// hourAfter is the first hour that begins at t or after it.
func hourAfter(t time.Time) int64 { return floorDiv(t.Unix()+3599, 3600) }

func floorDiv(a, b int64) int64 {
	if a%b < 0 {
		return a/b - 1
	}
	return a / b
}

func (c *htmlChart) file(f verify.File, place htmlPlace) error {
	if err := c.turn(); err != nil || f.Class == verify.Good || place.at.IsZero() {
		return err
	}
	lane := c.lanes[place.chain]
	if lane == nil {
		if len(c.lanes) >= maxLanes {
			return nil
		}
		lane = &htmlLane{hours: map[int64]mark{}, days: map[int64]mark{}}
		c.lanes[place.chain] = lane
	}
	lane.class = max(lane.class, f.Class)
	from, to := hourOf(place.at), hourOf(place.at)+1
	if f.Kind == "digest" {
		from, to = digestHours(f, place.at)
	}
	if place.day && (c.holds(from) || c.holds(from+23)) {
		worsen(lane.days, from, markOf(f))
	}
	for hour := from; hour < to && !place.day; hour++ {
		if c.holds(hour) {
			worsen(lane.hours, hour, markOf(f))
		}
	}
	return nil
}

// worsen keeps the worst mark of an hour.
func worsen(hours map[int64]mark, hour int64, m mark) {
	if len(hours) < maxLaneHours || hours[hour] > 0 {
		hours[hour] = max(hours[hour], m)
	}
}

// digestHours is the time that a digest covers. What it says of itself counts
// only where its name bears it out.
func digestHours(f verify.File, end time.Time) (from, to int64) {
	start := end.Add(-time.Hour)
	if f.Start != nil && f.End != nil && f.End.Equal(end) && f.Start.Before(end) && end.Sub(*f.Start) <= 48*time.Hour {
		start = *f.Start
	}
	return hourOf(start), hourAfter(end)
}

// holds reports whether an hour is in the window, as far as that is known.
func (c *htmlChart) holds(hour int64) bool {
	return c.window.IsZero() || hour >= hourOf(c.window.Start) && hour < hourAfter(c.window.End)
}

func (c *htmlChart) finding(f verify.Finding) error {
	if err := c.turn(); err != nil || f.Chain == nil || f.Start == nil || f.End == nil {
		return err
	}
	if m := markOfFinding(f); m != markNone && c.nSpans < maxLaneSpans {
		c.nSpans++
		c.spans[*f.Chain] = append(c.spans[*f.Chain], htmlSpan{From: hourOf(*f.Start), To: hourAfter(*f.End), Mark: m})
	}
	return nil
}

func (c *htmlChart) chain(chain verify.Chain) error {
	if n := len(c.chains); n > 0 && regionOf(c.chains[n-1]) != regionOf(chain) {
		if err := c.flush(); err != nil {
			return err
		}
	}
	c.chains = append(c.chains, chain)
	for _, s := range chain.Coverage {
		c.shares[s.State] += s.Seconds
	}
	return nil
}

// regionOf is a chain's account and region, as files that no digest names have
// them.
func regionOf(c verify.Chain) digest.Chain {
	return digest.Chain{Organization: c.Organization, Account: c.Account, Region: c.Region}
}

// turn is called before a file or a finding: the first one after a chain is of
// the next region.
func (c *htmlChart) turn() error {
	if len(c.chains) == 0 {
		return nil
	}
	return c.flush()
}

// flush makes rows of the region at hand, and forgets it.
func (c *htmlChart) flush() error {
	standard := 0
	for _, chain := range c.chains {
		if !chain.Backfill {
			standard++
		}
	}
	for _, chain := range c.chains {
		row := chainRow(chain)
		row.Spans = append(row.Spans, c.spans[refOf(chain)]...)
		c.take(&row, digest.Chain{Organization: chain.Organization, Account: chain.Account, Region: chain.Region,
			Trail: chain.Trail, HomeRegion: chain.HomeRegion, Backfill: chain.Backfill})
		if standard == 1 && !chain.Backfill {
			c.take(&row, regionOf(chain)) // no other trail may have missed them
		}
		row.gaps(chain.Gaps)
		if err := c.add(row); err != nil {
			return err
		}
	}
	c.chains = c.chains[:0]
	clear(c.spans)
	c.nSpans = 0
	return c.rest()
}

// rest makes rows of files whose chain was not told, and of those that no digest
// names.
func (c *htmlChart) rest() error {
	for _, id := range slices.SortedFunc(maps.Keys(c.lanes), compareLanes) {
		lane := c.lanes[id]
		name := id.Region + " " + id.Trail
		if id.Trail == "" {
			name = id.Region + " (named by no digest)"
		}
		row := htmlRow{Account: accountName(id.Organization, id.Account), Name: Clean(name), Backfill: id.Backfill, Class: lane.class}
		c.take(&row, id)
		if err := c.add(row); err != nil {
			return err
		}
	}
	return nil
}

func compareLanes(a, b digest.Chain) int {
	return cmp.Or(cmp.Compare(a.Organization, b.Organization), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region),
		cmp.Compare(a.Trail, b.Trail), cmp.Compare(a.HomeRegion, b.HomeRegion), cmp.Compare(fmt.Sprint(a.Backfill), fmt.Sprint(b.Backfill)))
}

// take moves a lane's hours to a row, as stretches.
func (c *htmlChart) take(row *htmlRow, id digest.Chain) {
	lane := c.lanes[id]
	if lane == nil {
		return
	}
	delete(c.lanes, id)
	first := len(row.Spans)
	for _, hour := range slices.Sorted(maps.Keys(lane.hours)) {
		m := lane.hours[hour]
		if n := len(row.Spans); n > first && row.Spans[n-1].To == hour && row.Spans[n-1].Mark == m {
			row.Spans[n-1].To++
			continue
		}
		row.Spans = append(row.Spans, htmlSpan{From: hour, To: hour + 1, Mark: m})
	}
	for _, day := range slices.Sorted(maps.Keys(lane.days)) {
		row.Spans = append(row.Spans, htmlSpan{day, day + 24, lane.days[day], true})
	}
}

// gaps adds the holes that no finding told.
func (r *htmlRow) gaps(holes []verify.Hole) {
	told := map[[2]int64]bool{}
	for _, s := range r.Spans {
		told[[2]int64{s.From, s.To}] = true
	}
	for _, g := range holes {
		from, to := hourOf(g.Start), hourAfter(g.End)
		if !told[[2]int64{from, to}] {
			r.Spans = append(r.Spans, htmlSpan{From: from, To: to, Mark: markGap})
		}
	}
}

func accountName(organization, account string) string {
	if organization != "" {
		account = organization + "/" + account
	}
	return htmlCut(Clean(account), 80)
}

// chainRow is what the chart says of a chain.
func chainRow(c verify.Chain) htmlRow {
	r := htmlRow{Account: accountName(c.Organization, c.Account), Class: c.Class, Told: true, Backfill: c.Backfill, Trouble: troubles(c)}
	cells := chainCells(c)
	r.Name = htmlCut(cells.cells[2]+" "+cells.cells[3], 200)
	if c.First != nil && c.Last != nil {
		r.First, r.Last = hourOf(*c.First), hourAfter(*c.Last)
	}
	r.Kept = [2]int{c.Digests[verify.Kept], c.Logs[verify.Kept]}
	for v := range c.Digests {
		r.All[0] += c.Digests[v]
	}
	for v := range c.Logs {
		r.All[1] += c.Logs[v]
	}
	for _, s := range c.Coverage {
		switch s.State {
		case verify.Verified, verify.VerifiedEmpty:
			r.Covered[0] += s.Seconds
			r.Covered[1] += s.Seconds
		case verify.NotYetDue:
			r.Due = r.Due || s.Seconds > 0
		case verify.BeforeStart:
			r.Late = r.Late || s.Seconds > 0
			r.Covered[1] += s.Seconds
		default:
			r.Covered[1] += s.Seconds
		}
	}
	return r
}

// add puts a row into the spool, a line of JSON.
func (c *htmlChart) add(r htmlRow) error {
	if c.count++; r.Class >= verify.ClassUnproven {
		c.bad++
	}
	line, err := json.Marshal(r)
	if err == nil {
		_, err = c.rows.Write(append(line, '\n'))
	}
	return err
}
