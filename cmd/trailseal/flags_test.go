package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
)

func TestByteSize(t *testing.T) {
	for text, want := range map[string]int64{
		"1": 1, "1024": 1024, "1GiB": 1 << 30, "256MiB": 256 << 20, "500MB": 500e6, "2 kib": 2048, "1g": 1 << 30, "3KB": 3000, "7B": 7,
		"0": 0, "-1": 0, "": 0, "GiB": 0, "1.5GiB": 0, "1XB": 0, "99999999TiB": 0, "1 GiB x": 0, "9223372036854775808": 0, "1ikb": 0,
	} {
		var b byteSize
		err := b.Set(text)
		if (err != nil) != (want == 0) || int64(b) != want {
			t.Errorf("%q is %d, %v; want %d", text, b, err, want)
		}
	}
	for n, want := range map[byteSize]string{1 << 30: "1GiB", 256 << 20: "256MiB", 1000: "1000", 0: "0"} {
		if got := n.String(); got != want {
			t.Errorf("%d prints as %s, want %s", int64(n), got, want)
		}
	}
}

func TestLookback(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]struct {
		age   time.Duration
		shown string
	}{
		"7d": {7 * day, "7d"}, "12w": {84 * day, "84d"}, "36h": {36 * time.Hour, "36h0m0s"}, "all": {everything, "all"}, "200w": {1400 * day, "1400d"},
		"100000d": {0, ""}, "90000d": {everything, "all"}, "": {0, ""}, "0d": {0, ""}, "-7d": {0, ""}, "ALL": {0, ""}, "7": {0, ""},
	} {
		var l lookback
		err := l.Set(text)
		if (err != nil) != (want.age == 0) || time.Duration(l) != want.age || err == nil && l.String() != want.shown {
			t.Errorf("%q is %v (%s), %v; want %v (%s)", text, time.Duration(l), l.String(), err, want.age, want.shown)
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"verify", "version", "gap", "signature-missing", "json", "text"}
	for typed, want := range map[string]string{
		"verfy": "verify", "VERIFY": "verify", "gpa": "gap", "signature-mising": "signature-missing",
		"jsn": "json", "sig": "signature-missing", "zzzzzz": "", "": "",
	} {
		if got := nearest(typed, words); got != want {
			t.Errorf("%q is nearest to %q, want %q", typed, got, want)
		}
	}
}

func TestCheckPolicy(t *testing.T) {
	for _, c := range []struct {
		policy verify.Policy
		want   string
	}{
		{verify.Policy{}, ""},
		{verify.Policy{Accept: []string{"gap", "unverified"}, FailOn: []string{"pending", "kms-denied"}}, ""},
		{verify.Policy{Accept: []string{"gaps"}}, `do not know the word "gaps"`},
		{verify.Policy{FailOn: []string{""}}, `do not know the word ""`},
		{verify.Policy{Accept: []string{"gap"}, FailOn: []string{"stale", "gap"}}, `"gap" is in both`},
	} {
		err := checkPolicy(c.policy)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.policy, err, c.want)
		}
	}
}

func TestQuoteGlob(t *testing.T) {
	for _, name := range []string{"main", "a*b", "[x]", `a\b`, "?", "a_b-c.d"} {
		if !verify.Matches([]string{quoteGlob(name)}, name) {
			t.Errorf("%q does not match itself", name)
		}
	}
	if verify.Matches([]string{quoteGlob("a*b")}, "axb") {
		t.Error("a*b matches axb")
	}
}

func TestUseColor(t *testing.T) {
	env := func(pairs ...string) func(string) string {
		return func(name string) string {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == name {
					return pairs[i+1]
				}
			}
			return ""
		}
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if useColor("auto", null, env()) || useColor("never", null, env()) {
		t.Error("the null device gets colours")
	}
	if !useColor("always", null, env("NO_COLOR", "1")) {
		t.Error("--color always does not win over NO_COLOR")
	}
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no pseudo-terminal here: ", err)
	}
	defer terminal.Close()
	if !useColor("auto", terminal, env("NO_COLOR", "")) {
		t.Error("a terminal gets no colours")
	}
	if useColor("auto", terminal, env("NO_COLOR", "1")) || useColor("auto", terminal, env("TERM", "dumb")) {
		t.Error("NO_COLOR or TERM=dumb gets colours")
	}
	for _, c := range []struct {
		asked          string
		quiet, streams bool
		want           string
	}{{"auto", false, false, "bars"}, {"auto", true, false, "none"}, {"none", false, false, "none"},
		{"plain", false, false, "plain"}, {"auto", false, true, "plain"}} {
		if got := progressMode(c.asked, c.quiet, c.streams, terminal, terminal, env()); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	if got := progressMode("auto", false, true, terminal, null, env()); got != "bars" {
		t.Errorf("a report that streams elsewhere gets %s", got)
	}
	if got := progressMode("auto", false, false, null, terminal, env()); got != "plain" {
		t.Errorf("without a terminal: %s", got)
	}
}

func TestMeter(t *testing.T) {
	p := new(verify.Progress)
	m := meter{p: p, begun: noon, now: func() time.Time { return noon.Add(10 * time.Second) }}
	if got, want := m.line(), "0/0 digests, 0/0 logs, 0.0 MiB, 0.0 MiB/s, 0 logs/s, 0/0 regions"; got != want {
		t.Errorf("at the start: %s, want %s", got, want)
	}
	p.Chains.Store(1)
	p.Digests.Store(100)
	p.DigestsDone.Store(50)
	p.Logs.Store(1000)
	p.LogsDone.Store(200)
	p.Fetched.Store(3 << 30)
	if got, want := m.line(), "50/100 digests, 200/1000 logs, 3.0 GiB, 307.2 MiB/s, 20 logs/s, 0/1 regions, about 40s left"; got != want {
		t.Errorf("on the way: %s, want %s", got, want)
	}
	p.Chains.Store(4)
	p.ChainsDone.Store(2)
	if got, want := m.regions(), "2/4 regions, about 10s left"; got != want {
		t.Errorf("with several regions: %s, want %s", got, want)
	}
}
