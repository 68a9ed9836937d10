package report

import (
	"slices"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// A part is what one report says of a chain, and the window it says that of.
type part struct {
	verify.Chain
	window verify.Window
}

// join tells what the parts of one chain come to, and what is wrong with them.
func (m *merger) join(parts []part) error {
	slices.SortStableFunc(parts, func(a, b part) int { return a.window.Start.Compare(b.window.Start) })
	whole := parts[0].Chain
	whole.Digests, whole.Logs, whole.Gaps, whole.Coverage = map[verify.Verdict]int{}, map[verify.Verdict]int{}, nil, nil
	if parts[0].window.Start.After(m.window.Start) {
		whole.Edge = nil
	}
	seconds := map[verify.State]int64{}
	covered := m.window.Start // all before it is accounted for
	ref := refOf(whole)
	for i, p := range parts {
		sum(whole.Digests, p.Digests)
		sum(whole.Logs, p.Logs)
		whole.First, whole.Last = earliest(whole.First, p.First), latest(whole.Last, p.Last)
		whole.Gaps = append(whole.Gaps, p.Gaps...)
		whole.Class = max(whole.Class, p.Class)
		mine := map[verify.State]int64{}
		for _, share := range p.Coverage {
			mine[share.State] += share.Seconds
		}
		if p.window.Start.After(covered) {
			state, class, err := m.uncovered(ref, covered, p.window.Start, i == 0 && begins(p))
			if err != nil {
				return err
			}
			seconds[state] += length64(covered, p.window.Start)
			whole.Class = max(whole.Class, class)
		} else if p.window.Start.Before(covered) && i > 0 {
			if err := m.overlap(ref, p.window.Start, earlierOf(covered, p.window.End)); err != nil {
				return err
			}
			leaveOut(mine, length64(p.window.Start, earlierOf(covered, p.window.End)))
		}
		sum(seconds, mine)
		if p.window.End.After(covered) {
			covered = p.window.End
		}
	}
	if m.window.End.After(covered) {
		state, class, err := m.uncovered(ref, covered, m.window.End, false)
		if err != nil {
			return err
		}
		seconds[state] += length64(covered, m.window.End)
		whole.Class = max(whole.Class, class)
	}
	for _, state := range verify.States {
		if n := seconds[state]; n > 0 {
			whole.Coverage = append(whole.Coverage, verify.Share{State: state, Seconds: n})
		}
	}
	slices.SortStableFunc(whole.Gaps, func(a, b verify.Hole) int { return a.Start.Compare(b.Start) })
	whole.Seq = m.place()
	m.worst = max(m.worst, whole.Class)
	m.chains++
	return m.sink.Chain(whole)
}

// uncovered says of a stretch of a chain's time that none of the reports that
// name the chain covers it. Backfill digests come only when they are needed.
// Where the first report that names the chain saw it begin, it had not begun.
// All else is not checked, whoever left it out: no report says what its run was
// not asked for.
func (m *merger) uncovered(ref verify.ChainRef, start, end time.Time, begins bool) (verify.State, verify.Class, error) {
	if ref.Backfill {
		return verify.NotYetDue, verify.Good, nil
	}
	f := verify.Finding{Kind: verify.NotChecked, Chain: &ref, Start: &start, End: &end,
		Message: "none of the reports that name this chain covers this time"}
	state := verify.Unproven
	if begins {
		f.Kind, state = verify.NotStarted, verify.BeforeStart
		f.Message = "the chain starts later"
	}
	f.Class = f.Kind.Class()
	return state, f.Class, m.find(f)
}

// begins reports whether a report saw the chain begin.
func begins(p part) bool {
	return slices.ContainsFunc(p.Coverage, func(s verify.Share) bool { return s.State == verify.BeforeStart && s.Seconds > 0 })
}

func (m *merger) overlap(ref verify.ChainRef, start, end time.Time) error {
	return m.find(verify.Finding{Kind: verify.Overlap, Class: verify.Overlap.Class(), Chain: &ref, Start: &start, End: &end,
		Message: "two of the reports cover this time: their files in it are counted twice, its seconds once"})
}

// leaveOut takes the seconds that were counted already from the second report's
// states, the good ones first: what is not proven stays.
func leaveOut(of map[verify.State]int64, n int64) {
	for _, state := range []verify.State{verify.Verified, verify.VerifiedEmpty, verify.NotYetDue, verify.BeforeStart,
		verify.Unproven, verify.InGap, verify.DigestDeleted} {
		some := min(n, of[state])
		of[state] -= some
		n -= some
	}
}

func length64(start, end time.Time) int64 { return int64(end.Sub(start) / time.Second) }

func earlierOf(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
