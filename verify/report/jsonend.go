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
		j.explanations(s),
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

// keys writes the KMS keys, one a line.
func (j *jsonWriter) keys(keys []verify.KeyUse) error {
	err := j.raw(`  "keys": [`)
	for i, k := range keys {
		line, encoding := j.encode(jsonKey(k))
		if err = errors.Join(err, encoding); err == nil {
			err = writeElement(j.w, i == 0, line)
		}
	}
	return errors.Join(err, j.endArray(len(keys) == 0))
}

// explanations writes the events that may explain what was found, one a line.
func (j *jsonWriter) explanations(s verify.Summary) error {
	err := j.raw(`  "explanations": [`)
	for i, e := range s.Explained {
		line, encoding := j.encode(jsonExplanation(e))
		if err = errors.Join(err, encoding); err == nil {
			err = writeElement(j.w, i == 0, line)
		}
	}
	err = errors.Join(err, j.endArray(len(s.Explained) == 0))
	if s.UnlistedEvents > 0 {
		err = errors.Join(err, j.member("unlistedEvents", s.UnlistedEvents))
	}
	return err
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
