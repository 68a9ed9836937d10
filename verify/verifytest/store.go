package verifytest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"strings"
	"sync"
	"time"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

// A Store is a world in memory as verify.Store and verify.Keys, exact to
// their contracts, with faults by name. Set it up before it is used; then any
// number of goroutines may use it.
type Store struct {
	At      []verify.Ref  // what Roots gives; none: every bucket from its beginning
	AllKeys bool          // give a region's keys whatever span is asked
	Delay   time.Duration // before each answer
	Copy    bool          // as a plain copy is: no metadata, no LastModified, no knowledge of bucket and prefix

	w      *World
	mu     sync.Mutex
	counts map[string]int64
	faults faults
}

// faults are what goes wrong, and where.
type faults struct {
	read  map[verify.Ref]error
	match func(verify.Ref) error
	cuts  map[verify.Ref]int // how often a body still breaks; below zero: always
	lists []listFault
	keys  map[string]error
}

type listFault struct {
	at    verify.Ref
	after int
	err   error
}

var (
	_ verify.Store = (*Store)(nil)
	_ verify.Keys  = (*Store)(nil)
)

// NewStore gives a world as a store without faults.
func NewStore(w *World) *Store {
	return &Store{w: w, counts: map[string]int64{}, faults: faults{
		read: map[verify.Ref]error{}, cuts: map[verify.Ref]int{}, keys: map[string]error{},
	}}
}

// Tries is how often Read opens an object whose body breaks.
const Tries = 4

// FailRead makes reads of an object fail. A nil error stands for not found.
func (s *Store) FailRead(ref verify.Ref, err error) {
	if err == nil {
		err = &verify.NotFoundError{Ref: ref}
	}
	s.faults.read[ref] = err
}

// FailReads makes reads fail for which match gives an error.
func (s *Store) FailReads(match func(verify.Ref) error) { s.faults.match = match }

// Break makes the body of an object break half-way, so many times; below zero
// always.
func (s *Store) Break(ref verify.Ref, times int) { s.faults.cuts[ref] = times }

// FailList makes listings (and Dirs) of a prefix, and of what is below it, fail
// after so many entries.
func (s *Store) FailList(at verify.Ref, after int, err error) {
	s.faults.lists = append(s.faults.lists, listFault{at, after, err})
}

// FailKeys makes a region's keys fail.
func (s *Store) FailKeys(region string, err error) { s.faults.keys[region] = err }

// Unreadable is an error of a store's kind, for the faults.
func Unreadable(what string, reason verify.Reason) error {
	return &verify.UnreadableError{What: what, Reason: reason, Err: errors.New("as the test asked")}
}

func (s *Store) count(ctx context.Context, operation string) error {
	s.mu.Lock()
	s.counts[operation]++
	s.mu.Unlock()
	if s.Delay > 0 {
		select {
		case <-time.After(s.Delay):
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

// Requests counts the requests by operation: list, get, keys, retry.
func (s *Store) Requests() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := map[string]int64{}
	for operation, n := range s.counts {
		counts[operation] = n
	}
	return counts
}

// Roots gives At, or every bucket.
func (s *Store) Roots(ctx context.Context) ([]verify.Ref, error) {
	if s.At != nil {
		return s.At, ctx.Err()
	}
	var roots []verify.Ref
	for _, bucket := range s.w.Buckets() {
		roots = append(roots, verify.Ref{Bucket: bucket})
	}
	return roots, ctx.Err()
}

// Dirs lists the names below a prefix that have something below them.
func (s *Store) Dirs(ctx context.Context, at verify.Ref) ([]string, error) {
	if err := s.count(ctx, "list"); err != nil {
		return nil, err
	}
	fault := s.listFault(at)
	var dirs []string
	for key := range s.w.dirs(at) {
		if fault != nil && len(dirs) == fault.after {
			return nil, fault.err
		}
		dirs = append(dirs, key[len(at.Key):])
	}
	if fault != nil {
		return nil, fault.err
	}
	return dirs, nil
}

// dirs yields the common prefixes below a prefix for the delimiter "/".
func (w *World) dirs(at verify.Ref) iter.Seq[string] {
	return func(yield func(string) bool) {
		for from := at.Key; ; {
			dir, ok := w.dirFrom(at, from)
			if !ok || !yield(dir) {
				return
			}
			from = dir[:len(dir)-1] + "0" // "0" comes next after "/"
		}
	}
}

func (w *World) dirFrom(at verify.Ref, from string) (string, bool) {
	for key := range w.Scan(at.Bucket, from) {
		rest, ok := strings.CutPrefix(key, at.Key)
		if !ok {
			return "", false
		}
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			return key[:len(at.Key)+i+1], true
		}
	}
	return "", false
}

func (s *Store) listFault(at verify.Ref) *listFault {
	for i, f := range s.faults.lists {
		if f.at.Bucket == at.Bucket && strings.HasPrefix(at.Key, f.at.Key) {
			return &s.faults.lists[i]
		}
	}
	return nil
}

// List yields the objects below a prefix.
func (s *Store) List(ctx context.Context, at verify.Ref, after, until string) iter.Seq2[verify.Entry, error] {
	return func(yield func(verify.Entry, error) bool) {
		fault, n := s.listFault(at), 0
		for key, o := range s.w.Scan(at.Bucket, max(at.Key, after)) {
			if !strings.HasPrefix(key, at.Key) || until != "" && key >= until {
				break
			}
			if key == after {
				continue
			}
			if fault != nil && n == fault.after {
				break
			}
			if n++; n%1000 == 1 {
				if err := s.count(ctx, "list"); err != nil {
					yield(verify.Entry{}, err)
					return
				}
			}
			e := verify.Entry{Ref: verify.Ref{Bucket: at.Bucket, Key: key}, Size: int64(len(o.Bytes)), Modified: o.Modified}
			if s.Copy {
				e.Modified = time.Time{}
			}
			if !yield(e, nil) {
				return
			}
		}
		if n == 0 {
			if err := s.count(ctx, "list"); err != nil {
				yield(verify.Entry{}, err)
				return
			}
		}
		if fault != nil {
			yield(verify.Entry{}, fault.err)
		}
	}
}

// Read opens an object and hands it to use, again where its body breaks.
func (s *Store) Read(ctx context.Context, ref verify.Ref, use func(verify.Object) error) error {
	for try := 1; ; try++ {
		if try > 1 {
			s.count(ctx, "retry")
		}
		if err := s.count(ctx, "get"); err != nil {
			return err
		}
		err := s.readOnce(ref, use)
		if !errors.Is(err, errBroken) {
			return err
		}
		if try == Tries {
			return &verify.UnreadableError{What: ref.URI(), Reason: verify.ReadFailed, Err: err}
		}
	}
}

var errBroken = errors.New("the body broke half-way")

func (s *Store) readOnce(ref verify.Ref, use func(verify.Object) error) error {
	if err := s.faults.read[ref]; err != nil {
		return err
	}
	if s.faults.match != nil {
		if err := s.faults.match(ref); err != nil {
			return err
		}
	}
	o, ok := s.w.Get(ref)
	if !ok {
		return &verify.NotFoundError{Ref: ref}
	}
	body := io.Reader(bytes.NewReader(o.Bytes))
	broken := s.breaks(ref)
	if broken {
		body = io.MultiReader(bytes.NewReader(o.Bytes[:len(o.Bytes)/2]), brokenReader{})
	}
	metadata := o.Metadata
	if s.Copy {
		metadata = nil
	}
	return use(verify.Object{Body: body, Size: int64(len(o.Bytes)), Metadata: metadata})
}

func (s *Store) breaks(ref verify.Ref) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.faults.cuts[ref]
	if n > 0 {
		s.faults.cuts[ref]--
	}
	return n != 0
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errBroken }

// Holds is equality, and for a copy equality from AWSLogs on.
func (s *Store) Holds(found, stated verify.Ref) bool {
	if !s.Copy {
		return found == stated
	}
	a, okA := digest.FromAWSLogs(found.Key)
	b, okB := digest.FromAWSLogs(stated.Key)
	return okA && okB && a == b
}

// Keys gives the published keys of a region.
func (s *Store) Keys(ctx context.Context, region string, start, end time.Time) ([]digest.PublicKey, error) {
	if err := s.count(ctx, "keys"); err != nil {
		return nil, err
	}
	if err := s.faults.keys[region]; err != nil {
		return nil, err
	}
	return s.w.keysWithin(region, start, end, s.AllKeys), nil
}

func (w *World) keysWithin(region string, start, end time.Time, all bool) []digest.PublicKey {
	var keys []digest.PublicKey
	for _, k := range w.keys[region] {
		if all || !k.End.Before(start) && !k.Start.After(end) {
			keys = append(keys, k)
		}
	}
	return keys
}
