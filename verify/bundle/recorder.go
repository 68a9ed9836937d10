package bundle

import (
	"context"
	"fmt"
	"hash/maphash"
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

// A keeper takes what a recorder records. It is a *Writer.
type keeper interface {
	Get(verify.Ref) (Record, bool)
	Body(Record) (Body, error)
	Put(Record, io.Reader) (Record, error)
	Note(Record) error
	File(path string, data []byte) error
}

// A Recorder is a store, and the keys and the KMS of a run, that writes into a
// bundle whatever the run is told. What was taken whole before an interruption,
// or earlier in the run, is given from the bundle and not asked for again.
type Recorder struct {
	under  verify.Store
	keys   verify.Keys
	states verify.KeyStates // nil: KMS is not asked
	to     keeper
	most   int64       // bytes of an object that are taken though the run did not want them
	stop   func(error) // ends the run
	ready  func(context.Context) error
	seed   maphash.Seed

	reused atomic.Int64 // objects given from the bundle

	mu        sync.Mutex
	broken    error // the bundle cannot be written to
	source    sourceAnswers
	public    keyList
	listed    map[string]*spans
	waiting   map[verify.Ref]sighting // entries of listings, until their objects are read
	folders   map[verify.Ref]dirsAnswer
	failed    map[query]failedRun
	passing   map[uint64]struct{} // what could not be had for trouble that may pass
	lifecycle map[string]lifecycle
}

// A sighting is what a listing said of an object.
type sighting struct {
	size     int64 // bytes
	modified time.Time
}

// on adds it to a record.
func (s sighting) on(r Record) Record {
	r.Listed, r.ListedSize, r.Modified = true, s.size, s.modified
	return r
}

// A query is a listing as it was asked for.
type query struct {
	at           verify.Ref
	after, until string
}

// RecorderOptions configure NewRecorder. Store, Keys and Stop must be set.
type RecorderOptions struct {
	Store     verify.Store
	Keys      verify.Keys
	KeyStates verify.KeyStates
	Most      int64                       // of an object larger than this only as much is taken as the run reads; 0: verify.DefaultLogLimit
	Stop      func(error)                 // is called when the bundle cannot be written to; it should end the run
	Ready     func(context.Context) error // is waited for before any object is asked for; nil: none need wait. An error ends the run
}

// NewRecorder makes one that writes to w.
func NewRecorder(w *Writer, o RecorderOptions) *Recorder { return newRecorder(w, o) }

func newRecorder(to keeper, o RecorderOptions) *Recorder {
	if o.Most == 0 {
		o.Most = verify.DefaultLogLimit
	}
	return &Recorder{
		under: o.Store, keys: o.Keys, states: o.KeyStates, to: to, most: o.Most, stop: o.Stop, ready: o.Ready, seed: maphash.MakeSeed(),
		source: sourceAnswers{KMSKeys: map[string]verify.KeyState{}, Relative: o.Store.Holds(verify.Ref{Bucket: "a", Key: "AWSLogs/x"}, verify.Ref{Bucket: "b", Key: "p/AWSLogs/x"})},
		listed: map[string]*spans{}, waiting: map[verify.Ref]sighting{}, folders: map[verify.Ref]dirsAnswer{}, failed: map[query]failedRun{},
		passing: map[uint64]struct{}{}, lifecycle: map[string]lifecycle{},
	}
}

var (
	_ verify.Store      = (*Recorder)(nil)
	_ verify.Keys       = (*Recorder)(nil)
	_ verify.KeyStates  = (*Recorder)(nil)
	_ verify.Companions = (*Recorder)(nil)
	_ verify.Expiring   = (*Recorder)(nil)
	_ verify.Testifying = (*Recorder)(nil)
)

// A WriteError says that a bundle could not be written to.
type WriteError struct{ Err error }

func (e *WriteError) Error() string { return fmt.Sprintf("writing the bundle: %v", e.Err) }
func (e *WriteError) Unwrap() error { return e.Err }

// fail stops the run because the bundle cannot be written to.
func (r *Recorder) fail(err error) error {
	if err == nil {
		return nil
	}
	wrong := &WriteError{err}
	r.mu.Lock()
	if r.broken == nil {
		r.broken = wrong
	}
	r.mu.Unlock()
	r.stop(wrong)
	return wrong
}

// Err is why the bundle could not be written to, or nil.
func (r *Recorder) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.broken
}

// Passing is how many objects, listings and regions' keys could not be had for
// trouble that may pass by itself: a network, a store that is busy.
func (r *Recorder) Passing() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.passing)
}

// Reused is how many objects were given from the bundle and not asked for.
func (r *Recorder) Reused() int64 { return r.reused.Load() }

// settle notes whether something could be had in the end.
func (r *Recorder) settle(what string, err *Unreadable) {
	key := maphash.String(r.seed, what)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil && err.passing() {
		r.passing[key] = struct{}{}
	} else if len(r.passing) > 0 {
		delete(r.passing, key)
	}
}

// Requests counts those sent to the source.
func (r *Recorder) Requests() map[string]int64 { return r.under.Requests() }

// Holds is the source's.
func (r *Recorder) Holds(found, stated verify.Ref) bool { return r.under.Holds(found, stated) }

// Roots is the source's.
func (r *Recorder) Roots(ctx context.Context) ([]verify.Ref, error) {
	roots, err := r.under.Roots(ctx)
	u, missing, ok := refusalOf(err)
	if err != nil && !ok {
		return roots, err
	}
	if missing {
		u = &Unreadable{What: "roots", Reason: verify.ReadFailed, Err: err.Error()}
	}
	r.settle("roots", u)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.source.Roots, r.source.RootsError = nil, u
	for _, ref := range roots {
		r.source.Roots = append(r.source.Roots, prefixOf(ref))
	}
	return roots, err
}

// Dirs is the source's.
func (r *Recorder) Dirs(ctx context.Context, at verify.Ref) ([]string, error) {
	dirs, err := r.under.Dirs(ctx, at)
	u, missing, ok := refusalOf(err)
	if err != nil && !ok {
		return dirs, err
	}
	if missing {
		u = &Unreadable{What: listingAt(at), Reason: verify.ReadFailed, Err: err.Error()}
	}
	r.settle("dirs "+at.URI(), u)
	a := dirsAnswer{prefix: prefixOf(at), Error: u}
	for _, d := range dirs {
		a.Dirs = append(a.Dirs, name(d))
	}
	r.mu.Lock()
	r.folders[at] = a
	r.mu.Unlock()
	return dirs, err
}

// Keys is the source's.
func (r *Recorder) Keys(ctx context.Context, region string, start, end time.Time) ([]digest.PublicKey, error) {
	keys, err := r.keys.Keys(ctx, region, start, end)
	u, missing, ok := refusalOf(err)
	if err != nil && !ok {
		return keys, err
	}
	if missing {
		u = &Unreadable{What: "public keys of " + region, Reason: verify.ReadFailed, Err: err.Error()}
	}
	r.settle("keys "+region, u)
	r.mu.Lock()
	defer r.mu.Unlock()
	answer := keyRegion{Region: region, Start: start, End: end, Error: u}
	for _, k := range keys {
		answer.Keys = append(answer.Keys, r.public.index(k))
	}
	r.public.Regions = slices.DeleteFunc(r.public.Regions, func(a keyRegion) bool { return a.Region == region })
	r.public.Regions = append(r.public.Regions, answer)
	return keys, err
}

// index is where a key is in the list, to which it is added if need be.
func (l *keyList) index(k digest.PublicKey) int {
	for i, o := range l.PublicKeyList {
		if o.Fingerprint == k.Fingerprint && o.Region == k.Region && o.ValidityStartTime.Equal(k.Start) && o.ValidityEndTime.Equal(k.End) {
			return i
		}
	}
	l.PublicKeyList = append(l.PublicKeyList, listedKey{Value: k.Value, ValidityStartTime: k.Start, ValidityEndTime: k.End, Fingerprint: k.Fingerprint, Region: k.Region})
	return len(l.PublicKeyList) - 1
}

// KeyState is what KMS says.
func (r *Recorder) KeyState(ctx context.Context, key string) verify.KeyState {
	state := verify.KeyState{Problem: "KMS was not asked"}
	if r.states != nil {
		state = r.states.KeyState(ctx, key)
	}
	if ctx.Err() == nil {
		r.mu.Lock()
		r.source.KMSKeys[key] = state
		r.mu.Unlock()
	}
	return state
}

// Companion is the source's.
func (r *Recorder) Companion(ctx context.Context, ref verify.Ref) bool {
	layer, ok := r.under.(verify.Companions)
	is := ok && layer.Companion(ctx, ref)
	if ctx.Err() == nil {
		r.fail(r.to.Note(Record{Ref: ref, Companion: &is}))
	}
	return is
}

// Expirations is the source's, each bucket's asked for once.
func (r *Recorder) Expirations(ctx context.Context, bucket string) ([]verify.Expiration, error) {
	r.mu.Lock()
	known, ok := r.lifecycle[bucket]
	r.mu.Unlock()
	if ok {
		if known.Error != nil {
			return nil, known.Error.again()
		}
		return known.Rules, nil
	}
	layer, ok := r.under.(verify.Expiring)
	if !ok {
		return nil, nil
	}
	rules, err := layer.Expirations(ctx, bucket)
	u, missing, ok := refusalOf(err)
	if err != nil && !ok {
		return nil, err
	}
	if missing {
		u = &Unreadable{What: "lifecycle rules", Reason: verify.ReadFailed, Err: err.Error()}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lifecycle[bucket] = lifecycle{Bucket: name(bucket), Rules: rules, Error: u}
	return rules, err
}

// Testimony is the source's.
func (r *Recorder) Testimony(ctx context.Context) []verify.Finding {
	layer, ok := r.under.(verify.Testifying)
	if !ok {
		return nil
	}
	found := layer.Testimony(ctx)
	r.mu.Lock()
	r.source.Findings = slices.Clone(found)
	r.mu.Unlock()
	return found
}

// Buckets are those that something was asked of, in order.
func (r *Recorder) Buckets() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := map[string]bool{}
	for _, root := range r.source.Roots {
		seen[string(root.Bucket)] = true
	}
	for bucket := range r.listed {
		seen[bucket] = true
	}
	return slices.Sorted(maps.Keys(seen))
}
