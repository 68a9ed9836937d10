package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
)

var noon = time.Date(2026, 3, 12, 12, 0, 0, 500, time.UTC)

func TestParseWindow(t *testing.T) {
	for _, c := range []struct {
		start, end string
		directory  bool
		want       string // START/END, or a part of the error
	}{
		{"", "", false, "2026-03-11T12:00:00Z/2026-03-12T12:00:00Z"},
		{"", "", true, "0001-01-01T00:00:00Z/0001-01-01T00:00:00Z"},
		{"2026-03-10", "", false, "2026-03-10T00:00:00Z/2026-03-12T12:00:00Z"},
		{"", "2026-03-10", false, "2026-03-09T00:00:00Z/2026-03-10T00:00:00Z"},
		{"", "2026-03-10", true, "0001-01-01T00:00:00Z/2026-03-10T00:00:00Z"},
		{"2026-03-10", "", true, "2026-03-10T00:00:00Z/0001-01-01T00:00:00Z"},
		{"7d", "now", false, "2026-03-05T12:00:00Z/2026-03-12T12:00:00Z"},
		{"4w", "90m", false, "2026-02-12T12:00:00Z/2026-03-12T10:30:00Z"},
		{"1d12h", "30s", false, "2026-03-11T00:00:00Z/2026-03-12T11:59:30Z"},
		{"2026-03-10T06:00", "2026-03-10T06:00:01", false, "2026-03-10T06:00:00Z/2026-03-10T06:00:01Z"},
		{"2026-03-10T09:00:00+09:00", "2026-03-10T09:00:00-0930", false, "2026-03-10T00:00:00Z/2026-03-10T18:30:00Z"},
		{"2026-03-10T09:00+09", "2026-03-10 09:00:00.25Z", false, "2026-03-10T00:00:00Z/2026-03-10T09:00:00.25Z"},
		{"2026-03-10", "2026-04-10", false, "2026-03-10T00:00:00Z/2026-04-10T00:00:00Z"},

		{"2026-03-10T09:00:00 09:00", "", false, `"2026-03-10T09:00:00 09:00" has lost the sign of its zone`},
		{"2026-03-10T09:00 0900", "", false, `"2026-03-10T09:00 0900" has lost the sign of its zone`},
		{"2026-03-11", "2026-03-10", false, `--start "2026-03-11" (2026-03-11T00:00:00Z) is not before --end "2026-03-10"`},
		{"2026-03-11", "2026-03-11", false, `is not before --end "2026-03-11"`},
		{"now", "", false, `--start "now" (2026-03-12T12:00:00Z) is not before --end "now"`},
		{"2026-04-01", "", false, `is not before --end "now"`},
		{"2026-13-01", "", false, `no time can be read from "2026-13-01"`},
		{"2026-02-30", "", false, `no time can be read from "2026-02-30"`},
		{"yesterday", "", false, `no time can be read from "yesterday"`},
		{"-24h", "", false, `the age "-24h" has a sign`},
		{"24", "", false, `no time can be read from "24"`},
		{"", "10.03.2026", false, `no time can be read from "10.03.2026"`},
		{"999999999w", "", false, `no time can be read from "999999999w"`},
		{"200w", "9000w", false, `in the year 1853`},
		{"0001-01-01", "", true, `in the year 1`},
		{"2026-03-10T06:00:00Z\x1b[2J", "", false, `"2026-03-10T06:00:00Z\x1b[2J"`},
	} {
		w, err := parseWindow(c.start, c.end, noon, c.directory)
		got := w.Start.Format(time.RFC3339Nano) + "/" + w.End.Format(time.RFC3339Nano)
		if err != nil {
			got = err.Error()
		}
		if err == nil && got != c.want || err != nil && !strings.Contains(got, c.want) {
			t.Errorf("--start %q --end %q: %s, want %s", c.start, c.end, got, c.want)
		}
		var usage *usageError
		if err != nil && (!errors.As(err, &usage) || len(usage.hints) == 0 || exitCode(err) != exitUsage) {
			t.Errorf("--start %q --end %q: %v is no usage error with a hint", c.start, c.end, err)
		}
	}
}

// FuzzParseWindow: what is taken is a window that makes sense, in UTC, and the
// zone that was given is the zone that is used.
func FuzzParseWindow(f *testing.F) {
	for _, s := range []string{"2026-03-10", "2026-03-10T06:00:00+02:00", "24h", "now", "1w2d", "2026-03-10T09:00:00 09:00", ""} {
		f.Add(s, "now", true)
		f.Add("", s, false)
	}
	f.Fuzz(func(t *testing.T, start, end string, directory bool) {
		w, err := parseWindow(start, end, noon, directory)
		switch {
		case err != nil:
			var usage *usageError
			if !errors.As(err, &usage) || w != (verify.Window{}) {
				t.Errorf("%v with %v", err, w)
			}
		case w.IsZero():
			if !directory || start != "" || end != "" {
				t.Error("everything was not asked for")
			}
		case !w.Start.Before(w.End) && !(directory && end == "" && w.End.IsZero()) || w.Start.Location() != time.UTC || w.End.Location() != time.UTC:
			t.Errorf("%v", w)
		}
		if at, err := time.Parse(time.RFC3339, start); err == nil && w.Start != (time.Time{}) && !w.Start.Equal(at) {
			t.Errorf("%q is %v", start, w.Start)
		}
	})
}
