package verify

import (
	"cmp"
	"context"
	"iter"
	"math"
	"strings"
	"time"

	"github.com/trailseal/trailseal/digest"
	"golang.org/x/sync/errgroup"
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
		all.join(m)
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

// alone is how many objects one listing is followed for. A store gives 1,000 an
// answer and the next only after that: what goes on beyond is listed in spans of days,
// many at once, each of about four answers.
const (
	alone     = 1000
	perSpan   = 4
	spansMost = 1000
)

func (m *Measurement) add(ctx context.Context, r *run, at Ref) {
	after, until := at.Key+dayBefore(r.Window.Start), at.Key+r.Window.End.AddDate(0, 0, 2).UTC().Format(dayFolder)
	if r.everything {
		m.list(ctx, r.Store, at, "", "", math.MaxInt64)
		return
	}
	first, last := m.list(ctx, r.Store, at, after, until, alone)
	if last == "" {
		return
	}
	parts := spansOf(at, first, last, until, r.Now)
	each := make([]Measurement, len(parts))
	const atOnce = 16
	var work errgroup.Group
	work.SetLimit(atOnce)
	for i, part := range parts {
		work.Go(func() error {
			each[i].list(ctx, r.Store, at, part.after, part.until, math.MaxInt64)
			return nil
		})
	}
	_ = work.Wait()
	for _, one := range each {
		m.join(one)
	}
}

func (m *Measurement) join(o Measurement) {
	m.Objects, m.Bytes, m.Failed = m.Objects+o.Objects, m.Bytes+o.Bytes, m.Failed+o.Failed
}

// A keySpan is what is listed at once.
type keySpan struct{ after, until string }

// spansOf cuts what follows a key, up to another, into spans of days, each as long as
// perSpan times the days that it took from the first key to the last. What lies in the
// future is one span, and so is all where the keys lie in no day's folder.
func spansOf(at Ref, first, last, until string, now time.Time) []keySpan {
	var spans []keySpan
	from, ok := dayOf(at, first)
	day, ok2 := dayOf(at, last)
	days := max(1, perSpan*int(day.Sub(from)/(24*time.Hour)))
	for ok && ok2 && len(spans) < spansMost {
		day = day.AddDate(0, 0, days)
		next := at.Key + day.Format(dayFolder)
		if next >= until || day.After(now) {
			break
		}
		spans = append(spans, keySpan{last, next})
		last = next
	}
	return append(spans, keySpan{last, until})
}

// dayOf is the day in whose folder a key lies.
func dayOf(at Ref, key string) (time.Time, bool) {
	folder := strings.TrimPrefix(key, at.Key)
	day, err := time.Parse(dayFolder, folder[:min(len(folder), len(dayFolder))])
	return day, err == nil
}

// list adds up a listing, up to so many objects. It gives its first key, and the one
// after which it stopped; none where it came to its end.
func (m *Measurement) list(ctx context.Context, s Store, at Ref, after, until string, most int64) (first, last string) {
	for e, err := range s.List(ctx, at, after, until) {
		if err != nil {
			m.Failed++
			return first, ""
		}
		first = cmp.Or(first, e.Key)
		if !strings.HasSuffix(e.Key, "/") {
			m.Objects++
			m.Bytes += max(e.Size, 0)
		}
		if most--; most == 0 {
			return first, e.Key
		}
	}
	return first, ""
}
