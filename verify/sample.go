package verify

import (
	"context"
	"fmt"
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
					return append(found, Finding{Kind: NotSearched, URI: at.URI(), Message: "there are more folders than can be sampled in one run: narrow it by --account, --region or --start"})
				}
			}
		}
	}
	return append(found, r.remarks...)
}

// maxStray bounds how many objects of a day are passed over that are not named
// like what CloudTrail writes.
const maxStray = 1000

// sample takes the first file of each day of a folder. A day without files is
// passed over, with all that follow it up to the next that has some.
func (r *run) sample(at Ref, take func(Ref) bool) (bool, *Finding) {
	day := r.Window.Start.UTC()
	last := at.Key + r.Window.End.UTC().Format(dayFolder) + "~"
	for range maxSampleDays {
		next, delivered, err := r.firstFile(at, at.Key+dayBefore(day), last)
		switch {
		case err != nil:
			return true, unlisted(at, err)
		case next == "":
			return true, nil
		case !take(Ref{at.Bucket, next}):
			return false, nil
		}
		day = delivered.UTC().AddDate(0, 0, 1)
	}
	return true, &Finding{Kind: NotSearched, URI: at.URI(), Message: fmt.Sprintf(
		"only the first %d days that have files were sampled, up to %s: ask for a shorter window", maxSampleDays, day.Format(time.DateOnly))}
}

// firstFile is the first object after a key that is named like what CloudTrail
// writes: what somebody laid before it is not what is to be asked about.
func (r *run) firstFile(at Ref, after, until string) (key string, delivered time.Time, err error) {
	stray := 0
	for e, err := range r.Store.List(r.ctx, at, after, until) {
		if err != nil {
			return "", delivered, err
		}
		if _, _, delivered, err = placeInTime(e.Key); err == nil {
			return e.Key, delivered, nil
		}
		if stray++; stray > maxStray {
			return "", delivered, &UnreadableError{What: "listing", Reason: ReadFailed, Err: fmt.Errorf("more than %d objects that CloudTrail did not write", maxStray)}
		}
	}
	return "", delivered, nil
}
