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

// elements reads the elements of each array that has events.
var elements = map[string]func([]byte) (saved, error){"files": asFile, "findings": asFinding, "chains": asChain}

// readJSON reads the members of a JSON report but for the arrays of events, of
// which it notes where they are.
func (s *Saved) readJSON() error {
	bound := &gauge{s.reader(0), maxElement}
	d := json.NewDecoder(bound)
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return orError(err, "it does not begin with an object")
	}
	members := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := t.(string)
		if members[name] {
			return fmt.Errorf("the member %.40q comes twice", name)
		}
		members[name] = true
		bound.left = maxElement
		if elements[name] != nil {
			s.arrays[name] = d.InputOffset()
			err = skip(d, bound)
		} else {
			err = s.member(d, bound, name)
		}
		if err != nil {
			return fmt.Errorf("%.40q: %w", name, err)
		}
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return orError(nil, "something follows the report")
	}
	for _, name := range []string{"schema", "started", "finished", "files", "chains", "findings", "summary", "verdict", "exit"} {
		if !members[name] {
			return fmt.Errorf("the member %q is missing", name)
		}
	}
	return nil
}

func orError(err error, text string) error {
	if err == nil {
		err = errors.New(text)
	}
	return err
}

// maxDepth bounds how deep a value may be: a report's own has five levels.
const maxDepth = 100

// A gauge bounds how much is read for one value.
type gauge struct {
	io.Reader
	left int
}

func (g *gauge) Read(p []byte) (int, error) {
	if g.left <= 0 {
		return 0, errors.New("one value is too large")
	}
	n, err := g.Reader.Read(p[:min(len(p), g.left)])
	g.left -= n
	return n, err
}

// skip passes over a value without holding it.
func skip(d *json.Decoder, bound *gauge) error {
	depth := 0
	for {
		bound.left = maxElement
		t, err := d.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > maxDepth {
				return errors.New("it is too deep")
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// member reads one member of the report. One that is not known is passed over.
func (s *Saved) member(d *json.Decoder, bound *gauge, name string) error {
	switch name {
	case "schema":
		var schema string
		if err := d.Decode(&schema); err != nil || schema != verify.Schema {
			return orError(err, fmt.Sprintf("it is of the schema %.60q, and not %s", schema, verify.Schema))
		}
		return nil
	case "tool":
		var tool toolForm
		err := d.Decode(&tool)
		s.Header.Version = tool.Version
		return err
	case "started":
		return d.Decode(&s.Header.Started)
	case "source":
		return d.Decode(&s.Header.Source)
	case "all":
		return d.Decode(&s.Header.All)
	case "window":
		var w windowForm
		err := d.Decode(&w)
		s.Summary.Window = w.window()
		if s.arrays["files"] == 0 { // it was known when the run began
			s.Header.Window = w.window()
		}
		return err
	case "bundle":
		return errors.Join(d.Decode(&s.Header.Bundle), checkBundle(s.Header.Bundle))
	case "keys":
		return decodeSmall(d, &s.Summary.Keys)
	case "explanations":
		return s.explanations(d, bound)
	case "unlistedEvents":
		return errors.Join(d.Decode(&s.Summary.UnlistedEvents), checkUnlisted(s.Summary.UnlistedEvents))
	case "finished":
		return d.Decode(&s.Summary.Finished)
	case "summary":
		return decodeSmall(d, &s.Summary)
	case "interrupted":
		return d.Decode(&s.Summary.Interrupted)
	case "verdict":
		return d.Decode(&s.Summary.Verdict)
	case "exit":
		return d.Decode(&s.Summary.Exit)
	}
	return skip(d, bound)
}

// decodeSmall reads a value that may hold many objects.
func decodeSmall(d *json.Decoder, v any) error {
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return err
	}
	if err := small(raw); err != nil {
		return err
	}
	return json.Unmarshal(raw, v)
}

func (w *windowForm) window() verify.Window {
	if w == nil {
		return verify.Window{}
	}
	return verify.Window{Start: deref(w.Start), End: deref(w.End)}
}

// arrayEvents reads the three arrays side by side, in the order of their
// elements' places. Reports of before there were places have files first.
func (s *Saved) arrayEvents() iter.Seq2[saved, error] {
	return func(yield func(saved, error) bool) {
		var heads [3]saved
		var next [3]func() (saved, error, bool)
		for i, name := range [3]string{"files", "findings", "chains"} {
			pull, stop := iter.Pull2(s.array(name))
			defer stop()
			next[i] = pull
		}
		live := [3]bool{}
		step := func(i int) error {
			var err error
			heads[i], err, live[i] = next[i]()
			return err
		}
		for i := range heads {
			if err := step(i); err != nil {
				yield(saved{}, err)
				return
			}
		}
		for {
			first := -1
			for i := range heads {
				if live[i] && (first < 0 || heads[i].seq() < heads[first].seq()) {
					first = i
				}
			}
			if first < 0 || !yield(heads[first], nil) {
				return
			}
			if err := step(first); err != nil {
				yield(saved{}, err)
				return
			}
		}
	}
}

// opens reads the colon after a member's name and the bracket of an array.
func opens(r *bufio.Reader) bool {
	want := ":["
	for want != "" {
		switch c, err := r.ReadByte(); {
		case err != nil:
			return false
		case c == want[0]:
			want = want[1:]
		case c != ' ' && c != '\n' && c != '\t' && c != '\r':
			return false
		}
	}
	return true
}

// array reads the elements of one array, one at a time.
func (s *Saved) array(name string) iter.Seq2[saved, error] {
	return func(yield func(saved, error) bool) {
		at := s.arrays[name]
		r := s.reader(at)
		if !opens(r) {
			yield(saved{}, fmt.Errorf("%q is no array", name))
			return
		}
		bound := &gauge{r, maxElement}
		d := json.NewDecoder(io.MultiReader(strings.NewReader("["), bound))
		if _, err := d.Token(); err != nil {
			yield(saved{}, err)
			return
		}
		for n := 0; d.More(); n++ {
			var raw json.RawMessage
			bound.left = maxElement
			err := d.Decode(&raw)
			var e saved
			if err == nil {
				e, err = elements[name](raw)
			}
			if err != nil {
				yield(saved{}, fmt.Errorf("%s[%d]: %w", name, n, err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}
