package verifytest

import (
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

// A World is what one or more trails left in S3, and the keys CloudTrail
// published. Many goroutines may look at it while none changes it.
type World struct {
	Victims  map[string][]verify.Ref // what each damage touched, by its name
	Findings []verify.FindingKind    // what the damages done so far leave to be found on chains

	seed     int64
	hand     hand
	made     int               // versions
	shelves  map[string]*shelf // by bucket
	pool     *pool
	sse      sse // what buckets yet to be made encrypt with
	kms      *KMS
	sealed   map[digest.Hash][]byte // what Seal sealed, by the hash of what it made of it
	chains   []*Chain
	trails   []*Trail
	keys     map[string][]digest.PublicKey // by region
	expected map[verify.Ref]Expected       // of what is not simply kept
	taken    map[verify.Ref]bool           // what a damage touched, so that the next takes something else

	lifecycles map[string][]verify.Expiration // by bucket
}

// A Chain is one run of digests, oldest first, as it was minted. A damage
// that deletes digests leaves their handles here; one that makes them never
// have been (gap, restart) does not.
type Chain struct {
	digest.Chain
	Digests []*Digest
	m       *minter
	last    *digest.Previous // of the next digest
}

// A Digest is the handle of one digest file.
type Digest struct {
	verify.Ref
	Start, End time.Time
	Generated  time.Time // when it was made
	Signature  string
	Hash       digest.Hash
	Logs       int // how many log files it lists

	signer *signer
	twist  twist
}

// A Trail is one trail's settings, as DescribeTrails gives them.
type Trail struct {
	Name, Bucket, Prefix, HomeRegion, BucketRegion string
	ARN, Account, Organization                     string
	MultiRegion                                    bool
	KMSKey                                         string    // ARN; empty: it has none
	LatestDigest, LatestLog                        time.Time // when the newest were delivered
}

func newWorld(seed int64) *World {
	return &World{
		Victims: map[string][]verify.Ref{}, seed: seed, shelves: map[string]*shelf{}, pool: &pool{sse: make([]sse, 1)},
		kms: NewKMS(), sealed: map[digest.Hash][]byte{},
		keys: map[string][]digest.PublicKey{}, expected: map[verify.Ref]Expected{}, taken: map[verify.Ref]bool{},
	}
}

// Get gives the object at a place.
func (w *World) Get(ref verify.Ref) (Object, bool) {
	s := w.shelves[ref.Bucket]
	if s == nil {
		return Object{}, false
	}
	return s.get(ref.Key)
}

// Put stores an object, making the bucket where there is none. One whose SSE is
// not said is encrypted as the bucket does it by default: with AES256, but in a
// world minted with a KMS key, or encrypted whole by EncryptSSE, with that.
func (w *World) Put(ref verify.Ref, o Object) {
	w.keep(ref, &o)
	w.shelf(ref.Bucket).put(ref.Key, &o)
}

// Delete removes an object.
func (w *World) Delete(ref verify.Ref) {
	w.keep(ref, nil)
	w.shelf(ref.Bucket).put(ref.Key, nil)
}

func (w *World) shelf(bucket string) *shelf {
	s := w.shelves[bucket]
	if s == nil {
		s = newShelf()
		s.sse = w.sse
		w.shelves[bucket] = s
	}
	return s
}

// Scan yields a bucket's objects in byte order, from the first key not less
// than from.
func (w *World) Scan(bucket, from string) iter.Seq2[string, Object] {
	s := w.shelves[bucket]
	if s == nil {
		return func(func(string, Object) bool) {}
	}
	return s.scan(from)
}

// Buckets are the world's buckets in byte order.
func (w *World) Buckets() []string { return slices.Sorted(maps.Keys(w.shelves)) }

// Trails are the trails' settings, as CloudTrail would tell them whatever
// became of the files.
func (w *World) Trails() []Trail {
	var trails []Trail
	for _, t := range w.trails {
		trails = append(trails, *t)
	}
	return trails
}

// Chains are the world's chains, in the order in which a report has them:
// by organization, account, region, trail, home region, standard first.
func (w *World) Chains() []*Chain { return w.chains }
