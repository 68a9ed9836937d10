package bundle

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"iter"
	"maps"
	"slices"

	"github.com/klauspost/compress/zstd"

	"github.com/trailseal/trailseal/verify"
)

var hashSeed = maphash.MakeSeed()

func pathHash(path string) uint64 { return maphash.String(hashSeed, path) }

// Alterations checks all of a bundle that was not read yet, and yields what is not
// what was collected. An end of the context ends it early.
func (r *Reader) Alterations(ctx context.Context) iter.Seq[Alteration] {
	return func(yield func(Alteration) bool) {
		if err := r.check(r.sum); err != nil && !yield(Alteration{Path: manifestPath, Detail: sumPath + ": " + err.Error()}) {
			return
		}
		for _, f := range r.head.Files {
			if err := r.check(f.entry()); err != nil && !yield(Alteration{Path: f.Path, Detail: err.Error()}) {
				return
			}
		}
		sum, ok := r.checkRecords(ctx, yield)
		if !ok || ctx.Err() != nil {
			return
		}
		if r.file != nil {
			r.checkExtents(sum, yield)
		} else {
			r.checkStrays(yield)
		}
	}
}

// extents are what entries take of a file.
type extents struct{ sum, entries int64 }

// checkRecords checks the records and the entries that were not read.
func (r *Reader) checkRecords(ctx context.Context, yield func(Alteration) bool) (sum extents, ok bool) {
	bad := -1
	var last Record
	for n, err := range r.index.from(verify.Ref{}) {
		if ctx.Err() != nil {
			return sum, false
		}
		if err != nil {
			if n.chunk == bad && n.Ref == (verify.Ref{}) {
				continue
			}
			bad = n.chunk
			if !yield(Alteration{Path: r.head.Index[n.chunk].Path, Ref: n.Ref, Detail: err.Error()}) {
				return sum, false
			}
			continue
		}
		if n.Ref == last.Ref && (!last.Older || n.Path == last.Path) && (last.Ref != verify.Ref{}) {
			if !yield(Alteration{Path: n.Path, Ref: n.Ref, Detail: "the manifest has it twice"}) {
				return sum, false
			}
		}
		if last = n.Record; n.Path == "" {
			continue
		}
		sum.entries++
		if n.At != nil {
			sum.sum += n.At.Length
		}
		a := r.checkEntry(n)
		if a != nil && !yield(*a) {
			return sum, false
		}
	}
	return sum, true
}

// checkEntry checks one entry; nil: it is what was collected, where it was put.
func (r *Reader) checkEntry(n numberedRecord) *Alteration {
	if !r.seen.has(n.chunk, n.at) {
		if err := r.check(n.entry()); err != nil {
			return &Alteration{Path: n.Path, Ref: n.Ref, Detail: err.Error()}
		}
	}
	if r.root == nil {
		return nil
	}
	r.lost.mu.Lock()
	defer r.lost.mu.Unlock()
	if to := r.lost.moved[n.Path]; to != "" {
		return &Alteration{Path: n.Path, Ref: n.Ref, Moved: to, Detail: fmt.Sprintf("%.300q lies at %.300q", n.Path, to)}
	}
	return nil
}

// check reads an entry whole.
func (r *Reader) check(e entry) error {
	b, err := r.body(e, nil)
	if err != nil {
		return err
	}
	return drain(b)
}

func drain(b Body) error {
	defer b.Close()
	_, err := io.Copy(struct{ io.Writer }{io.Discard}, b)
	return err
}

// checkExtents finds bytes of a file that are of no entry: each entry is where it
// must be, so that together they must fill it.
func (r *Reader) checkExtents(sum extents, yield func(Alteration) bool) {
	total := sum.sum + r.tail
	for _, f := range r.head.Files {
		total += lengthOf(f.At)
	}
	for _, c := range r.head.Index {
		total += lengthOf(c.At)
	}
	for _, v := range r.head.Void {
		total += v.Length
	}
	info, err := r.file.Stat()
	switch {
	case err != nil:
		yield(Alteration{Detail: err.Error()})
	case info.Size() != total:
		yield(Alteration{Detail: fmt.Sprintf("%d bytes of it are of no entry that the manifest names", info.Size()-total)})
	}
}

func lengthOf(e *Extent) int64 {
	if e == nil {
		return 0
	}
	return e.Length
}

// checkStrays finds files of a directory that the manifest does not name.
func (r *Reader) checkStrays(yield func(Alteration) bool) {
	r.lost.look(r)
	if r.lost.err != nil && !yield(Alteration{Detail: "not all of it could be looked at: " + r.lost.err.Error()}) {
		return
	}
	if r.lost.many && !yield(Alteration{Detail: fmt.Sprintf("more than %d files in it are not in its manifest", maxStrays)}) {
		return
	}
	r.lost.mu.Lock()
	extra := slices.Sorted(maps.Keys(r.lost.files))
	r.lost.mu.Unlock()
	for _, path := range extra {
		if !yield(Alteration{Path: path, Detail: fmt.Sprintf("the file %.300q is not in its manifest", path)}) {
			return
		}
	}
}

// known are the hashes of all paths that the manifest names.
func (r *Reader) known() (map[uint64]bool, error) {
	known := map[uint64]bool{pathHash(manifestPath): true, pathHash(sumPath): true, pathHash(footerPath): true}
	for _, f := range r.head.Files {
		known[pathHash(f.Path)] = true
	}
	for _, c := range r.head.Index {
		known[pathHash(c.Path)] = true
	}
	for n, err := range r.index.from(verify.Ref{}) {
		if err == nil && n.Path != "" {
			known[pathHash(n.Path)] = true
		} else if err != nil && !errors.Is(err, ErrAltered) && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return known, nil
}

func headDecoder() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(2*maxHead), zstd.WithDecoderMaxWindow(8<<20))
}
