package digest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// A scanner reads JSON one value at a time, strictly: encoding/json folds the
// case of field names and lets the last of two equal names win, which is how
// two readers of one digest come to disagree.
type scanner struct {
	data  []byte
	at    int
	plain []byte          // the last text that held an escape, without it
	kept  strings.Builder // texts that outlive the scanner, many to an allocation
}

// maxDepth bounds nesting. A digest file nests three deep.
const maxDepth = 64

var errEnd = errors.New("the JSON ends too early")

// document reads one object and nothing after it.
func (s *scanner) document(field func(name []byte) error) error {
	if bytes.HasPrefix(s.data, []byte("\xef\xbb\xbf")) {
		return errors.New("it begins with a byte order mark")
	}
	if err := s.object(field); err != nil {
		return err
	}
	if s.space(); s.at != len(s.data) {
		return fmt.Errorf("something follows the JSON at byte %d", s.at)
	}
	return nil
}

// object calls field with each name, which is good until the next text is
// read; field must read the value.
func (s *scanner) object(field func(name []byte) error) error {
	return s.list('{', '}', func() error {
		name, err := s.text()
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		return field(name)
	})
}

// array calls item at the start of each element; item must read it.
func (s *scanner) array(item func() error) error { return s.list('[', ']', item) }

func (s *scanner) list(open, shut byte, item func() error) error {
	if err := s.expect(open); err != nil {
		return err
	}
	if s.space(); s.peek() == shut {
		s.at++
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		switch s.space(); s.peek() {
		case ',':
			s.at++
		case shut:
			s.at++
			return nil
		default:
			return s.unexpected("',' or '" + string(shut) + "'")
		}
	}
}

func (s *scanner) space() {
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// peek is the byte at hand, 0 at the end: no JSON has one between its values.
func (s *scanner) peek() byte {
	if s.at < len(s.data) {
		return s.data[s.at]
	}
	return 0
}

func (s *scanner) expect(c byte) error {
	if s.space(); s.peek() != c {
		return s.unexpected("'" + string(c) + "'")
	}
	s.at++
	return nil
}

func (s *scanner) unexpected(want string) error {
	if s.at >= len(s.data) {
		return errEnd
	}
	return fmt.Errorf("byte %d is %q, want %s", s.at, s.data[s.at], want)
}

func (s *scanner) null() bool {
	s.space()
	if !bytes.HasPrefix(s.data[s.at:], []byte("null")) {
		return false
	}
	s.at += len("null")
	return true
}

// skip passes over one value of any type.
func (s *scanner) skip() error { return s.skipDepth(0) }

func (s *scanner) skipDepth(depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("it nests more than %d deep", maxDepth)
	}
	switch s.space(); s.peek() {
	case '{':
		return s.object(func([]byte) error { return s.skipDepth(depth + 1) })
	case '[':
		return s.array(func() error { return s.skipDepth(depth + 1) })
	case '"':
		_, _, err := s.quoted()
		return err
	default:
		return s.skipWord()
	}
}

// skipWord passes over a number, true, false or null.
func (s *scanner) skipWord() error {
	from := s.at
	for s.at < len(s.data) && strings.IndexByte(" \t\r\n,]}", s.data[s.at]) < 0 {
		s.at++
	}
	if !json.Valid(s.data[from:s.at]) {
		s.at = from
		return s.unexpected("a value")
	}
	return nil
}
