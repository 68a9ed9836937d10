package bundle

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// A vault takes the entries of a bundle that is being written. All but end may be
// called from many goroutines.
type vault interface {
	// put takes an entry. noted is called once its bytes are written, or will be
	// before flush returns: what is not noted is not there.
	put(path string, size int64, body io.Reader, noted func(*Extent) error) error
	// flush writes what put holds back. Only then may what was noted be written down.
	flush() error
	open(e entry) (io.ReadCloser, error)
	// remove and settle are of what is gone on with: an entry that is not whole, and,
	// once, all that is not known or is void.
	remove(path string) error
	settle(known *paths, void []Extent) error
	// ahead begins to bring to the disk what is there, while what follows is prepared.
	// An error of it is said but once.
	ahead() (wait func() error)
	// end makes the bundle whole, with its manifest.
	end(manifest []byte) error
	close() error
}

// An entry is a part of a bundle: where it is, and what it must be.
type entry struct {
	path   string
	size   int64
	sha256 string
	at     *Extent
}

func (r Record) entry() entry { return entry{r.Path, r.Size, r.SHA256, r.At} }
func (f File) entry() entry   { return entry{f.Path, f.Size, f.SHA256, f.At} }

// A tarVault is one file, to which entries are appended.
type tarVault struct {
	form   form
	name   string // what it becomes
	file   *os.File
	mu     sync.Mutex
	at     int64  // where the next entry goes
	held   []byte // the last entries before that, which are still to be written
	spare  []byte
	broken error // after a write that failed nothing is appended
	stream *zstd.Encoder
}

// mostHeld is how much is held back when whoever flushes does not keep up.
const mostHeld = 1 << 20

var pieces = sync.Pool{New: func() any { return new([]byte) }}

func (v *tarVault) put(path string, size int64, body io.Reader, noted func(*Extent) error) error {
	if size > wholeBytes {
		return v.putLarge(path, size, body, noted)
	}
	whole := pieces.Get().(*[]byte)
	defer pieces.Put(whole)
	head, err := appendHeader((*whole)[:0], path, size)
	if err != nil {
		return err
	}
	buf := bytes.NewBuffer(head)
	if err := copyWhole(buf, path, size, body); err != nil {
		return err
	}
	text := appendPadding(buf.Bytes(), size)
	*whole = text
	if v.form == formZstd {
		packed := pieces.Get().(*[]byte)
		defer pieces.Put(packed)
		if isPacked(text[len(head):]) {
			*packed = appendFrame((*packed)[:0], text, len(head), size)
		} else {
			*packed = encoder().EncodeAll(text, (*packed)[:0])
		}
		text = *packed
	}
	return v.append(func() error { return v.hold(text) }, noted)
}

// append adds one entry and notes it.
func (v *tarVault) append(add func() error, noted func(*Extent) error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.broken != nil {
		return v.broken
	}
	from := v.at
	if v.broken = add(); v.broken != nil {
		return v.broken
	}
	v.broken = noted(&Extent{from, v.at - from})
	return v.broken
}

// hold adds to what is held back.
func (v *tarVault) hold(p []byte) error {
	if len(v.held) > 0 && len(v.held)+len(p) > mostHeld {
		if err := v.writeHeld(); err != nil {
			return err
		}
	}
	v.held = append(v.held, p...)
	v.at += int64(len(p))
	return nil
}

func (v *tarVault) writeHeld() error {
	_, err := v.file.WriteAt(v.held, v.at-int64(len(v.held)))
	v.held = v.held[:0]
	return err
}

// flush writes what is held back while more is taken.
func (v *tarVault) flush() error {
	v.mu.Lock()
	out, at, err := v.held, v.at-int64(len(v.held)), v.broken
	v.held, v.spare = v.spare[:0], nil
	v.mu.Unlock()
	if err == nil {
		_, err = v.file.WriteAt(out, at)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.spare = out
	if v.broken == nil {
		v.broken = err
	}
	return v.broken
}

// write adds what is not held back.
func (v *tarVault) write(p []byte) error {
	n, err := v.file.WriteAt(p, v.at)
	v.at += int64(n)
	return err
}

// Write is for what compresses a large entry.
func (v *tarVault) Write(p []byte) (int, error) { return len(p), v.write(p) }

func (v *tarVault) putLarge(path string, size int64, body io.Reader, noted func(*Extent) error) error {
	head, err := header(path, size)
	if err != nil {
		return err
	}
	parts := io.MultiReader(bytes.NewReader(head), body, bytes.NewReader(make([]byte, padding(size))))
	return v.append(func() error {
		if err := v.writeHeld(); err != nil {
			return err
		}
		to := io.Writer(v)
		if v.form == formZstd {
			if v.stream == nil {
				v.stream = must(zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20)))
			}
			v.stream.Reset(v)
			to = v.stream
		}
		n, err := io.Copy(to, parts)
		if err == nil && v.form == formZstd {
			err = v.stream.Close()
		}
		if err == nil && n != int64(len(head))+size+padding(size) {
			err = fmt.Errorf("the entry %q is not of %d bytes", path, size)
		}
		return err
	}, noted)
}

func (v *tarVault) remove(string) error { return nil }

func (v *tarVault) settle(_ *paths, void []Extent) error {
	for _, e := range void {
		if err := fill(v.file, v.form, e); err != nil {
			return err
		}
	}
	return nil
}

func (v *tarVault) open(e entry) (io.ReadCloser, error) { return openExtent(v.file, v.form, e) }

func (v *tarVault) end(manifest []byte) error {
	var at footer
	err := v.putText(manifestPath, manifest, &at.manifest)
	if err == nil {
		err = v.putText(sumPath, sumText(manifest), &at.sum)
	}
	if err != nil {
		return err
	}
	last, err := ending(v.form, at)
	if err == nil {
		err = v.hold(last)
	}
	if err == nil {
		err = v.writeHeld()
	}
	if err == nil {
		err = v.file.Truncate(v.at)
	}
	if err == nil {
		err = v.file.Sync()
	}
	if err == nil {
		err = v.file.Close()
	}
	if err != nil {
		return err
	}
	if _, err := os.Lstat(v.name); err == nil {
		return fmt.Errorf("%q: %w", v.name, ErrExists)
	}
	if err := os.Rename(v.file.Name(), v.name); err != nil {
		return err
	}
	syncDir(filepath.Dir(v.name))
	return nil
}

func (v *tarVault) ahead() func() error {
	done := make(chan error, 1)
	go func() { done <- v.file.Sync() }()
	return func() error { return <-done }
}

func (v *tarVault) putText(path string, text []byte, at *Extent) error {
	return v.put(path, int64(len(text)), bytes.NewReader(text), func(e *Extent) error { *at = *e; return nil })
}

func (v *tarVault) close() error {
	if err := v.file.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// openExtent gives an entry's bytes, as far as they can be had, and fails with
// ErrAltered in place of io.EOF where what is around them is not the entry's.
func openExtent(file io.ReaderAt, form form, e entry) (io.ReadCloser, error) {
	if e.at == nil || e.at.Offset < 0 || e.at.Length <= 0 || e.at.Offset > 1<<62 || e.at.Length > 1<<62 {
		return nil, fmt.Errorf("%w: the manifest does not say where it is", ErrAltered)
	}
	section := io.NewSectionReader(file, e.at.Offset, e.at.Length)
	var r io.ReadCloser = io.NopCloser(section)
	switch {
	case form == formZstd && e.size <= wholeBytes:
		text, err := unpack(section, e)
		if err != nil {
			return nil, err
		}
		r = io.NopCloser(bytes.NewReader(text))
	case form == formZstd:
		d, err := zstd.NewReader(section, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrAltered, err)
		}
		r = d.IOReadCloser()
	}
	if err := checkHeader(r, e.path, e.size); err != nil {
		r.Close()
		return nil, err
	}
	return &extentBody{r: r, left: e.size, size: e.size}, nil
}

// unpack reads a small entry whole.
func unpack(section *io.SectionReader, e entry) ([]byte, error) {
	if section.Size() > e.size+e.size/64+64<<10 {
		return nil, fmt.Errorf("%w: its extent is too long for its size", ErrAltered)
	}
	packed := make([]byte, section.Size())
	if _, err := section.ReadAt(packed, 0); err != nil && err != io.EOF {
		return nil, err
	}
	text, err := decoder().DecodeAll(packed, make([]byte, 0, e.size+4*block))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAltered, err)
	}
	return text, nil
}

// An extentBody reads an entry's bytes and then what must follow them.
type extentBody struct {
	r          io.ReadCloser
	left, size int64
	end        error // what was said at the end
}

func (b *extentBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		if b.end == nil {
			b.end = cmp.Or(checkPadding(b.r, b.size), io.EOF)
		}
		return 0, b.end
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	if b.left -= int64(n); err == io.EOF {
		err = nil
		if b.left > 0 {
			err = fmt.Errorf("%w: it ends too early", ErrAltered)
		}
	} else if err != nil {
		err = damage(err)
	}
	return n, err
}

// damage is an error of reading an entry: the disk's own, or that it is not what
// was collected.
func damage(err error) error {
	var disk *fs.PathError
	if errors.As(err, &disk) || errors.Is(err, ErrAltered) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrAltered, err)
}

func (b *extentBody) Close() error { return b.r.Close() }
