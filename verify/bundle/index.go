package bundle

import (
	"container/list"
	"errors"
	"fmt"
	"iter"
	"sort"
	"strings"
	"sync"

	"github.com/trailseal/trailseal/verify"
)

const (
	chunkRecords = 128 // of the first chunks
	chunkBytes   = 1 << 20
	mostRecords  = 4096     // of a chunk that is read, whoever wrote it
	openChunks   = 128      // chunks held: accounts' regions are worked on side by side
	openBytes    = 96 << 20 // of them, about: chunks may be large, whoever made them
)

// An index finds records in chunks of them, of which it holds a few.
type index struct {
	chunks []Chunk
	load   func(Chunk) ([]byte, error) // a chunk's bytes, checked
	mu     sync.Mutex
	open   map[int]*list.Element
	recent list.List // of *openChunk, the last used first
	held   int64     // bytes in them, about
}

// An openChunk is a chunk in memory.
type openChunk struct {
	n       int
	once    sync.Once
	records []place
	err     error
}

// A place is one record of a chunk.
type place struct {
	ref  verify.Ref // as it stands in front of the text
	text string
}

// chunk gives a chunk's records.
func (x *index) chunk(n int) ([]place, error) {
	x.mu.Lock()
	if x.open == nil {
		x.open = map[int]*list.Element{}
	}
	e := x.open[n]
	if e == nil {
		e = x.recent.PushFront(&openChunk{n: n})
		x.open[n] = e
		x.held += weight(x.chunks[n])
		for x.recent.Len() > 1 && (x.held > openBytes || x.recent.Len() > openChunks) {
			last := x.recent.Remove(x.recent.Back()).(*openChunk)
			delete(x.open, last.n)
			x.held -= weight(x.chunks[last.n])
		}
	} else {
		x.recent.MoveToFront(e)
	}
	x.mu.Unlock()
	c := e.Value.(*openChunk)
	c.once.Do(func() { c.records, c.err = x.read(n) })
	return c.records, c.err
}

// weight is about what a chunk takes in memory, in bytes. Its size was held against
// maxChunk, and its count against mostRecords.
func weight(c Chunk) int64 { return c.Size + 100*int64(c.Count) }

// read loads a chunk, which must be as the index says.
func (x *index) read(n int) ([]place, error) {
	text, err := x.load(x.chunks[n])
	if err != nil {
		return nil, err
	}
	wrong := func(format string, args ...any) ([]place, error) {
		return nil, fmt.Errorf("%w: the part %q of the manifest: %s", ErrAltered, x.chunks[n].Path, fmt.Sprintf(format, args...))
	}
	records := make([]place, 0, x.chunks[n].Count)
	for line := range strings.Lines(string(text)) {
		if len(records) == x.chunks[n].Count {
			return wrong("it holds more records than the manifest says")
		}
		if len(line) > maxLine {
			return wrong("a record of it is too long")
		}
		ref, err := ownRef(line)
		if err != nil {
			return wrong("%v", err)
		}
		if i := len(records); i > 0 && compareRefs(records[i-1].ref, ref) > 0 {
			return wrong("it is not in order")
		}
		records = append(records, place{ref, line})
	}
	if len(records) != x.chunks[n].Count || len(records) == 0 || records[0].ref != x.first(n) {
		return wrong("it holds other records than the manifest says")
	}
	if n+1 < len(x.chunks) && compareRefs(records[len(records)-1].ref, x.first(n+1)) > 0 {
		return wrong("it reaches into the next")
	}
	return records, nil
}

func (x *index) first(n int) verify.Ref { return first(x.chunks[n]) }

func chunkPath(n int) string { return fmt.Sprintf("%s/%06d.ndjson", manifestFolder, n) }

func first(c Chunk) verify.Ref { return named(c.Bucket, c.Key, c.BucketBase64, c.KeyBase64) }

// from yields records and their numbers, from the first that is not before a name.
// A chunk that cannot be had is an error, and what follows it comes all the same
// where the caller goes on.
func (x *index) from(ref verify.Ref) iter.Seq2[numberedRecord, error] {
	return func(yield func(numberedRecord, error) bool) {
		// Records of one name may lie on both sides of an edge.
		n := sort.Search(len(x.chunks), func(n int) bool { return compareRefs(x.first(n), ref) >= 0 })
		for n = max(n-1, 0); n < len(x.chunks); n++ {
			records, err := x.chunk(n)
			if err != nil {
				if !yield(numberedRecord{chunk: n}, err) {
					return
				}
				continue
			}
			i := sort.Search(len(records), func(i int) bool { return compareRefs(records[i].ref, ref) >= 0 })
			for ; i < len(records); i++ {
				r, err := parseRecord([]byte(records[i].text))
				if err == nil && r.Ref != records[i].ref {
					err = errors.New("a record has two names")
				}
				if err != nil {
					r.Ref = records[i].ref
					err = fmt.Errorf("%w: %w", ErrAltered, err)
				}
				if !yield(numberedRecord{r, n, i}, err) {
					return
				}
			}
		}
	}
}

// A numberedRecord is a record and where it is.
type numberedRecord struct {
	Record
	chunk, at int
}

// get finds the record of an object that counts.
func (x *index) get(ref verify.Ref) (numberedRecord, bool, error) {
	for r, err := range x.from(ref) {
		switch {
		case err != nil && (r.Ref == ref || r.Ref == verify.Ref{}):
			return r, false, err
		case r.Ref != ref:
			return r, false, nil
		case !r.Older:
			return r, true, nil
		}
	}
	return numberedRecord{}, false, nil
}

// recordsIn is how many records the n-th chunk holds. Small ones are quickly read, and
// many of them would make a head that is large.
func recordsIn(n int) int {
	switch {
	case n < 8<<10: // a million objects
		return chunkRecords
	case n < 64<<10:
		return 4 * chunkRecords
	}
	return 16 * chunkRecords
}

// A chunker makes chunks of records that come in order.
type chunker struct {
	take  func(n int, c Chunk, text []byte) error
	chunk Chunk
	text  []byte
	n     int
}

// add takes an object's line.
func (c *chunker) add(ref verify.Ref, line string) error {
	if c.chunk.Count == 0 {
		c.chunk.Bucket, c.chunk.Key = utf8Of(ref.Bucket), utf8Of(ref.Key)
		c.chunk.BucketBase64, c.chunk.KeyBase64 = bytesOf(ref.Bucket), bytesOf(ref.Key)
	}
	c.chunk.Count++
	c.text = append(append(c.text, line...), '\n')
	if c.chunk.Count < recordsIn(c.n) && len(c.text) < chunkBytes {
		return nil
	}
	return c.flush()
}

func (c *chunker) flush() error {
	if c.chunk.Count == 0 {
		return nil
	}
	err := c.take(c.n, c.chunk, c.text)
	c.n++
	c.chunk, c.text = Chunk{}, c.text[:0]
	return err
}
