package bundle

import "time"

// What is taken is written and noted in batches: a write for each small log takes
// longer than hashing it. A process that is killed loses the last of them, which is
// fetched again; one that is interrupted loses nothing.
const (
	saveBytes = 256 << 10              // of entries
	saveLines = 128 << 10              // bytes of the journal
	saveTime  = 100 * time.Millisecond // and no later than that
)

// save sees to it that what was noted is written down soon.
func (w *Writer) save(size int64) error {
	w.mu.Lock()
	w.unsaved += size
	due := w.unsaved >= saveBytes || len(w.journal.held) >= saveLines
	if !due && w.saving == nil {
		w.saving = time.AfterFunc(w.saveWait, func() { _ = w.flush() }) // whoever comes next is told
	}
	w.mu.Unlock()
	if !due {
		return nil
	}
	return w.flush()
}

// flush writes down all that was noted: first the entries, then that they are there.
// What fails stays failed, also for who comes next and finds nothing more to write.
func (w *Writer) flush() error {
	w.flushing.Lock()
	defer w.flushing.Unlock()
	return w.failed(w.flushOnce())
}

func (w *Writer) flushOnce() error {
	w.mu.Lock()
	if w.saving != nil {
		w.saving.Stop()
		w.saving = nil
	}
	w.unsaved = 0
	lines := w.journal.take(w.spare)
	w.spare = lines
	w.mu.Unlock()
	if len(lines) == 0 {
		return nil
	}
	if err := w.vault.flush(); err != nil {
		return err
	}
	return w.journal.write(lines)
}
