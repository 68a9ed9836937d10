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
// It reads names only: those of all digests, and of the logs from the last
// digest's day on.
func (r *run) extent() Window {
	var w, logs Window
	var groups []group
	// The run discovers once more to judge: count and remark only then.
	defer func() { r.remarks = nil; r.Progress.Chains.Store(0) }()
	for g := range r.discover(r.ctx) {
		if g.problem != nil {
			continue
		}
		groups = append(groups, g)
		r.eachKey(g, digest.DigestFolder, "", func(key string) {
			if n, err := digest.ParseName(key); err == nil && r.plausible(n.End) {
				w.stretch(n.End.Add(-time.Hour))
				w.stretch(n.End)
			}
		})
	}
	day := ""
	if !w.IsZero() {
		day = w.End.Format(dayFolder)
	}
	for _, g := range groups {
		r.eachKey(g, digest.LogFolders[0], day, func(key string) {
			if n, err := digest.ParseLogName(key); err == nil && r.plausible(n.Delivered) {
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

// plausible reports whether a name's time may be CloudTrail's. A planted name
// must not stretch the window over centuries.
func (r *run) plausible(t time.Time) bool {
	return t.After(firstDigest) && t.Before(r.Now.AddDate(0, 0, 1))
}

func (w *Window) stretch(t time.Time) {
	if w.Start.IsZero() || t.Before(w.Start) {
		w.Start = t
	}
	if t.After(w.End) {
		w.End = t
	}
}

// eachKey gives the keys below a group's folders of one kind, from a day on.
// Errors show again when the same folders are listed to be judged.
func (r *run) eachKey(g group, kind, from string, use func(key string)) {
	for _, p := range g.places {
		at := Ref{p.Bucket, p.Key + digest.AccountFolder(g.organization, g.account) + kind + "/" + g.region + "/"}
		after := ""
		if from != "" {
			after = at.Key + from
		}
		for e, err := range r.Store.List(r.ctx, at, after, "") {
			if err != nil {
				break
			}
			use(e.Key)
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
	trouble := func(format string, args ...any) {
		t.find(Finding{Kind: Undelivered, Message: fmt.Sprintf(format, args...)})
	}
	if d.StatusError != "" {
		trouble("CloudTrail does not tell the trail's status, so what is found cannot be held against it: %.300s", d.StatusError)
		return
	}
	if d.DigestError != "" {
		trouble("CloudTrail could not deliver the latest digest: %.300q", d.DigestError)
	}
	if !d.Validation {
		trouble("log file validation is switched off for the trail, so no digests are delivered")
	}
	if !d.Logging {
		trouble("logging is switched off for the trail")
	}
	if d.LatestDigest.IsZero() || d.LatestDigest.After(r.Window.End.Add(2*time.Hour)) {
		return // the window ends before the newest digest: it says nothing of it
	}
	// The time is the trail's, over all accounts of an organization.
	var newest *delivered
	for _, id := range slices.SortedFunc(maps.Keys(r.newest), compareChains) {
		if n := r.newest[id]; newest == nil || n.end.After(newest.end) {
			newest = &n
		}
	}
	switch {
	case newest == nil:
		t.find(Finding{Kind: Stale, Message: fmt.Sprintf("CloudTrail delivered a digest in %s at %s, and none was found that can be trusted",
			d.Region, d.LatestDigest.Format(time.RFC3339))})
	case newest.missed(d.LatestDigest):
		t.find(Finding{Kind: Stale, URI: newest.URI(), Message: fmt.Sprintf("CloudTrail delivered a digest at %s, but the newest one found ends at %s: newer ones are missing",
			d.LatestDigest.Format(time.RFC3339), newest.end.Format(time.RFC3339))})
	}
}

// missed reports whether something newer was delivered at a time. A digest
// comes about half an hour after its end; S3 says when it was stored, but what
// is stored again says so too, so both must fit.
func (n delivered) missed(latest time.Time) bool {
	return latest.Sub(n.end) > 80*time.Minute || !n.modified.IsZero() && latest.Sub(n.modified) > 30*time.Minute
}
