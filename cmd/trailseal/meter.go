package main

import (
	"fmt"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// A meter reads a run's counters and makes words of them.
type meter struct {
	p     *verify.Progress
	begun time.Time
	now   func() time.Time
}

// line is all there is to say, on one line.
func (m meter) line() string {
	return fmt.Sprintf("%d/%d digests, %d/%d logs, %s, %s", m.p.DigestsDone.Load(), m.p.Digests.Load(),
		m.p.LogsDone.Load(), m.p.Logs.Load(), m.rates(), m.regions())
}

// regions are how far the run has come, and the time that may be left. The
// engine works on an account's region at a time, with all chains in it.
func (m meter) regions() string {
	text := fmt.Sprintf("%d/%d regions", m.p.ChainsDone.Load(), m.p.Chains.Load())
	if left := m.left(); left != "" {
		text += ", " + left
	}
	return text
}

// rates are how much was read and how fast.
func (m meter) rates() string {
	fetched, seconds := m.p.Fetched.Load(), m.now().Sub(m.begun).Seconds()
	if seconds < 1 {
		seconds = 1
	}
	read := mebi(float64(fetched))
	if total := m.p.Total.Load(); total > 0 {
		read += " of " + mebi(float64(total))
	}
	return fmt.Sprintf("%s, %s/s, %.0f logs/s", read, mebi(float64(fetched)/seconds),
		float64(m.p.LogsDone.Load())/seconds)
}

func mebi(n float64) string {
	if n >= 1<<30 {
		return fmt.Sprintf("%.1f GiB", n/(1<<30))
	}
	return fmt.Sprintf("%.1f MiB", n/(1<<20))
}

// left is the time the rest may take, once there is enough to judge by.
func (m meter) left() string {
	elapsed, share := m.now().Sub(m.begun), m.share()
	if elapsed < 3*time.Second || share < 0.01 || share >= 1 {
		return ""
	}
	left := time.Duration(float64(elapsed) * (1 - share) / share)
	return "about " + left.Round(time.Second).String() + " left"
}

// share is how much of the work is done. Digests and logs are known only as
// far as listings and digests have been read, so where there are many chains
// those are counted. Where it was measured before how much there is, bytes are.
func (m meter) share() float64 {
	part := func(done, all int64) float64 {
		if all == 0 {
			return 0
		}
		return float64(done) / float64(all)
	}
	if total := m.p.Total.Load(); total > 0 {
		return part(m.p.Fetched.Load(), total)
	}
	if m.p.Chains.Load() > 1 && m.p.ChainsDone.Load() > 0 {
		return part(m.p.ChainsDone.Load(), m.p.Chains.Load())
	}
	return min(part(m.p.DigestsDone.Load(), m.p.Digests.Load()), part(m.p.LogsDone.Load(), m.p.Logs.Load()))
}
