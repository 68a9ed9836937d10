package digest

import "bytes"

// MaxEventBytes is the longest record of a log file that an [EventScanner]
// gives. CloudTrail's events have at most 256 KB, or 1 MB where the trail was
// set up for that; what is longer is passed over and counted.
const MaxEventBytes = 4 << 20

// An EventScanner finds the events in the JSON of a log file while it is
// written to it: the objects in the array "Records". It holds one event at a
// time. It is a [Tee]: what it found counts only once the file is known to be
// what a digest vouches for, so what is no log is not refused here, and merely
// gives no events.
type EventScanner struct {
	// Event is given each event's own bytes, which are valid until it returns.
	Event func(raw []byte)

	Found int   // events given
	Long  int   // events passed over because they are longer than MaxEventBytes
	At    int64 // of the event that is given: the bytes of the file before it

	passed  int64  // bytes of the file before those of this write
	event   []byte // of the event under way, what came in writes before
	depth   int
	text    bool   // within a string
	escaped bool   // the string's last byte is a backslash that escapes the next
	key     []byte // the last string directly in the outermost object, as far as it matters
	records int    // the depth of the array "Records"; 0: outside of it
	inside  bool   // within an event
	long    bool   // which is too long
}

var _ Tee = (*EventScanner)(nil)

// Reset forgets everything but what to do with events.
func (s *EventScanner) Reset() { *s = EventScanner{Event: s.Event, event: s.event[:0], key: s.key[:0]} }

const recordsKey = "Records"

// Write takes the next bytes of the file. It never fails.
func (s *EventScanner) Write(p []byte) (int, error) {
	start := 0 // of what of the event under way is in p
	for i := 0; i < len(p); i++ {
		if s.text {
			i += s.string(p[i:]) - 1
			continue
		}
		switch p[i] {
		case '"':
			if s.text = true; s.depth == 1 {
				s.key = s.key[:0]
			}
		case '{', '[':
			if s.records > 0 && s.depth == s.records && p[i] == '{' {
				s.inside, s.long, start, s.At = true, false, i, s.passed+int64(i)
			}
			if s.depth++; s.depth == 2 && p[i] == '[' && string(s.key) == recordsKey {
				s.records = 2
			}
		case '}', ']':
			s.depth--
			switch {
			case s.inside && s.depth == s.records:
				s.give(p[start : i+1])
			case s.depth < s.records:
				s.records = 0
			}
		}
	}
	if s.inside {
		s.hold(p[start:])
	}
	s.passed += int64(len(p))
	return len(p), nil
}

// string passes over what is left of a string and returns its length.
func (s *EventScanner) string(p []byte) int {
	for i := 0; i < len(p); {
		if s.escaped {
			s.escaped = false
			i++
			continue
		}
		n := bytes.IndexByte(p[i:], '"')
		if n < 0 {
			n = len(p) - i
		}
		// Whether the quote ends the string is told by the backslashes before it.
		if b := trailing(p[i : i+n]); b%2 == 1 {
			s.escaped = true
		}
		s.note(p[i : i+n])
		if i += n; i == len(p) {
			break
		}
		if !s.escaped {
			s.text = false
			return i + 1
		}
	}
	return len(p)
}

// trailing counts the backslashes that end p.
func trailing(p []byte) int { return len(p) - len(bytes.TrimRight(p, `\`)) }

// note remembers a key of the outermost object.
func (s *EventScanner) note(p []byte) {
	if s.depth == 1 && len(s.key) <= len(recordsKey) {
		s.key = append(s.key, p[:min(len(p), len(recordsKey)+1)]...)
	}
}

// hold keeps a part of an event until the rest of it comes.
func (s *EventScanner) hold(part []byte) {
	if s.long = s.long || len(s.event)+len(part) > MaxEventBytes; s.long {
		s.event = s.event[:0]
		return
	}
	s.event = append(s.event, part...)
}

// give hands out an event that has ended.
func (s *EventScanner) give(rest []byte) {
	s.inside = false
	switch {
	case s.long || len(s.event)+len(rest) > MaxEventBytes:
		s.Long++
	case len(s.event) > 0:
		s.event = append(s.event, rest...)
		rest = s.event
		fallthrough
	default:
		s.Found++
		s.Event(rest)
	}
	s.event = s.event[:0]
}
