package kms

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"
	"unicode/utf8"
)

// wellRefused: an error is one of those that Open may have.
func wellRefused(t *testing.T, err error) {
	t.Helper()
	a, isAltered := errors.AsType[*AlteredError](err)
	r, isRefused := errors.AsType[*RefusedError](err)
	if isAltered && (a.Reason != Altered && a.Reason != Malformed || a.Detail == "") || isRefused && (r.Reason == "" || r.Err == nil) || !isAltered && !isRefused {
		t.Errorf("%#v", err)
	}
	if len(err.Error()) > 1000 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
}

// FuzzS3ECMetadata: whatever an object's metadata and instruction file are,
// nothing panics, the caller's bytes stay as they are, and what opens is what a
// key of the table sealed.
func FuzzS3ECMetadata(f *testing.F) {
	s := sealer{newTable()}
	for _, sp := range specimens(s, []byte("plain")) {
		if len(sp.in.Metadata)+len(sp.in.Instruction) > 0 {
			f.Add([]byte(object(sp.in.Metadata)), sp.in.Instruction, sp.body)
		}
	}
	f.Fuzz(func(t *testing.T, metadata, instruction, body []byte) {
		var meta map[string]string
		if json.Unmarshal(metadata, &meta) != nil {
			return
		}
		k := newTable()
		before := slices.Clone(body)
		in := Sealed{Metadata: meta, Instruction: instruction, Body: bytes.NewReader(body), Size: int64(len(body))}
		content, opened, err := openAll(&Opener{KMS: k, AnyKey: true, MaxWhole: 1 << 20}, in)
		if !bytes.Equal(before, body) {
			t.Fatal("the caller's bytes were changed")
		}
		if err != nil {
			wellRefused(t, err)
		} else if opened.Scheme == Plain && !bytes.Equal(content, body) || opened.Scheme != Plain && len(k.calls) == 0 {
			t.Errorf("%+v", opened)
		}
		if len(k.calls) > 3 {
			t.Errorf("%d calls", len(k.calls))
		}
		in.Body, in.Size = bytes.NewReader(body), -1
		in = streamed(in)
		again, _, err2 := openAll(&Opener{KMS: k, AnyKey: true, MaxWhole: 1 << 20}, in)
		if (err == nil) != (err2 == nil) || err == nil && !bytes.Equal(content, again) {
			t.Errorf("streamed: %v, whole: %v", err2, err)
		}
	})
}

// FuzzESDK: a message opens to the same, or is refused, as a whole and as a
// stream; a signed or committed one that opens is one that was sealed.
func FuzzESDK(f *testing.F) {
	s := sealer{newTable()}
	for _, id := range []uint16{0x0014, 0x0178, 0x0378, 0x0478} { // short ones: Go tries to make each find shorter
		for _, frame := range []uint32{0, 3} {
			f.Add(s.message(messageForm{suite: id, frame: frame, context: map[string]string{"a": "b"}, keys: []string{arn1}}, []byte("plain")))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		k := newTable()
		o := &Opener{KMS: k, Keys: []string{arn1, mrkEU}, MaxWhole: 1 << 20}
		content, opened, err := openAll(o, inMemoryObject(nil, body))
		if err != nil {
			wellRefused(t, err)
		} else if opened.Scheme != Plain && (len(k.calls) == 0 || !o.allows(opened.Key)) {
			t.Errorf("%+v", opened)
		}
		again, _, err2 := openAll(o, streamed(inMemoryObject(nil, body)))
		if (err == nil) != (err2 == nil) || err == nil && !bytes.Equal(content, again) {
			t.Errorf("streamed: %v, whole: %v", err2, err)
		}
	})
}

// FuzzFrames: what a holder of the key makes of a body.
func FuzzFrames(f *testing.F) {
	for _, frame := range []uint32{0, 3} {
		m := &sealedMessage{id: make([]byte, 16)}
		m.aead, _ = newGCM(make([]byte, 32))
		m.pieces(frame, []byte("plain"))
		f.Add(m.body, frame)
	}
	f.Fuzz(func(t *testing.T, body []byte, frame uint32) {
		aead, _ := newGCM(make([]byte, 32))
		m := &message{r: bytes.NewReader(body), limit: 1 << 20, id: make([]byte, 16), frame: frame, sequence: 1, aead: aead}
		whole, err := m.next()
		if err == nil {
			whole, err = m.rest(whole, int64(len(body)))
		}
		if err != nil {
			wellRefused(t, err)
		}
		if len(whole) > len(body) {
			t.Errorf("%d bytes of %d", len(whole), len(body))
		}
	})
}

// FuzzHeaderText: of what a header may have been, the text itself is one, where
// it is UTF-8, and what is JSON is the JSON that encoding/json reads.
func FuzzHeaderText(f *testing.F) {
	for _, text := range headerForms(accented) {
		f.Add(text)
	}
	f.Add(`{"a":1,"b":{"c":[]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		texts := headerTexts(text)
		if utf8.ValidString(text) && !slices.Contains(texts, text) || len(texts) > 3 {
			t.Errorf("%q: %q", text, texts)
		}
		contexts, err := readContexts("x", text, true)
		if (err == nil) != (len(contexts) > 0) || len(contexts) > 3 {
			t.Errorf("%q: %d contexts, %v", text, len(contexts), err)
		}
		if flat, err := readFlat(text, false); err == nil {
			var std map[string]string
			if err := json.Unmarshal([]byte(text), &std); err != nil || !maps.Equal(flat, std) {
				t.Errorf("%q: %v, to encoding/json %v, %v", text, flat, std, err)
			}
		}
	})
}
