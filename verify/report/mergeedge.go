package report

import "github.com/trailseal/trailseal/verify"

// findEdges finds the digests at the reports' edges that the report of the time
// before has judged as well, and takes them out of the sums of the later one.
func (m *merger) findEdges() {
	for _, r := range m.reports {
		twice := map[string]bool{}
		for key, s := range r.chains {
			if s.edge != nil && m.judgedBefore(r, key, s.edge) {
				twice[s.edge.URI] = true
				m.summary.Digests[s.edge.Verdict]--
				subtract(m.summary.Logs, s.edge.Logs)
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
	if c.Edge != nil && m.twice[report][c.Edge.URI] {
		c.Digests[c.Edge.Verdict]--
		subtract(c.Logs, c.Edge.Logs)
	}
	return c
}

func subtract(from, n map[verify.Verdict]int) {
	for v, k := range n {
		from[v] -= k
	}
}
