package digest

import (
	"bytes"
	"cmp"
	"strings"
)

// An EventSieve finds the events of certain names in the JSON of a log file while
// it is hashed, at a few hundredths of what hashing costs. It is a [Tee].
//
// It looks in each piece of the text for the names, and only where it meets one
// has an [EventScanner] go through that piece. A piece ends where the next event
// begins, which shows in how CloudTrail begins every event; the event that is not
// whole yet is held. A file that is written in another way is gone through as a
// whole; where a piece turns out to have begun elsewhere, Odd is set, and an
// EventScanner has to read the file again.
type EventSieve struct {
	// Names are the values of eventName that are wanted. Where it is true, only
	// events that name something below AWSLogs/ are.
	Names map[string]bool
	// Event is given each event that may be wanted: its own bytes, which are valid
	// until it returns. The name may be one further inside of it.
	Event func(raw []byte)

	Found int  // events given
	Odd   bool // not all were found that may be there

	size  int    // of what is held at most, in tests; 0: sieveBytes
	first string // the first letters of Names
	held  []byte // from the begin of an event on, or of the file
	all   bool   // no event begins as expected: the scanner takes all that comes
	scan  EventScanner
}

var _ Tee = (*EventSieve)(nil)

// sieveBytes is how much is held of an event before the file is taken for one
// that is written in another way.
const sieveBytes = 128 << 10

// eventBegin is how CloudTrail begins each event but the first. Within a string
// its quotes would be escaped. Its "V" is rare in logs.
var eventBegin = []byte(`},{"eventVersion":"`)

const beginV = len(`},{"event`)

// Reset forgets everything but what to look for.
func (s *EventSieve) Reset() {
	*s = EventSieve{Names: s.Names, Event: s.Event, size: s.size, first: s.first, held: s.held[:0], scan: s.scan}
	if s.first == "" {
		for name := range s.Names {
			s.first += name[:1]
		}
	}
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
	n := len(p)
	if s.all {
		s.scan.Write(p)
		return n, nil
	}
	if len(s.held) > 0 {
		// The begin of an event may be cut in two; then the piece ends with the next one.
		i := bytes.Index(p, eventBegin)
		if i < 0 {
			s.hold(p)
			return n, nil
		}
		end := i + len("},")
		s.held = append(s.held, p[:end]...)
		s.piece(s.held)
		s.held, p = s.held[:0], p[end:]
	}
	if i := lastBegin(p); i >= 0 {
		end := i + len("},")
		s.piece(p[:end])
		p = p[end:]
	}
	s.hold(p)
	return n, nil
}

// hold keeps what belongs to an event that is not whole yet.
func (s *EventSieve) hold(p []byte) {
	s.held = append(s.held, p...)
	if len(s.held) < cmp.Or(s.size, sieveBytes) {
		return
	}
	if i := lastBegin(s.held); i >= 0 {
		end := i + len("},")
		s.piece(s.held[:end])
		s.held = s.held[:copy(s.held, s.held[end:])]
		return
	}
	s.all = true
	s.scan.Write(s.held)
	s.held = s.held[:0]
}

// piece goes through a text that ends before an event, where it has one of the names.
func (s *EventSieve) piece(text []byte) {
	if s.wanted(text) {
		s.scan.Write(text)
		s.Odd = s.Odd || !s.scan.between()
	}
	s.scan.resume()
}

// lastBegin is where the last event of a text begins, or -1.
func lastBegin(text []byte) int {
	for width := 4 << 10; ; width *= 8 { // it is near the end
		from, last := max(0, len(text)-width), -1
		for at := from; ; at++ {
			i := bytes.IndexByte(text[at:], 'V')
			if i < 0 {
				break
			}
			if at += i; at >= beginV && bytes.HasPrefix(text[at-beginV:], eventBegin) {
				last = at - beginV
			}
		}
		if last >= 0 || from == 0 {
			return last
		}
	}
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
	below, searched := false, false // whether AWSLogs is in the text
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
		if strings.IndexByte(s.first, name[0]) < 0 {
			continue
		}
		narrow, ok := s.Names[string(name)]
		if ok && narrow && !searched {
			below, searched = namesLogs(text), true
		}
		if ok && (!narrow || below) {
			return true
		}
	}
}

// namesLogs reports whether a text has "AWSLogs" in it, of which "W" is rare.
func namesLogs(text []byte) bool {
	for at := 0; ; at++ {
		i := bytes.IndexByte(text[at:], 'W')
		if i < 0 {
			return false
		}
		if at += i; at > 0 && bytes.HasPrefix(text[at-1:], []byte("AWSLogs")) {
			return true
		}
	}
}

// nameAt is the value of the key eventName, where that has its "N" at a place.
func nameAt(text []byte, at int) ([]byte, bool) {
	const before, after = `"event`, `Name"`
	if at < len(before) || len(text)-at < len(after) || string(text[at-len(before):at]) != before || string(text[at:at+len(after)]) != after {
		return nil, false
	}
	rest := text[at+len(after) : min(len(text), at+maxEventName)]
	if len(rest) > 2 && rest[0] == ':' && rest[1] == '"' { // as CloudTrail writes it
		rest = rest[2:]
	} else {
		var colon, quote bool
		rest, colon = bytes.CutPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte{':'})
		if rest, quote = bytes.CutPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte{'"'}); !colon || !quote {
			return nil, false
		}
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
