//go:build !unix

package source

// Windows has no named pipes among a folder's files, and other characters
// that part a path.
const (
	nonblock   = 0
	notInNames = `\:`
)
