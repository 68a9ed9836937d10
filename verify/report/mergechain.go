package report

import (
	"fmt"
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
			state, class, err := m.uncovered(ref, covered, p.window.Start, i == 0)
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
	m.chains++
	return m.sink.Chain(whole)
}

// uncovered says of a stretch of a chain's time that none of the reports that
// name the chain covers it. Backfill digests come only when they are needed.
// Where another report covers the stretch and the chain appears only later, it
// had not begun. All else is not checked, whoever left it out.
func (m *merger) uncovered(ref verify.ChainRef, start, end time.Time, before bool) (verify.State, verify.Class, error) {
	if ref.Backfill {
		return verify.NotYetDue, verify.Good, nil
	}
	f := verify.Finding{Kind: verify.NotChecked, Chain: &ref, Start: &start, End: &end,
		Message: "none of the reports that name this chain covers this time"}
	state := verify.Unproven
	if before && m.othersCover(start, end) {
		f.Kind, state = verify.NotStarted, verify.BeforeStart
		f.Message = "the reports that cover this time do not name the chain: it starts later, or they left it out"
	}
	f.Class = f.Kind.Class()
	return state, f.Class, m.find(f)
}

// othersCover reports whether the reports' windows together cover a stretch.
func (m *merger) othersCover(start, end time.Time) bool {
	windows := make([]verify.Window, 0, len(m.reports))
	for _, r := range m.reports {
		windows = append(windows, r.Summary.Window)
	}
	slices.SortFunc(windows, func(a, b verify.Window) int { return a.Start.Compare(b.Start) })
	for _, w := range windows {
		if !w.Start.After(start) && w.End.After(start) {
			start = w.End
		}
	}
	return !end.After(start)
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

// Describe says in one line what a report covers, for messages.
func (s *Saved) Describe() string {
	w := s.Summary.Window
	return fmt.Sprintf("%s, %s to %s, %s", s.Header.Source, moment(w.Start), moment(w.End), s.Summary.Verdict)
}
