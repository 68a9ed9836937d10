package bundle

import (
	"context"
	"iter"

	"github.com/trailseal/trailseal/verify"
)

// List is the source's. Every entry goes into the bundle, and which part of the
// bucket's keys was seen to its end.
func (r *Recorder) List(ctx context.Context, at verify.Ref, after, until string) iter.Seq2[verify.Entry, error] {
	return func(yield func(verify.Entry, error) bool) {
		q := query{at, after, until}
		from, end, some := bounds(at.Key, after, until)
		to := from // seen so far
		for e, err := range r.under.List(ctx, at, after, until) {
			if err != nil {
				r.sawUntil(q, from, to)
				r.sawFail(q, to, err)
				yield(verify.Entry{}, err)
				return
			}
			if err := r.note(e); err != nil {
				yield(verify.Entry{}, err)
				return
			}
			to = max(to, beyond(e.Key))
			if !yield(e, nil) {
				r.sawUntil(q, from, to)
				return
			}
		}
		if some && ctx.Err() == nil {
			r.saw(q, from, end)
		}
	}
}

// note writes down an entry, unless it was listed before.
func (r *Recorder) note(e verify.Entry) error {
	r.mu.Lock()
	s := r.listed[e.Bucket]
	known := false
	if s != nil {
		_, known = s.reach(e.Key)
	}
	if !known {
		r.waiting[e.Ref] = sighting{e.Size, e.Modified}
	}
	full := len(r.waiting) >= mostWaiting
	r.mu.Unlock()
	if full {
		return r.fail(r.flush())
	}
	return nil
}

// mostWaiting is how many entries of listings are held back. Most objects are read
// soon after they were listed, and have one record then.
const mostWaiting = 20_000

// flush writes down the entries whose objects were not read.
func (r *Recorder) flush() error {
	r.mu.Lock()
	waiting := r.waiting
	r.waiting = map[verify.Ref]sighting{}
	r.mu.Unlock()
	for ref, was := range waiting {
		if err := r.to.Note(was.on(Record{Ref: ref})); err != nil {
			return err
		}
	}
	return nil
}

// entry moves to a record what a listing said, where that is still to be written down.
func (r *Recorder) entry(rec *Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if was, ok := r.waiting[rec.Ref]; ok {
		*rec = was.on(*rec)
		delete(r.waiting, rec.Ref)
	}
}

// unwritten takes back an entry whose object was not written down with it.
func (r *Recorder) unwritten(rec Record) {
	if !rec.Listed {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting[rec.Ref] = sighting{rec.ListedSize, rec.Modified}
}

// sawUntil is saw of a listing that was not followed to its end.
func (r *Recorder) sawUntil(q query, from, to string) {
	if to > from {
		r.add(q.at.Bucket, from, to)
	}
}

// saw notes that a listing came to its end.
func (r *Recorder) saw(q query, from, to string) {
	r.add(q.at.Bucket, from, to)
	r.settle(q.words(), nil)
	r.mu.Lock()
	delete(r.failed, q)
	r.mu.Unlock()
}

func (r *Recorder) add(bucket, from, to string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.listed[bucket]
	if s == nil {
		s = new(spans)
		r.listed[bucket] = s
	}
	s.add(from, to)
}

// sawFail notes that a listing failed.
func (r *Recorder) sawFail(q query, to string, err error) {
	u, missing, ok := refusalOf(err)
	if !ok {
		return
	}
	if missing {
		u = &Unreadable{What: listingAt(q.at), Reason: verify.ReadFailed, Err: err.Error()}
	}
	r.settle(q.words(), u)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed[q] = failedRun{Prefix: name(q.at.Key), After: name(q.after), Until: name(q.until), To: name(to), Error: u}
}

func (q query) words() string { return "list " + q.at.URI() + "\x00" + q.after + "\x00" + q.until }
