package bundle

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Commit writes the manifest and makes the bundle final. It fills in what the head
// says of the bundle itself, and gives the seal.
func (w *Writer) Commit(head Head) (seal string, err error) {
	if err := w.failed(nil); err != nil {
		return "", fmt.Errorf("a part of the bundle could not be written: %w", err)
	}
	if err := errors.Join(w.flush(), w.journal.file.Close()); err != nil {
		return "", err
	}
	head.Schema, head.Records, head.Bytes, head.Index, head.Void = Schema, 0, 0, []Chunk{}, w.void
	head.Files = slices.SortedFunc(slices.Values(w.files), func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	if head.Files == nil {
		head.Files = []File{}
	}
	w.mu.Lock()
	w.crowd = nil // up to 8 MiB: no more paths are asked for
	w.mu.Unlock()
	onDisk := w.vault.ahead()
	err = w.writeIndex(&head)
	if err := errors.Join(err, onDisk()); err != nil {
		return "", err
	}
	text, err := json.MarshalIndent(head, "", " ")
	if err != nil {
		return "", err
	}
	if len(text) > maxHead {
		return "", errors.New("the manifest is too large")
	}
	if err := w.vault.end(text); err != nil {
		return "", err
	}
	w.done = true
	if err := w.sweep(); err != nil {
		return "", fmt.Errorf("the bundle is whole, and what is left of the work could not be removed: %w", err)
	}
	return hashOf(text), nil
}

// sweep removes what is left of the work. The lock goes last, so that nobody goes on
// with what is finished.
func (w *Writer) sweep() error {
	left, err := os.ReadDir(w.work)
	for _, e := range left {
		if e.Name() != lockName {
			err = errors.Join(err, os.RemoveAll(filepath.Join(w.work, e.Name())))
		}
	}
	return errors.Join(err, w.vault.close(), w.lock.Close(), os.RemoveAll(w.work))
}

// writeIndex sorts what was noted and writes it down in chunks.
func (w *Writer) writeIndex(head *Head) error {
	s := w.sorter()
	defer s.close()
	past, err := ownJournal(filepath.Join(w.work, journalName))
	if err != nil {
		return err
	}
	for text, err := range past.lines() {
		if _, ok := parseAside(text); ok {
			s.seq++ // a line of the journal all the same
			continue
		}
		if err == nil {
			text, err = w.without(text)
		}
		if err == nil {
			err = s.add(text)
		}
		if err != nil {
			return err
		}
	}
	c := chunker{take: func(n int, c Chunk, text []byte) error {
		f, err := w.put(chunkPath(n), text, func(*Extent) error { return nil })
		c.File = f
		head.Index = append(head.Index, c)
		return err
	}}
	head.Bytes = w.Bytes()
	for l, err := range s.folded(w.count) {
		if err == nil {
			head.Records++
			err = c.add(l.ref, l.text)
		}
		if err != nil {
			return err
		}
	}
	return c.flush()
}

// without is a record as it is noted where its entry was found torn: there is none.
func (w *Writer) without(text []byte) ([]byte, error) {
	if len(w.torn) == 0 {
		return text, nil
	}
	r, err := parseRecord(text)
	if err != nil || !w.torn[r.Path] {
		return text, err
	}
	r.Path, r.At, r.Size, r.SHA256, r.Object = "", nil, 0, "", nil
	return formatRecord(r)
}

// Close leaves an unfinished collection to be gone on with.
func (w *Writer) Close() error {
	if w.done {
		return nil
	}
	w.done = true
	var errs []error
	if w.journal != nil {
		errs = append(errs, w.flush())
		if err := w.journal.file.Close(); !errors.Is(err, os.ErrClosed) { // a Commit that failed has closed it
			errs = append(errs, err)
		}
	}
	if w.vault != nil {
		errs = append(errs, w.vault.close())
	}
	return errors.Join(append(errs, w.lock.Close())...)
}
