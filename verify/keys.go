package verify

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"
)

// KeyStates is where the states of KMS keys are asked for.
type KeyStates interface {
	// KeyState says what KMS tells of a key. That the state could not be had is in
	// the answer. It is called at most once a key in a run.
	KeyState(ctx context.Context, key string) KeyState
}

// A KeyState is what KMS tells of a key.
type KeyState struct {
	State       string    // KMS's own word, or "NotFound"; empty where it is not known
	Problem     string    // why it is not known
	Account     string    // that owns the key
	Manager     string    // "CUSTOMER" or "AWS"
	Origin      string    // of its material: "AWS_KMS", "EXTERNAL", …
	Deletion    time.Time // when it will be deleted; zero where it will not
	Expires     time.Time // when its imported material ends by itself; zero where it does not
	Waits       int       // days that begin when its replicas are deleted; 0: none
	MultiRegion bool
	Replicas    []string // ARNs
}

// A KeyUse is one KMS key that the files of a run are encrypted with.
type KeyUse struct {
	ARN         string     `json:"arn"`
	Account     string     `json:"account,omitempty"` // that owns it
	Region      string     `json:"region,omitempty"`
	Encryption  []string   `json:"encryption"`       // "aws:kms", "aws:kms:dsse", or a client's: "s3ec-v2", …
	Files       int        `json:"files"`            // judged in this run
	Digests     int        `json:"digests"`          // of them
	Unreadable  int        `json:"unreadable"`       // of them, because of the key
	Bytes       int64      `json:"bytes"`            // stored, of those that could be read
	First       *time.Time `json:"first,omitempty"`  // when CloudTrail delivered the first of them
	Last        *time.Time `json:"last,omitempty"`   // and the last
	State       string     `json:"state"`            // KMS's own word, "NotFound", or "unknown"
	Detail      string     `json:"detail,omitempty"` // why the state is not known
	Deletion    *time.Time `json:"deletionDate,omitempty"`
	Expires     *time.Time `json:"validTo,omitempty"`
	EndsAt      *time.Time `json:"unreadableFrom,omitempty"` // when all these files become unreadable for good, as things are
	Remedy      string     `json:"remedy,omitempty"`         // what to run, where the state is one that can be undone
	Manager     string     `json:"manager,omitempty"`
	Origin      string     `json:"origin,omitempty"`
	MultiRegion bool       `json:"multiRegion,omitempty"`
	Replicas    []string   `json:"replicas,omitempty"`
}

// unknownState is the state of a key that could not be asked for.
const unknownState = "unknown"

// trailKey is what the trail encrypts with now, or empty.
func (r *run) trailKey() string {
	if r.HasTrailKey && len(r.OwnKeys) > 0 {
		return r.OwnKeys[0]
	}
	return ""
}

// concludeKeys makes the key report and its findings.
func (r *run) concludeKeys(t *tally) {
	ring := &t.sums.keys
	for key, state := range r.states(ring.uses) {
		use := ring.uses[key]
		record := newKeyUse(key, use, state)
		t.keys = append(t.keys, record)
		for _, f := range r.keyFindings(record, use, state, t.accounts) {
			t.find(f)
		}
	}
	if ring.planted > 0 {
		t.find(Finding{Kind: ClientSide, Message: fmt.Sprintf(
			"%d files have an encryption envelope in their metadata that is not of their bytes, which are plain gzip and were judged as they are: somebody changed the metadata", ring.planted)})
	}
	if ring.more > 0 {
		t.find(Finding{Kind: KeyForeign, Message: fmt.Sprintf(
			"%d files are encrypted with KMS keys beyond the first %d, which are not told apart", ring.more, maxKeys)})
	}
	if !r.relative && !r.Copied && len(ring.sealed) > 0 {
		t.find(Finding{Kind: ClientSide, Message: clientSide(ring.sealed)})
	}
}

// clientSide says what a client encrypted where CloudTrail alone should write.
func clientSide(sealed map[string]int) string {
	files := 0
	for _, n := range sealed {
		files += n
	}
	return fmt.Sprintf("%d files were encrypted by a client before they were stored (%s), which CloudTrail never does: this is an archive, or somebody stored them anew",
		files, strings.Join(slices.Sorted(maps.Keys(sealed)), ", "))
}

// maxDescribed is how many keys are asked for in a run.
const maxDescribed = 1000

// describersAtOnce is how many keys are asked for at a time.
const describersAtOnce = 8

// states asks for the keys' states, once each, and yields them in order. An
// interrupted run asks for none.
func (r *run) states(uses map[string]*keyUse) iter.Seq2[string, KeyState] {
	type answer struct {
		key string
		KeyState
	}
	sorted := slices.Sorted(maps.Keys(uses))
	may := map[string]bool{} // the first so many, so that it does not depend on chance
	for _, key := range sorted {
		if uses[key].asked && len(may) < maxDescribed {
			may[key] = true
		}
	}
	ask := func(_ context.Context, key string) answer {
		switch {
		case r.ctx.Err() != nil:
			return answer{key, KeyState{Problem: "the run was interrupted"}}
		case r.KeyStates == nil:
			return answer{key, KeyState{Problem: "KMS was not asked"}}
		case !uses[key].asked:
			return answer{key, KeyState{Problem: "KMS was not asked: --kms-key does not name it"}}
		case !may[key]:
			return answer{key, KeyState{Problem: fmt.Sprintf("KMS was asked for %d other keys", maxDescribed)}}
		}
		return answer{key, r.KeyStates.KeyState(r.ctx, key)}
	}
	return func(yield func(string, KeyState) bool) {
		slots := semaphore.NewWeighted(describersAtOnce)
		whole := context.WithoutCancel(r.ctx) // the keys are named also when the run was interrupted
		for a := range ordered(whole, slots, describersAtOnce, values(sorted), ask) {
			if !yield(a.key, a.KeyState) {
				return
			}
		}
	}
}

func newKeyUse(key string, use *keyUse, s KeyState) KeyUse {
	k := KeyUse{
		ARN: key, Account: s.Account, Region: arnPart(key, 3), Encryption: use.how, Files: use.files, Digests: use.digests,
		Unreadable: use.refused, Bytes: use.bytes, First: stamp(use.first), Last: stamp(use.last), State: s.State, Detail: s.Problem,
		Deletion: stamp(s.Deletion), Expires: stamp(s.Expires), Manager: s.Manager, Origin: s.Origin,
		MultiRegion: s.MultiRegion, Replicas: s.Replicas,
	}
	if k.Account == "" {
		k.Account = arnPart(key, 4)
	}
	if k.Encryption == nil {
		k.Encryption = []string{}
	}
	if k.State == "" {
		k.State = unknownState
	}
	k.Remedy = remedy(k)
	k.EndsAt = k.Deletion
	if k.EndsAt == nil || k.Expires != nil && k.Expires.Before(*k.EndsAt) {
		k.EndsAt = k.Expires
	}
	return k
}

// arnPart is one part of a key's ARN (3: region, 4: account), or empty where
// the key has no whole one.
func arnPart(key string, i int) string {
	if parts := strings.SplitN(key, ":", 6); len(parts) == 6 {
		return parts[i]
	}
	return ""
}

// stamp is a time as reports have it: nil for none.
func stamp(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
