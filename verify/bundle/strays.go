package bundle

import (
	"errors"
	"io/fs"
	"sync"
)

// maxStrays bounds the files of a directory that the manifest does not name and
// that are looked at.
const maxStrays = 100_000

// strays are files of a directory that the manifest does not name: among them may
// be entries that were moved or renamed.
type strays struct {
	once  sync.Once
	err   error
	many  bool
	files map[string]int64 // their sizes

	mu    sync.Mutex
	moved map[string]string // an entry's path and where it is
}

// find looks for an entry that is not in its place by its size and its hash.
func (s *strays) find(r *Reader, e entry) (string, bool) {
	s.look(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if to, ok := s.moved[e.path]; ok {
		return to, to != ""
	}
	if s.moved == nil {
		s.moved = map[string]string{}
	}
	s.moved[e.path] = ""
	for path, size := range s.files {
		if size != e.size {
			continue
		}
		at := e
		at.path = path
		if whole(r, at) {
			s.moved[e.path] = path
			delete(s.files, path)
			return path, true
		}
	}
	return "", false
}

// whole reports whether a file is what an entry must be.
func whole(r *Reader, e entry) bool {
	f, _, err := openRegular(r.root, e.path)
	if err != nil {
		return false
	}
	b, err := checked(f, e, nil)
	return err == nil && drain(b) == nil
}

// look lists the files that the manifest does not name.
func (s *strays) look(r *Reader) {
	s.once.Do(func() {
		s.files = map[string]int64{}
		known, err := r.known()
		if err != nil {
			s.err = err
			return
		}
		s.err = fs.WalkDir(r.root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || known[pathHash(path)] {
				return err
			}
			if len(s.files) >= maxStrays {
				s.many = true
				return fs.SkipAll
			}
			size := int64(-1)
			if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
				size = info.Size()
			}
			s.files[path] = size
			return nil
		})
		if errors.Is(s.err, fs.SkipAll) {
			s.err = nil
		}
	})
}
