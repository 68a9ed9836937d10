package verify

import (
	"context"
	"strings"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// maxSampleDays bounds how many days of a folder are sampled.
const maxSampleDays = 400

// Samples names a few files of a window without reading any: of each account's
// region the first digest and the first log of each day. What could not be
// listed is among the findings. It is for asking whether files can be read at
// all before all of them are.
func Samples(ctx context.Context, req Request, take func(Ref) bool) []Finding {
	r := newRun(ctx, req)
	defer r.fail(nil)
	r.openWindow()
	var found []Finding
	for g := range r.discover(r.ctx) {
		if g.problem != nil {
			found = append(found, *g.problem)
			continue
		}
		for _, kind := range append([]string{digest.DigestFolder}, g.kinds...) {
			for _, p := range g.places {
				at := Ref{p.Bucket, p.Key + digest.AccountFolder(g.organization, g.account) + kind + "/" + g.region + "/"}
				more, problem := r.sample(at, take)
				if problem != nil {
					found = append(found, *problem)
				}
				if !more {
					return found
				}
			}
		}
	}
	return append(found, r.remarks...)
}

// sample takes the first file of each day of a folder. A day without files is
// passed over, with all that follow it up to the next that has some.
func (r *run) sample(at Ref, take func(Ref) bool) (bool, *Finding) {
	day := r.Window.Start.UTC()
	last := r.Window.End.UTC().Format(dayFolder) + "~"
	for range maxSampleDays {
		next := ""
		for e, err := range r.Store.List(r.ctx, at, at.Key+dayBefore(day), at.Key+last) {
			if err != nil {
				return true, unlisted(at, err)
			}
			if !strings.HasSuffix(e.Key, "/") {
				next = e.Key
				break
			}
		}
		if next == "" {
			return true, nil
		}
		if !take(Ref{at.Bucket, next}) {
			return false, nil
		}
		rest := strings.TrimPrefix(next, at.Key)
		of, err := time.Parse(dayFolder, rest[:min(len(dayFolder), len(rest))])
		if err != nil {
			of = day
		}
		day = of.AddDate(0, 0, 1)
	}
	return true, nil
}
