package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
)

// A dirVault is a directory, out of which nothing leads: neither a path nor a link
// that somebody made while the collection rested.
type dirVault struct {
	dir     string
	root    *os.Root
	mu      sync.Mutex
	folders map[string]*openFolder // those written to lately
}

// put writes an entry where it belongs. Until it is noted nobody knows of it, and
// who goes on with the collection removes it.
func (v *dirVault) put(to string, size int64, body io.Reader, noted func(*Extent) error) error {
	d, err := v.enter(path.Dir(to))
	if err != nil {
		return err
	}
	defer v.leave(d)
	name := path.Base(to)
	whole := pieces.Get().(*[]byte)
	defer pieces.Put(whole)
	write := func() error {
		return writeNew(d.root, name, func(f *os.File) error { return copyWhole(f, to, size, body) })
	}
	if size <= wholeBytes {
		buf := bytes.NewBuffer((*whole)[:0])
		if err := copyWhole(buf, to, size, body); err != nil {
			return err
		}
		*whole = buf.Bytes()
		write = func() error { return d.make.create(name, *whole) }
	}
	err = write()
	if errors.Is(err, fs.ErrExist) && !strings.HasPrefix(to, objectsFolder+"/") { // of an end that was not reached
		if err = d.root.Remove(name); err == nil {
			err = write()
		}
	}
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	if err == nil {
		err = noted(nil)
	}
	if err != nil {
		d.root.Remove(name)
	}
	return err
}

// copyWhole copies an entry, which must have its size.
func copyWhole(to io.Writer, name string, size int64, body io.Reader) error {
	n, err := io.Copy(to, body)
	if err == nil && n != size {
		err = fmt.Errorf("the entry %q: %d bytes and not %d", name, n, size)
	}
	return err
}

// writeNew makes a file that is not there yet.
func writeNew(in *os.Root, name string, use func(*os.File) error) error {
	f, err := in.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|nonblock, 0o600)
	if err != nil {
		return err
	}
	err = use(f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// An openFolder is a folder of the bundle: from the root each of a path's parts
// would have to be opened for every file.
type openFolder struct {
	root *os.Root
	make maker
	uses int
}

func (d *openFolder) close() error { return errors.Join(d.make.close(), d.root.Close()) }

// mostFolders is how many folders are held open.
const mostFolders = 128

// enter opens a folder, which is made where it is not there.
func (v *dirVault) enter(dir string) (*openFolder, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if d := v.folders[dir]; d != nil {
		d.uses++
		return d, nil
	}
	if err := v.root.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	root, err := v.root.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	if len(v.folders) >= mostFolders {
		v.letGo()
	}
	if v.folders == nil {
		v.folders = map[string]*openFolder{}
	}
	maker, err := makerOf(root)
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	d := &openFolder{root: root, make: maker, uses: 1}
	v.folders[dir] = d
	return d, nil
}

func (v *dirVault) leave(d *openFolder) {
	v.mu.Lock()
	defer v.mu.Unlock()
	d.uses--
}

// letGo closes the folders that nobody writes to just now.
func (v *dirVault) letGo() (err error) {
	for dir, d := range v.folders {
		if d.uses == 0 {
			err = errors.Join(err, d.close())
			delete(v.folders, dir)
		}
	}
	return err
}

func (v *dirVault) flush() error { return nil }

func (v *dirVault) open(e entry) (io.ReadCloser, error) {
	f, size, err := openRegular(v.root, e.path)
	if err == nil && size != e.size {
		f.Close()
		err = fmt.Errorf("%w: %d bytes and not %d", ErrAltered, size, e.size)
	}
	if err != nil {
		return nil, err // never a nil *os.File in an interface
	}
	return f, nil
}

func (v *dirVault) remove(path string) error {
	if err := v.root.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// settle removes entries that nobody knows of: their lines were lost.
func (v *dirVault) settle(known *paths, _ []Extent) error {
	err := fs.WalkDir(v.root.FS(), objectsFolder, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || known.has(p) {
			return err
		}
		return v.root.Remove(p)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (v *dirVault) ahead() func() error { return func() error { return nil } }

func (v *dirVault) end(manifest []byte) error {
	syncFiles()
	if err := v.remove(sumPath); err != nil { // of an end that was not reached
		return err
	}
	if err := writeNew(v.root, sumPath, synced(sumText(manifest))); err != nil {
		return err
	}
	temp := workFolder + "/" + manifestPath
	if err := writeNew(v.root, temp, synced(manifest)); err != nil {
		return err
	}
	if _, err := v.root.Lstat(manifestPath); err == nil {
		return fmt.Errorf("%q: %w", filepath.Join(v.dir, manifestPath), ErrExists)
	}
	if err := v.root.Rename(temp, manifestPath); err != nil {
		return err
	}
	syncDir(v.dir)
	return nil
}

func (v *dirVault) close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return errors.Join(v.letGo(), v.root.Close())
}

// synced writes a text and waits until it is on the disk.
func synced(text []byte) func(*os.File) error {
	return func(f *os.File) error {
		if _, err := f.Write(text); err != nil {
			return err
		}
		return f.Sync()
	}
}

// syncDir makes what was renamed last through a loss of power, where the system
// knows how.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
