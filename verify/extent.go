package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// firstDigest is before CloudTrail wrote any digest: log file validation came
// in October 2015.
var firstDigest = time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)

// extent is the window that stands for everything: from an hour before the
// first digest's end to the last digest's end or the last log, over all chains.
// It reads names only, of the first and the last day of each region.
func (r *run) extent() Window {
	var w Window
	stretch := func(start, end time.Time) {
		if start.Before(firstDigest) || end.After(r.Now.AddDate(0, 0, 1)) {
			return // a planted name: it must not stretch the window over centuries
		}
		if w.Start.IsZero() || start.Before(w.Start) {
			w.Start = start
		}
		if end.After(w.End) {
			w.End = end
		}
	}
	var logs Window
	groups := []group{}
	// The run discovers once more to judge: count and remark only then.
	defer func() { r.remarks = nil; r.Progress.Chains.Store(0) }()
	for g := range r.discover(r.ctx) {
		if groups = append(groups, g); g.problem != nil {
			continue
		}
		r.edges(g, digest.DigestFolder, "", func(key string) {
			if n, err := digest.ParseName(key); err == nil {
				stretch(n.End.Add(-time.Hour), n.End)
			}
		})
	}
	for _, g := range groups {
		if g.problem != nil {
			continue
		}
		// Of the logs only those matter that came after the last digest, or all
		// where there is none.
		from := ""
		if !w.IsZero() {
			from = g.account + "_" + digest.LogFolders[0] + "_" + g.region + "_" + w.End.Format("20060102T1504")
		}
		r.edges(g, digest.LogFolders[0], from, func(key string) {
			n, err := digest.ParseLogName(key)
			if err == nil && n.Delivered.Before(r.Now.AddDate(0, 0, 1)) && n.Delivered.After(firstDigest) {
				logs.stretch(n.Delivered)
			}
		})
	}
	if w.IsZero() {
		w.Start = logs.Start
	}
	if logs.End.After(w.End) {
		w.End = logs.End
	}
	return w
}

func (w *Window) stretch(t time.Time) {
	if w.Start.IsZero() || t.Before(w.Start) {
		w.Start = t
	}
	if t.After(w.End) {
		w.End = t
	}
}

// edges gives each key of the first and of the last day below a group's
// folders of one kind; with from, only the last day's names after it. Errors
// show again when the same folders are listed to be judged.
func (r *run) edges(g group, kind, from string, use func(key string)) {
	for _, p := range g.places {
		at := Ref{p.Bucket, p.Key + accountFolder(g.organization, g.account) + kind + "/" + g.region + "/"}
		first := ""
		for _, last := range []bool{false, true} {
			if !last && from != "" {
				continue
			}
			day, err := r.edgeDay(r.ctx, at, last)
			if err != nil || day == "" || day == first {
				break
			}
			first = day
			after := ""
			if from != "" {
				after = day + from
			}
			for e, err := range r.Store.List(r.ctx, Ref{at.Bucket, day}, after, "") {
				if err != nil {
					break
				}
				use(e.Key)
			}
		}
	}
}

// edgeDay is the first or last folder of a day below a region's folder, or
// empty where there is none.
func (r *run) edgeDay(ctx context.Context, at Ref, last bool) (string, error) {
	key := at.Key
	for range 3 { // year, month, day
		dirs, err := r.Store.Dirs(ctx, Ref{at.Bucket, key})
		if err != nil {
			return "", err
		}
		pick := ""
		for _, d := range dirs {
			if !isNumber(d) {
				continue
			}
			if pick == "" || last {
				pick = d
			}
		}
		if pick == "" {
			return "", nil
		}
		key += pick
	}
	return key, nil
}

func isNumber(dir string) bool {
	for _, c := range dir[:len(dir)-1] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(dir) > 1
}

// noteNewest remembers the newest authentic digest of a chain for
// checkDelivery. One that is merely named like a newer one is no delivery.
func (r *run) noteNewest(c *chainRun) {
	if r.Delivery == nil || c.id.Backfill || c.id.Region != r.Delivery.Region || c.last == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.newest[c.id] = delivered{c.last.ref, c.last.record.End, c.last.modified}
}

// delivered is a digest as far as its delivery matters.
type delivered struct {
	Ref
	end, modified time.Time
}

// checkDelivery holds what CloudTrail says of the trail against what is there:
// when it last delivered a digest, the newest one found must be that one.
func (r *run) checkDelivery(t *tally) {
	d := r.Delivery
	if d == nil {
		return
	}
	if d.DigestError != "" {
		t.find(Finding{Kind: Undelivered, Message: fmt.Sprintf("CloudTrail could not deliver the latest digest: %.300q", d.DigestError)})
	}
	if !d.Validation {
		t.find(Finding{Kind: Undelivered, Message: "log file validation is switched off for the trail, so no digests are delivered"})
	}
	if d.LatestDigest.IsZero() || d.LatestDigest.After(r.Window.End.Add(2*time.Hour)) {
		return // the window ends before the newest digest: it says nothing of it
	}
	for _, id := range slices.SortedFunc(maps.Keys(r.newest), compareChains) {
		l := r.newest[id]
		missing := d.LatestDigest.Sub(l.end) > 2*time.Hour
		if !l.modified.IsZero() {
			missing = d.LatestDigest.Sub(l.modified) > 30*time.Minute
		}
		if missing {
			t.find(Finding{Kind: Stale, URI: l.URI(), Chain: &ChainRef{id.Organization, id.Account, id.Region, id.Trail, false},
				Message: fmt.Sprintf("CloudTrail delivered a digest at %s, but the newest one found ends at %s: newer ones are missing",
					d.LatestDigest.Format(time.RFC3339), l.end.Format(time.RFC3339))})
		}
	}
}
