package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

const (
	configName    = "trailseal.yaml"
	mostConfig    = 1 << 20 // bytes of a configuration file
	mostTrails    = 1000
	mostValues    = 10_000 // of one list
	mostMistakes  = 50
	sourceSetting = "source" // what verify takes as its argument
)

// A place is a line and a column, counted from 1.
type place struct{ line, column int }

func (p place) less(q place) bool {
	return p.line < q.line || p.line == q.line && p.column < q.column
}

// A value is what one source says of a setting.
type value struct {
	texts  []string
	places []place // of the texts, in a file
	key    place   // of its name, in a file
	from   origin
}

// An origin is who says so: the kind, and the flag, variable or file.
type origin struct{ kind, name string }

// The kinds of origin; each wins over those after it.
const (
	fromFlag    = "flag"
	fromEnv     = "environment"
	fromFile    = "file"
	fromDefault = "default"
)

// A section is the defaults of a file, or one of its trails.
type section struct {
	name   string
	at     place
	values map[string]value
}

// A configFile is a file that was read and found to be in order.
type configFile struct {
	path      string
	implicit  bool // nobody named it: it was there
	top       section
	hasTrails bool
	trails    []section
}

// A mistake is what is wrong at one place of a file.
type mistake struct {
	at   place
	text string
}

// mistakes are all that is wrong with a file, a line each.
type mistakes struct {
	path string
	all  []mistake
}

func (m *mistakes) add(at place, format string, args ...any) {
	one := mistake{place{max(at.line, 1), max(at.column, 1)}, fmt.Sprintf(format, args...)}
	if !m.full() && !slices.Contains(m.all, one) {
		m.all = append(m.all, one)
	}
}

// full reports whether no more mistakes are collected.
func (m *mistakes) full() bool { return len(m.all) >= 10*mostMistakes }

// err is nil where nothing is wrong.
func (m *mistakes) err() error {
	if len(m.all) == 0 {
		return nil
	}
	slices.SortStableFunc(m.all, func(a, b mistake) int {
		if a.at.less(b.at) {
			return -1
		}
		if b.at.less(a.at) {
			return 1
		}
		return 0
	})
	return m
}

func (m *mistakes) Error() string {
	var lines []string
	if len(m.all) > 1 {
		count := fmt.Sprint(len(m.all))
		if m.full() {
			count += " or more"
		}
		lines = append(lines, count+" mistakes in "+m.path)
	}
	for i, one := range m.all {
		if i == mostMistakes {
			lines = append(lines, "and more")
			break
		}
		lines = append(lines, fmt.Sprintf("%s:%d:%d: %s", m.path, one.at.line, one.at.column, one.text))
	}
	return strings.Join(lines, "\n")
}

// loadConfig reads a file in which nothing is wrong.
func loadConfig(path string, known []setting) (*configFile, error) {
	text, err := readConfig(path)
	if err != nil {
		return nil, err
	}
	file, wrong := parseConfig(path, text, known)
	return file, wrong.err()
}

func readConfig(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, usagef("there is no configuration file %q", path)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the configuration: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, mostConfig+1))
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	if len(text) > mostConfig {
		return nil, usagef("the configuration file %q is larger than %d MiB", path, mostConfig>>20)
	}
	return text, nil
}

// parseConfig reads a configuration, and says all that is wrong with it.
// Whether the values make sense is another question, which a planner's check
// asks.
func parseConfig(path string, text []byte, known []setting) (*configFile, *mistakes) {
	p := configParser{known: map[string]setting{}, wrong: &mistakes{path: path}}
	for _, s := range known {
		p.known[s.name] = s
		p.names = append(p.names, s.name)
	}
	p.names = append(p.names, sourceSetting)
	p.known[sourceSetting] = setting{name: sourceSetting, kind: "string"}
	file := &configFile{path: path, top: section{at: place{1, 1}}}
	if root := p.document(text); root != nil {
		p.file(root, file)
	}
	return file, p.wrong
}
