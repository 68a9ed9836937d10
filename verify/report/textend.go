package report

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/trailseal/trailseal/verify"
)

func (t *textWriter) End(s verify.Summary) error {
	t.rest("")
	if t.err != nil {
		return t.err
	}
	t.head(s)
	heading := "Files not kept"
	switch {
	case t.all:
		heading = "Files"
	case t.failed:
		heading = "Files not kept, or named by --fail-on"
	}
	err := errors.Join(
		t.chains.print(t.w, t.paint),
		t.section(heading, &t.files),
		t.unreadable(s.Keys),
		t.section("Time not covered", &t.gaps),
		t.keys(s.Keys),
		t.section("Findings", &t.others),
		t.events(s),
	)
	t.closing(s)
	return errors.Join(err, t.w.Flush())
}

// head says what was verified.
func (t *textWriter) head(s verify.Summary) {
	window := s.Window
	if window.IsZero() {
		window = t.header.Window
	}
	fmt.Fprintf(t.w, "trailseal %s  %s\n", CleanText(t.header.Version), CleanText(t.header.Source))
	if b := t.header.Bundle; b != nil {
		fmt.Fprintf(t.w, "bundle    %s\n", strings.TrimPrefix(bundleSaid(b), "evidence bundle, "))
	}
	switch {
	case window.IsZero():
		fmt.Fprint(t.w, "window    everything it holds\n")
	case window.End.After(t.header.Started):
		fmt.Fprintf(t.w, "window    %s, which is not over yet\n", between(window.Start, window.End))
	default:
		fmt.Fprintf(t.w, "window    %s\n", between(window.Start, window.End))
	}
}

// events prints the events that may explain what was found, each with what is
// beside it.
func (t *textWriter) events(s verify.Summary) error {
	these, others, more := explaining(s.Explained, maxRelated)
	if len(these) > 0 {
		fmt.Fprintf(t.w, "\n%s\n", t.paint.bold("Events that may explain it"))
	}
	for _, e := range these {
		fmt.Fprintf(t.w, "  %s\n%16sbeside: %s\n", eventSaid(e), "", t.names.beside(e))
	}
	if len(others) > 0 {
		fmt.Fprintf(t.w, "\n%s\n", t.paint.bold("Other events that touched the trail, its bucket or its keys"))
	}
	for _, e := range others {
		fmt.Fprintf(t.w, "  %s\n", eventSaid(e))
	}
	if n := s.UnlistedEvents + int64(more); n > 0 {
		fmt.Fprintf(t.w, "  %s\n", unlistedSaid(n))
	}
	return nil
}

// section prints a spool under a heading; an empty one not at all.
func (t *textWriter) section(heading string, s *spool) error {
	if s.empty() {
		return nil
	}
	fmt.Fprintf(t.w, "\n%s\n", t.paint.bold(heading))
	return s.copyTo(t.w)
}

func (t *textWriter) Close() error {
	return errors.Join(t.chains.rows.Close(), t.files.Close(), t.gaps.Close(), t.others.Close())
}

// between is a span of time, in UTC.
func between(start, end time.Time) string {
	return fmt.Sprintf("%s to %s (%s)", moment(start), moment(end), length(end.Sub(start)))
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
