package report

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// verdict adds the case that is red whenever the run is not a success.
func (s *suite) verdict(sum verify.Summary) {
	c := &testCase{}
	s.cases["verdict"] = c
	if sum.Exit == 0 {
		return
	}
	class := verify.ClassUnproven
	if sum.Exit == 1 {
		class = verify.Tampering
	}
	c.counts[class] = map[string]int{} // nothing of its own: the counts are the other suites'
	text := fmt.Sprintf("the run's verdict is %s, its exit status %d", Clean(sum.Verdict), sum.Exit)
	if sum.Interrupted {
		text += "; it was interrupted before the end"
	}
	c.lines[class][1] = caseLines{texts: []string{text}, n: 1}
}

// junitEvents is how many events the output tells of.
const junitEvents = 200

// events are the events that may explain what was found, a line each.
func (j *junitWriter) events(s verify.Summary) string {
	var b strings.Builder
	listed := min(len(s.Explained), junitEvents)
	for _, e := range s.Explained[:listed] {
		b.WriteString("event  " + eventSaid(e) + also("; beside: ", j.names.beside(e)) + "\n")
	}
	if more := s.UnlistedEvents + int64(len(s.Explained)-listed); more > 0 {
		b.WriteString(unlistedSaid(more) + "\n")
	}
	return b.String()
}

// runProperties are what the run was asked and what it came to.
func (j *junitWriter) runProperties(s verify.Summary) []xmlProperty {
	window := s.Window
	if window.IsZero() {
		window = j.header.Window
	}
	p := []xmlProperty{
		{"version", Clean(j.header.Version)},
		{"source", Clean(j.header.Source)},
		{"verdict", Clean(s.Verdict)},
		{"exit", strconv.Itoa(s.Exit)},
		{"chains", strconv.Itoa(s.Chains)},
		{"digests", share(s.Digests) + " kept"},
		{"logs", share(s.Logs) + " kept"},
	}
	if b := j.header.Bundle; b != nil {
		p = append(p, xmlProperty{"bundle", bundleSaid(b)})
	}
	if !window.IsZero() {
		p = append(p, xmlProperty{"window", between(window.Start, window.End)})
	}
	return p
}
