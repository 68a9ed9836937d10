package verifytest

import (
	"fmt"
	"hash/fnv"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// A HeldVersion is one version of an object in a versioned bucket, or a delete
// marker.
type HeldVersion struct {
	Object
	ID     string
	Owner  string // canonical user id
	Marker bool
}

// A hand is who changes a world, and when.
type hand struct {
	at    time.Time
	owner string
}

// Version makes a bucket keep the former versions of what is put and deleted from
// now on. What lies in it already has a version of its own.
func (w *World) Version(bucket string) { w.shelf(bucket).history = map[string][]HeldVersion{} }

// Hand says who changes the world from now on, and when.
func (w *World) Hand(at time.Time, owner string) { w.hand = hand{at, owner} }

// Owner is who stored what was minted.
const Owner = "c0ffee00000000000000000000000000000000000000000000000000000000aa"

// Versions are the versions of an object, the newest first. In a bucket that keeps
// none it is what there is, with the version "null".
func (w *World) Versions(ref verify.Ref) []HeldVersion {
	s := w.shelves[ref.Bucket]
	if s == nil {
		return nil
	}
	if held, ok := s.history[ref.Key]; ok {
		return held
	}
	o, ok := s.get(ref.Key)
	if !ok {
		return nil
	}
	v := HeldVersion{Object: o, ID: "null", Owner: Owner}
	if s.history != nil {
		h := fnv.New64a()
		h.Write([]byte(ref.Key))
		v.ID = fmt.Sprintf("first-%016x", h.Sum64())
	}
	return []HeldVersion{v}
}

// DeleteVersion removes a version for good, as only its id allows.
func (w *World) DeleteVersion(ref verify.Ref, id string) {
	s := w.shelf(ref.Bucket)
	var left []HeldVersion
	for _, v := range w.Versions(ref) {
		if v.ID != id {
			left = append(left, v)
		}
	}
	s.history[ref.Key] = left
	s.loose[ref.Key], s.keys = nil, nil
	if len(left) > 0 && !left[0].Marker {
		s.loose[ref.Key] = &left[0].Object
	}
}

// keep adds a version before it becomes the newest.
func (w *World) keep(ref verify.Ref, o *Object) {
	s := w.shelf(ref.Bucket)
	if s.history == nil {
		return
	}
	before := w.Versions(ref)
	w.made++
	v := HeldVersion{ID: fmt.Sprintf("version-%06d", w.made), Owner: Owner, Marker: o == nil}
	if w.hand.owner != "" {
		v.Owner = w.hand.owner
	}
	if o != nil {
		if !w.hand.at.IsZero() {
			o.Modified = w.hand.at
		}
		v.Object = *o
	}
	v.Modified = w.hand.at
	if o != nil {
		v.Modified = o.Modified
	}
	s.history[ref.Key] = append([]HeldVersion{v}, before...)
}
