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
	if among || err == nil && err2 == nil && os.SameFile(source, target) {
		return usagef("--output %q lies in the evidence, which is never written to", out)
	}
	return nil
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
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() && isWholeBundle(name) {
			return t, usagef("%q is an evidence bundle", name).hint("name an object that is in it: s3://BUCKET/KEY --in %s", name)
		}
		store, ref, placed, err := openFile(name)
		if err != nil {
			return t, usage(err)
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
