package digest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// eventsIn scans a text that comes in pieces of the sizes that cut gives.
func eventsIn(text string, cut func() int) (events []string, s *EventScanner) {
	s = &EventScanner{}
	s.Event = func(raw []byte) {
		events = append(events, string(raw))
		if s.At < 0 || !strings.HasPrefix(text[s.At:], string(raw)) {
			panic(fmt.Sprintf("%q is not at byte %d of %q", raw, s.At, text))
		}
	}
	s.Reset()
	for p := []byte(text); len(p) > 0; {
		n := min(max(cut(), 1), len(p))
		s.Write(bytes.Clone(p[:n]))
		p = p[n:]
	}
	return events, s
}

func TestEventScanner(t *testing.T) {
	for text, want := range map[string][]string{
		`{"Records":[]}`:   nil,
		`{"Records":[{}]}`: {`{}`},
		`{"Records":[{"a":1},{"b":{"c":[{"d":2}]}}]}`:                    {`{"a":1}`, `{"b":{"c":[{"d":2}]}}`},
		" {\n\"Records\" : [ {\"a\":\"}]\\\"{\"} ,\n{\"b\":\"\\\\\"}] }": {`{"a":"}]\"{"}`, `{"b":"\\"}`},
		`{"x":[{"no":1}],"Records":[{"yes":1}],"y":[{"no":2}]}`:          {`{"yes":1}`},
		`{"x":{"Records":[{"no":1}]},"Records":[{"yes":1}]}`:             {`{"yes":1}`},
		`{"RecordsX":[{"no":1}],"Record":[{"no":1}]}`:                    nil,
		`{"Records":{"a":[{"no":1}]}}`:                                   nil,
		`[{"Records":[{"no":1}]}]`:                                       nil,
		`{"Records":[{"a":1`:                                             nil,
		`]]]}}}{"Records":[{"a":1}]}`:                                    nil,
	} {
		for size := 1; size < 9; size++ {
			got, s := eventsIn(text, func() int { return size })
			if !slices.Equal(got, want) || s.Found != len(want) {
				t.Errorf("%q in pieces of %d: %q (%d), want %q", text, size, got, s.Found, want)
			}
		}
	}
}

// What is too long is passed over, and what follows is found.
func TestEventScannerPassesOverLongEvents(t *testing.T) {
	long := `{"a":"` + strings.Repeat("x", MaxEventBytes) + `"}`
	for _, size := range []int{1 << 16, len(long) * 2} {
		got, s := eventsIn(`{"Records":[`+long+`,{"b":1}]}`, func() int { return size })
		if !slices.Equal(got, []string{`{"b":1}`}) || s.Long != 1 || cap(s.event) > 2*MaxEventBytes {
			t.Errorf("pieces of %d: %d events, %d long, %d bytes held", size, len(got), s.Long, cap(s.event))
		}
	}
}

// Reset begins anew, in the middle of an event too.
func TestEventScannerResets(t *testing.T) {
	n := 0
	s := EventScanner{Event: func([]byte) { n++ }}
	s.Write([]byte(`{"Records":[{"a":"`))
	s.Reset()
	s.Write([]byte(`{"Records":[{"a":1}]}`))
	if n != 1 || s.Found != 1 {
		t.Errorf("%d events, %d found", n, s.Found)
	}
}

// FuzzEventScanner holds the scanner against encoding/json, where that reads the
// text, in whatever pieces it comes.
func FuzzEventScanner(f *testing.F) {
	f.Add(`{"Records":[{"a":"\\\""},{"b":[[{}]]}],"z":1}`, uint64(1))
	f.Add(`{"Records":[1,"x",{"a":null}]}`, uint64(2))
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 1))
		got, _ := eventsIn(text, func() int { return r.IntN(9) + 1 })
		var file map[string]json.RawMessage
		if json.Unmarshal([]byte(text), &file) != nil || strings.Count(text, `Records`) != 1 || strings.Contains(text, `\u`) {
			return // no object, or one in which Go and the scanner may take another of two keys
		}
		var records []json.RawMessage
		var want []string
		if raw, ok := file["Records"]; ok && json.Unmarshal(raw, &records) == nil {
			for _, r := range records {
				if r[0] == '{' {
					want = append(want, string(r))
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	})
}

func BenchmarkEventScanner(b *testing.B) {
	var text bytes.Buffer
	text.WriteString(`{"Records":[`)
	for i := range 2000 {
		fmt.Fprintf(&text, `{"eventVersion":"1.08","eventID":"%08d","userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/x/y"},"requestParameters":{"bucketName":"b","key":"a \"quoted\" \\ key"},"eventName":"PutObject"},`, i)
	}
	text.WriteString(`{}]}`)
	s := EventScanner{Event: func([]byte) {}}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		s.Reset()
		for p := text.Bytes(); len(p) > 0; {
			n := min(32<<10, len(p))
			s.Write(p[:n])
			p = p[n:]
		}
	}
}
