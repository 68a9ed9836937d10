package source

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// readPage reads a ListBucketResult. What S3 and nearly every store write is read
// by hand, for encoding/xml takes longer over a key than reading its log does; what
// is not as plain as that, by encoding/xml.
func readPage(doc []byte, p *page) error {
	if readTags(&plainXML{doc: doc}, p) == nil {
		return nil
	}
	p.reset()
	return readTags(newAnyXML(doc), p)
}

// A tagger gives a document's tags, one by one.
type tagger interface {
	next(*xmlPath) (closed bool, err error)
	end() error // nothing but white space may follow
}

// An xmlPath is where a tag stands.
type xmlPath struct {
	path [4][]byte // names of the elements that are open; of those that are deeper, none
	deep int       // how many are open
	text []byte    // what the element held that was closed, if that was text
}

// mostDeep bounds how deep elements may lie: S3's are three deep, four with an owner.
const mostDeep = 16

func (w *xmlPath) enter(name []byte) error {
	if w.deep == mostDeep {
		return errors.New("its elements lie too deep")
	}
	if w.deep < len(w.path) {
		w.path[w.deep] = name
	}
	w.deep++
	return nil
}

// matters reports whether the innermost element is one that is read, or holds such.
func (w *xmlPath) matters() bool {
	if w.deep < 3 {
		return true
	}
	switch string(w.path[2]) {
	case "Key", "Size", "LastModified", "Prefix":
		return true
	}
	return false
}

// readTags reads the whole document. Where it fails, what was read until then is to
// be forgotten.
func readTags(r tagger, p *page) error {
	var at xmlPath
	var now listed
	var prefix []byte
	for open := false; at.deep > 0 || !open; open = true {
		closed, err := r.next(&at)
		if err != nil {
			return err
		}
		switch {
		case !closed && at.deep == 1 && string(at.path[0]) != "ListBucketResult":
			return fmt.Errorf("it is a %.40q", at.path[0])
		case !closed && at.deep == 2:
			now, prefix = listed{}, nil
		case closed && at.deep == 1:
			err = p.child(&at, now, prefix)
		case closed && at.deep == 2:
			err = at.grandchild(&now, &prefix)
		}
		if err != nil {
			return err
		}
	}
	return r.end()
}

// child takes what an element of the root was.
func (p *page) child(at *xmlPath, now listed, prefix []byte) error {
	switch string(at.path[1]) {
	case "Contents":
		p.objects = append(p.objects, now)
	case "CommonPrefixes":
		p.prefixes = append(p.prefixes, prefix)
	case "IsTruncated":
		var err error
		p.known = true
		if p.truncated, err = strconv.ParseBool(string(at.text)); err != nil {
			return fmt.Errorf("IsTruncated is %.40q", at.text)
		}
	case "Name", "KeyCount":
		p.known = true
	case "NextContinuationToken":
		p.next = string(at.text)
	case "EncodingType":
		p.escaped = string(at.text) == "url"
	}
	return nil
}

// grandchild takes a part of a listed object or a common prefix.
func (w *xmlPath) grandchild(now *listed, prefix *[]byte) (err error) {
	switch of, name := string(w.path[1]), string(w.path[2]); {
	case of == "CommonPrefixes" && name == "Prefix":
		*prefix = w.text
	case of != "Contents":
	case name == "Key":
		now.key = w.text
	case name == "Size":
		now.size, err = strconv.ParseInt(string(w.text), 10, 64)
	case name == "LastModified":
		var ok bool
		if now.modified, ok = timeOf(w.text); !ok {
			now.modified, err = anyTime(string(w.text))
		}
	}
	return err
}

// anyTime reads a time in any form of ISO 8601 that stores write; without a zone it is
// UTC.
func anyTime(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t, err = time.Parse("2006-01-02T15:04:05", text)
	}
	return t, err
}

// An anyXML reads all XML that encoding/xml does.
type anyXML struct{ *xml.Decoder }

func newAnyXML(doc []byte) anyXML {
	return anyXML{xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(doc, []byte("\ufeff"))))}
}

func (r anyXML) next(at *xmlPath) (closed bool, err error) {
	var text []byte
	for {
		t, err := r.Token()
		if err != nil {
			return false, err
		}
		switch t := t.(type) {
		case xml.CharData:
			text = append(text, t...)
		case xml.StartElement:
			if len(bytes.TrimSpace(text)) > 0 && at.matters() {
				return false, errors.New("it has text beside elements")
			}
			return false, at.enter([]byte(t.Name.Local))
		case xml.EndElement:
			at.deep--
			at.text = text
			return true, nil
		}
	}
}

func (r anyXML) end() error {
	for {
		t, err := r.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.Comment, xml.ProcInst:
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return errors.New("text follows it")
			}
		default:
			return errors.New("something follows it")
		}
	}
}
