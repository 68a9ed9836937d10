package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// An output is where the report goes. Commit makes it final; without it,
// Discard leaves nothing behind.
type output struct {
	io.Writer
	file *os.File // nil: a stream that is not ours
	name string   // where the file is renamed to; empty: it is written in place
	done bool
}

// openOutput opens --output FILE. A regular file is written beside its place
// and renamed in the end, so that a reader sees all of a report or none. What
// is there and is no regular file (a pipe, /dev/null) is written as it is.
func openOutput(name string, stdout io.Writer) (*output, error) {
	return openOutputMode(name, stdout, 0o666)
}

// openOutputMode is openOutput for a file that has these permissions when it is new.
func openOutputMode(name string, stdout io.Writer, mode fs.FileMode) (*output, error) {
	if name == "" || name == "-" {
		return &output{Writer: stdout}, nil
	}
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		return nil, usagef("--output %q is a directory", name)
	case err == nil && !info.Mode().IsRegular():
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return nil, fmt.Errorf("opening --output: %w", err)
		}
		return &output{Writer: f, file: f}, nil
	case err == nil:
		mode = info.Mode().Perm()
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("opening --output: %w", err)
	}
	beside := filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+"."+rand.Text()[:8]+".tmp")
	f, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return nil, fmt.Errorf("creating --output: %w", err)
	}
	return &output{Writer: f, file: f, name: name}, nil
}

// Commit puts the whole report in its place.
func (o *output) Commit() error {
	if o.file == nil || o.done {
		return nil
	}
	o.done = true
	if o.name == "" {
		return o.file.Close()
	}
	err := o.file.Sync()
	if closeErr := o.file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(o.file.Name(), o.name)
	}
	if err != nil {
		_ = os.Remove(o.file.Name())
		return fmt.Errorf("writing --output: %w", err)
	}
	syncDir(filepath.Dir(o.name))
	return nil
}

// Discard drops what was written, unless it was committed.
func (o *output) Discard() {
	if o.file == nil || o.done {
		return
	}
	o.done = true
	_ = o.file.Close()
	if o.name != "" {
		_ = os.Remove(o.file.Name())
	}
}

// syncDir makes a rename last through a loss of power, where the system knows
// how. The report is in its place either way.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
