package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/source"
)

// A target is the one object that a command is about.
type target struct {
	opened
	ref    verify.Ref
	placed bool // it lies where digests may speak of it
}

// keepEvidence refuses to write over what is looked at, or among CloudTrail's files.
func keepEvidence(out, in string) error {
	if out == "" || out == "-" {
		return nil
	}
	source, err := os.Stat(in)
	target, err2 := os.Stat(out)
	_, among := digest.FromAWSLogs(filepath.ToSlash(placeOf(out)))
	switch {
	case among, err == nil && err2 == nil && os.SameFile(source, target):
	case err != nil || !source.IsDir() || !below(in, out):
		return nil
	case isBundle(in): // every file in it is of the evidence, and one more would be a stray
	case err2 != nil || !isEvidence(filepath.Base(out)):
		return nil
	}
	return usagef("--output %q lies in the evidence, which is never written to", out)
}

// below reports whether a file lies in a directory, however both are named.
func below(dir, file string) bool {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return false
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real
	}
	rel, err := filepath.Rel(abs, placeOf(file))
	return err == nil && filepath.IsLocal(rel)
}

// isEvidence reports whether a file of this name beside an AWSLogs folder belongs to
// the copy: its keys, or the metadata of an object.
func isEvidence(name string) bool {
	return strings.HasPrefix(name, "public-keys") && strings.HasSuffix(name, ".json") || strings.HasSuffix(name, ".metadata.json")
}

// A fileOpener opens one file on disk.
type fileOpener func(path string) (*source.Directory, verify.Ref, bool, error)

// target finds the store and the place of the object.
func (o *verifyOptions) target(ctx context.Context, name string, warn func(string, ...any), openFile fileOpener) (target, error) {
	t := target{}
	if o.within != "" && !isS3(name) {
		return t, usagef("--in goes with the URI of an object, and %q is none", name)
	}
	if !isS3(name) {
		if info, err := os.Stat(name); err == nil && info.IsDir() && isBundle(name) {
			return t, notOneFile(name)
		}
		store, ref, placed, err := openFile(name)
		if err != nil {
			return t, usage(err)
		}
		if !placed && isWholeBundle(name) { // among CloudTrail's files it is what a digest says of it
			return t, notOneFile(name)
		}
		t.ref, t.placed, t.store, t.name = ref, placed, store, name
		t.kms = source.NewKMS(ctx, o.aws.options(), o.kms.endpoint)
		t.store = source.NewOpening(store, t.kms, o.kms.opener(t.kms, ""))
		t.keys, t.keysIn, err = o.keysFor(ctx, store, warn)
		return t, usage(err)
	}
	bucket, key, _ := strings.Cut(name[len("s3://"):], "/")
	if key == "" || strings.HasSuffix(key, "/") {
		return t, usagef("%q names no object", name)
	}
	t.ref = verify.Ref{Bucket: bucket, Key: key}
	root, placed := source.RootOf(t.ref)
	t.placed = placed
	where := root.URI()
	if o.within != "" {
		where = o.within
	}
	from, err := o.open(ctx, where, warn)
	t.opened = from
	return t, err
}

func notOneFile(name string) error {
	return usagef("%q is an evidence bundle", name).hint("name an object that is in it: s3://BUCKET/KEY --in %s", name)
}

// keysFor are the keys given, else those in the copy, else CloudTrail's.
func (o *verifyOptions) keysFor(ctx context.Context, store *source.Directory, warn func(string, ...any)) (keys verify.Keys, in string, err error) {
	if given, err := o.keysGiven(warn); given != nil || err != nil {
		return given, "", err
	}
	if files, err := store.KeyFiles(); files != nil || err != nil {
		return files, few(store.PublicKeyFiles()), err
	}
	keys, err = source.OpenCloudTrail(ctx, o.aws.options())
	return keys, "", err
}
