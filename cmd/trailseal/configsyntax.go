package main

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// document reads the one YAML document of a file. What the format could do
// besides (anchors, tags, a second document) is refused: each is a way to say
// something else than what is read.
func (p *configParser) document(text []byte) *yaml.Node {
	if where, what := unreadable(text); what != "" {
		p.wrong.add(where, "%s", what)
		return nil
	}
	in := &byteReader{text: text}
	d := yaml.NewDecoder(in)
	var doc, second yaml.Node
	err := d.Decode(&doc)
	if errors.Is(err, io.EOF) || err == nil && (len(doc.Content) == 0 || isNull(doc.Content[0])) {
		p.wrong.add(place{1, 1}, "the file says nothing: take it away, or see trailseal help configuration")
		return nil
	}
	if err == nil {
		p.strict(&doc)
		err = d.Decode(&second)
		if err == nil {
			p.wrong.add(at(&second), "a second document begins here: a configuration is one")
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		p.wrong.add(syntaxPlace(text, in.read, err), "%s", syntaxSays(err))
		return nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		p.wrong.add(at(root), "a configuration is a list of lines such as format: json; this is %s", describe(root))
		return nil
	}
	return root
}

var parserPrefix = regexp.MustCompile(`^yaml: (line \d+: )?`)

// syntaxSays is the parser's error without its line, which may be another.
func syntaxSays(err error) string {
	text := parserPrefix.ReplaceAllString(err.Error(), "")
	if strings.HasPrefix(text, "mapping values are not allowed") {
		text += " (a text with a colon and a space in it goes into quotes)"
	}
	return text
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// strict refuses anchors, aliases and tags.
func (p *configParser) strict(n *yaml.Node) {
	switch {
	case n.Kind == yaml.AliasNode:
		p.wrong.add(at(n), "aliases (*%s) are not taken: write it out", n.Value)
		return
	case n.Anchor != "":
		p.wrong.add(at(n), "anchors (&%s) are not taken", n.Anchor)
	case n.Style&yaml.TaggedStyle != 0:
		p.wrong.add(at(n), "tags (%s) are not taken", n.Tag)
	}
	for _, child := range n.Content {
		p.strict(child)
	}
}

// unreadable finds the first byte that no text has.
func unreadable(text []byte) (place, string) {
	where := place{1, 1}
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && size == 1:
			return where, "this is not UTF-8"
		case r < ' ' && r != '\n' && r != '\r' && r != '\t' || r >= 0x7f && r < 0xa0 && r != 0x85:
			return where, "there is a control character here"
		case r == '\n':
			where = place{where.line + 1, 0}
		}
		where.column++
		text = text[size:]
	}
	return place{}, ""
}

// A byteReader hands out a byte at a time, so that the parser has read no
// more than it has looked at: its errors tell no column, and not always a line.
type byteReader struct {
	text []byte
	read int
}

func (r *byteReader) Read(p []byte) (int, error) {
	if r.read == len(r.text) {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	p[0] = r.text[r.read]
	r.read++
	return 1, nil
}

// mostProbes bounds the bytes that are parsed again to place an error.
const mostProbes = 4 << 20

// syntaxPlace is where the line begins that the parser could not go on in.
// Where it read on to see whether something is closed that is not, that is
// the line in which it was opened: the one after the last beginning of the file
// that could be read.
func syntaxPlace(text []byte, read int, err error) place {
	consumed := bytes.TrimRight(text[:read], " \r\n")
	start := bytes.LastIndexByte(consumed, '\n') + 1
	if len(bytes.TrimSpace(text[read:])) == 0 || strings.Contains(err.Error(), "could not find") || strings.Contains(err.Error(), "anchor") {
		for probed := 0; start > 0 && probed+start < mostProbes && !readable(text[:start]); {
			probed += start
			start = bytes.LastIndexByte(text[:start-1], '\n') + 1
		}
	}
	line, _, _ := bytes.Cut(text[start:], []byte("\n"))
	indent := len(line) - len(bytes.TrimLeft(line, " "))
	return place{bytes.Count(text[:start], []byte("\n")) + 1, indent + 1}
}

func readable(text []byte) bool {
	d := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var n yaml.Node
		if err := d.Decode(&n); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}
