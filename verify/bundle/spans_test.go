package bundle

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestSpansAreWhatWasAdded(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	letters := func() string { return string(rune('a' + random.IntN(26))) }
	for range 2000 {
		var s spans
		var in [27]bool
		for range random.IntN(12) {
			from, to := letters(), letters()
			if random.IntN(10) == 0 {
				to = ""
			}
			s.add(from, to)
			for c := 0; c < 27; c++ {
				key := string(rune('a' + c))
				in[c] = in[c] || key >= from && (to == "" || key < to)
			}
		}
		for i := 1; i < len(s); i++ {
			if s[i-1].To == "" || s[i-1].To >= s[i].From {
				t.Fatalf("%q touch", s)
			}
		}
		for c := 0; c < 27; c++ {
			to, ok := s.reach(string(rune('a' + c)))
			end := c
			for end < 27 && in[end] {
				end++
			}
			want := string(rune('a' + end))
			if ok != in[c] || ok && end < 27 && to != want || ok && end == 27 && to != "" && to <= "{" {
				t.Fatalf("%q: from %c: %q %v, want %q %v", s, 'a'+c, to, ok, want, in[c])
			}
		}
	}
}

func TestBoundsOfAListing(t *testing.T) {
	for _, test := range []struct{ prefix, after, until, from, to string }{
		{"", "", "", "", ""},
		{"a/", "", "", "a/", "a0"},
		{"a/", "a/b", "", "a/b\x00", "a0"},
		{"a/", "0", "a/c", "a/", "a/c"},
		{"a/", "", "z", "a/", "a0"},
		{"\xff", "", "", "\xff", ""},
		{"a\xff", "", "", "a\xff", "b"},
	} {
		from, to, some := bounds(test.prefix, test.after, test.until)
		if from != test.from || to != test.to || !some {
			t.Errorf("%q: %q %q %v", test, from, to, some)
		}
	}
	if _, _, some := bounds("a/", "b", ""); some {
		t.Error("what lies after a prefix is not of it")
	}
}

func TestBefore(t *testing.T) {
	key := "AWSLogs/1/CloudTrail/"
	if b := before(key); b >= key || b <= "AWSLogs/1/CloudTrail-Digest/x" || !strings.HasPrefix(b, "AWSLogs/1/CloudTrail.\xff") {
		t.Errorf("%q", b)
	}
	if b := before("a\x00"); b != "a" {
		t.Errorf("%q", b)
	}
}
