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

var sieveNames = map[string]bool{"StopLogging": false, "PutObject": true}

// sieved is what a sieve gives of a text that comes in pieces of the sizes that
// cut gives, or what a scanner gives where the sieve says that it went astray.
func sieved(text string, size int, cut func() int) (events []string, odd bool) {
	s := &EventSieve{Names: sieveNames, Event: func(raw []byte) { events = append(events, string(raw)) }, size: size}
	s.Reset()
	for p := []byte(text); len(p) > 0; {
		n := min(max(cut(), 1), len(p))
		s.Write(bytes.Clone(p[:n]))
		p = p[n:]
	}
	s.Close()
	return events, s.Odd
}

// scanned is the same by the scanner alone.
func scanned(text string) (events []string) {
	s := &EventSieve{Names: sieveNames}
	s.Reset()
	all := EventScanner{Event: func(raw []byte) {
		if s.wanted(raw) {
			events = append(events, string(raw))
		}
	}}
	all.Write([]byte(text))
	return events
}

func TestEventSieve(t *testing.T) {
	const begin = `{"eventVersion":"1.11",`
	stop, put := begin+`"eventName":"StopLogging","x":1}`, begin+`"eventName":"PutObject","key":"a/AWSLogs/b"}`
	other := begin + `"eventName":"PutObject","key":"b"}`
	long := begin + `"a":"` + strings.Repeat("x", 3000) + `","eventName":"StopLogging"}`
	for text, want := range map[string][]string{
		`{"Records":[]}`: nil,
		`{"Records":[` + strings.Join([]string{other, stop, other, other, put, other}, ",") + `]}`:      {stop, put},
		`{"Records":[` + strings.Join([]string{stop, long, other, other, other, stop}, ",") + `]}`:      {stop, long, stop},
		`{"Records":[` + other + `,{"x":1,"eventName":"StopLogging"},` + other + `,` + stop + `]}`:      {`{"x":1,"eventName":"StopLogging"}`, stop},
		"{ \"Records\" : [ {\"a\":1,\n\"eventName\" :\t\"StopLogging\" } ] }":                           {"{\"a\":1,\n\"eventName\" :\t\"StopLogging\" }"},
		`{"Records":[` + begin + `"n":[{"a":1},{"eventName":"StopLogging"}]}]}`:                         {begin + `"n":[{"a":1},{"eventName":"StopLogging"}]}`},
		`{"Records":[` + begin + `"userAgent":"\"eventName\":\"StopLogging\"","eventName":"X"}]}`:       nil,
		`{"Records":[` + begin + `"eventName":"StopLoggin"},` + begin + `"eventName":"StopLogging2"}]}`: nil,
	} {
		for _, size := range []int{40, 100, 1000, sieveBytes} {
			for _, cut := range []int{1, 7, 64, 1 << 20} {
				if got, _ := sieved(text, size, func() int { return cut }); !slices.Equal(got, want) {
					t.Errorf("%.200q in pieces of %d and %d: %q, want %q", text, size, cut, got, want)
				}
			}
		}
	}
}

// An event that holds what begins like another one is noticed, not passed over.
func TestEventSieveGoesAstrayAndSaysSo(t *testing.T) {
	nested := `{"eventVersion":"1","eventName":"A","p":[{"a":1},{"eventVersion":"no","b":"` + strings.Repeat("y", 90) + `","eventName":"StopLogging"},{"c":2}]}`
	text := `{"Records":[` + strings.Repeat(nested+",", 9) + `{"eventVersion":"2","eventName":"StopLogging"}]}`
	want := scanned(text)
	for cut := 1; cut < 300; cut++ {
		if got, odd := sieved(text, 100, func() int { return cut }); !odd && !slices.Equal(got, want) {
			t.Fatalf("pieces of %d: %d events of %d, and nothing odd", cut, len(got), len(want))
		}
	}
}

// FuzzEventSieve holds the sieve against the scanner: it finds the same, or says
// that it may not have.
func FuzzEventSieve(f *testing.F) {
	f.Add(`{"Records":[{"eventVersion":"1","eventName":"StopLogging"},{"eventVersion":"1","eventName":"PutObject","k":"AWSLogs"},{"eventVersion":"1"}]}`, uint64(1))
	f.Add(`{"Records":[{"eventVersion":"1","p":[{"x":1},{"eventVersion":"1","eventName":"StopLogging"}]},{"eventVersion":"1"}]}`, uint64(2))
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 1))
		got, odd := sieved(text, 1+r.IntN(80), func() int { return r.IntN(90) + 1 })
		if !odd && jsonObject(text) && !slices.Equal(got, scanned(text)) {
			t.Errorf("%q: %q, want %q", text, got, scanned(text))
		}
	})
}

func BenchmarkEventSieveHits(b *testing.B) {
	var text bytes.Buffer
	text.WriteString(`{"Records":[`)
	for i := range 2000 {
		fmt.Fprintf(&text, `{"eventVersion":"1.08","eventID":"%08d","userIdentity":{"type":"AssumedRole"},"eventName":"StopLogging"},`, i)
	}
	text.WriteString(`{}]}`)
	s := EventSieve{Names: sieveNames, Event: func([]byte) {}}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		s.Reset()
		s.Write(text.Bytes())
		s.Close()
	}
}

// jsonObject reports whether a text is what a log file may be: Go's parser takes
// it, and it has one array of records.
func jsonObject(text string) bool {
	return json.Valid([]byte(text)) && strings.HasPrefix(text, `{"Records":[`) && strings.Count(text, "Records") == 1
}
