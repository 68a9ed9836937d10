package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// A testCase is a day of a chain.
type testCase struct {
	counts   [verify.Tampering + 1]map[string]int
	accepted map[string]int
	lines    [verify.Tampering + 1][2]caseLines // of files, then of findings
}

// caseLines are the first lines of their kind, and how many there would be.
type caseLines struct {
	texts []string
	n     int
}

const (
	maxLines    = 20 // of a kind, in a case
	maxLineSize = 1000
)

// line adds a line to a case, while there is room. Remarks leave half of it to
// what is worse.
func (j *junitWriter) line(to *caseLines, class verify.Class, text func() string) {
	room := maxCaseText
	if class < verify.ClassUnproven {
		room /= 2
	}
	if to.n++; to.n > maxLines || j.text > room {
		return
	}
	line := clipped(text(), maxLineSize)
	j.text += len(line)
	to.texts = append(to.texts, line)
}

// clipped is a text of about at most n bytes that says so where it is cut.
func clipped(text string, n int) string {
	if len(text) <= n {
		return text
	}
	cut := strings.ToValidUTF8(text[:n], "")
	return fmt.Sprintf("%s… (%d bytes more)", cut, len(text)-len(cut))
}

func (c *testCase) count(after, before verify.Class, what string) {
	in := &c.counts[after]
	if after < before {
		in = &c.accepted
	}
	if *in == nil {
		*in = map[string]int{}
	}
	(*in)[what]++
}

func (c *testCase) problem(class verify.Class) *xmlProblem {
	text := c.text("")
	return &xmlProblem{Type: class.String(), Message: cmp.Or(c.summary(), strings.TrimSpace(text)), Text: text}
}

// summary counts what is in the case, the worst first.
func (c *testCase) summary() string {
	var parts []string
	for i, lead := range []string{verify.Tampering: "", verify.ClassUnproven: "not proven: ", verify.Remark: "remarks: "} {
		if text := list(c.counts[i]); text != "" {
			parts = append(parts, lead+text)
		}
	}
	slices.Reverse(parts)
	if text := list(c.accepted); text != "" {
		parts = append(parts, "accepted: "+text)
	}
	return strings.Join(parts, "; ")
}

// text is the case's lines, the worst first.
func (c *testCase) text(indent string) string {
	var b strings.Builder
	for class := verify.Tampering; class > verify.Good; class-- {
		for _, l := range c.lines[class] {
			for _, text := range l.texts {
				b.WriteString(indent + text + "\n")
			}
			if more := l.n - len(l.texts); more > 0 {
				b.WriteString(indent + thousands(more) + " more like these (" + class.String() + ")\n")
			}
		}
	}
	return b.String()
}
