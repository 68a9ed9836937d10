package report

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// Merge makes one report of several: of other windows of time, accounts or
// regions. It tells the sink what the reports told, account's region by
// account's region, with the chains of the same name joined: their counts and
// their time add up. What two reports both cover is found as an overlap, and
// counted once where that can be told. What none covers is not checked.
//
// Version is the tool's that merges. The exit status follows from what is left
// of the reports' own classes, and from what merging finds.
func Merge(version string, reports []*Saved, sink verify.Sink) (verify.Summary, error) {
	m := &merger{reports: reports, sink: sink, window: hull(reports)}
	m.summary = m.total()
	m.findEdges()
	m.places = explainedPlaces(m.reports) // which are in order of their time by now
	if err := sink.Start(m.header(version)); err != nil {
		return m.summary, err
	}
	err := m.play()
	if err != nil {
		m.summary.Verdict, m.summary.Exit = max(m.worst, verify.ClassUnproven).Outcome()
		return m.summary, err
	}
	m.summary.Chains = m.chains
	m.summary.Explained = m.explained()
	if more := len(m.summary.Explained) - maxMergedEvents; more > 0 {
		m.summary.Explained = m.summary.Explained[:maxMergedEvents]
		m.summary.UnlistedEvents += int64(more)
	}
	m.summary.Verdict, m.summary.Exit = m.worst.Outcome()
	return m.summary, sink.End(m.summary)
}

type merger struct {
	reports []*Saved
	sink    verify.Sink
	window  verify.Window // from the first report's start to the last one's end
	summary verify.Summary
	worst   verify.Class
	seq     int64
	chains  int
	twice   []map[string]chainKey // of each report, the digests at its edge that another one has judged too
	shared  map[string]bool       // all of those
	places  []map[int64]int64     // of each report, the new places of what its events explain
	told    map[string]telling    // of the group at hand: files that another report may tell as well, and which told them first
}

// hull is the shortest window that all reports' windows lie in.
func hull(reports []*Saved) verify.Window {
	var w verify.Window
	for _, r := range reports {
		of := r.Summary.Window
		if of.IsZero() {
			continue
		}
		if w.IsZero() || of.Start.Before(w.Start) {
			w.Start = of.Start
		}
		if of.End.After(w.End) {
			w.End = of.End
		}
	}
	return w
}

func (m *merger) header(version string) verify.Header {
	h := verify.Header{Version: version, Window: m.window, All: true}
	var sources []string
	for i, r := range m.reports {
		if h.All = h.All && r.Header.All; i == 0 || r.Header.Started.Before(h.Started) {
			h.Started = r.Header.Started
		}
		if !slices.Contains(sources, r.Header.Source) {
			sources = append(sources, r.Header.Source)
		}
	}
	h.Source, h.Bundle = strings.Join(sources, ", "), oneBundle(m.reports)
	return h
}

// total adds up what the reports say of themselves.
func (m *merger) total() verify.Summary {
	s := verify.Summary{Window: m.window, Digests: map[verify.Verdict]int{}, Logs: map[verify.Verdict]int{}, Requests: map[string]int64{}}
	for _, r := range m.reports {
		of := r.Summary
		if of.Finished.After(s.Finished) {
			s.Finished = of.Finished
		}
		s.Interrupted = s.Interrupted || of.Interrupted
		sum(s.Digests, of.Digests)
		sum(s.Logs, of.Logs)
		s.Bytes.Fetched, s.Bytes.Hashed = s.Bytes.Fetched+of.Bytes.Fetched, s.Bytes.Hashed+of.Bytes.Hashed
		sum(s.Requests, of.Requests)
		s.Seconds += of.Seconds
		s.UnlistedEvents = addEvents(s.UnlistedEvents, of.UnlistedEvents)
	}
	if s.Interrupted {
		m.worst = verify.ClassUnproven
	}
	s.Keys = mergeKeys(m.reports)
	return s
}

func sum[K comparable, N int | int64](to, from map[K]N) {
	for k, n := range from {
		to[k] += n
	}
}

// A player is one report under way.
type player struct {
	at   int // which report it is
	next func() (saved, error, bool)
	head saved
	live bool
	left []groupEnd

	dropped map[dropped]int // files of the group at hand that another report told
}

func (p *player) step() error {
	var err error
	p.head, err, p.live = p.next()
	return err
}

// play tells all reports' events, group by group in the order of their names.
func (m *merger) play() error {
	var players []*player
	for i, r := range m.reports {
		next, stop := iter.Pull2(r.events())
		defer stop()
		p := &player{at: i, next: next, left: r.groups}
		if err := p.step(); err != nil {
			return err
		}
		players = append(players, p)
	}
	for {
		key, ok := firstKey(players)
		if !ok {
			break
		}
		if err := m.group(key, players); err != nil {
			return err
		}
	}
	for _, p := range players { // what was said of a run as a whole
		if err := m.until(p, math.MaxInt64, nil); err != nil {
			return err
		}
	}
	return nil
}

func firstKey(players []*player) (first groupKey, ok bool) {
	for _, p := range players {
		if len(p.left) > 0 && (!ok || compareKeys(p.left[0].key, first) < 0) {
			first, ok = p.left[0].key, true
		}
	}
	return first, ok
}

func compareKeys(a, b groupKey) int {
	return cmp.Or(cmp.Compare(a.organization, b.organization), cmp.Compare(a.account, b.account), cmp.Compare(a.region, b.region))
}

// group tells one group of all reports that have it, and then its chains.
func (m *merger) group(key groupKey, players []*player) error {
	chains := map[chainKey][]part{}
	m.told = map[string]telling{}
	for _, p := range players {
		p.dropped = map[dropped]int{}
		var mine []*part
		for len(p.left) > 0 && p.left[0].key == key {
			end := p.left[0].last
			p.left = p.left[1:]
			take := func(c verify.Chain) {
				mine = append(mine, &part{m.withoutEdge(p.at, c), m.reports[p.at].Summary.Window})
			}
			if err := m.until(p, end, take); err != nil {
				return err
			}
		}
		m.takeDropped(p, mine)
		for _, part := range mine {
			chains[keyOf(part.Chain)] = append(chains[keyOf(part.Chain)], *part)
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(chains), compareChains) {
		if err := m.join(chains[key]); err != nil {
			return err
		}
	}
	return nil
}

// onlyChain is the one chain of hourly digests, where there is one only: files
// that no digest names are counted there.
func onlyChain(parts []*part) (only *part) {
	for _, p := range parts {
		switch {
		case p.Backfill:
		case only != nil:
			return nil
		default:
			only = p
		}
	}
	return only
}

func refOf(c verify.Chain) verify.ChainRef {
	return verify.ChainRef{Organization: c.Organization, Account: c.Account, Region: c.Region, Trail: c.Trail, Backfill: c.Backfill}
}

func compareChains(a, b chainKey) int {
	backfill := func(k chainKey) int {
		if k.Backfill {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(a.Trail, b.Trail), cmp.Compare(a.home, b.home), backfill(a)-backfill(b))
}

// until tells a report's events up to a place; chains are taken, not told.
func (m *merger) until(p *player, last int64, take func(verify.Chain)) error {
	for p.live && p.head.seq() <= last {
		var err error
		switch e := p.head; {
		case e.file != nil && m.drop(p, *e.file):
		case e.chain != nil && take != nil:
			take(*e.chain)
		case e.chain != nil:
		case e.file != nil:
			m.worst = max(m.worst, e.file.Class)
			f := *e.file
			f.Seq = m.place()
			m.moved(p.at, e.seq())
			err = m.sink.File(f)
		default:
			err = m.find(*e.finding)
			m.moved(p.at, e.seq())
		}
		if err == nil {
			err = p.step()
		}
		if err != nil {
			return fmt.Errorf("report %d: %w", p.at+1, err)
		}
	}
	return nil
}

func (m *merger) place() int64 {
	m.seq++
	return m.seq
}

func (m *merger) find(f verify.Finding) error {
	m.worst = max(m.worst, f.Class)
	f.Seq = m.place()
	return m.sink.Finding(f)
}
