package verify

import (
	"bytes"

	"github.com/trailseal/trailseal/digest"
)

// A find is where the event is in a log.
type find struct{ offset, length int64 }

// A finder looks for an event in a log while it is read.
type finder struct {
	digest.EventScanner
	id, quoted []byte
	find       *find
}

func newFinder(id string) *finder {
	f := &finder{id: []byte(id), quoted: []byte(`"` + id + `"`)}
	f.Event = func(raw []byte) {
		if f.find != nil || !bytes.Contains(raw, f.quoted) {
			return
		}
		if id, ok := eventID(raw); ok && id == string(f.id) {
			f.find = &find{f.At, int64(len(raw))}
		}
	}
	return f
}

// Reset begins anew.
func (f *finder) Reset() {
	f.EventScanner.Reset()
	f.find = nil
}
