//go:build !linux

package source

import (
	"io"
	"os"
)

// A folder is an open folder.
type folder struct {
	shared
	root *os.Root
}

func openFolder(tree *os.Root, path string) (*folder, error) {
	root, err := tree.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &folder{root: root}, nil
}

func (d *folder) close() error { return d.root.Close() }

// open opens a regular file and tells its size. A link that leads out of the
// folder is refused.
func (d *folder) open(name string) (io.ReadCloser, int64, error) {
	f, size, err := openSlowly(d.root, name)
	if err != nil {
		return nil, 0, err
	}
	return f, size, nil
}
