package bundle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// resume reads what was taken before. Only what is whole counts. Of a directory it
// tells the paths that are known.
func (w *Writer) resume(ctx context.Context, before *pastJournal, known *paths) error {
	s := w.sorter()
	defer s.close()
	for text, err := range before.lines() {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if a, ok := parseAside(text); ok {
			if err := w.drop(a.Path, a.At); err != nil {
				return err
			}
			w.count++
			continue
		}
		w.count++
		r, err := parseRecord(text)
		if err != nil {
			return err
		}
		if r.Path == "" {
			continue
		}
		w.crowd.meet(r.Path)
		if r.At == nil {
			known.add(r.Path)
		}
		if !w.whole(r.entry()) {
			if w.torn == nil {
				w.torn = map[string]bool{}
			}
			w.torn[r.Path] = true
			if err := w.drop(r.Path, r.At); err != nil {
				return err
			}
			continue
		}
		w.taken++
		w.bytes += r.Size
		if err := s.add(text); err != nil {
			return err
		}
	}
	slices.Sort(known.hashes)
	return w.indexTaken(s)
}

// drop forgets an entry.
func (w *Writer) drop(path string, at *Extent) error {
	if at == nil {
		return w.vault.remove(path)
	}
	if n := len(w.void); n > 0 && w.void[n-1].Offset+w.void[n-1].Length == at.Offset {
		w.void[n-1].Length += at.Length
	} else {
		w.void = append(w.void, *at)
	}
	return nil
}

// indexTaken makes what was taken before possible to look up.
func (w *Writer) indexTaken(s *sorter) error {
	folder := filepath.Join(w.work, "taken")
	if err := errors.Join(os.RemoveAll(folder), os.Mkdir(folder, 0o700)); err != nil {
		return err
	}
	w.old = &index{load: func(c Chunk) ([]byte, error) { return os.ReadFile(filepath.Join(folder, c.Path)) }}
	c := chunker{take: func(n int, c Chunk, text []byte) error {
		c.Path, c.Size = fmt.Sprint(n), int64(len(text))
		w.old.chunks = append(w.old.chunks, c)
		return os.WriteFile(filepath.Join(folder, c.Path), text, 0o600)
	}}
	for l, err := range s.folded(0) {
		if err == nil {
			err = c.add(l.ref, l.text)
		}
		if err != nil {
			return err
		}
	}
	return c.flush()
}

// whole reports whether an entry is there as it was noted.
func (w *Writer) whole(e entry) bool {
	r, err := w.vault.open(e)
	if err != nil {
		return false
	}
	defer r.Close()
	h := sha256.New()
	n, err := io.Copy(h, r)
	return err == nil && n == e.size && hex.EncodeToString(h.Sum(nil)) == e.sha256
}

func (w *Writer) sorter() *sorter {
	return &sorter{temp: func() (*os.File, error) { return os.CreateTemp(w.work, "sort-*") }}
}
