//go:build unix

package bundle

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// lock takes a lock that ends with the process.
func lock(name string) (io.Closer, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.ENOTSUP) || errors.Is(err, syscall.ENOSYS) {
			return io.NopCloser(nil), nil // a file system without locks
		}
		return nil, err
	}
	mine, err := f.Stat()
	if err == nil {
		var there os.FileInfo
		if there, err = os.Stat(name); err == nil && !os.SameFile(mine, there) {
			err = errors.New("it was finished or removed just now")
		}
	}
	if err != nil { // who had it removed it
		f.Close()
		return nil, err
	}
	return f, nil
}
