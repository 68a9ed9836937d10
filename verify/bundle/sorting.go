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
	"strings"

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
	ref  verify.Ref // a part of the text, where that is plain
	seq  int64
	text string
}

func compareLines(a, b sortLine) int {
	return cmp.Or(compareRefs(a.ref, b.ref), cmp.Compare(a.seq, b.seq))
}

// add takes a line, of which it keeps a copy.
func (s *sorter) add(line []byte) error {
	text := string(line)
	ref, err := ownRef(text)
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

// ownRef is refOf of a line that formatRecord made, which has the name in front:
// nearly all of them are plain, and need no more than a look.
func ownRef(text string) (verify.Ref, error) {
	rest, ok := strings.CutPrefix(text, `{"bucket":"`)
	bucket, rest, ok2 := strings.Cut(rest, `","key":"`)
	key, rest, ok3 := strings.Cut(rest, `"`)
	if !ok || !ok2 || !ok3 || strings.ContainsAny(bucket, `"\`) || strings.IndexByte(key, '\\') >= 0 ||
		strings.HasPrefix(rest, `,"bucketBase64"`) || strings.HasPrefix(rest, `,"keyBase64"`) {
		return refOf([]byte(text))
	}
	return verify.Ref{Bucket: bucket, Key: key}, nil
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
		w.WriteString(l.text) // the first error stays
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

// folded yields one line an object, folded of all that was noted of it. What it
// was read as before it was read once more comes before it, marked older. Most
// objects have one line, which is given as it is.
func (s *sorter) folded(listedFrom int64) iter.Seq2[sortLine, error] {
	return func(yield func(sortLine, error) bool) {
		var same []sortLine // of one object
		for l, err := range s.sorted() {
			if err != nil {
				yield(sortLine{}, err)
				return
			}
			if len(same) > 0 && same[0].ref != l.ref {
				if !fold1(same, listedFrom, yield) {
					return
				}
				same = same[:0]
			}
			same = append(same, l)
		}
		if len(same) > 0 {
			fold1(same, listedFrom, yield)
		}
	}
}

// fold1 yields the lines of one object, folded.
func fold1(same []sortLine, listedFrom int64, yield func(sortLine, error) bool) bool {
	if len(same) == 1 && same[0].seq > listedFrom {
		return yield(same[0], nil)
	}
	var now Record
	give := func() bool {
		text, err := formatRecord(now)
		return yield(sortLine{ref: same[0].ref, text: string(text)}, err) && err == nil
	}
	for i, l := range same {
		r, err := parseRecord([]byte(l.text))
		if err != nil {
			yield(sortLine{}, err)
			return false
		}
		if l.seq <= listedFrom { // what an earlier try saw listed may be gone
			r.Listed, r.ListedSize = false, 0
		}
		if i == 0 {
			now = r
			continue
		}
		next := fold(now, r)
		if now.Path != "" && now.Path != next.Path { // its bytes are in the bundle
			now.Older = true
			if !give() {
				return false
			}
		}
		now = next
	}
	return give()
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
	room  []byte
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
	n := int(binary.LittleEndian.Uint32(head[:]))
	r.room = slices.Grow(r.room[:0], n)[:n]
	if _, err := io.ReadFull(r.r, r.room); err != nil {
		return errors.Join(err, io.ErrUnexpectedEOF)
	}
	text := string(r.room)
	ref, err := ownRef(text)
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
