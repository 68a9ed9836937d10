package kms

import (
	"errors"
	"maps"
	"mime"
	"slices"
	"unicode/utf8"
)

// headerTexts lists what the text of a header may have been, the likeliest first.
// Servers differ in how they return metadata that is not ASCII. AWS encodes the
// UTF-8 bytes, misread as Latin-1, as RFC 2047 words; MinIO makes correct RFC
// 2047 words; others return the bytes as they are. ASCII without such words is
// only what it is.
func headerTexts(raw string) (texts []string) {
	add := func(text string) {
		if utf8.ValidString(text) && !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	decoded, err := new(mime.WordDecoder).DecodeHeader(raw)
	if err != nil {
		decoded = raw
	}
	if bytes, ok := latin1(decoded); ok {
		add(bytes)
	}
	add(decoded)
	add(raw)
	return texts
}

// latin1 is text as its Latin-1 bytes, where it has any above ASCII and no
// character that Latin-1 has not.
func latin1(text string) (string, bool) {
	bytes, high := make([]byte, 0, len(text)), false
	for _, r := range text {
		if r > 0xff {
			return "", false
		}
		high = high || r > 0x7f
		bytes = append(bytes, byte(r))
	}
	return string(bytes), high
}

// readContexts reads an encryption context out of a field. What it may have been
// before a server encoded it is several contexts; at least one is JSON.
func readContexts(field, text string, header bool) (contexts []map[string]string, err error) {
	texts := []string{text}
	if header {
		texts = headerTexts(text)
	}
	err = errors.New("no UTF-8")
	for _, t := range texts {
		if t == "" {
			t = "{}" // a writer that has no context may leave the field out
		}
		c, wrong := readFlat(t, false)
		if wrong != nil {
			err = wrong
		} else if !slices.ContainsFunc(contexts, func(o map[string]string) bool { return maps.Equal(o, c) }) {
			contexts = append(contexts, c)
		}
	}
	if len(contexts) == 0 {
		return nil, malformed("%s is no encryption context: %v", field, err)
	}
	return contexts, nil
}
