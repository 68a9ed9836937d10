package bundle

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// A dirVault is a directory, out of which nothing leads: neither a path nor a link
// that somebody made while the collection rested.
type dirVault struct {
	dir  string
	root *os.Root
	n    atomic.Int64
	mu   sync.Mutex
	made map[string]bool
}

func (v *dirVault) put(to string, size int64, body io.Reader, noted func(*Extent) error) error {
	temp := fmt.Sprintf("%s/entry-%d", workFolder, v.n.Add(1))
	err := v.write(temp, func(f *os.File) error {
		n, err := io.Copy(f, body)
		if err == nil && n != size {
			err = fmt.Errorf("the entry %q: %d bytes and not %d", to, n, size)
		}
		return err
	})
	if err == nil {
		err = noted(nil)
	}
	if err == nil {
		err = v.folder(path.Dir(to))
	}
	if err == nil {
		err = v.root.Rename(temp, to)
	}
	if err != nil {
		v.root.Remove(temp)
	}
	return err
}

// write makes a file that is not there yet.
func (v *dirVault) write(name string, use func(*os.File) error) error {
	f, err := v.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = use(f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// folder makes a folder where it was not made lately.
func (v *dirVault) folder(dir string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.made[dir] {
		return nil
	}
	if len(v.made) > 4096 || v.made == nil {
		v.made = map[string]bool{}
	}
	err := v.root.MkdirAll(dir, 0o700)
	v.made[dir] = err == nil
	return err
}

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
func (v *dirVault) settle(known *crowd, _ []Extent) error {
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

func (v *dirVault) end(manifest []byte) error {
	syncFiles()
	if err := v.remove(sumPath); err != nil { // of an end that was not reached
		return err
	}
	if err := v.write(sumPath, synced(sumText(manifest))); err != nil {
		return err
	}
	temp := workFolder + "/" + manifestPath
	if err := v.write(temp, synced(manifest)); err != nil {
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

func (v *dirVault) close() error { return v.root.Close() }

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
