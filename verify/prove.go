package verify

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/trailseal/trailseal/digest"
	"golang.org/x/sync/semaphore"
)

// A Search is what looking for an event came to.
type Search struct {
	Event       string          `json:"event"`                // the eventID
	Proof       *Proof          `json:"-"`                    // nil: there is none, and Why says why
	Why         string          `json:"why,omitempty"`        // in plain words; may quote hostile names
	File        *File           `json:"file,omitempty"`       // the log that holds the event, as it was judged; nil: none was found
	Others      []string        `json:"others"`               // URIs of other kept logs that hold it as well, at most maxOthers
	More        int             `json:"moreOthers"`           // how many more there are
	KeysIn      string          `json:"keysInCopy,omitempty"` // where the keys lie in the evidence that they vouch for; empty: they are from elsewhere
	Window      Window          `json:"window"`               // of delivery time
	Logs        map[Verdict]int `json:"logs"`                 // searched or not, by verdict
	Searched    int             `json:"searched"`             // logs that were read to their end
	Doubts      []string        `json:"doubts"`               // what may have hidden the event, at most maxDoubts
	MoreDoubts  int             `json:"moreDoubts"`           //
	Interrupted bool            `json:"interrupted,omitempty"`
	Exit        int             `json:"exit"` // 0: there is a proof; 1: the event's log was tampered with; 3 otherwise
}

const (
	maxOthers = 100
	maxDoubts = 20
	maxSecond = 10_000 // logs that nothing vouches for that are looked into, where the event is in no other
)

// Prove looks for an event in the logs of the request's window and filters, and
// makes a proof of the first kept log that holds it, in the order of a report. The
// error is for what stopped the run.
func Prove(ctx context.Context, req Request, id string) (Search, error) {
	s := &search{id: id, finds: map[string]find{}, long: map[string]int{}, found: Search{Event: id, Others: []string{}, Doubts: []string{}, Exit: 3}}
	req.All, req.Only = true, nil
	req.watch = &watch{newTee: s.newTee, onLog: s.onLog}
	sum, err := Run(ctx, req, s)
	if err != nil {
		return s.found, err
	}
	f := &s.found
	f.KeysIn = req.KeysInCopy
	f.Window, f.Logs, f.Interrupted = sum.Window, sum.Logs, sum.Interrupted
	switch {
	case s.kept != nil:
		f.File = s.kept
		err = s.prove(ctx, req)
	case s.bad != nil:
		f.File = s.bad
	case ctx.Err() == nil:
		err = s.lookAgain(ctx, req)
	}
	if f.Proof == nil && f.Why == "" {
		f.Why = s.why()
	}
	return *f, err
}

// A search is the sink of a run that looks for an event.
type search struct {
	id    string
	found Search
	kept  *File // the first kept log that holds it
	at    find
	bad   *File  // the first that is not kept
	again []File // logs that the run did not read, for nothing vouches for them

	mu       sync.Mutex
	finds    map[string]find // by log and digest, until the sink is told of the log
	long     map[string]int  // in the same way: events that are too long to be read
	searched int
	pool     sync.Pool
}

func (s *search) newTee() digest.Tee {
	if f, ok := s.pool.Get().(*finder); ok {
		f.Reset()
		return f
	}
	return newFinder(s.id)
}

// onLog notes whether the event is in a log that was read.
func (s *search) onLog(file *File, seen logSight, tee digest.Tee) {
	f := tee.(*finder)
	s.mu.Lock()
	if seen.err == nil && seen.altered == nil && file.Verdict != Unattested {
		s.searched++
		if f.find != nil {
			s.finds[findKey(*file)] = *f.find
		}
		if f.Long > 0 {
			s.long[findKey(*file)] = f.Long
		}
	}
	s.mu.Unlock()
	s.pool.Put(f)
}

func findKey(f File) string { return f.URI + "\n" + f.Digest }

// File is told each file in order.
func (s *search) File(f File) error {
	if f.Kind != "log" {
		if f.Verdict != Kept {
			s.doubt(fmt.Sprintf("the digest %q is %s", f.URI, f.Verdict))
		}
		return nil
	}
	s.mu.Lock()
	at, found := s.finds[findKey(f)]
	long := s.long[findKey(f)]
	delete(s.finds, findKey(f))
	delete(s.long, findKey(f))
	s.mu.Unlock()
	switch {
	case found && f.Verdict == Kept && s.kept == nil:
		s.kept, s.at = &f, at
	case found && f.Verdict == Kept && f.URI != s.kept.URI:
		s.other(f.URI)
	case found && f.Verdict != Kept && s.bad == nil:
		s.bad = &f
	case f.Verdict == Unattested || f.Verdict == Unreferenced || f.Verdict == Pending:
		if len(s.again) < maxSecond {
			s.again = append(s.again, f)
		}
	}
	if long > 0 {
		s.doubt(fmt.Sprintf("the log %q holds events of more than %d bytes, which are not read: %d", f.URI, digest.MaxEventBytes, long))
	}
	if f.Verdict == Unreadable || f.Verdict == Deleted {
		s.doubt(fmt.Sprintf("the log %q is %s", f.URI, f.Verdict))
	}
	return nil
}

func (s *search) other(uri string) {
	if len(s.found.Others) < maxOthers {
		s.found.Others = append(s.found.Others, uri)
	} else {
		s.found.More++
	}
}

func (s *search) doubt(text string) {
	if len(s.found.Doubts) < maxDoubts {
		s.found.Doubts = append(s.found.Doubts, text)
	} else {
		s.found.MoreDoubts++
	}
}

// Finding is told what is wrong beside files.
func (s *search) Finding(f Finding) error {
	if f.Kind.Class() > Remark {
		s.doubt(fmt.Sprintf("%s: %s", f.Kind, f.Message))
	}
	return nil
}

func (s *search) Start(Header) error { return nil }
func (s *search) Chain(Chain) error  { return nil }

// End is told that the run is over.
func (s *search) End(Summary) error {
	s.found.Searched = s.searched
	return nil
}

// why says why there is no proof.
func (s *search) why() string {
	f := s.found.File
	switch {
	case s.found.Interrupted:
		return "the run was interrupted"
	case f == nil:
		return "no log that was read holds the event"
	}
	_, s.found.Exit = max(f.Verdict.Class(), ClassUnproven).Outcome()
	return fmt.Sprintf("the event is in a log that is %s, so that nothing proves it: %q", f.Verdict, f.URI)
}

// lookAgain looks into the logs that nothing vouches for, to say that the event is
// there, if it is. There is no proof of it then.
func (s *search) lookAgain(ctx context.Context, req Request) error {
	type answer struct {
		file  File
		found bool
		err   error
	}
	look := func(ctx context.Context, f File) answer {
		tee := newFinder(s.id)
		_, _, err := readTo(ctx, req.Store, refOf(f.URI), cmp.Or(req.LogLimit, DefaultLogLimit), tee)
		return answer{f, err == nil && tee.find != nil, err}
	}
	const atOnce = 16
	for a := range ordered(ctx, semaphore.NewWeighted(atOnce), atOnce, values(s.again), look) {
		switch {
		case a.err != nil && !isData(a.err):
			return a.err
		case a.err != nil:
			s.doubt(fmt.Sprintf("the log %q could not be read", a.file.URI))
		case a.found && s.found.File == nil:
			s.found.File = &a.file
		}
		if a.err == nil {
			s.found.Searched++
		}
	}
	return ctx.Err()
}

// refOf is the place that a URI names.
func refOf(uri string) Ref {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(uri, "s3://"), "/")
	return Ref{bucket, key}
}
