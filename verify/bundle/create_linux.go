package bundle

import (
	"io"
	"io/fs"
	"os"
	"syscall"
)

// A maker makes files in one folder.
type maker struct{ dir *os.File }

func makerOf(folder *os.Root) (maker, error) {
	dir, err := folder.Open(".")
	return maker{dir}, err
}

// create makes a file that is not there yet and writes it. It is what os.Root does,
// without the calls by which that asks whether one may wait for a file: half of what
// a small one takes. The name is one element, and no link is followed.
func (m maker) create(name string, text []byte) error {
	const flags = syscall.O_WRONLY | syscall.O_CREAT | syscall.O_EXCL | syscall.O_NOFOLLOW | syscall.O_CLOEXEC
	fd, err := again(func() (int, error) { return syscall.Openat(int(m.dir.Fd()), name, flags, 0o600) })
	if err != nil {
		return &fs.PathError{Op: "create", Path: name, Err: err}
	}
	for len(text) > 0 && err == nil {
		var n int
		n, err = again(func() (int, error) { return syscall.Write(fd, text) })
		if n <= 0 && err == nil {
			err = io.ErrUnexpectedEOF
		}
		text = text[max(n, 0):]
	}
	if closed := syscall.Close(fd); err == nil {
		err = closed
	}
	if err != nil {
		return &fs.PathError{Op: "write", Path: name, Err: err}
	}
	return nil
}

func (m maker) close() error { return m.dir.Close() }

// again asks once more where a signal came between.
func again(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != syscall.EINTR {
			return n, err
		}
	}
}
