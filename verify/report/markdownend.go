package report

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/trailseal/trailseal/verify"
)

func inSpan(clean string) string {
	if strings.TrimSpace(clean) == "" {
		return clean
	}
	clean = clipped(ofSpans.Replace(clean), markdownName)
	return "`" + clean + "`"
}

// rows are a table's rows by class, each class with as much room as the table
// has: which of them come into the table is known only in the end.
type rows struct {
	room  int
	texts [verify.Tampering + 1]strings.Builder
	left  [verify.Tampering + 1]int // that did not fit
	n     int
}

// full counts a row that has no room, for it and the like of it.
func (r *rows) full(class verify.Class) bool {
	if r.left[class] == 0 {
		return false
	}
	r.left[class]++
	r.n++
	return true
}

func (r *rows) add(class verify.Class, cells ...string) {
	r.n++
	text := "| " + strings.Join(cells, " | ") + " |\n"
	if r.texts[class].Len()+len(text) > r.room {
		r.left[class]++
		return
	}
	r.texts[class].WriteString(text)
}

// print writes the table, the worst class first, and says how many rows are
// left out.
func (r *rows) print(w io.Writer, heading string, columns ...string) error {
	if r.n == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "\n## %s\n\n| %s |\n|%s\n", heading, strings.Join(columns, " | "), strings.Repeat(" --- |", len(columns)))
	room, left := r.room, 0
	for class := verify.Tampering; class >= verify.Good; class-- {
		left += r.left[class]
		for _, line := range strings.SplitAfter(r.texts[class].String(), "\n") {
			switch room -= len(line); {
			case line == "":
			case room < 0:
				left++
			default:
				_, writing := io.WriteString(w, line)
				err = errors.Join(err, writing)
			}
		}
	}
	if left > 0 {
		_, writing := fmt.Fprintf(w, "\n%s more, which do not fit here: the JSON report has them all.\n", thousands(left))
		err = errors.Join(err, writing)
	}
	return err
}

func (m *markdownWriter) End(s verify.Summary) error {
	line, class := m.tally.verdictLine(s)
	fmt.Fprintf(m.w, "# %s trailseal: %s\n\n**%s**\n\n", sign(class), sentence(Clean(s.Verdict)), sentence(line))
	m.facts(s)
	err := errors.Join(
		m.chains.print(m.w, "Chains", "", "Account", "Region", "Trail", "Digests kept", "Logs kept", "Covered", "Trouble"),
		m.findings.print(m.w, "Findings", "Finding", "Where", "When", "What"),
		m.files.print(m.w, "Files not kept", "Verdict", "Kind", "File", "Why"),
		m.keys(s.Keys),
		m.events(s),
	)
	m.tally.words["tampering"] = s.Exit == 1
	if advice := Advice(m.tally.words); len(advice) > 0 {
		fmt.Fprint(m.w, "\n## What to do next\n\n")
		for _, text := range advice {
			fmt.Fprintf(m.w, "- %s\n", sentence(text))
		}
	}
	return errors.Join(err, m.w.Flush())
}

// facts are what was verified, and with what.
func (m *markdownWriter) facts(s verify.Summary) {
	window := s.Window
	if window.IsZero() {
		window = m.header.Window
	}
	when := "everything it holds"
	if !window.IsZero() {
		when = between(window.Start, window.End)
	}
	if b := m.header.Bundle; b != nil {
		fmt.Fprintf(m.w, "- Bundle: %s\n", codeText(bundleSaid(b)))
	}
	fmt.Fprintf(m.w, "- Source: %s\n- Window: %s\n- Checked: %s, %s read, %s hashed, %s\n- Started: %s, trailseal %s, exit status %d\n",
		code(m.header.Source), when, thousands(s.Chains)+" "+plural(s.Chains, "chain", "chains"), size(s.Bytes.Fetched),
		size(s.Bytes.Hashed), length(time.Duration(s.Seconds*float64(time.Second))), moment(m.header.Started), code(m.header.Version), s.Exit)
}

// events is the table of the events that may explain what was found.
func (m *markdownWriter) events(s verify.Summary) error {
	table := rows{room: markdownKeys}
	for _, e := range s.Explained {
		class := verify.Remark
		if len(e.Explains) == 0 {
			class = verify.Good
		}
		table.add(class, moment(e.Time), codeText(eventSaid(e)), codeText(m.names.beside(e)))
	}
	err := table.print(m.w, "Events that may explain it", "When", "Event", "Beside")
	if s.UnlistedEvents > 0 {
		_, writing := fmt.Fprintf(m.w, "\n%s.\n", unlistedSaid(s.UnlistedEvents))
		err = errors.Join(err, writing)
	}
	return err
}

// keys is the table of the KMS keys that files are encrypted with.
func (m *markdownWriter) keys(keys []verify.KeyUse) error {
	table := rows{room: markdownKeys}
	for _, k := range keys {
		table.add(keyClass(k), sign(keyClass(k))+" "+codeText(k.State), code(k.ARN), codeText(aboutKey(k)))
	}
	return table.print(m.w, "KMS keys", "State", "Key", "Use")
}
