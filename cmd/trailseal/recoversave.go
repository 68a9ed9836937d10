package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/bundle"
)

// A saver writes recovered originals into a new directory. Nothing leads out of
// it, and nothing is written over.
type saver struct {
	dir  string
	root *os.Root
}

func newSaver(dir string) (*saver, error) {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	found, err := os.ReadDir(dir)
	if err != nil {
		return nil, usagef("--to %q: %w", dir, err)
	}
	if len(found) > 0 {
		return nil, usagef("--to %q is not empty", dir).hint("give a directory that is not there yet: what is there is never written over")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &saver{dir, root}, nil
}

func (s *saver) Close() error { return s.root.Close() }

// save writes a version as it is stored, or as what a client had sealed opens to,
// with its metadata beside it. A version that cannot be read again is a problem of
// that file; a disk that cannot be written to ends the run.
func (s *saver) save(ctx context.Context, store verify.Versioned, f verify.File, r *verify.Recover) error {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(f.URI, "s3://"), "/")
	ref := verify.Ref{Bucket: bucket, Key: key}
	name := bundle.PathOf(ref)
	if err := s.root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return err
	}
	if _, err := s.root.Lstat(name); err == nil {
		r.Problem = "it was not saved: another file with that name is there"
		return nil
	}
	temp := path.Join(path.Dir(name), ".saving")
	var disk error
	err := store.ReadVersion(ctx, ref, r.Version, func(o verify.Object) error {
		if o.Altered != nil {
			return errors.New("it is not what it was a moment ago")
		}
		var read error
		read, disk = s.write(temp, o.Body)
		if disk == nil && read == nil && len(o.Metadata) > 0 {
			disk = s.side(name+".metadata.json", o.Metadata)
		}
		return errors.Join(read, disk)
	})
	if disk != nil {
		return fmt.Errorf("saving what was recovered: %w", disk)
	}
	if err != nil {
		s.root.Remove(temp)
		r.Problem = "it could not be saved: " + err.Error()
		return nil
	}
	if err := s.root.Rename(temp, name); err != nil {
		return fmt.Errorf("saving what was recovered: %w", err)
	}
	r.Saved = path.Join(s.dir, name)
	return nil
}

// write tells what went wrong with reading from what went wrong with writing.
func (s *saver) write(name string, body io.Reader) (read, disk error) {
	f, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	w := &diskWriter{w: f}
	_, err = io.Copy(w, body)
	disk = errors.Join(w.err, f.Close())
	if w.err == nil {
		read = err
	}
	return read, disk
}

type diskWriter struct {
	w   io.Writer
	err error
}

func (d *diskWriter) Write(p []byte) (int, error) {
	n, err := d.w.Write(p)
	d.err = errors.Join(d.err, err)
	return n, err
}

func (s *saver) side(name string, metadata map[string]string) error {
	text, err := json.Marshal(metadata)
	if err != nil {
		return err
	}
	return s.root.WriteFile(name, text, 0o600)
}
