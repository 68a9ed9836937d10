//go:build race

package bundle

// raced says that the race detector slows everything down: what is tried many times
// is then tried less often.
const raced = true
