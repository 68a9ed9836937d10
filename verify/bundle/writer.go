package bundle

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

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
	done    bool
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
	w := &Writer{name: filepath.Clean(name), form: formOf(name), identity: id, crowd: newCrowd()}
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
	if before != nil {
		if err := w.resume(ctx, before); err != nil {
			return err
		}
	}
	if err := w.vault.settle(w.crowd, w.void); err != nil {
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

// resume reads what was taken before. Only what is whole counts.
func (w *Writer) resume(ctx context.Context, before *pastJournal) error {
	s := w.sorter()
	defer s.close()
	for text, err := range before.lines() {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if a, ok := parseAside(text); ok {
			if err := w.drop(a.Path, a.At); err != nil {
				return err
			}
			w.count++
			continue
		}
		w.count++
		r, err := parseRecord(text)
		if err != nil {
			return err
		}
		if r.Path == "" {
			continue
		}
		w.crowd.meet(r.Path)
		if !w.whole(r.entry()) {
			if w.torn == nil {
				w.torn = map[string]bool{}
			}
			w.torn[r.Path] = true
			if err := w.drop(r.Path, r.At); err != nil {
				return err
			}
			continue
		}
		w.taken++
		w.bytes += r.Size
		if err := s.add(text); err != nil {
			return err
		}
	}
	return w.indexTaken(s)
}

// drop forgets an entry.
func (w *Writer) drop(path string, at *Extent) error {
	if at == nil {
		return w.vault.remove(path)
	}
	if n := len(w.void); n > 0 && w.void[n-1].Offset+w.void[n-1].Length == at.Offset {
		w.void[n-1].Length += at.Length
	} else {
		w.void = append(w.void, *at)
	}
	return nil
}

// indexTaken makes what was taken before possible to look up.
func (w *Writer) indexTaken(s *sorter) error {
	folder := filepath.Join(w.work, "taken")
	if err := errors.Join(os.RemoveAll(folder), os.Mkdir(folder, 0o700)); err != nil {
		return err
	}
	w.old = &index{load: func(c Chunk) ([]byte, error) { return os.ReadFile(filepath.Join(folder, c.Path)) }}
	c := chunker{take: func(n int, c Chunk, text []byte) error {
		c.Path = fmt.Sprint(n)
		w.old.chunks = append(w.old.chunks, c)
		return os.WriteFile(filepath.Join(folder, c.Path), text, 0o600)
	}}
	for r, err := range s.records(0) {
		if err == nil {
			err = c.add(r)
		}
		if err != nil {
			return err
		}
	}
	return c.flush()
}

// whole reports whether an entry is there as it was noted.
func (w *Writer) whole(e entry) bool {
	r, err := w.vault.open(e)
	if err != nil {
		return false
	}
	defer r.Close()
	h := sha256.New()
	n, err := io.Copy(h, r)
	return err == nil && n == e.size && hex.EncodeToString(h.Sum(nil)) == e.sha256
}

func (w *Writer) sorter() *sorter {
	return &sorter{temp: func() (*os.File, error) { return os.CreateTemp(w.work, "sort-*") }}
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

// Put takes an object's bytes, whole or not at all. The record's Path, Size and
// SHA256 are filled in. An error of the body's is returned as it is; after any other
// the bundle cannot be finished any more.
func (w *Writer) Put(r Record, body io.Reader) (Record, error) {
	if err := w.failed(nil); err != nil {
		return r, err
	}
	spool, size, sum, err := w.measure(body)
	if err != nil {
		return r, err
	}
	defer spool.Close()
	r.Path, r.Size, r.SHA256 = w.path(r.Ref), size, sum
	r.At = &Extent{1 << 62, 1 << 62}
	if _, err := formatRecord(r); err != nil { // before its bytes are there
		return r, err
	}
	r.At = nil
	err = w.vault.put(r.Path, size, spool, func(at *Extent) error {
		r.At = at
		return w.note(r)
	})
	if err != nil {
		return r, w.failed(err)
	}
	w.mu.Lock()
	w.bytes += size
	w.mu.Unlock()
	return r, nil
}

// failed remembers that a part could not be written, and gives the first such error.
func (w *Writer) failed(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken == nil && err != nil {
		w.broken = err
	}
	return w.broken
}

// path is a path that no other object has.
func (w *Writer) path(ref verify.Ref) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := pathOf(ref)
	for base := p; w.crowd.meet(p); {
		w.journal.numbers++
		p = numbered(base, w.journal.numbers)
	}
	return p
}

// measure reads a body to learn its size and hash: in memory, or where it is
// large in a file.
func (w *Writer) measure(body io.Reader) (spool io.ReadCloser, size int64, sum string, err error) {
	h := sha256.New()
	if m, ok := body.(inMemory); ok && m.Len() <= wholeBytes {
		n := m.Len()
		if _, err := m.WriteTo(h); err != nil {
			return nil, 0, "", err
		}
		if _, err := m.Seek(-int64(n), io.SeekEnd); err != nil {
			return nil, 0, "", err
		}
		return io.NopCloser(m), int64(n), hex.EncodeToString(h.Sum(nil)), nil
	}
	s := &spooled{work: w.work}
	if size, err = io.Copy(io.MultiWriter(h, s), body); err == nil {
		err = s.rewind()
	}
	if s.err != nil {
		err = w.failed(s.err)
	}
	if err != nil {
		s.Close()
		return nil, 0, "", err
	}
	return s, size, hex.EncodeToString(h.Sum(nil)), nil
}

// inMemory is what a bytes.Reader can do.
type inMemory interface {
	io.Reader
	io.WriterTo
	io.Seeker
	Len() int
}

// A spooled body is in memory, or where it is large in a file.
type spooled struct {
	work string
	mem  bytes.Buffer
	file *os.File
	err  error // of writing it
}

func (s *spooled) Write(p []byte) (n int, err error) {
	defer func() { s.err = err }()
	if s.file == nil && s.mem.Len()+len(p) <= wholeBytes {
		return s.mem.Write(p)
	}
	if s.file == nil {
		f, err := os.CreateTemp(s.work, "spool-*")
		if err != nil {
			return 0, err
		}
		s.file = f
		if _, err := s.mem.WriteTo(f); err != nil {
			return 0, err
		}
	}
	return s.file.Write(p)
}

func (s *spooled) rewind() error {
	if s.file == nil {
		return nil
	}
	_, s.err = s.file.Seek(0, io.SeekStart)
	return s.err
}

func (s *spooled) Read(p []byte) (int, error) {
	if s.file == nil {
		return s.mem.Read(p)
	}
	return s.file.Read(p)
}

func (s *spooled) Close() error {
	if s.file == nil {
		return nil
	}
	return errors.Join(s.file.Close(), os.Remove(s.file.Name()))
}

// Note records what is known of an object, without bytes.
func (w *Writer) Note(r Record) error {
	r.Path, r.At, r.SHA256, r.Size = "", nil, "", 0
	return w.note(r)
}

func (w *Writer) note(r Record) error {
	text, err := formatRecord(r)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.journal.add(text, r.Path != "")
}

// File takes an entry that is no object, at most one a path.
func (w *Writer) File(path string, data []byte) error {
	if !ordinary(path) {
		return fmt.Errorf("%q cannot be the path of a file in a bundle", path)
	}
	if err := w.failed(nil); err != nil {
		return err
	}
	w.mu.Lock()
	twice := slices.ContainsFunc(w.files, func(f File) bool { return strings.EqualFold(f.Path, path) })
	w.mu.Unlock()
	if twice {
		return fmt.Errorf("the file %q is in the bundle already", path)
	}
	f, err := w.put(path, data, func(at *Extent) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.journal.add(formatAside(path, at), true)
	})
	if err != nil {
		return w.failed(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.files = append(w.files, f)
	return nil
}

// put takes a part of the manifest, or a file.
func (w *Writer) put(path string, data []byte, noted func(*Extent) error) (File, error) {
	f := File{Path: path, Size: int64(len(data)), SHA256: hashOf(data)}
	err := w.vault.put(path, f.Size, bytes.NewReader(data), func(at *Extent) error { f.At = at; return noted(at) })
	return f, err
}
