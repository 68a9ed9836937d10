package bundle

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"iter"

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
		t, whole, ok := r.checkRecords(ctx, yield)
		if !ok || ctx.Err() != nil {
			return
		}
		if r.file != nil {
			r.checkExtents(t, whole, yield)
		} else if !whole {
			yield(Alteration{Detail: "which of its files are of no entry cannot be told, because a part of its manifest is damaged"})
		} else {
			r.checkStrays(yield)
		}
	}
}

// A tiling tells whether extents together make up a whole file: then, and only then,
// is each one's end another's beginning. Sums over keyed hashes of both take no
// memory, and nobody who does not know the key can make them agree.
type tiling struct{ sum uint64 }

func (t *tiling) add(e *Extent) {
	if e != nil {
		t.sum += placeHash(e.Offset) - placeHash(e.Offset+e.Length)
	}
}

func (t *tiling) fills(size int64) bool { return t.sum == placeHash(0)-placeHash(size) }

func placeHash(at int64) uint64 { return maphash.Comparable(hashSeed, at) }

// checkRecords checks the records and the entries that were not read. whole: all
// records could be had.
func (r *Reader) checkRecords(ctx context.Context, yield func(Alteration) bool) (t tiling, whole, ok bool) {
	bad := -1
	whole = true
	var last Record
	for n, err := range r.index.from(verify.Ref{}) {
		if ctx.Err() != nil {
			return t, whole, false
		}
		if err != nil {
			if n.chunk == bad && n.Ref == (verify.Ref{}) {
				continue
			}
			bad, whole = n.chunk, false
			if !yield(Alteration{Path: r.head.Index[n.chunk].Path, Ref: n.Ref, Detail: err.Error()}) {
				return t, whole, false
			}
			continue
		}
		if n.Ref == last.Ref && (!last.Older || n.Path == last.Path) && (last.Ref != verify.Ref{}) {
			if !yield(Alteration{Path: n.Path, Ref: n.Ref, Detail: "the manifest has it twice"}) {
				return t, whole, false
			}
		}
		if last = n.Record; n.Path == "" {
			continue
		}
		t.add(n.At)
		a := r.checkEntry(n)
		if a != nil && !yield(*a) {
			return t, whole, false
		}
	}
	return t, whole, true
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

// checkExtents finds bytes of a file that are of no entry: each entry was found where
// the manifest says it is, so that together they must fill the file.
func (r *Reader) checkExtents(t tiling, whole bool, yield func(Alteration) bool) {
	for _, f := range r.head.Files {
		t.add(f.At)
	}
	for _, c := range r.head.Index {
		t.add(c.At)
	}
	for _, v := range r.head.Void {
		t.add(&v)
		if err := checkFilled(r.file, r.form, v); err != nil && !yield(Alteration{Detail: fmt.Sprintf("at byte %d: %v", v.Offset, err)}) {
			return
		}
	}
	info, err := r.file.Stat()
	switch {
	case err != nil:
		yield(Alteration{Detail: err.Error()})
	case info.Size() != r.size || whole && !t.fills(r.size-r.tail):
		yield(Alteration{Detail: "there are bytes in it that are of no entry which the manifest names"})
	}
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
	for _, path := range r.lost.extra() {
		if !yield(Alteration{Path: path, Detail: fmt.Sprintf("the file %.300q is not in its manifest", path)}) {
			return
		}
	}
}

// damaged reports whether an error says that a part of the bundle is not what was
// collected, and not that it could not be read.
func damaged(err error) bool { return errors.Is(err, ErrAltered) || errors.Is(err, fs.ErrNotExist) }

func headDecoder() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(2*maxHead), zstd.WithDecoderMaxWindow(8<<20))
}
