package bundle

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"strings"
	"sync"
	"syscall"

	"github.com/trailseal/trailseal/verify"
)

// seen remembers which entries were read whole and are what they must be, one bit each.
type seen struct {
	mu   sync.Mutex
	bits [][]uint64 // by chunk
}

func (s *seen) mark(chunk, at, count int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bits[chunk] == nil {
		s.bits[chunk] = make([]uint64, (count+63)/64)
	}
	s.bits[chunk][at/64] |= 1 << (at % 64)
}

func (s *seen) has(chunk, at int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bits[chunk] != nil && s.bits[chunk][at/64]&(1<<(at%64)) != 0
}

// Get is the record of an object. An error wraps ErrAltered where what the
// manifest says of it cannot be had.
func (r *Reader) Get(ref verify.Ref) (Record, bool, error) {
	n, ok, err := r.index.get(ref)
	return n.Record, ok, err
}

// List yields the records of a bucket in the order of their keys, from the first
// key greater than after, up to but not including until (empty: no bound). An
// error ends it.
func (r *Reader) List(bucket, after, until string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for n, err := range r.index.from(verify.Ref{Bucket: bucket, Key: after}) {
			switch {
			case err != nil:
				yield(Record{}, err)
				return
			case n.Ref.Bucket != bucket || until != "" && n.Ref.Key >= until:
				return
			case n.Older || after != "" && n.Ref.Key <= after:
			case !yield(n.Record, nil):
				return
			}
		}
	}
}

// Body opens the entry of a record. Its Read ends in io.EOF only where it is what
// was collected. Where a small one is not, its bytes come beside the error.
func (r *Reader) Body(rec Record) (Body, error) {
	n, ok, err := r.index.get(rec.Ref)
	if err != nil || !ok || n.Path != rec.Path {
		return r.body(rec.entry(), nil)
	}
	return r.bodyOf(n)
}

// bodyOf is Body of a record that was looked up. One that is read to its end and
// is what was collected is remembered as such.
func (r *Reader) bodyOf(n numberedRecord) (Body, error) {
	return r.body(n.entry(), func() { r.seen.mark(n.chunk, n.at, r.head.Index[n.chunk].Count) })
}

func (r *Reader) body(e entry, whole func()) (Body, error) {
	raw, err := r.raw(e)
	if err != nil {
		return nil, err
	}
	return checked(raw, e, whole)
}

// raw gives the bytes that are there.
func (r *Reader) raw(e entry) (io.ReadCloser, error) {
	if e.path == "" {
		return nil, fmt.Errorf("%w: it has no bytes", ErrAltered)
	}
	if r.file != nil {
		return openExtent(r.file, r.form, e)
	}
	f, size, err := openRegular(r.root, e.path)
	// Parts of the manifest are not looked for: to look, they must be known.
	if missing(err) && !strings.HasPrefix(e.path, manifestFolder) {
		if path, ok := r.lost.find(r, e); ok {
			f, size, err = openRegular(r.root, path)
		}
	}
	switch {
	case missing(err):
		return nil, fmt.Errorf("%w: it is missing: %w", ErrAltered, err)
	case errors.Is(err, errNotRegular), err != nil && strings.Contains(err.Error(), "escapes"):
		return nil, fmt.Errorf("%w: %w", ErrAltered, err)
	case err != nil:
		return nil, err
	case size > e.size && e.size > wholeBytes:
		f.Close()
		return nil, fmt.Errorf("%w: it has %d bytes and not %d", ErrAltered, size, e.size)
	}
	return f, nil
}

// missing reports whether an error says that there is nothing at a path, also
// because a part of it is no folder.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

var errNotRegular = errors.New("it is not a regular file")

// openRegular opens a plain file and never waits. A link, even to a plain file in
// the bundle, is none: no writer makes one.
func openRegular(root *os.Root, name string) (*os.File, int64, error) {
	info, err := root.Lstat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		return nil, 0, err
	}
	f, err := root.OpenFile(name, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, 0, err
	}
	if info, err = f.Stat(); err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}
