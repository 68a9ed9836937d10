package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// wholeBytes is how large an entry may be that is read whole before it is used.
const wholeBytes = 4 << 20

// A form is how a bundle lies on disk.
type form int

const (
	formDirectory form = iota
	formTar
	formZstd
)

// formOf is the form that a name asks for.
func formOf(name string) form {
	switch lower := strings.ToLower(name); {
	case strings.HasSuffix(lower, ".tar.zst"), strings.HasSuffix(lower, ".tzst"):
		return formZstd
	case strings.HasSuffix(lower, ".tar"):
		return formTar
	}
	return formDirectory
}

// Where a bundle's own parts lie.
const (
	manifestPath   = "manifest.json"
	sumPath        = "manifest.sha256"
	manifestFolder = "manifest"
	lockName       = "lock"
	dataName       = "data"        // of a file that is not finished
	workFolder     = ".collecting" // in a directory; beside a file its name ends so
)

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// workOf is where an unfinished collection lies.
func workOf(name string) string {
	name = strings.TrimRight(name, "/")
	if formOf(name) == formDirectory {
		return name + "/" + workFolder
	}
	return name + workFolder
}
