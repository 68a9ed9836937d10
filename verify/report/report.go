// Package report writes a run's results down, one writer a format.
//
// Every writer is a [verify.Sink]: it is told the results as they come, in
// chain order, and writes what it makes of them. No writer decides a verdict,
// a class or the exit status; it only prints the ones it is given.
//
// A run may name a million files that are not kept, so no writer holds them:
// what has to be printed later than it comes waits in a spool, which moves to
// an unlinked temporary file when it grows.
//
// # Names
//
// Names of objects are hostile input. Text shows each rune that does not
// print, or that changes how its neighbours are shown, as an escape (\x1b,
// \u202e), a backslash as two, and a byte that is not UTF-8 as \xNN, so that
// different names look different (see [Clean]).
//
// JSON keeps names as they are, in valid JSON: what does not print is escaped
// as JSON does (\u202e), which a reader undoes. A byte that is not UTF-8 has
// no form in JSON and becomes %NN; S3 has no such names, a directory may.
//
// # JSON
//
// One object, schema trailseal.report/v1, with one line a file, a chain and a
// finding. The order of its members is not part of the schema: what is known
// only at the end follows the files. "window" is absent when there was none:
// no window was asked for and nothing was found that has a time. "interrupted"
// is there only when it is true.
package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// Options are what a writer may need to know about where it writes.
type Options struct {
	Color   bool   // text: ANSI colours
	All     bool   // text: list every file, however many are alike
	TempDir string // of the spools; empty: the system's

	ASFFAccount, ASFFRegion string // asff: where all findings are imported; empty: where the chains are
}

// A Writer is a sink that may hold temporary files. Close it when the run is
// over, also after an error.
type Writer interface {
	verify.Sink
	io.Closer
}

// A format is one way to write a report down. A writer that needs no more than
// this is added by a line in formats.
type format struct {
	name string
	new  func(io.Writer, Options) Writer
}

var formats = []format{
	{"text", func(w io.Writer, o Options) Writer { return newText(w, o) }},
	{"json", func(w io.Writer, o Options) Writer { return newJSON(w, o) }},
	{"ndjson", func(w io.Writer, o Options) Writer { return newNDJSON(w) }},
	{"html", func(w io.Writer, o Options) Writer { return newHTML(w, o) }},
	{"markdown", func(w io.Writer, o Options) Writer { return newMarkdown(w) }},
	{"junit", func(w io.Writer, o Options) Writer { return newJUnit(w, o) }},
	{"sarif", func(w io.Writer, o Options) Writer { return newSARIF(w, o) }},
	{"csv", func(w io.Writer, o Options) Writer { return newCSV(w, o) }},
	{"ocsf", func(w io.Writer, o Options) Writer { return newOCSF(w) }},
	{"asff", func(w io.Writer, o Options) Writer { return newASFF(w, o) }},
	{"openmetrics", func(w io.Writer, o Options) Writer { return newOpenMetrics(w) }},
}

// Formats lists the formats that New knows.
func Formats() []string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

// New is the writer of a format. It writes to w and never closes it.
func New(name string, w io.Writer, o Options) (Writer, error) {
	for _, f := range formats {
		if f.name == name {
			return normal{f.new(w, o)}, nil
		}
	}
	return nil, fmt.Errorf("no report format %q: want %s", name, strings.Join(Formats(), ", "))
}
