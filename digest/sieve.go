package digest

import (
	"bytes"
	"cmp"
)

// An EventSieve finds the events of certain names in the JSON of a log file while
// it is hashed, at a few hundredths of what hashing costs. It is a [Tee].
//
// It holds the text in pieces of about sieveBytes, looks in each for the names,
// and only where it meets one has an [EventScanner] go through that piece. A
// piece ends where the next event begins, which shows in how CloudTrail begins
// every event. A file that is written in another way is gone through as a whole;
// where a piece turns out to have begun elsewhere, Odd is set, and an EventScanner
// has to read the file again.
type EventSieve struct {
	// Names are the values of eventName that are wanted, each with a text that
	// must be in the event as well, or "".
	Names map[string]string
	// Event is given each event that may be wanted: its own bytes, which are valid
	// until it returns. The name may be one further inside of it.
	Event func(raw []byte)

	Found int  // events given
	Odd   bool // not all were found that may be there

	size int    // of pieces, in tests; 0: sieveBytes
	held []byte // from the begin of an event on, or of the file
	all  bool   // no event begins as expected: the scanner takes all that comes
	scan EventScanner
}

var _ Tee = (*EventSieve)(nil)

const sieveBytes = 128 << 10

// eventBegin is how CloudTrail begins each event but the first. Within a string
// its quotes would be escaped.
var eventBegin = []byte(`},{"eventVersion":"`)

// Reset forgets everything but what to look for.
func (s *EventSieve) Reset() {
	*s = EventSieve{Names: s.Names, Event: s.Event, size: s.size, held: s.held[:0], scan: s.scan}
	s.scan.Event = func(raw []byte) {
		if s.wanted(raw) {
			s.Found++
			s.Event(raw)
		}
	}
	s.scan.Reset()
}

// Write takes the next bytes of the file. It never fails.
func (s *EventSieve) Write(p []byte) (int, error) {
	if s.all {
		s.scan.Write(p)
		return len(p), nil
	}
	s.held = append(s.held, p...)
	if len(s.held) < cmp.Or(s.size, sieveBytes) {
		return len(p), nil
	}
	end := bytes.LastIndex(s.held, eventBegin) + len("},")
	if end < len("},") {
		s.all = true
		s.scan.Write(s.held)
		s.held = s.held[:0]
		return len(p), nil
	}
	// The event that is not whole yet waits for the next piece, whatever is in it.
	if s.wanted(s.held[:end]) {
		s.scan.Write(s.held[:end])
		s.Odd = s.Odd || !s.scan.between()
	}
	s.scan.resume()
	s.held = s.held[:copy(s.held, s.held[end:])]
	return len(p), nil
}

// Close says that the file has ended. Only then all is found.
func (s *EventSieve) Close() {
	if !s.all && s.wanted(s.held) {
		s.scan.Write(s.held)
		s.all = true
	}
	s.Odd = s.Odd || s.all && s.scan.depth != 0
	s.held = s.held[:0]
}

// maxEventName is more than the key eventName and a name have together.
const maxEventName = 256

// wanted reports whether a text has one of the names, with what goes with it.
func (s *EventSieve) wanted(text []byte) bool {
	absent := "" // is always there
	for at := 0; ; at++ {
		// "N" is rare in logs: what comes of it is faster than a search for the key.
		i := bytes.IndexByte(text[at:], 'N')
		if i < 0 {
			return false
		}
		at += i
		name, ok := nameAt(text, at)
		if !ok {
			continue
		}
		with, ok := s.Names[string(name)]
		switch {
		case !ok || with != "" && with == absent:
		case bytes.Contains(text, []byte(with)):
			return true
		default:
			absent = with
		}
	}
}

// nameAt is the value of the key eventName, where that has its "N" at a place.
func nameAt(text []byte, at int) ([]byte, bool) {
	const before, after = `"event`, `Name"`
	if at < len(before) || string(text[at-len(before):at]) != before || !bytes.HasPrefix(text[at:], []byte(after)) {
		return nil, false
	}
	rest := bytes.TrimLeft(text[at+len(after):min(len(text), at+maxEventName)], " \t\r\n")
	rest, ok := bytes.CutPrefix(rest, []byte{':'})
	if !ok {
		return nil, false
	}
	rest, ok = bytes.CutPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte{'"'})
	if !ok {
		return nil, false
	}
	end := bytes.IndexByte(rest, '"')
	return rest[:max(end, 0)], end > 0
}

// between reports whether a scanner is between two events.
func (s *EventScanner) between() bool {
	return s.records == 2 && s.depth == 2 && !s.text && !s.inside
}

// resume has a scanner go on between two events, whatever was before.
func (s *EventScanner) resume() {
	s.depth, s.records, s.text, s.escaped, s.inside = 2, 2, false, false, false
	s.event = s.event[:0]
}
