package bundle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// A Writer writes a bundle. Until Commit it lies in a place that says that it is
// unfinished, and can be gone on with.
type Writer struct {
	name, work string
	form       form
	vault      vault
	lock       io.Closer
	identity   Identity
	resumed    bool
	taken      int64           // objects taken before
	old        *index          // of them
	count      int64           // records in the journal that were there before
	torn       map[string]bool // paths of entries that were noted before and are not whole
	void       []Extent        // of a file: what lies there and is no entry, in order

	mu      sync.Mutex
	broken  error // a part could not be written: there will be no bundle
	journal *journal
	crowd   *crowd
	files   []File
	bytes   int64
	unsaved int64       // bytes of entries that are not written down in the journal
	saving  *time.Timer // will see to it, after saveWait
	done    bool

	saveWait time.Duration
	flushing sync.Mutex // one at a time writes to the journal
	spare    []byte
}

// A ResumeError says that a collection lies at the place already, of another thing.
type ResumeError struct {
	Path  string
	Other Identity
}

func (e *ResumeError) Error() string {
	return fmt.Sprintf("%q holds an interrupted collection of something else: go on with that one, remove it, or collect to another place", e.Path)
}

// ErrExists says that there is something at the place, which is never written over.
var ErrExists = errors.New("there is something there already")

// Create begins a bundle, in the form that its name asks for, or goes on with one
// that was interrupted. An interrupted one of another identity is a *ResumeError.
func Create(ctx context.Context, name string, id Identity) (*Writer, error) {
	w := &Writer{name: filepath.Clean(name), form: formOf(name), identity: id, crowd: newCrowd(), saveWait: saveTime}
	w.work = workOf(w.name)
	if err := w.free(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(w.work, 0o700); err != nil {
		return nil, err
	}
	var err error
	if w.lock, err = lock(filepath.Join(w.work, lockName)); err != nil {
		return nil, fmt.Errorf("another collection into %q is under way: %w", name, err)
	}
	if err = w.free(); err == nil { // it may have been finished meanwhile
		err = w.begin(ctx)
	}
	if err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// free reports what is in the way of a new bundle.
func (w *Writer) free() error {
	taken := fmt.Errorf("%q: %w", w.name, ErrExists)
	info, err := os.Lstat(w.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case w.form != formDirectory || !info.IsDir():
		return taken
	}
	if _, err := os.Lstat(filepath.Join(w.name, manifestPath)); err == nil {
		return taken
	}
	found, err := os.ReadDir(w.name)
	if _, work := os.Lstat(w.work); err == nil && len(found) > 0 && work != nil {
		return taken
	}
	return err
}

func (w *Writer) begin(ctx context.Context) error {
	before, err := readJournal(filepath.Join(w.work, journalName))
	if err != nil {
		return err
	}
	if before != nil && w.form != formDirectory {
		if _, err := os.Lstat(filepath.Join(w.work, dataName)); errors.Is(err, fs.ErrNotExist) {
			before = nil // it was finished, and what was left of it is all that is here
		}
	}
	if err := w.clean(); err != nil {
		return err
	}
	var data int64
	if before != nil {
		if !bytes.Equal(compact(before.identity.Asked), compact(w.identity.Asked)) {
			return &ResumeError{w.work, before.identity}
		}
		w.identity, w.resumed = before.identity, true
		data = before.end
	}
	if w.vault, err = w.openVault(data); err != nil {
		return err
	}
	known := &paths{fold: true} // no two differ in case alone
	if before != nil {
		if err := w.resume(ctx, before, known); err != nil {
			return err
		}
	}
	if err := w.vault.settle(known, w.void); err != nil {
		return err
	}
	w.journal, err = openJournal(filepath.Join(w.work, journalName), before, w.identity)
	return err
}

// clean removes what was being made when a collection was interrupted.
func (w *Writer) clean() error {
	for _, half := range []string{"entry-*", "spool-*", "sort-*", manifestPath} {
		found, err := filepath.Glob(filepath.Join(globbed(w.work), half))
		if err != nil {
			return err
		}
		for _, name := range found {
			if err := os.Remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// globbed is a name that stands for itself in a pattern.
func globbed(name string) string {
	if filepath.Separator == '\\' {
		return name // there nothing can be escaped, and of the marks only [ may be in a name
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(name)
}

func compact(raw json.RawMessage) []byte {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return raw
	}
	return b.Bytes()
}

// openVault opens where entries go. What lies behind the last that was noted was
// never whole.
func (w *Writer) openVault(data int64) (vault, error) {
	if w.form == formDirectory {
		root, err := os.OpenRoot(w.name)
		if err != nil {
			return nil, err
		}
		return &dirVault{dir: w.name, root: root}, root.RemoveAll(manifestFolder)
	}
	f, err := os.OpenFile(filepath.Join(w.work, dataName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return &tarVault{form: w.form, name: w.name, file: f, at: data}, f.Truncate(data)
}

// Resumed says whether an interrupted collection is gone on with, what it was
// asked and what that had come to, and how many objects it had taken.
func (w *Writer) Resumed() (Identity, int64, bool) { return w.identity, w.taken, w.resumed }

// Bytes is how much has been taken, before and now.
func (w *Writer) Bytes() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bytes
}

// Get is the record of an object that was taken whole before the interruption.
func (w *Writer) Get(ref verify.Ref) (Record, bool) {
	if w.old == nil {
		return Record{}, false
	}
	r, ok, err := w.old.get(ref)
	return r.Record, ok && err == nil
}

// Body opens the entry of a record of Get.
func (w *Writer) Body(r Record) (Body, error) { return w.open(r.entry()) }

func (w *Writer) open(e entry) (Body, error) {
	raw, err := w.vault.open(e)
	if err != nil {
		return nil, err
	}
	return checked(raw, e, nil)
}
