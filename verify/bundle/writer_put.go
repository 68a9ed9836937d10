package bundle

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// Put takes an object's bytes, whole or not at all. The record's Path, Size and
// SHA256 are filled in. An error of the body's is returned as it is; after any other
// the bundle cannot be finished any more.
func (w *Writer) Put(r Record, body io.Reader) (Record, error) {
	if err := w.failed(nil); err != nil {
		return r, err
	}
	spool, size, sum, err := w.measure(body)
	if err != nil {
		return r, err
	}
	defer spool.Close()
	r.Path, r.Size, r.SHA256 = w.path(r.Ref), size, sum
	if r.long() {
		r.At = &Extent{1 << 62, 1 << 62}
		if _, err := formatRecord(r); err != nil { // before its bytes are there
			return r, err
		}
		r.At = nil
	}
	err = w.vault.put(r.Path, size, spool, func(at *Extent) error {
		r.At = at
		return w.note(r)
	})
	if err != nil {
		return r, w.failed(err)
	}
	w.mu.Lock()
	w.bytes += size
	w.mu.Unlock()
	return r, w.save(size)
}

// failed remembers that a part could not be written, and gives the first such error.
func (w *Writer) failed(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken == nil && err != nil {
		w.broken = err
	}
	return w.broken
}

// path is a path that no other object has.
func (w *Writer) path(ref verify.Ref) string {
	p := pathOf(ref)
	w.mu.Lock()
	defer w.mu.Unlock()
	for base := p; w.crowd != nil && w.crowd.meet(p); {
		w.journal.numbers++
		p = numbered(base, w.journal.numbers)
	}
	return p
}

// Note records what is known of an object, without bytes.
func (w *Writer) Note(r Record) error {
	r.Path, r.At, r.SHA256, r.Size = "", nil, "", 0
	if err := w.note(r); err != nil {
		return err
	}
	return w.save(0)
}

func (w *Writer) note(r Record) error {
	text, err := formatRecord(r)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.journal.add(text)
	return nil
}

// File takes an entry that is no object, at most one a path.
func (w *Writer) File(path string, data []byte) error {
	if !ordinary(path) {
		return fmt.Errorf("%q cannot be the path of a file in a bundle", path)
	}
	if err := w.failed(nil); err != nil {
		return err
	}
	w.mu.Lock()
	twice := slices.ContainsFunc(w.files, func(f File) bool { return strings.EqualFold(f.Path, path) })
	w.mu.Unlock()
	if twice {
		return fmt.Errorf("the file %q is in the bundle already", path)
	}
	f, err := w.put(path, data, func(at *Extent) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.journal.add(formatAside(path, at))
		return nil
	})
	if err == nil {
		err = w.flush()
	}
	if err != nil {
		return w.failed(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.files = append(w.files, f)
	return nil
}

// put takes a part of the manifest, or a file.
func (w *Writer) put(path string, data []byte, noted func(*Extent) error) (File, error) {
	f := File{Path: path, Size: int64(len(data)), SHA256: hashOf(data)}
	err := w.vault.put(path, f.Size, bytes.NewReader(data), func(at *Extent) error { f.At = at; return noted(at) })
	return f, err
}
