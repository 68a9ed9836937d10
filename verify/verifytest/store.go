package verifytest

import (
	"context"
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

var (
	_ verify.Store = (*Store)(nil)
	_ verify.Keys  = (*Store)(nil)

	_ verify.Expiring = (*Store)(nil)
)

// NewStore gives a world as a store without faults.
func NewStore(w *World) *Store {
	return &Store{w: w, counts: map[string]int64{}, faults: faults{
		read: map[verify.Ref]error{}, cuts: map[verify.Ref]int{}, keys: map[string]error{},
	}}
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

// Requests counts the requests by operation: list, get, keys, lifecycle, retry.
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
