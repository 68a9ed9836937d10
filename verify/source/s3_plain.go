package source

import (
	"bytes"
	"errors"
	"time"
)

var errNotPlain = errors.New("it is not plain XML")

// A plainXML reads XML that has elements and ASCII text and nothing else: no
// comments, sections, instructions but the first, or prefixed names.
type plainXML struct {
	doc   []byte
	begun bool
}

func (r *plainXML) next(at *xmlPath) (closed bool, err error) {
	if !r.begun {
		r.begun = true
		for _, first := range []string{`<?xml version="1.0" encoding="UTF-8"?>`, `<?xml version="1.0"?>`} {
			if rest, ok := bytes.CutPrefix(r.doc, []byte(first)); ok {
				r.doc = rest
				break
			}
		}
	}
	text, rest, ok := bytes.Cut(r.doc, []byte{'<'})
	tag, rest, ok2 := bytes.Cut(rest, []byte{'>'})
	if !ok || !ok2 || len(tag) == 0 {
		return false, errNotPlain
	}
	r.doc = rest
	if tag[0] != '/' {
		return false, r.open(at, text, tag)
	}
	if at.deep--; at.deep < 0 || at.deep >= len(at.path) || !bytes.Equal(at.path[at.deep], tag[1:]) {
		return false, errNotPlain
	}
	if at.text, ok = resolved(text); !ok {
		return false, errNotPlain
	}
	return true, nil
}

// open opens an element, before which there may be white space.
func (r *plainXML) open(at *xmlPath, text, tag []byte) error {
	name, more, _ := bytes.Cut(tag, []byte{' '})
	if !blank(text) || !plainName(name) || len(more) > 0 && !plainAttribute(more) || at.deep == len(at.path) {
		return errNotPlain
	}
	return at.enter(name)
}

func (r *plainXML) end() error {
	if !blank(r.doc) {
		return errNotPlain
	}
	return nil
}

func blank(text []byte) bool { return len(bytes.Trim(text, " \n\t")) == 0 }

func plainName(name []byte) bool {
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return len(name) > 0 && name[0] > '9'
}

// plainAttribute is one attribute, as the root's xmlns.
func plainAttribute(p []byte) bool {
	name, value, ok := bytes.Cut(p, []byte(`="`))
	return ok && string(name) == "xmlns" && len(value) > 1 && bytes.IndexByte(value, '"') == len(value)-1 && ascii(value) && !bytes.ContainsAny(value, "&<")
}

func ascii(p []byte) bool {
	for _, c := range p {
		if c < ' ' && c != '\n' && c != '\t' || c > '~' {
			return false
		}
	}
	return true
}

// resolved is a text without its entities. It is false for what is not plain.
func resolved(text []byte) ([]byte, bool) {
	if !ascii(text) || bytes.Contains(text, []byte("]]>")) {
		return nil, false
	}
	i := bytes.IndexByte(text, '&')
	if i < 0 {
		return text, true
	}
	out := text[:i:i] // what is appended to it is a copy
	for len(text[i:]) > 0 {
		rest := text[i:]
		if rest[0] != '&' {
			out, i = append(out, rest[0]), i+1
			continue
		}
		end := bytes.IndexByte(rest, ';')
		if end < 0 {
			return nil, false
		}
		c, ok := entities[string(rest[1:end])]
		if !ok {
			return nil, false
		}
		out, i = append(out, c), i+end+1
	}
	return out, true
}

var entities = map[string]byte{"amp": '&', "lt": '<', "gt": '>', "quot": '"', "apos": '\'', "#34": '"', "#39": '\'', "#38": '&', "#60": '<', "#62": '>'}

// timeOf reads a time as S3 writes it: 2026-03-10T00:00:00.000Z, or without the
// fraction.
func timeOf(p []byte) (time.Time, bool) {
	two := func(i int) (n int) {
		if p[i] < '0' || p[i] > '9' || p[i+1] < '0' || p[i+1] > '9' {
			return -1 << 20
		}
		return int(p[i]-'0')*10 + int(p[i+1]-'0')
	}
	if len(p) < 20 || p[4] != '-' || p[7] != '-' || p[10] != 'T' || p[13] != ':' || p[16] != ':' || p[len(p)-1] != 'Z' {
		return time.Time{}, false
	}
	year, month, day := two(0)*100+two(2), two(5), two(8)
	hour, minute, second := two(11), two(14), two(17)
	if year < 1 || month < 1 || month > 12 || day < 1 || day > 28 && day > daysIn(year, month) || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 {
		return time.Time{}, false
	}
	ns := 0
	switch {
	case len(p) == 20:
	case len(p) == 24 && p[19] == '.' && p[22] >= '0' && p[22] <= '9':
		if ns = (two(20)*10 + int(p[22]-'0')) * 1_000_000; ns < 0 {
			return time.Time{}, false
		}
	default:
		return time.Time{}, false
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, ns, time.UTC), true
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month+1), 0, 0, 0, 0, 0, time.UTC).Day()
}
