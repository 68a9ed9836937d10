package report

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// lines are the events of an NDJSON report as they stand, with their kinds.
func (s *Saved) rawLines() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		scan := bufio.NewScanner(io.NewSectionReader(s.r, 0, s.size))
		scan.Buffer(make([]byte, 64<<10), maxLine)
		for scan.Scan() {
			if line := scan.Bytes(); len(strings.TrimSpace(string(line))) > 0 && !yield(line, nil) {
				return
			}
		}
		if err := scan.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// readLines reads the first and the last line, between which all others are
// events.
func (s *Saved) readLines() error {
	n, ended := 0, false
	for line, err := range s.rawLines() {
		var name eventName
		if err == nil {
			err = json.Unmarshal(line, &name)
		}
		switch n++; {
		case err != nil:
		case ended:
			err = errors.New("something follows the end")
		case (n == 1) != (name.Event == "start"):
			err = fmt.Errorf("the event %.20q is out of its place", name.Event)
		case name.Event == "start":
			err = s.start(line)
		case name.Event == "end":
			ended, err = true, s.end(line)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	if !ended {
		return errors.New("it has no end: the run was cut off")
	}
	return nil
}

func (s *Saved) start(line []byte) error {
	var f startForm
	if err := json.Unmarshal(line, &f); err != nil {
		return err
	}
	if f.Schema != verify.Schema {
		return fmt.Errorf("it is of the schema %.60q, and not %s", f.Schema, verify.Schema)
	}
	s.Header = verify.Header{Version: f.Tool.Version, Started: deref(f.Started), Source: f.Source, Bundle: f.Bundle, Window: f.Window.window(), All: f.All}
	return checkBundle(f.Bundle)
}

func (s *Saved) end(line []byte) error {
	var f endForm
	if err := small(line); err != nil {
		return err
	}
	err := json.Unmarshal(line, &f)
	s.Summary = f.Summary
	s.Summary.Window, s.Summary.Finished, s.Summary.Keys = f.Window.window(), deref(f.Finished), f.Keys
	s.Summary.Explained, s.Summary.UnlistedEvents = f.Explained, f.Unlisted
	s.Summary.Interrupted, s.Summary.Verdict, s.Summary.Exit = f.Interrupted, f.Verdict, f.Exit
	return errors.Join(err, checkExplanations(f.Explained), checkUnlisted(f.Unlisted))
}

// lineEvents are the events between the first line and the last.
func (s *Saved) lineEvents() iter.Seq2[saved, error] {
	kinds := map[string]func([]byte) (saved, error){"file": asFile, "finding": asFinding, "chain": asChain}
	return func(yield func(saved, error) bool) {
		n := 0
		for line, err := range s.rawLines() {
			n++
			var name eventName
			if err == nil {
				err = json.Unmarshal(line, &name)
			}
			var e saved
			switch as := kinds[name.Event]; {
			case err != nil:
			case name.Event == "start", name.Event == "end":
				continue
			case as == nil:
				err = fmt.Errorf("the event %.20q is not known to this version", name.Event)
			default:
				e, err = as(line)
			}
			if err != nil {
				yield(saved{}, fmt.Errorf("line %d: %w", n, err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}
