package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// defaultSpan is how much of a bucket is verified where nothing is asked for.
const defaultSpan = 24 * time.Hour

const momentExample = "2026-03-10T06:00:00Z, 2026-03-10T08:00:00+02:00, 2026-03-10 (its start, UTC), 24h, 7d or now"

// parseWindow makes a window of --start and --end. A bucket's window is the
// last 24 hours where nothing is said; a directory's ends are those of what it
// holds, which a zero time stands for.
func parseWindow(start, end string, now time.Time, directory bool) (verify.Window, error) {
	w := verify.Window{}
	if !directory {
		w.End = now.UTC().Truncate(time.Second)
	}
	if end != "" {
		t, err := parseMoment(end, now)
		if err != nil {
			return verify.Window{}, err.hint("give --end as %s", momentExample)
		}
		w.End = t
	}
	switch {
	case start != "":
		t, err := parseMoment(start, now)
		if err != nil {
			return verify.Window{}, err.hint("give --start as %s", momentExample)
		}
		w.Start = t
	case !directory:
		w.Start = w.End.Add(-defaultSpan)
	}
	if !w.End.IsZero() && !w.Start.Before(w.End) {
		return verify.Window{}, emptyWindow(start, end, w)
	}
	return w, nil
}

// checkWindow refuses times that make no sense, whatever is verified.
func checkWindow(start, end string) error {
	_, err := parseWindow(start, end, time.Now(), true)
	return err
}

// emptyWindow says which of the two ends makes no sense.
func emptyWindow(start, end string, w verify.Window) *usageError {
	at := func(t time.Time) string { return t.Format(time.RFC3339) }
	if end == "" {
		end = "now"
	}
	return usagef("--start %q (%s) is not before --end %q (%s)", start, at(w.Start), end, at(w.End)).
		hint("for one day: --start 2026-03-10 --end 2026-03-11")
}

// parseMoment reads one moment: RFC 3339 with any zone, the same shortened and
// then in UTC, an age, or now.
func parseMoment(text string, now time.Time) (time.Time, *usageError) {
	if text == "now" {
		return now.UTC().Truncate(time.Second), nil
	}
	if age, ok := parseAge(text); ok {
		t := now.UTC().Truncate(time.Second).Add(-age)
		return t, sane(text, t)
	}
	for _, layout := range layouts() {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), sane(text, t.UTC())
		}
	}
	return time.Time{}, whyNot(text)
}

// layouts are the forms of dates taken. Each names its zone or has none, and
// none is UTC.
func layouts() []string {
	all := []string{"2006-01-02"}
	for _, date := range []string{"2006-01-02T", "2006-01-02 "} {
		for _, clock := range []string{"15:04:05", "15:04"} {
			for _, zone := range []string{"Z07:00", "Z0700", "Z07", ""} {
				all = append(all, date+clock+zone)
			}
		}
	}
	return all
}

// sane refuses years that no trail has: a typing error would else ask for
// all there is, or for nothing.
func sane(text string, t time.Time) *usageError {
	if t.Year() < 1970 || t.Year() > 2200 {
		return usagef("the time %q is in the year %d", text, t.Year())
	}
	return nil
}

var (
	lostZone = regexp.MustCompile(`\d:\d\d(:\d\d)?(\.\d+)? \d\d(:?\d\d)?$`)
	signed   = regexp.MustCompile(`^[-+]\d+[a-z]`)
	ages     = regexp.MustCompile(`^(\d{1,9})([smhdw])`)
)

// whyNot says what is wrong with a time, as far as that can be told.
func whyNot(text string) *usageError {
	switch {
	case lostZone.MatchString(text):
		return usagef("the time %q has lost the sign of its zone", text).
			hint("a + becomes a space in an unquoted URL; write +09:00 or -09:00")
	case signed.MatchString(text):
		return usagef("the age %q has a sign", text)
	}
	return usagef("no time can be read from %q", text)
}

// parseAge reads an age: numbers with units, such as 24h, 7d, 1d12h.
func parseAge(text string) (time.Duration, bool) {
	units := map[string]time.Duration{
		"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}
	const most = 250 * 365 * 24 * time.Hour
	var age time.Duration
	for rest := text; rest != ""; {
		m := ages.FindStringSubmatch(rest)
		if m == nil {
			return 0, false
		}
		n, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil || n > int64((most-age)/units[m[2]]) {
			return 0, false
		}
		age += time.Duration(n) * units[m[2]]
		rest = strings.TrimPrefix(rest, m[0])
	}
	return age, text != ""
}

// windowHelp is part of verify's help.
var windowHelp = fmt.Sprintf(`Times are delivery times, as CloudTrail's digests have them. --start and --end take
%s.
A time without a zone is UTC; a date is the moment it starts, also for --end; an age counts
back from now. Default: the last 24 hours of a bucket; a directory's open ends are those of what
it holds; a bundle's window is the one it was collected with.`, momentExample)
