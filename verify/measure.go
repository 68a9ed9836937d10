package verify

import (
	"context"
	"iter"
	"strings"

	"github.com/trailseal/trailseal/digest"
	"golang.org/x/sync/semaphore"
)

// A Measurement is how much a window holds, as far as listings tell.
type Measurement struct {
	Objects int64
	Bytes   int64 // stored
	Failed  int64 // listings that failed: what they would have shown is not counted
}

// Measure adds up the digests and the logs of a window without reading any. It
// is for asking whether they fit somewhere before they are copied; what it counts
// is about what a run reads, and no verdict.
func Measure(ctx context.Context, req Request) Measurement {
	r := newRun(ctx, req)
	defer r.fail(nil)
	r.Progress = &Progress{}
	r.openWindow()
	var all Measurement
	most := min(32, r.InFlight)
	slots := semaphore.NewWeighted(int64(most)) // discovering has the run's
	groups := func(ctx context.Context) iter.Seq[group] { return r.discover(ctx) }
	for m := range ordered(r.ctx, slots, most, groups, r.measure) {
		all.Objects, all.Bytes, all.Failed = all.Objects+m.Objects, all.Bytes+m.Bytes, all.Failed+m.Failed
	}
	return all
}

// measure adds up one account's region.
func (r *run) measure(ctx context.Context, g group) (m Measurement) {
	if g.problem != nil {
		return Measurement{Failed: 1}
	}
	for _, kind := range append([]string{digest.DigestFolder}, g.kinds...) {
		for _, p := range g.places {
			at := Ref{p.Bucket, p.Key + digest.AccountFolder(g.organization, g.account) + kind + "/" + g.region + "/"}
			m.add(ctx, r, at)
		}
	}
	return m
}

func (m *Measurement) add(ctx context.Context, r *run, at Ref) {
	after, until := at.Key+dayBefore(r.Window.Start), at.Key+r.Window.End.AddDate(0, 0, 2).UTC().Format(dayFolder)
	if r.everything {
		after, until = "", ""
	}
	for e, err := range r.Store.List(ctx, at, after, until) {
		if err != nil {
			m.Failed++
			return
		}
		if !strings.HasSuffix(e.Key, "/") {
			m.Objects++
			m.Bytes += max(e.Size, 0)
		}
	}
}
