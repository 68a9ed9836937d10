package bundle

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
)

// The journal of a collection: its identity, then a line for each thing that was
// noted. What is not in it was not collected.
const journalName = "journal.ndjson"

type journal struct {
	file    *os.File
	held    []byte // lines that are still to be written
	lines   int64
	numbers uint64 // used for paths that were taken
	err     error  // of a write
}

// A pastJournal is the journal of an interrupted collection.
type pastJournal struct {
	name     string
	identity Identity
	from     int64 // where the records begin
	whole    int64 // where the last whole line ends
	end      int64 // the end of the last entry, in a file
	lines_   int64
}

// readJournal reads an interrupted collection's journal; nil where there is none
// that says anything. A last line that is torn is none.
func readJournal(name string) (*pastJournal, error) {
	p := &pastJournal{name: name}
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 256<<10)
	var room []byte
	for n := 0; ; n++ {
		line, err := readLine(r, &room)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
		size := int64(len(line)) + 1
		if n == 0 {
			if json.Unmarshal(line, &p.identity) != nil {
				break
			}
			p.from, p.whole = size, size
			continue
		}
		at, err := noted(line)
		if err != nil || at != nil && (at.Offset != p.end || at.Length <= 0 || at.Length > 1<<60-p.end) {
			break // what follows it cannot be trusted either
		}
		if at != nil {
			p.end += at.Length
		}
		p.whole += size
		p.lines_++
	}
	if p.from == 0 {
		return nil, nil
	}
	return p, nil
}

// ownJournal is the journal that this process has written, all of whose lines are
// whole.
func ownJournal(name string) (*pastJournal, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	first, err := readLine(bufio.NewReaderSize(f, 64<<10), new([]byte))
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return &pastJournal{name: name, from: int64(len(first)) + 1, whole: info.Size()}, nil
}

// noted is where the entry of a line lies, which must be one that add was given.
func noted(line []byte) (*Extent, error) {
	if aside, ok := parseAside(line); ok {
		return aside.At, nil
	}
	r, err := parseRecord(line)
	return r.At, err
}

// readLine reads a line without its end, which is there until the next is read. One
// that does not end is io.EOF.
func readLine(r *bufio.Reader, room *[]byte) ([]byte, error) {
	line := (*room)[:0]
	for {
		part, err := r.ReadSlice('\n')
		if err == nil && len(line) == 0 {
			return part[:len(part)-1], nil
		}
		line = append(line, part...)
		*room = line
		switch {
		case err == bufio.ErrBufferFull && len(line) <= maxLine:
		case err == bufio.ErrBufferFull:
			return nil, errors.New("a line is too long")
		case err != nil:
			return nil, err
		default:
			return line[:len(line)-1], nil
		}
	}
}

// lines yields the lines after the first, each of which is there until the next.
func (p *pastJournal) lines() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		f, err := os.Open(p.name)
		if err != nil {
			yield(nil, err)
			return
		}
		defer f.Close()
		r := bufio.NewReaderSize(io.NewSectionReader(f, p.from, p.whole-p.from), 256<<10)
		var room []byte
		for {
			line, err := readLine(r, &room)
			if err == io.EOF {
				return
			}
			if !yield(line, err) || err != nil {
				return
			}
		}
	}
}

// openJournal opens the journal to be written on.
func openJournal(name string, before *pastJournal, id Identity) (*journal, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	j := &journal{file: f}
	whole := int64(0)
	if before != nil {
		whole, j.lines, j.numbers = before.whole, before.lines_, uint64(before.lines_)
	}
	if err = f.Truncate(whole); err == nil {
		_, err = f.Seek(whole, io.SeekStart)
	}
	if err == nil && before == nil {
		var text []byte
		if text, err = json.Marshal(id); err == nil {
			_, err = f.Write(append(text, '\n'))
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return j, nil
}

// add takes a line, which an end of the process loses until it is written.
func (j *journal) add(text []byte) {
	j.held = append(append(j.held, text...), '\n')
	j.lines++
}

// write writes lines. After a write that failed no other follows: the journal ends
// in the middle of a line.
func (j *journal) write(lines []byte) error {
	if j.err == nil {
		_, j.err = j.file.Write(lines)
	}
	return j.err
}

// take gives the lines that are to be written, in the place of others.
func (j *journal) take(others []byte) []byte {
	lines := j.held
	j.held = others[:0]
	return lines
}

// An aside is the line of an entry that is no object. Who goes on with the
// collection has no use for it.
type aside struct {
	Path string  `json:"path"`
	At   *Extent `json:"at,omitempty"`
}

const asideStart = `{"aside":`

func formatAside(path string, at *Extent) []byte {
	text, _ := json.Marshal(map[string]aside{"aside": {path, at}})
	return text
}

func parseAside(text []byte) (aside, bool) {
	var l struct{ Aside aside }
	if !bytes.HasPrefix(text, []byte(asideStart)) || json.Unmarshal(text, &l) != nil || !ordinary(l.Aside.Path) {
		return aside{}, false
	}
	return l.Aside, true
}
