package source

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

const (
	fileAttempts = 3        // a disk that fails is asked no more than that
	maxSideBytes = 64 << 10 // of a side file
)

// Read opens the file that a bucket's object became. Roots that were taken
// from that bucket and prefix are looked in first, then the others: a copy may
// have been moved about, and content is known by its hash. Only where a root
// was taken from that very bucket and prefix, and no root has the file, is it
// not found with authority; else it is unreadable, not copied.
func (d *Directory) Read(ctx context.Context, ref verify.Ref, use func(verify.Object) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if d.alone {
		return d.readAlone(ctx, ref, use)
	}
	tail, ok := digest.FromAWSLogs(ref.Key)
	if !ok || !local(tail) {
		return &verify.UnreadableError{What: object(ref), Reason: verify.NotCopied, Err: errNotCopied}
	}
	origin := verify.Ref{Bucket: ref.Bucket, Key: ref.Key[:len(ref.Key)-len(tail)]}
	known := false
	for _, first := range []bool{true, false} {
		for _, r := range d.roots {
			if r.knows(origin) != first {
				continue
			}
			known = known || first
			if err := d.readAt(ctx, ref, join(r.dir, tail), use); !errors.Is(err, errAbsent) {
				return err
			}
		}
	}
	if known {
		return &verify.NotFoundError{Ref: ref}
	}
	return &verify.UnreadableError{What: object(ref), Reason: verify.NotCopied, Err: errNotCopied,
		Hint: "copy that bucket and prefix as well, or verify it in S3"}
}

// errAbsent is for a root without the file; it never leaves the package.
var errAbsent = errors.New("no such file")

func (d *Directory) readAt(ctx context.Context, ref verify.Ref, path string, use func(verify.Object) error) error {
	for attempt := 1; ; attempt++ {
		err := d.readOnce(ctx, path, use)
		failed, isFile := err.(*fileError)
		switch {
		case !isFile:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case missing(failed.err):
			return errAbsent
		case !failed.body || attempt == fileAttempts:
			return unreadableFile(object(ref), failed.err)
		}
	}
}

// A fileError is the file's own, not one of use.
type fileError struct {
	err  error
	body bool // it came while reading, so that reading again may help
}

func (e *fileError) Error() string { return e.err.Error() }

func (d *Directory) readOnce(ctx context.Context, path string, use func(verify.Object) error) error {
	slash := strings.LastIndexByte(path, '/')
	dir, err := d.folders.enter(path[:slash])
	if err != nil {
		return &fileError{err: err}
	}
	defer d.folders.leave(dir)
	d.reads.Add(1)
	name := path[slash+1:]
	f, size, err := dir.open(name)
	if err != nil && !missing(err) {
		f, size, err = openSlowly(d.tree, path) // a link, perhaps to elsewhere in the copy
	}
	if err != nil {
		return &fileError{err: err}
	}
	defer f.Close()
	o := verify.Object{Size: size, Metadata: d.sideFile(dir, name)}
	if size <= wholeBytes {
		return d.readWhole(ctx, f, o, use)
	}
	b := &fileBody{r: f}
	o.Body = b
	err = use(o)
	if b.err != nil {
		return &fileError{b.err, true}
	}
	return err
}

// readWhole reads a small file with as few calls as can be. A file that
// changes meanwhile is what is read of it: its hash decides.
func (d *Directory) readWhole(ctx context.Context, f io.Reader, o verify.Object, use func(verify.Object) error) error {
	buf, err := d.buffers.lend(ctx, o.Size)
	if err != nil {
		return err
	}
	defer d.buffers.giveBack(buf)
	n, err := io.ReadFull(f, buf.b[:o.Size])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return &fileError{err, true}
	}
	buf.Reset(buf.b[:n])
	o.Body = buf
	return use(o)
}

// A fileBody remembers that reading failed, whatever its reader makes of it.
type fileBody struct {
	r   io.Reader
	err error
}

func (b *fileBody) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err != nil && err != io.EOF {
		b.err = err
	}
	return n, err
}

func unreadableFile(what string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return &verify.UnreadableError{What: what, Reason: verify.AccessDenied, Err: err, Hint: "this user may not read the file, or a folder above it"}
	}
	return &verify.UnreadableError{What: what, Reason: verify.ReadFailed, Err: err}
}

// sideFile reads the user metadata that was saved beside a file: a flat JSON
// object of texts. One that is anything else counts for nothing.
func (d *Directory) sideFile(dir *folder, name string) map[string]string {
	if dir.plain.Load() {
		return nil
	}
	f, size, err := dir.open(name + sideSuffix)
	if err != nil {
		dir.looksPlain(d.tree)
		return nil
	}
	defer f.Close()
	if size > maxSideBytes {
		return nil
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSideBytes+1))
	var saved map[string]string
	if err != nil || len(data) > maxSideBytes || json.Unmarshal(data, &saved) != nil {
		return nil
	}
	meta := make(map[string]string, len(saved))
	for _, key := range slices.Sorted(maps.Keys(saved)) {
		meta[strings.TrimPrefix(strings.ToLower(key), "x-amz-meta-")] = saved[key]
	}
	return meta
}
