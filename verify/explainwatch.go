package verify

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/trailseal/trailseal/digest"
)

// A watcher finds leads in a log while it is hashed.
type watcher struct {
	sieve digest.EventSieve
	leads leads
}

// leads are the leads of one log.
type leads struct {
	all  []*lead
	size int
	more int  // leads over the bounds
	odd  bool // the log must be read again, event by event
}

var watchers = sync.Pool{New: func() any {
	w := new(watcher)
	w.sieve.Names, w.sieve.Event = deedNames, w.leads.see
	return w
}}

func (w *watcher) Reset() {
	w.leads = leads{}
	w.sieve.Reset()
}

func (w *watcher) Write(p []byte) (int, error) { return w.sieve.Write(p) }

// see takes an event.
func (s *leads) see(raw []byte) {
	switch l := parseLead(raw); {
	case l == nil:
	case len(s.all) >= maxLogLeads || s.size+l.size > maxLogLeadBytes:
		s.more++
	default:
		s.all, s.size = append(s.all, l), s.size+l.size
	}
}

// readLog hashes a log and, where the run is to explain, looks for leads. They
// are worth what the log is.
func (r *run) readLog(c *counter) (digest.Content, leads, error) {
	if !r.Explain {
		content, err := digest.HashGzip(c, r.LogLimit)
		return content, leads{}, err
	}
	w := watchers.Get().(*watcher)
	defer watchers.Put(w)
	content, err := digest.HashGzipTo(c, r.LogLimit, w)
	w.sieve.Close()
	found := w.leads
	found.odd, w.leads = w.sieve.Odd, leads{}
	return content, found, err
}

// certain makes leads whole: those of a log that is kept, and that was written in
// a way that the sieve does not know, come from reading it again.
func (r *run) certain(ctx context.Context, listed digest.Log, found leads) (leads, error) {
	if !found.odd {
		return found, nil
	}
	var again leads
	err := r.Store.Read(ctx, Ref{listed.Bucket, listed.Object}, func(o Object) error {
		var all leads
		content, err := digest.HashGzipTo(o.Body, r.LogLimit, &digest.EventScanner{Event: all.see})
		if again = (leads{}); err == nil && content.Form == digest.Exact && content.Hash == listed.Hash {
			again = all
		}
		return err
	})
	if err != nil && isData(err) {
		return found, nil
	}
	return again, err
}

// edge reads a log that a kept digest beside the window lists, for its leads alone.
func (g *groupRun) edge(ctx context.Context, listed digest.Log) event {
	seen, err := g.r.hash(ctx, Ref{listed.Bucket, listed.Object})
	var found leads
	if err == nil && judgeLog(listed, true, seen).verdict == Kept {
		found, err = g.r.certain(ctx, listed, seen.leads)
	}
	if err != nil {
		g.r.fail(err)
		return event{}
	}
	return event{leads: found.of(listed)}
}

// of says of leads which log they are from.
func (s leads) of(listed digest.Log) *leads {
	if len(s.all) == 0 && s.more == 0 {
		return nil
	}
	uri := Ref{listed.Bucket, listed.Object}.URI()
	for _, l := range s.all {
		l.Log = uri
	}
	return &s
}

// edges hands out the logs of a kept digest beside the window to be looked
// through for what happened there.
func (c *chainRun) edges(d *sight) {
	w := c.book.window
	near := d.record.End.After(w.Start.Add(-edgeReach)) && d.record.Start.Before(w.End.Add(edgeReach))
	if !c.r.Explain || !near {
		return
	}
	for _, l := range d.record.Logs {
		if l.Algorithm == digest.HashAlgorithm && !c.g.isNamed(Ref{l.Bucket, l.Object}) {
			c.send(step{edge: &l})
		}
	}
}

// buckets are where the chain's digests lie.
func (c *chainRun) buckets() []string {
	for _, l := range c.refs {
		c.lies(l.Bucket)
	}
	return slices.Sorted(maps.Keys(c.in))
}

// lies notes a bucket of the chain: where the store has a digest, and where a
// trusted one says that it is.
func (c *chainRun) lies(bucket string) {
	if c.in == nil {
		c.in = map[string]bool{}
	}
	if len(c.in) < maxBuckets {
		c.in[bucket] = true
	}
}

const maxBuckets = 100 // of a chain
