package digest

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// maxText bounds the texts that are looked into: names and the values of the
// fields that a digest file has. The longest real one is an S3 key, of at
// most 1,024 bytes.
const maxText = 16 << 10

// keptChunk is how much room is made at a time for texts that are kept.
const keptChunk = 16 << 10

var errEscape = errors.New("a string with an escape that stands for no character")

// text reads a string. It is good until the next one is read.
func (s *scanner) text() ([]byte, error) {
	raw, escaped, err := s.quoted()
	switch {
	case err != nil:
		return nil, err
	case len(raw) > maxText:
		return nil, fmt.Errorf("a string of %d bytes, more than %d", len(raw), maxText)
	case !escaped:
		return raw, nil
	}
	s.plain = s.plain[:0]
	for at := bytes.IndexByte(raw, '\\'); at >= 0; at = bytes.IndexByte(raw, '\\') {
		r, n := escape(raw[at:])
		s.plain = utf8.AppendRune(append(s.plain, raw[:at]...), r)
		raw = raw[at+n:]
	}
	s.plain = append(s.plain, raw...)
	return s.plain, nil
}

// quoted passes over a string and returns what is between its quotes, checked.
// Its bytes must be UTF-8 and its escapes must stand for characters: readers
// differ in what they put in the place of others.
func (s *scanner) quoted() (raw []byte, escaped bool, err error) {
	if s.space(); s.peek() != '"' {
		return nil, false, s.unexpected("a string")
	}
	from, all := s.at+1, byte(0)
	for i := from; i < len(s.data); i++ {
		c := s.data[i]
		all |= c
		switch {
		case c == '"':
			s.at, raw = i+1, s.data[from:i]
			if all >= utf8.RuneSelf && !utf8.Valid(raw) {
				return nil, false, errors.New("a string that is not UTF-8")
			}
			return raw, escaped, nil
		case c == '\\':
			r, n := escape(s.data[i:])
			if r < 0 {
				return nil, false, errEscape
			}
			i, escaped = i+n-1, true
		case c < ' ':
			return nil, false, fmt.Errorf("byte %d: a control character in a string", i)
		}
	}
	return nil, false, errEnd
}

// escape is the character that the escape at the start of b stands for, and
// the escape's length; the character is negative where there is none.
func escape(b []byte) (rune, int) {
	if len(b) < 2 {
		return -1, 0
	}
	if at := bytes.IndexByte([]byte(`"\/bfnrt`), b[1]); at >= 0 {
		return rune("\"\\/\b\f\n\r\t"[at]), 2
	}
	r := unit(b)
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if r = utf16.DecodeRune(r, unit(b[6:])); r == utf8.RuneError {
		return -1, 0
	}
	return r, 12
}

// unit reads the UTF-16 code unit \uXXXX at the start of b.
func unit(b []byte) rune {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' || bytes.IndexByte(b[2:6], '+') >= 0 {
		return -1
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return rune(n)
}

// keep makes a string of a text. Strings share memory with their neighbours,
// not with the digest file: a record must not hold on to bytes it does not need.
func (s *scanner) keep(text []byte) string {
	if s.kept.Cap()-s.kept.Len() < len(text) {
		s.kept.Reset()
		s.kept.Grow(max(len(text), min(keptChunk, len(text)+len(s.data)-s.at)))
	}
	from := s.kept.Len()
	s.kept.Write(text)
	return s.kept.String()[from:]
}

// word reads a string that must say something.
func (s *scanner) word() (string, error) {
	text, err := s.text()
	if err == nil && len(text) == 0 {
		err = errors.New("it is empty")
	}
	if err != nil {
		return "", err
	}
	return s.keep(text), nil
}

// timeLayout is how CloudTrail writes times in digest files: UTC, seconds.
const timeLayout = "2006-01-02T15:04:05Z"

func (s *scanner) time() (time.Time, string, error) {
	text, err := s.text()
	if err != nil {
		return time.Time{}, "", err
	}
	t, ok := parseTime(text)
	if !ok {
		return time.Time{}, "", fmt.Errorf("time %.40q: want the form %s", text, timeLayout)
	}
	return t, s.keep(text), nil
}

func (s *scanner) timeOrNull() (time.Time, error) {
	if s.null() {
		return time.Time{}, nil
	}
	text, err := s.text()
	if err != nil {
		return time.Time{}, err
	}
	t, ok := parseTime(text)
	if !ok {
		return time.Time{}, fmt.Errorf("time %.40q: want the form %s", text, timeLayout)
	}
	return t, nil
}

// parseTime accepts only what the layout would write. (time.Parse also takes
// fractions of a second that no layout asked for.) Signs, letters and days
// that no month has come out of Date as another time, so comparing finds them.
func parseTime(b []byte) (time.Time, bool) {
	if len(b) != len(timeLayout) {
		return time.Time{}, false
	}
	n := func(from, to int) (n int) {
		for _, c := range b[from:to] {
			n = 10*n + int(c) - '0'
		}
		return n
	}
	t := time.Date(n(0, 4), time.Month(n(5, 7)), n(8, 10), n(11, 13), n(14, 16), n(17, 19), 0, time.UTC)
	var again [len(timeLayout) + 8]byte
	return t, bytes.Equal(t.AppendFormat(again[:0], timeLayout), b)
}
