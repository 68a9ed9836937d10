package report

import (
	"errors"
	"fmt"
	"time"

	"github.com/trailseal/trailseal/verify"
)

func (j *jsonWriter) End(s verify.Summary) error {
	return errors.Join(
		j.endArray(j.files == 0),
		j.array("chains", &j.chains),
		j.array("findings", &j.findings),
		j.keys(s.Keys),
		j.explanations(s.Explained),
		j.unlisted(s.UnlistedEvents),
		j.lateWindow(s.Window),
		j.member("finished", second(s.Finished)),
		j.member("summary", jsonSummary(s)),
		j.interrupted(s),
		j.member("verdict", s.Verdict),
		j.raw(fmt.Sprintf("  \"exit\": %d\n}\n", s.Exit)),
		j.w.Flush(),
	)
}

// window writes a window, unless it stands for everything.
func (j *jsonWriter) window(w verify.Window) error {
	if w.IsZero() {
		return nil
	}
	return j.member("window", jsonWindow(w))
}

// lateWindow writes the window where it became known only in the end.
func (j *jsonWriter) lateWindow(w verify.Window) error {
	if !j.header.Window.IsZero() {
		return nil
	}
	return j.window(w)
}

func (j *jsonWriter) interrupted(s verify.Summary) error {
	if !s.Interrupted {
		return nil
	}
	return j.member("interrupted", true)
}

func (j *jsonWriter) array(name string, s *spool) error {
	empty := s.empty()
	return errors.Join(
		j.raw(fmt.Sprintf("  %q: [", name)),
		s.copyTo(j.w),
		j.endArray(empty),
	)
}

func (j *jsonWriter) keys(keys []verify.KeyUse) error { return oneALine(j, "keys", keys, jsonKey) }

func (j *jsonWriter) explanations(all []verify.Explanation) error {
	return oneALine(j, "explanations", all, jsonExplanation)
}

// oneALine writes an array, one element a line.
func oneALine[T any](j *jsonWriter, name string, all []T, form func(T) T) error {
	err := j.raw(fmt.Sprintf("  %q: [", name))
	for i, of := range all {
		line, encoding := j.encode(form(of))
		if err = errors.Join(err, encoding); err == nil {
			err = writeElement(j.w, i == 0, line)
		}
	}
	return errors.Join(err, j.endArray(len(all) == 0))
}

func (j *jsonWriter) unlisted(n int64) error {
	if n <= 0 {
		return nil
	}
	return j.member("unlistedEvents", n)
}

func (j *jsonWriter) endArray(empty bool) error {
	if empty {
		return j.raw("],\n")
	}
	return j.raw("\n  ],\n")
}

func (j *jsonWriter) Close() error {
	return errors.Join(j.chains.Close(), j.findings.Close())
}

// second is a time as reports have it: UTC, whole seconds. It is nil for no
// time, and for one that RFC 3339 cannot write, which only a forged digest
// can hold.
func second(t time.Time) *time.Time {
	t = t.UTC().Truncate(time.Second)
	if t.IsZero() || t.Year() < 0 || t.Year() > 9999 {
		return nil
	}
	return &t
}

func deref(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// counts is never null in JSON, and has no zero counts.
func counts(m map[verify.Verdict]int) map[verify.Verdict]int {
	clean := make(map[verify.Verdict]int, len(m))
	for v, n := range m {
		if n != 0 {
			clean[v] = n
		}
	}
	return clean
}
