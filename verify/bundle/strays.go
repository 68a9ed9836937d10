package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/trailseal/trailseal/verify"
)

// Bounds of the files of a directory that the manifest does not name and that are
// looked at, and of those of one content that are weighed against each other.
const (
	maxStrays  = 100_000
	maxChoices = 64
)

// strays are files of a directory that the manifest does not name: among them may
// be entries that were moved or renamed.
type strays struct {
	once  sync.Once
	err   error
	many  bool
	files map[string]bool    // their paths
	sized map[int64][]string // those of one size, in order

	mu    sync.Mutex
	like  map[string][]string // those of one content, in order; by its SHA-256
	moved map[string]string   // an entry's path and where it is; empty: nowhere
	taken map[string]bool     // contents that an entry which is not in its place has
}

// find looks for an entry that is not in its place by its size and its hash. What it
// finds does not depend on what was looked for before.
func (s *strays) find(r *Reader, e entry) (string, bool) {
	s.look(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if to, ok := s.moved[e.path]; ok {
		return to, to != ""
	}
	to := nearest(e.path, s.alike(r, e))
	s.moved[e.path] = to
	if to != "" {
		s.taken[e.sha256] = true
	}
	return to, to != ""
}

// alike are the strays with an entry's content. Each stray is read once at most.
func (s *strays) alike(r *Reader, e entry) []string {
	for _, p := range s.sized[e.size] {
		if sum := sumOf(r.root, p, e.size); sum != "" {
			s.like[sum] = append(s.like[sum], p)
		}
	}
	delete(s.sized, e.size)
	return s.like[e.sha256]
}

// nearest is the path that has most of its end in common with another.
func nearest(to string, paths []string) (best string) {
	most := -1
	for _, p := range paths[:min(len(paths), maxChoices)] {
		n := 0
		for n < min(len(p), len(to)) && p[len(p)-1-n] == to[len(to)-1-n] {
			n++
		}
		if n > most {
			best, most = p, n
		}
	}
	return best
}

// sumOf is the SHA-256 of a plain file that is of a size.
func sumOf(root *os.Root, name string, size int64) string {
	f, _, err := openRegular(root, name)
	if err != nil {
		return ""
	}
	defer f.Close()
	h := sha256.New()
	if n, err := io.Copy(h, io.LimitReader(f, size+1)); err != nil || n != size {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
}

// extra are the strays that no entry was found to be, in order.
func (s *strays) extra() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := map[string]bool{}
	for p := range s.files {
		left[p] = true
	}
	for sum := range s.taken {
		for _, p := range s.like[sum] {
			delete(left, p)
		}
	}
	all := make([]string, 0, len(left))
	for p := range left {
		all = append(all, p)
	}
	slices.Sort(all)
	return all
}

// look lists the files that the manifest does not name.
func (s *strays) look(r *Reader) {
	s.once.Do(func() {
		s.files, s.sized = map[string]bool{}, map[int64][]string{}
		s.like, s.moved, s.taken = map[string][]string{}, map[string]string{}, map[string]bool{}
		known, err := r.known()
		if err != nil {
			s.err = err
			return
		}
		s.err = fs.WalkDir(r.root.FS(), ".", func(p string, d fs.DirEntry, err error) error {
			switch {
			case p == workFolder && err == nil && d.IsDir():
				return fs.SkipDir // of the collection: what is left there after its end was interrupted
			case err != nil || d.IsDir() || known.has(p):
				return err
			case len(s.files) >= maxStrays:
				s.many = true
				return fs.SkipAll
			}
			s.files[p] = true
			if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
				s.sized[info.Size()] = append(s.sized[info.Size()], p)
			}
			return nil
		})
	})
}

// paths are the hashes of all paths that a manifest names, in order.
type paths struct {
	hashes []uint64
	fold   bool // the file system does not tell case apart
}

func (k *paths) add(p string) { k.hashes = append(k.hashes, pathHash(k.folded(p))) }

func (k *paths) folded(p string) string {
	if k.fold {
		return strings.ToLower(p)
	}
	return p
}

func (k *paths) has(p string) bool {
	_, ok := slices.BinarySearch(k.hashes, pathHash(k.folded(p)))
	return ok
}

// known are all paths that the manifest names.
func (r *Reader) known() (*paths, error) {
	k := &paths{fold: foldsCase(r.root)}
	for _, p := range []string{manifestPath, sumPath, footerPath} {
		k.add(p)
	}
	for _, f := range r.head.Files {
		k.add(f.Path)
	}
	for _, c := range r.head.Index {
		k.add(c.Path)
	}
	for n, err := range r.index.from(verify.Ref{}) {
		if err == nil && n.Path != "" {
			k.add(n.Path)
		} else if err != nil && !damaged(err) {
			return nil, err
		}
	}
	slices.Sort(k.hashes)
	return k, nil
}

// foldsCase reports whether a manifest is found under its name in capitals.
func foldsCase(root *os.Root) bool {
	a, err := root.Lstat(manifestPath)
	if err != nil {
		return false
	}
	b, err := root.Lstat(strings.ToUpper(manifestPath))
	return err == nil && os.SameFile(a, b)
}
