package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/trailseal/trailseal/verify/report"
)

// reportOptions are the flags about where reports go, and in which form.
type reportOptions struct {
	format string
	output string
	more   []string // FORMAT=FILE
	color  string
}

func (r *reportOptions) flags(f flagSet) {
	f.StringVar(&r.format, "format", "text", formatHelp())
	f.StringVarP(&r.output, "output", "o", "", "write the report to this `file`, whole or not at all")
	f.StringArrayVar(&r.more, "report", nil, "one more report, as `FORMAT=FILE` (repeatable), beside the other")
}

// check refuses what makes no sense, before anything is opened.
func (r *reportOptions) check() error {
	if err := oneOf("--format", r.format, report.Formats()...); err != nil {
		return err
	}
	files := map[string]string{}
	if r.output != "" && r.output != "-" {
		files[placeOf(r.output)] = "--output"
	}
	for _, text := range r.more {
		format, file, ok := strings.Cut(text, "=")
		if !ok || file == "" {
			return usagef("--report %q: give it as FORMAT=FILE", text)
		}
		if err := oneOf("--report", format, report.Formats()...); err != nil {
			return err
		}
		if file == "-" {
			return usagef("--report %q: standard output is for --format", text)
		}
		place := placeOf(file)
		if other := files[place]; other != "" && file != os.DevNull {
			return usagef("--report %q: %s goes to the same file", text, other)
		}
		files[place] = "--report " + text
	}
	return nil
}

// placeOf is where a file is or will be, whatever it is called: links are
// followed, also one that leads to nothing yet.
func placeOf(name string) string {
	for range 40 {
		to, err := os.Readlink(name)
		if err != nil {
			break
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(name), to)
		}
		name = to
	}
	dir, err := filepath.Abs(filepath.Dir(name))
	if err == nil {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			dir = real
		}
	}
	return filepath.Join(dir, filepath.Base(name))
}

// reports are a run's reports, each in its place only when all are whole.
type reports struct {
	report.Writer
	main    *output
	outputs []*output
}

// open makes all writers, the one for --output or standard output first.
func (r *reportOptions) open(stdout io.Writer, all bool) (*reports, error) {
	rs := &reports{}
	var writers []report.Writer
	add := func(format, file string, stdout io.Writer) error {
		out, err := openOutput(file, stdout)
		if err != nil {
			return err
		}
		rs.outputs = append(rs.outputs, out)
		w, err := report.New(format, out, report.Options{Color: useColor(r.color, out.terminal(), os.Getenv), All: all})
		if err == nil {
			writers = append(writers, w)
		}
		return err
	}
	err := add(r.format, r.output, stdout)
	for _, text := range r.more {
		if err != nil {
			break
		}
		format, file, _ := strings.Cut(text, "=")
		err = add(format, file, nil)
	}
	rs.Writer = report.Tee(writers...)
	if err != nil {
		rs.Discard()
		return nil, err
	}
	rs.main = rs.outputs[0]
	return rs, nil
}

// Commit puts every report in its place.
func (r *reports) Commit() error {
	var err error
	for _, out := range r.outputs {
		err = errors.Join(err, out.Commit())
	}
	return err
}

// Discard drops what was not committed.
func (r *reports) Discard() {
	_ = r.Writer.Close()
	for _, out := range r.outputs {
		out.Discard()
	}
}

// places names the files that the reports are in, for people.
func (r *reports) places() string {
	var names []string
	for _, out := range r.outputs {
		if out.name != "" {
			names = append(names, report.CleanText(out.name))
		}
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return "the report is in " + names[0]
	}
	return fmt.Sprintf("reports are in %s and %s", strings.Join(names[:len(names)-1], ", "), names[len(names)-1])
}
