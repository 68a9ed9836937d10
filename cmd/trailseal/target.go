package main

import (
	"bytes"
	"context"
	"io"
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
	if info, err := os.Stat(name); err == nil && info.IsDir() && isBundle(name) {
		return t, notOneFile(name)
	}
	if o.bundle != "" && !isS3(name) {
		return t, usagef("with --bundle the file is named as it was in its bucket: s3://BUCKET/KEY, got %q", name)
	}
	if !isS3(name) {
		store, ref, placed, err := openFile(name)
		if err != nil {
			return t, usage(err)
		}
		if !placed && packed(name) { // among CloudTrail's files it is what a digest says of it
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
	in := root.URI()
	if o.bundle != "" {
		if in = o.bundle; !isBundle(in) {
			return t, usagef("there is no bundle %q", in)
		}
	}
	from, err := o.open(ctx, in, warn)
	t.opened = from
	return t, err
}

func notOneFile(name string) error {
	return usagef("%q is a bundle, and not one file", name).hint("trailseal inspect s3://BUCKET/KEY --bundle FILE is about one file in it")
}

// packed reports whether a file begins like a bundle that is one file: CloudTrail's
// files are gzip.
func packed(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	const magicAt = 257 // of tar
	var start [magicAt + len("ustar")]byte
	n, _ := io.ReadFull(f, start[:])
	return bytes.HasPrefix(start[:n], []byte("\x28\xb5\x2f\xfd")) || n == len(start) && string(start[magicAt:]) == "ustar"
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
