package bundle

import (
	"errors"
	"os"
)

// Abandon closes a collection and removes what it began, unless that is one that
// was interrupted before: what was taken then stays.
func (w *Writer) Abandon() error {
	err := w.Close()
	if w.resumed {
		return err
	}
	err = errors.Join(err, os.RemoveAll(w.work))
	if w.form == formDirectory {
		_ = os.Remove(w.name) // an empty one
	}
	return err
}
