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
		return sealing{refused: unreadable.Key, unasked: unasked(unreadable.Reason), envelope: Envelope{Scheme: unreadable.Scheme}}
	}
	return sealing{}
}

// unasked reports whether a refusal came before KMS was asked, or may have: then
// the object alone named the key, and it may be anybody's.
func unasked(r Reason) bool {
	return slices.Contains([]Reason{KeyNotAllowed, EnvelopeRefused, EnvelopeUnsupported, MasterKeyNeeded, TooLarge}, r)
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
	uses    map[string]*keyUse
	more    int            // files of keys past maxKeys
	sealed  map[string]int // files that a client encrypted, by scheme
	planted int            // files whose metadata has an envelope that is not theirs
}

// A keyUse is one key's part of a keyring.
type keyUse struct {
	files, digests, refused int
	bytes                   int64
	asked                   bool // some file needed it and it may be asked: that is no stranger to whom the asking tells anything
	first, last             time.Time
	how                     []string      // encryptions, in byte order
	hours                   map[int64]int // of what S3 encrypted with it in one chain: files by the hour of their delivery
	odd                     int           // files that lie among those of another key
	oddFirst, oddLast       time.Time
	usual                   string // the other key
}

func newKeyring() keyring { return keyring{uses: map[string]*keyUse{}, sealed: map[string]int{}} }

// note counts one file's keys: a file may be sealed and then be stored under
// another key.
func (k *keyring) note(f *File) {
	s := f.sealing
	switch {
	case s.envelope.Planted:
		k.planted++
	case s.envelope.Scheme != "":
		k.sealed[s.envelope.Scheme]++
	}
	if u := k.count(f, s.sse.Key, s.sse.Algorithm); u != nil && !s.at.IsZero() {
		if u.hours == nil {
			u.hours = map[int64]int{}
		}
		u.hours[s.at.Unix()/3600]++
	}
	if s.envelope.Key != s.sse.Key {
		k.count(f, s.envelope.Key, s.envelope.Scheme)
	}
	if s.refused != "" {
		k.count(f, s.refused, s.envelope.Scheme)
	}
}

func (k *keyring) count(f *File, key, how string) *keyUse {
	if key == "" {
		return nil
	}
	u := k.uses[key]
	if u == nil && len(k.uses) >= maxKeys {
		k.more++
		return nil
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
	return u
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

// merge takes another ring's keys, in the order of their names: which are told
// apart where there are too many must not depend on chance.
func (k *keyring) merge(o keyring) {
	for _, key := range slices.Sorted(maps.Keys(o.uses)) {
		u := o.uses[key]
		u.hours = nil // they were of one chain
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
	k.planted += o.planted
	for scheme, n := range o.sealed {
		k.sealed[scheme] += n
	}
}

const (
	// maxUsual bounds how many keys each key is compared with.
	maxUsual = 64
	// amongHours is how near in time the files of another key must be, before and
	// after, for a file to lie among them. CloudTrail encrypts with one key at a
	// time, and writes a digest each hour.
	amongHours = 12
)

// markOdd finds, in one chain, files that cannot have been encrypted with the
// trail's own key of the time, since they lie among those of another key: some
// before and some after. Of two keys that is the one with fewer files, and never
// the trail's own. A trail that changes its key leaves none.
func (k *keyring) markOdd(own string) {
	usual := slices.SortedFunc(maps.Keys(k.uses), func(a, b string) int {
		if (a == own) != (b == own) {
			return cmp.Compare(boolInt(b == own), boolInt(a == own))
		}
		return cmp.Or(k.uses[b].files-k.uses[a].files, cmp.Compare(a, b))
	})
	for i, key := range usual {
		for _, other := range usual[:min(i, maxUsual)] {
			if u := k.uses[key]; u.among(k.uses[other]) {
				u.usual = other
				break
			}
		}
	}
}

// among finds the files of a key that lie among another key's.
func (u *keyUse) among(other *keyUse) bool {
	near := func(hour, step int64) bool {
		// Not the hour beside it: a digest is delivered half an hour after the end that
		// it is named by, and a log is named minutes after it was.
		for i := int64(2); i <= amongHours; i++ {
			if other.hours[hour+i*step] > 0 {
				return true
			}
		}
		return false
	}
	for _, hour := range slices.Sorted(maps.Keys(u.hours)) {
		if near(hour, -1) && near(hour, 1) {
			u.odd += u.hours[hour]
			at := time.Unix(hour*3600, 0).UTC()
			u.oddFirst, u.oddLast = widen(u.oddFirst, u.oddLast, at, at.Add(time.Hour))
		}
	}
	return u.odd > 0
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
