package verify

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"
)

// A sealing is what was seen of how one file is encrypted.
type sealing struct {
	sse      SSE
	envelope Envelope
	refused  string    // ARN of the KMS key that was in the way
	unasked  bool      // that key may not be asked, and was not
	stored   int64     // bytes; 0 where it could not be read
	at       time.Time // when CloudTrail delivered it
}

func sealingOf(o Object) sealing {
	return sealing{sse: o.SSE, envelope: o.Envelope, stored: max(o.Size, 0)}
}

// refusedBy is what is known of the encryption of a file that could not be read.
func refusedBy(err error) sealing {
	var unreadable *UnreadableError
	if errors.As(err, &unreadable) {
		return sealing{refused: unreadable.Key, unasked: unreadable.Reason == KeyNotAllowed, envelope: Envelope{Scheme: unreadable.Scheme}}
	}
	return sealing{}
}

// key is the key that matters most for reading the file.
func (s sealing) key() string {
	switch {
	case s.refused != "":
		return s.refused
	case s.envelope.Key != "":
		return s.envelope.Key
	}
	return s.sse.Key
}

// maxKeys bounds how many KMS keys a run tells apart. What lies in a bucket
// does not choose them, but whoever may write to it can.
const maxKeys = 5000

// A keyring counts the KMS keys that files are encrypted with.
type keyring struct {
	uses   map[string]*keyUse
	more   int            // files of keys past maxKeys
	sealed map[string]int // files that a client encrypted, by scheme
}

// A keyUse is one key's part of a keyring.
type keyUse struct {
	files, digests, refused int
	bytes                   int64
	asked                   bool // some file needed it and it may be asked: that is no stranger to whom the asking tells anything
	first, last             time.Time
	how                     []string // encryptions, in byte order
	odd                     int      // files in accounts' regions where another key was the trail's at the time
	oddFirst, oddLast       time.Time
	usual                   string // the other key
}

func newKeyring() keyring { return keyring{uses: map[string]*keyUse{}, sealed: map[string]int{}} }

// note counts one file's keys: a file may be sealed and then be stored under
// another key.
func (k *keyring) note(f *File) {
	s := f.sealing
	if s.envelope.Scheme != "" {
		k.sealed[s.envelope.Scheme]++
	}
	k.count(f, s.sse.Key, s.sse.Algorithm)
	if s.envelope.Key != s.sse.Key {
		k.count(f, s.envelope.Key, s.envelope.Scheme)
	}
	if s.refused != "" {
		k.count(f, s.refused, s.envelope.Scheme)
	}
}

func (k *keyring) count(f *File, key, how string) {
	if key == "" {
		return
	}
	u := k.uses[key]
	if u == nil && len(k.uses) >= maxKeys {
		k.more++
		return
	}
	if u == nil {
		u = &keyUse{}
		k.uses[key] = u
	}
	one := keyUse{files: 1, bytes: f.sealing.stored, first: f.sealing.at, last: f.sealing.at}
	if f.Kind == "digest" {
		one.digests = 1
	}
	if f.sealing.refused == key {
		one.refused = 1
	}
	one.asked = one.refused == 0 || !f.sealing.unasked
	if how != "" {
		one.how = []string{how}
	}
	u.add(one)
}

func (u *keyUse) add(o keyUse) {
	u.files, u.digests, u.refused, u.bytes = u.files+o.files, u.digests+o.digests, u.refused+o.refused, u.bytes+o.bytes
	u.asked = u.asked || o.asked
	u.first, u.last = widen(u.first, u.last, o.first, o.last)
	for _, how := range o.how {
		if i, found := slices.BinarySearch(u.how, how); !found {
			u.how = slices.Insert(u.how, i, how)
		}
	}
	if u.odd == 0 || o.odd > 0 && o.usual < u.usual {
		u.usual = o.usual
	}
	u.odd += o.odd
	u.oddFirst, u.oddLast = widen(u.oddFirst, u.oddLast, o.oddFirst, o.oddLast)
}

// widen joins two stretches of time, of which either may be none.
func widen(first, last, otherFirst, otherLast time.Time) (time.Time, time.Time) {
	if first.IsZero() || !otherFirst.IsZero() && otherFirst.Before(first) {
		first = otherFirst
	}
	if otherLast.After(last) {
		last = otherLast
	}
	return first, last
}

func (k *keyring) merge(o keyring) {
	for key, u := range o.uses {
		switch mine := k.uses[key]; {
		case mine != nil:
			mine.add(*u)
		case len(k.uses) >= maxKeys:
			k.more += u.files
		default:
			k.uses[key] = u
		}
	}
	k.more += o.more
	for scheme, n := range o.sealed {
		k.sealed[scheme] += n
	}
}

// keySlack is how far the times of two keys may overlap where a trail changed
// from one to the other: a digest is delivered half an hour after its end, and
// names are off by minutes.
const keySlack = 2 * time.Hour

// maxUsual bounds how many keys each key is compared with.
const maxUsual = 64

// markOdd finds, in one account's region, the keys that cannot have been the
// trail's own at the time: CloudTrail encrypts with one key at a time, so where
// the times of two overlap one is somebody else's doing. That is the one with
// fewer files, and never the trail's own.
func (k *keyring) markOdd(own string) {
	usual := slices.SortedFunc(maps.Keys(k.uses), func(a, b string) int {
		if (a == own) != (b == own) {
			return cmp.Compare(boolInt(b == own), boolInt(a == own))
		}
		return cmp.Or(k.uses[b].files-k.uses[a].files, cmp.Compare(a, b))
	})
	for i, key := range usual {
		u := k.uses[key]
		for _, other := range usual[:min(i, maxUsual)] {
			if o := k.uses[other]; u.first.Before(o.last.Add(-keySlack)) && u.last.After(o.first.Add(keySlack)) {
				u.odd, u.usual, u.oddFirst, u.oddLast = u.files, other, u.first, u.last
				break
			}
		}
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
