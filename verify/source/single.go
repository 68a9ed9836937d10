package source

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

// OpenFile opens one file on disk. Where it lies in a copy of a bucket the store
// is that copy, and digests can be asked about the file. Where it does not,
// inCopy is false and the store holds nothing but the file, with its side files.
// What is not there, or is no file, is a *UsageError.
func OpenFile(path string) (store *Directory, ref verify.Ref, inCopy bool, err error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		return nil, ref, false, &UsageError{What: "file", Err: err}
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, ref, false, &UsageError{What: "file", Err: err}
	}
	if tail, ok := digest.FromAWSLogs(filepath.ToSlash(abs)); ok {
		if in, at, found, err := copyAbove(abs, tail); found || err != nil {
			return in, at, found, err
		}
	}
	store, ref, err = openAlone(abs)
	return store, ref, false, err
}

// OpenPlace is OpenFile for a file that may have been there: one that is not, and
// is named like one that CloudTrail writes, is a place in the copy that its folder
// lies in, about which digests can be asked.
func OpenPlace(path string) (store *Directory, ref verify.Ref, inCopy bool, err error) {
	store, ref, inCopy, err = OpenFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return store, ref, inCopy, err
	}
	abs, absErr := filepath.Abs(path)
	tail, ok := digest.FromAWSLogs(filepath.ToSlash(abs))
	if absErr != nil || !ok {
		return nil, ref, false, err
	}
	if _, nameErr := digest.ParseName(tail); nameErr != nil {
		if _, nameErr = digest.ParseLogName(tail); nameErr != nil {
			return nil, ref, false, err
		}
	}
	if in, at, found, _ := copyAbove(abs, tail); found {
		return in, at, true, nil
	}
	return nil, ref, false, err
}

// copyAbove opens the copy that a path lies in, where it is one and no more.
func copyAbove(abs, tail string) (store *Directory, ref verify.Ref, found bool, err error) {
	store, err = OpenDirectory(filepath.FromSlash(strings.TrimSuffix(filepath.ToSlash(abs), tail)))
	if err != nil {
		return nil, ref, false, err
	}
	if roots, err := store.Roots(context.Background()); err == nil && len(roots) == 1 {
		return store, verify.Ref{Bucket: roots[0].Bucket, Key: roots[0].Key + tail}, true, nil
	}
	store.Close() // several copies below one folder: it cannot be told which
	return nil, ref, false, nil
}

// RootOf is what lies above the AWSLogs folder that an object lies in. Where it
// lies in none, it is the bucket, and false.
func RootOf(ref verify.Ref) (verify.Ref, bool) {
	tail, ok := digest.FromAWSLogs(ref.Key)
	if !ok {
		return verify.Ref{Bucket: ref.Bucket}, false
	}
	return verify.Ref{Bucket: ref.Bucket, Key: strings.TrimSuffix(ref.Key, tail)}, true
}

// openAlone opens a file's folder without looking for anything in it: of a link,
// the folder that it leads to.
func openAlone(abs string) (*Directory, verify.Ref, error) {
	if to, err := filepath.EvalSymlinks(abs); err == nil {
		abs = to
	}
	tree, err := os.OpenRoot(filepath.Dir(abs))
	if err != nil {
		return nil, verify.Ref{}, &UsageError{What: "file", Err: err}
	}
	d := &Directory{path: abs, tree: tree, buffers: newBuffers(), alone: true}
	d.folders = &folders{tree: tree, most: mostFolders}
	return d, verify.Ref{Key: filepath.Base(abs)}, nil
}

// readAlone is Read of a store that was opened for one file.
func (d *Directory) readAlone(ctx context.Context, ref verify.Ref, use func(verify.Object) error) error {
	if strings.ContainsAny(ref.Key, "/"+string(filepath.Separator)) {
		return &verify.NotFoundError{Ref: ref}
	}
	err := d.readAt(ctx, ref, "./"+ref.Key, use)
	if err == errAbsent {
		return &verify.NotFoundError{Ref: ref}
	}
	return err
}
