package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// A Reader reads a bundle. Everything in it is hostile input.
type Reader struct {
	head  Head
	seal  string
	form  form
	root  *os.Root // of a directory
	file  *os.File // of a bundle that is one file
	size  int64    // its bytes
	tail  int64    // of them from the manifest on
	sum   entry    // the manifest's hash
	index *index
	seen  seen
	lost  strays
}

// Is reports whether a path is a bundle, or a collection that was interrupted, as
// far as can be seen at once.
func Is(name string) bool {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		_, err := os.Stat(workOf(name))
		return err == nil && formOf(name) != formDirectory
	case info.Mode().IsRegular():
		return true
	case !info.IsDir():
		return false
	}
	if _, err := os.Stat(workOf(name)); err == nil {
		return true
	}
	f, err := os.Open(filepath.Join(name, manifestPath))
	if err != nil {
		return false
	}
	defer f.Close()
	start := make([]byte, 256)
	n, _ := io.ReadFull(f, start)
	return bytes.Contains(start[:n], []byte(`"schema": "trailseal.bundle/`))
}

// Open opens a bundle. It fails only where nothing can be said of what is in it:
// ErrNoBundle is wrapped where it is none, or none that is finished.
func Open(name string) (*Reader, error) {
	r := &Reader{}
	err := r.open(name)
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("%q: %w", name, err)
	}
	r.index = &index{chunks: r.head.Index, load: func(c Chunk) ([]byte, error) { return r.small(c.File, maxChunk) }}
	r.seen.bits = make([][]uint64, len(r.head.Index))
	return r, nil
}

func (r *Reader) open(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		if _, unfinished := os.Stat(workOf(name)); unfinished == nil {
			return errUnfinished
		}
		return err
	}
	var text []byte
	if info.IsDir() {
		text, err = r.openDirectory(name)
	} else if info.Mode().IsRegular() {
		text, err = r.openFile(name, info.Size())
	} else {
		err = ErrNoBundle
	}
	if err != nil {
		return err
	}
	r.seal = hashOf(text)
	r.sum.sha256 = hashOf(sumText(text))
	return r.parse(text)
}

var errUnfinished = fmt.Errorf("%w: its collection was interrupted: run the same trailseal collect again", ErrNoBundle)

func (r *Reader) openDirectory(name string) ([]byte, error) {
	var err error
	if r.root, err = os.OpenRoot(name); err != nil {
		return nil, err
	}
	r.sum = entry{path: sumPath, size: int64(len(sumText(nil)))}
	f, _, err := openRegular(r.root, manifestPath)
	if err != nil {
		if _, unfinished := r.root.Stat(workFolder); unfinished == nil {
			return nil, errUnfinished
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: there is no %s in it", ErrNoBundle, manifestPath)
		}
		return nil, err
	}
	defer f.Close()
	return readAll(f, maxHead)
}

func readAll(r io.Reader, most int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(text)) > most {
		err = errors.New("its manifest is too large")
	}
	return text, err
}

// openFile finds the manifest of a bundle that is one file by its end.
func (r *Reader) openFile(name string, size int64) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	r.file = f
	for _, form := range []form{formZstd, formTar} {
		at, like, ok, err := r.footer(form, size)
		if err != nil {
			return nil, err
		}
		if !ok || at.manifest.Offset < 0 || at.manifest.Length <= 0 || at.sum.Length <= 0 ||
			at.manifest.Offset+at.manifest.Length != at.sum.Offset || at.sum.Offset+at.sum.Length != size-like {
			continue
		}
		r.form, r.size, r.tail, r.sum = form, size, size-at.manifest.Offset, entry{path: sumPath, size: int64(len(sumText(nil))), at: &at.sum}
		return r.manifest(at.manifest)
	}
	return nil, fmt.Errorf("%w that is one file: one that was cut off or packed anew is to be unpacked (tar -xf), and the directory verified", ErrNoBundle)
}

// footer finds in a file's end where its manifest is.
func (r *Reader) footer(f form, size int64) (at footer, like int64, ok bool, err error) {
	any, err := ending(f, footer{})
	like = int64(len(any)) // whatever it says it is as long
	if err != nil || size < like {
		return at, like, false, err
	}
	end := make([]byte, like)
	if _, err := r.file.ReadAt(end, size-like); err != nil {
		return at, like, false, err
	}
	i := len(end) - footerSize
	if f == formTar {
		i = block
	}
	if at, ok = parseFooter(end[i : i+footerSize]); !ok {
		return at, like, false, nil
	}
	want, err := ending(f, at)
	return at, like, bytes.Equal(end, want), err
}

// manifest reads the manifest's entry, whose size nothing else tells.
func (r *Reader) manifest(at Extent) ([]byte, error) {
	if at.Length > maxHead {
		return nil, errors.New("its manifest is too large")
	}
	text := make([]byte, at.Length)
	if _, err := r.file.ReadAt(text, at.Offset); err != nil {
		return nil, err
	}
	if r.form == formZstd {
		d, err := headDecoder()
		if err != nil {
			return nil, err
		}
		defer d.Close()
		if text, err = d.DecodeAll(text, nil); err != nil {
			return nil, fmt.Errorf("its manifest is damaged: %w", err)
		}
	}
	return tarContent(text)
}

// Head is the manifest's head.
func (r *Reader) Head() Head { return r.head }

// Seal is the SHA-256 of the manifest, in lower-case hex.
func (r *Reader) Seal() string { return r.seal }

// Close closes the bundle.
func (r *Reader) Close() error {
	var errs []error
	if r.root != nil {
		errs = append(errs, r.root.Close())
	}
	if r.file != nil {
		errs = append(errs, r.file.Close())
	}
	return errors.Join(errs...)
}

// File gives a file of the bundle that is no object. One that the manifest does
// not name wraps fs.ErrNotExist.
func (r *Reader) File(path string, most int64) ([]byte, error) {
	i := slices.IndexFunc(r.head.Files, func(f File) bool { return f.Path == path })
	if i < 0 {
		return nil, fmt.Errorf("%q: %w", path, fs.ErrNotExist)
	}
	return r.small(r.head.Files[i], most)
}

// small reads a file whole.
func (r *Reader) small(f File, most int64) ([]byte, error) {
	if f.Size > most {
		return nil, fmt.Errorf("%q has %d bytes, which is too much", f.Path, f.Size)
	}
	b, err := r.body(f.entry(), nil)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", f.Path, err)
	}
	defer b.Close()
	text, err := io.ReadAll(b)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", f.Path, err)
	}
	return text, nil
}
