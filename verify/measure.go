package verify

import (
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
// answer and the next only after that: what goes on beyond is listed day by day, many
// days at once.
const alone = 1000

func (m *Measurement) add(ctx context.Context, r *run, at Ref) {
	after, until := at.Key+dayBefore(r.Window.Start), at.Key+r.Window.End.AddDate(0, 0, 2).UTC().Format(dayFolder)
	if r.everything {
		m.list(ctx, r.Store, at, "", "", math.MaxInt64)
		return
	}
	last := m.list(ctx, r.Store, at, after, until, alone)
	if last == "" {
		return
	}
	parts := daysOf(at, last, until)
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

// daysOf are the days that follow a key, up to another. Where the key lies in no
// day's folder there is one span.
func daysOf(at Ref, last, until string) []keySpan {
	var days []keySpan
	folder, _ := strings.CutPrefix(last, at.Key)
	day, err := time.Parse(dayFolder, folder[:min(len(folder), len(dayFolder))])
	for err == nil && len(days) < maxDays {
		day = day.AddDate(0, 0, 1)
		next := at.Key + day.Format(dayFolder)
		if next >= until {
			break
		}
		days = append(days, keySpan{last, next})
		last = next
	}
	return append(days, keySpan{last, until})
}

// maxDays is more than CloudTrail has been there for.
const maxDays = 20_000

// list adds up a listing, up to so many objects. It gives the key after which it
// stopped; none where it came to its end.
func (m *Measurement) list(ctx context.Context, s Store, at Ref, after, until string, most int64) (last string) {
	for e, err := range s.List(ctx, at, after, until) {
		if err != nil {
			m.Failed++
			return ""
		}
		if !strings.HasSuffix(e.Key, "/") {
			m.Objects++
			m.Bytes += max(e.Size, 0)
		}
		if most--; most == 0 {
			return e.Key
		}
	}
	return ""
}
