package report

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// maxChainSeries bounds how many chains have a series of their own: an
// organization may have tens of thousands, and a bucket whatever somebody put
// there.
const maxChainSeries = 1000

// oldest keeps the chains that are covered least far, of any number.
type oldest struct {
	kept []chainEnd
	left int // how many are not kept
}

// A chainEnd is how far a chain is covered; at is zero where no digest of it
// was judged.
type chainEnd struct {
	labels [6]string // organization, account, region, home region, trail, backfill
	at     time.Time
}

func (o *oldest) add(c verify.Chain) {
	c = jsonChain(c)
	o.kept = append(o.kept, chainEnd{
		[6]string{c.Organization, c.Account, c.Region, c.HomeRegion, c.Trail,
			strconv.FormatBool(c.Backfill)}, coveredUntil(c)})
	if len(o.kept) >= 2*maxChainSeries {
		o.trim()
	}
}

// trim sorts what is kept, the oldest first, and lets go of the rest. Chains of
// the same name, which only merged reports may have, are one series.
func (o *oldest) trim() {
	slices.SortFunc(o.kept, func(a, b chainEnd) int {
		return cmp.Or(a.at.Compare(b.at), slices.Compare(a.labels[:], b.labels[:]))
	})
	seen := map[[6]string]bool{}
	all := len(o.kept)
	o.kept = slices.DeleteFunc(o.kept, func(c chainEnd) bool {
		twice := seen[c.labels]
		seen[c.labels] = true
		return twice
	})
	o.kept = o.kept[:min(len(o.kept), maxChainSeries)]
	o.left += all - len(o.kept)
}

// coveredUntil is where the newest digest ends, or where the gap begins that
// is there now.
func coveredUntil(c verify.Chain) time.Time {
	end := deref(c.Last)
	for _, g := range slices.Backward(c.Gaps) {
		if !g.End.Before(end) && g.Start.Before(end) {
			end = g.Start
		}
	}
	if c.First != nil && !end.After(*c.First) {
		return time.Time{}
	}
	return end
}

func (m *openMetricsWriter) chainSeries(s verify.Summary) {
	const name = "trailseal_chain_age_seconds"
	m.chains.trim()
	m.one("trailseal_chains", "Chains of digests judged in the last run.", float64(s.Chains))
	m.one("trailseal_chains_left_out", "Chains without a series of their own: those covered furthest.", float64(m.chains.left))
	m.head(name, "Time from the end of what a chain's digests cover to the end of the run; +Inf where nothing is covered. The oldest chains only.")
	for _, c := range m.chains.kept {
		age := math.Inf(1)
		if !c.at.IsZero() {
			age = s.Finished.Sub(c.at).Seconds()
		}
		m.series(name, age, "organization", c.labels[0], "account", c.labels[1], "region", c.labels[2],
			"home_region", c.labels[3], "trail", c.labels[4], "backfill", c.labels[5])
	}
}
