package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/trailseal/trailseal/verify"
)

// findEdges finds the digests at the reports' edges that the report of the time
// before has judged as well, and takes what is kept of them out of the sums of
// the later one. What is not kept is told by both, and taken out where they say
// the same of it: what a later run found must not be lost because an earlier one
// found it kept.
func (m *merger) findEdges() {
	m.reports = slices.Clone(m.reports)
	slices.SortStableFunc(m.reports, func(a, b *Saved) int { return a.Summary.Window.Start.Compare(b.Summary.Window.Start) })
	m.shared = map[string]bool{}
	for _, r := range m.reports {
		twice := map[string]chainKey{}
		for key, s := range r.chains {
			if s.edge != nil && m.judgedBefore(r, key, s.edge) {
				twice[s.edge.URI], m.shared[s.edge.URI] = key, true
				takeOut(m.summary.Digests, m.summary.Logs, s.edge)
			}
		}
		m.twice = append(m.twice, twice)
	}
}

// judgedBefore reports whether another report, whose window ends inside this
// digest's span or later, has judged it. A run of a time when the digest was not
// there yet has not.
func (m *merger) judgedBefore(r *Saved, key chainKey, e *verify.Edge) bool {
	for _, other := range m.reports {
		s := other.chains[key]
		w := other.Summary.Window
		if other != r && s != nil && w.Start.Before(r.Summary.Window.Start) && !w.End.Before(r.Summary.Window.Start) && !s.last.Before(e.End) {
			return true
		}
	}
	return false
}

// withoutEdge takes a digest that is counted elsewhere out of a chain's sums.
func (m *merger) withoutEdge(report int, c verify.Chain) verify.Chain {
	if c.Edge == nil {
		return c
	}
	if _, twice := m.twice[report][c.Edge.URI]; twice {
		takeOut(c.Digests, c.Logs, c.Edge)
	}
	return c
}

func takeOut(digests, logs map[verify.Verdict]int, e *verify.Edge) {
	if e.Verdict == verify.Kept {
		take(digests, verify.Kept, 1)
	}
	take(logs, verify.Kept, e.Logs[verify.Kept])
}

// take takes from a count, and never more than there is: an edge that says
// otherwise was not written by us.
func take(from map[verify.Verdict]int, v verify.Verdict, n int) {
	if n = min(n, from[v]); n > 0 {
		from[v] -= n
	}
}

// A dropped file is one that another report told the same of.
type dropped struct {
	kind    string
	verdict verify.Verdict
	chain   chainKey // of an edge; that of a file which no digest names is not told
	edge    bool
}

// A telling is which report told a file first, and the place that the file has.
type telling struct {
	by    int
	place int64
}

// drop reports whether a file is not to be told, since another report of the
// group told it: one of a digest that both have judged, or one that no digest
// names, which is of a whole day where its name tells no time.
func (m *merger) drop(p *player, f verify.File) bool {
	digest := cmp.Or(f.Digest, f.URI)
	chain, edge := m.twice[p.at][digest]
	orphan := f.Kind == "log" && f.Digest == "" && (f.Verdict == verify.Unreferenced || f.Verdict == verify.Pending)
	switch {
	case edge && f.Verdict == verify.Kept && f.Class == verify.Good:
		return true
	case !edge && !orphan && !m.shared[digest]:
		return false
	}
	key := fmt.Sprint(f.Kind, f.Verdict, f.Class, f.URI)
	first, told := m.told[key]
	if !told {
		m.told[key] = telling{p.at, m.seq + 1}
	}
	if !told || first.by == p.at || !edge && !orphan {
		return false
	}
	m.placed(p.at, f.Seq, first.place) // an event beside it is beside what was told
	if f.Verdict != verify.Kept {      // which is taken out of the sums already
		p.dropped[dropped{f.Kind, f.Verdict, chain, edge}]++
	}
	return true
}

// takeDropped takes the files that were not told out of the sums: those of an
// edge out of its chain's, others out of the only chain's, where there is one.
func (m *merger) takeDropped(p *player, mine []*part) {
	only := onlyChain(mine)
	for d, n := range p.dropped {
		sums := m.summary.Logs
		if d.kind == "digest" {
			sums = m.summary.Digests
		}
		take(sums, d.verdict, n)
		for _, part := range mine {
			if d.edge && keyOf(part.Chain) != d.chain || !d.edge && part != only {
				continue
			}
			if d.kind == "digest" {
				take(part.Digests, d.verdict, n)
			} else {
				take(part.Logs, d.verdict, n)
			}
		}
	}
}
