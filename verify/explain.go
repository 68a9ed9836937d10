package verify

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Bounds of what is looked for in logs. What is over them is counted.
const (
	maxLogLeads     = 500       // of one log, the first
	maxLogLeadBytes = 256 << 10 // and what they take in memory
	maxLeads        = 10_000    // of a run
	maxLeadBytes    = 32 << 20
	maxExplained    = 1_000 // of a report, those that explain something first
	edgeReach       = 24 * time.Hour
)

// An explainer gathers what a run found and what may explain it. All that it is
// given comes in the order of the report, so that its bounds cut the same off in
// every run.
type explainer struct {
	leads    []*lead
	seen     map[leadID]bool
	size     int
	more     int64 // leads over the bounds
	troubles []trouble
	noted    [2]int // files and findings among them
	chains   []chainPlace
	buckets  map[string]bool
}

// A leadID tells events apart: one is in the logs of every trail that logs it.
type leadID struct {
	id, account, name string
	at                time.Time
}

// A chainPlace is a chain and the buckets that its digests lie in.
type chainPlace struct {
	ChainRef
	home    string
	buckets []string
}

func newExplainer() *explainer {
	return &explainer{seen: map[leadID]bool{}, buckets: map[string]bool{}}
}

// take keeps leads, within bounds.
func (x *explainer) take(found *leads) {
	x.more += int64(found.more)
	for _, l := range found.all {
		id := leadID{l.ID, l.Account, l.Event, l.Time}
		switch {
		case x.seen[id]:
		case len(x.leads) >= maxLeads || x.size+l.size > maxLeadBytes:
			x.more++
		default:
			x.seen[id] = true
			x.leads, x.size = append(x.leads, l), x.size+l.size
		}
	}
}

func (x *explainer) chain(c *Chain, buckets []string) {
	x.chains = append(x.chains, chainPlace{ChainRef{c.Organization, c.Account, c.Region, c.Trail, c.Backfill}, c.HomeRegion, buckets})
	for _, b := range buckets {
		x.buckets[b] = true
	}
}

// conclude says what explains what, and how many events were left out.
func (x *explainer) conclude(r *run, keys map[string]*keyUse) ([]Explanation, int64) {
	m := newMatcher(x, r, keys)
	var all []Explanation
	for _, l := range x.leads {
		if m.concerns(l) {
			m.explain(l)
			all = append(all, l.Explanation)
		}
	}
	slices.SortFunc(all, compareExplanations)
	left := x.more + int64(max(len(all)-maxExplained, 0))
	return all[:min(len(all), maxExplained)], left
}

// compareExplanations puts those first that explain something, by time.
func compareExplanations(a, b Explanation) int {
	return cmp.Or(boolInt(len(a.Explains) == 0)-boolInt(len(b.Explains) == 0), a.Time.Compare(b.Time),
		strings.Compare(a.ID, b.ID), strings.Compare(a.Event, b.Event), strings.Compare(a.Log, b.Log))
}
