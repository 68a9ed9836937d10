//go:build !unix

package bundle

import (
	"io"
	"os"
)

// lock makes a file that is not there yet, or that nobody has open: such a one
// cannot be removed on these systems.
func lock(name string) (io.Closer, error) {
	os.Remove(name)
	return os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
}
