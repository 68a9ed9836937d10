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

// save writes a version as it is stored, with its metadata beside it, and what it was
// sealed with where that is in a file of its own. A version that cannot be read again is a problem of
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
	if err := s.instruction(ctx, store, ref, name); err != nil {
		r.Problem = "its instruction file could not be saved: " + err.Error()
	}
	return nil
}

// instruction saves the instruction file of an object that is not gzip, where there
// is or was one: without it the original does not open.
func (s *saver) instruction(ctx context.Context, store verify.Versioned, ref verify.Ref, name string) error {
	if f, err := s.root.Open(name); err != nil {
		return err
	} else {
		var head [2]byte
		n, _ := io.ReadFull(f, head[:])
		if f.Close(); n == 2 && head == [2]byte{0x1f, 0x8b} {
			return nil
		}
	}
	ref.Key += ".instruction"
	versions, _, err := store.Versions(ctx, ref, 100)
	if err != nil {
		return err
	}
	for _, v := range versions {
		if v.Marker {
			continue
		}
		var text []byte
		err := store.ReadVersion(ctx, ref, v.ID, func(o verify.Object) (err error) {
			text, err = io.ReadAll(io.LimitReader(o.Body, 64<<10))
			return err
		})
		if err != nil {
			return err
		}
		return s.root.WriteFile(name+".instruction", text, 0o600)
	}
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
