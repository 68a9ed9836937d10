package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// A suite is what is known of one chain.
type suite struct {
	ref        verify.ChainRef
	cases      map[string]*testCase // by day, or by a word
	properties []xmlProperty
}

func newSuite(ref verify.ChainRef) *suite { return &suite{ref: ref, cases: map[string]*testCase{}} }

func (j *junitWriter) suiteOf(ref verify.ChainRef) *suite {
	s := j.suites[ref]
	if s == nil {
		s = newSuite(ref)
		j.suites[ref] = s
	}
	return s
}

// caseOf is the case of a chain's day, or the run's with that name where there
// is no chain.
func (j *junitWriter) caseOf(ref verify.ChainRef, day, other string) *testCase {
	s, name := j.run, other
	switch {
	case ref == verify.ChainRef{}:
	case j.cases >= maxCases && (j.suites[ref] == nil || j.suites[ref].cases[day] == nil):
		name = "elsewhere"
	default:
		s, name = j.suiteOf(ref), day
	}
	c := s.cases[name]
	if c == nil {
		c = &testCase{}
		s.cases[name] = c
		j.cases++
	}
	return c
}

// chain adds the days that the chain has digests for, and its sums.
func (s *suite) chain(c verify.Chain, w verify.Window) {
	if c.First != nil && c.Last != nil {
		first, last := *c.First, *c.Last
		if !w.IsZero() && first.Before(w.Start) {
			first = w.Start
		}
		if !w.IsZero() && last.After(w.End) {
			last = w.End
		}
		for _, day := range daysBetween(first, last) {
			if s.cases[day] == nil {
				s.cases[day] = &testCase{}
			}
		}
	}
	add := func(name, value string) { s.properties = append(s.properties, xmlProperty{name, value}) }
	add("class", c.Class.String())
	add("homeRegion", Clean(c.HomeRegion))
	add("digests", share(c.Digests)+" kept")
	add("logs", share(c.Logs)+" kept")
	add("covered", covered(c.Coverage))
}

// form is the suite as XML has it.
func (s *suite) form(id int, h verify.Header, seconds string) xmlSuite {
	f := xmlSuite{ID: id, Package: "trailseal", Name: suiteName(s.ref), Hostname: "localhost", Time: seconds,
		Timestamp: h.Started.UTC().Format("2006-01-02T15:04:05"), Properties: s.properties}
	if len(f.Properties) == 0 {
		f.Properties = []xmlProperty{{"chain", "no digest names it"}}
	}
	if len(s.cases) == 0 {
		s.cases["chain"] = &testCase{}
	}
	var notes strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.cases)) {
		c := s.cases[name]
		form := xmlCase{Class: f.Name, Name: name, Time: "0"}
		switch {
		case c.counts[verify.Tampering] != nil:
			form.Failure = c.problem(verify.Tampering)
			f.Failures++
		case c.counts[verify.ClassUnproven] != nil:
			form.Error = c.problem(verify.ClassUnproven)
			f.Errors++
		case c.accepted != nil || c.counts[verify.Remark] != nil:
			notes.WriteString(name + ": " + c.summary() + "\n" + c.text("  "))
		}
		f.Cases = append(f.Cases, form)
	}
	f.Tests, f.Out.Text = len(f.Cases), notes.String()
	return f
}

func suiteName(ref verify.ChainRef) string {
	if ref.Trail == "" {
		return chainName(ref) + " (no trail)"
	}
	return chainName(ref)
}

func writeSuite(w io.Writer, s xmlSuite) error {
	text, err := xml.MarshalIndent(s, "  ", "  ")
	if err != nil {
		return fmt.Errorf("encoding the report: %w", err)
	}
	_, err = w.Write(append(text, '\n'))
	return err
}
