package verify

import (
	"context"
	"slices"
	"time"
)

// Regions names the source regions that a request's store has files of, in byte
// order, and the time that public keys are needed for to verify the request's
// window, or all the store holds. What could not be listed is among the findings.
// It reads names only.
func Regions(ctx context.Context, req Request) (regions []string, keys Window, findings []Finding) {
	r := newRun(ctx, req)
	defer r.fail(nil)
	r.openWindow()
	for g := range r.discover(r.ctx) {
		switch {
		case g.problem != nil:
			findings = append(findings, *g.problem)
		case !slices.Contains(regions, g.region):
			regions = append(regions, g.region)
		}
	}
	slices.Sort(regions)
	findings = append(findings, r.unmatched()...)
	if r.Window.Start.IsZero() { // folders, and nothing in them
		r.Window.Start = r.Now
	}
	return regions, KeySpan(r.Window, r.Now), append(findings, r.remarks...)
}

// KeySpan is the time that public keys are asked for. It reaches a little before the
// window, where the digest before it lies, and to now, because a backfill digest
// is signed when it is made.
func KeySpan(w Window, now time.Time) Window {
	if w.End.After(now) {
		now = w.End
	}
	return Window{w.Start.Add(-DefaultLookback), now.Add(2 * time.Hour)}
}
