package source

import (
	"io"
	"os"
	"syscall"
)

const (
	nonblock   = syscall.O_NONBLOCK
	notInNames = ""
)

// A folder is an open folder. Files in it are opened, looked at and read with
// one system call each: os.File's own way costs as much as hashing half a
// kilobyte of log more, for a poller that regular files do not have.
type folder struct {
	shared
	f *os.File
}

func openFolder(tree *os.Root, path string) (*folder, error) {
	f, err := tree.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	return &folder{f: f}, nil
}

func (d *folder) close() error { return d.f.Close() }

// open opens a regular file and tells its size. It follows no link.
func (d *folder) open(name string) (io.ReadCloser, int64, error) {
	const flags = syscall.O_RDONLY | syscall.O_NOFOLLOW | syscall.O_NONBLOCK | syscall.O_NOCTTY | syscall.O_CLOEXEC
	fd, err := uninterrupted(func() (int, error) { return syscall.Openat(int(d.f.Fd()), name, flags, 0) })
	if err != nil {
		return nil, 0, &os.PathError{Op: "open", Path: name, Err: err}
	}
	var st syscall.Stat_t
	if err := syscall.Fstat(fd, &st); err != nil {
		syscall.Close(fd)
		return nil, 0, &os.PathError{Op: "stat", Path: name, Err: err}
	}
	if st.Mode&syscall.S_IFMT != syscall.S_IFREG {
		syscall.Close(fd)
		return nil, 0, &os.PathError{Op: "open", Path: name, Err: errNotRegular}
	}
	return rawFile(fd), st.Size, nil
}

// A rawFile is a regular file's descriptor.
type rawFile int

func (f rawFile) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := uninterrupted(func() (int, error) { return syscall.Read(int(f), p) })
	if err != nil {
		return 0, os.NewSyscallError("read", err)
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (f rawFile) Close() error { return os.NewSyscallError("close", syscall.Close(int(f))) }

// uninterrupted repeats a call that a signal interrupted.
func uninterrupted(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != syscall.EINTR {
			return n, err
		}
	}
}
