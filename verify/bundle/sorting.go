package bundle

import (
	"bufio"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"io"
	"iter"
	"os"
	"slices"

	"github.com/trailseal/trailseal/verify"
)

// runBytes is how much of the journal is sorted in memory at a time.
const runBytes = 16 << 20

// A sorter brings records in the order of their names, and those of one name in
// the order in which they were added, in memory that does not grow.
type sorter struct {
	temp  func() (*os.File, error)
	lines []sortLine
	size  int
	seq   int64
	runs  []*os.File
}

type sortLine struct {
	ref  verify.Ref
	seq  int64
	text []byte
}

func compareLines(a, b sortLine) int {
	return cmp.Or(compareRefs(a.ref, b.ref), cmp.Compare(a.seq, b.seq))
}

func (s *sorter) add(text []byte) error {
	ref, err := refOf(text)
	if err != nil {
		return err
	}
	s.seq++
	s.lines = append(s.lines, sortLine{ref, s.seq, text})
	if s.size += len(text) + 128; s.size < runBytes {
		return nil
	}
	return s.spill()
}

// spill writes what is in memory to a file of its own, sorted.
func (s *sorter) spill() error {
	slices.SortFunc(s.lines, compareLines)
	f, err := s.temp()
	if err != nil {
		return err
	}
	s.runs = append(s.runs, f)
	w := bufio.NewWriterSize(f, 256<<10)
	for _, l := range s.lines {
		var head [12]byte
		binary.LittleEndian.PutUint32(head[:], uint32(len(l.text)))
		binary.LittleEndian.PutUint64(head[4:], uint64(l.seq))
		w.Write(head[:])
		w.Write(l.text) // the first error stays
	}
	s.lines, s.size = s.lines[:0], 0
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = f.Seek(0, io.SeekStart)
	return err
}

// sorted yields all lines in order.
func (s *sorter) sorted() iter.Seq2[sortLine, error] {
	return func(yield func(sortLine, error) bool) {
		slices.SortFunc(s.lines, compareLines)
		h := &runHeap{}
		for _, f := range s.runs {
			r := &run{r: bufio.NewReaderSize(f, 64<<10)}
			if err := r.forward(); err == nil {
				*h = append(*h, r)
			} else if err != io.EOF {
				yield(sortLine{}, err)
				return
			}
		}
		if len(s.lines) > 0 {
			*h = append(*h, &run{lines: s.lines[1:], head: s.lines[0]})
		}
		heap.Init(h)
		for h.Len() > 0 {
			least := (*h)[0]
			if !yield(least.head, nil) {
				return
			}
			switch err := least.forward(); {
			case err == io.EOF:
				heap.Pop(h)
			case err != nil:
				yield(sortLine{}, err)
				return
			default:
				heap.Fix(h, 0)
			}
		}
	}
}

// records yields one record an object, folded of all that was noted of it. What
// it was read as before it was read once more comes before it, marked older.
func (s *sorter) records(listedFrom int64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		var now Record
		some := false
		for l, err := range s.sorted() {
			var r Record
			if err == nil {
				r, err = parseRecord(l.text)
			}
			if err != nil {
				yield(Record{}, err)
				return
			}
			if l.seq <= listedFrom { // what an earlier try saw listed may be gone
				r.Listed, r.ListedSize = false, 0
			}
			switch {
			case !some:
			case r.Ref != now.Ref:
				if !yield(now, nil) {
					return
				}
			default:
				older := now
				r = fold(now, r)
				if older.Path != "" && older.Path != r.Path { // its bytes are in the bundle
					older.Older = true
					if !yield(older, nil) {
						return
					}
				}
			}
			now, some = r, true
		}
		if some {
			yield(now, nil)
		}
	}
}

func (s *sorter) close() {
	for _, f := range s.runs {
		f.Close()
		os.Remove(f.Name())
	}
}

// A run is a sorted part.
type run struct {
	r     *bufio.Reader // nil: lines
	lines []sortLine
	head  sortLine
}

func (r *run) forward() error {
	if r.r == nil {
		if len(r.lines) == 0 {
			return io.EOF
		}
		r.head, r.lines = r.lines[0], r.lines[1:]
		return nil
	}
	var head [12]byte
	if _, err := io.ReadFull(r.r, head[:]); err != nil {
		return err
	}
	text := make([]byte, binary.LittleEndian.Uint32(head[:]))
	if _, err := io.ReadFull(r.r, text); err != nil {
		return errors.Join(err, io.ErrUnexpectedEOF)
	}
	ref, err := refOf(text)
	r.head = sortLine{ref, int64(binary.LittleEndian.Uint64(head[4:])), text}
	return err
}

type runHeap []*run

func (h runHeap) Len() int           { return len(h) }
func (h runHeap) Less(i, j int) bool { return compareLines(h[i].head, h[j].head) < 0 }
func (h runHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *runHeap) Push(x any)        { *h = append(*h, x.(*run)) }
func (h *runHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
