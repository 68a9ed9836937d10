package verifytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// DirOptions says how a world is written to a directory.
type DirOptions struct {
	Buckets    bool   // a folder for each bucket, which is needed where there are several
	Signatures string // of digests, in side files: "all" (or empty), "newest" of each chain, "none". Envelopes of sealed objects go with them, but for "none"
	PublicKeys bool   // public-keys-REGION.json beside AWSLogs
}

// SideFile is what follows a file's name in that of the file with its S3 user
// metadata.
const SideFile = ".metadata.json"

// WriteDir writes the world as a plain copy, object by object: what
// `aws s3 sync s3://BUCKET DIR` leaves, and beside it what that loses. Objects
// whose names a file system cannot hold, or that would lie outside dir, are an
// error; folder markers become folders.
func (w *World) WriteDir(dir string, opts DirOptions) error {
	if len(w.shelves) > 1 && !opts.Buckets {
		return fmt.Errorf("write a trail to %s: it is in %d buckets, so each needs a folder of its own", dir, len(w.shelves))
	}
	side, err := w.sideFiles(opts.Signatures)
	if err != nil {
		return fmt.Errorf("write a trail to %s: %w", dir, err)
	}
	for _, bucket := range w.Buckets() {
		root := dir
		if opts.Buckets {
			root = filepath.Join(dir, bucket)
		}
		for key, o := range w.Scan(bucket, "") {
			o.Metadata = side(verify.Ref{Bucket: bucket, Key: key}, o.Metadata)
			if err := writeObject(root, key, o); err != nil {
				return fmt.Errorf("write a trail to %s: %w", dir, err)
			}
		}
	}
	if opts.PublicKeys {
		return w.writeKeys(dir)
	}
	return nil
}

// sideFiles decides what of an object's metadata its side file has.
func (w *World) sideFiles(which string) (func(verify.Ref, map[string]string) map[string]string, error) {
	switch which {
	case "", "all":
		return func(_ verify.Ref, m map[string]string) map[string]string { return m }, nil
	case "none":
		return func(verify.Ref, map[string]string) map[string]string { return nil }, nil
	case "newest":
		newest := map[verify.Ref]bool{}
		for _, c := range w.chains {
			if d := w.newest(c); d != nil {
				newest[d.Ref] = true
			}
		}
		return func(ref verify.Ref, m map[string]string) map[string]string {
			if newest[ref] {
				return m
			}
			return envelope(m)
		}, nil
	default:
		return nil, fmt.Errorf("signatures %q: want all, newest or none", which)
	}
}

// envelope is what a client that encrypts adds to the metadata.
func envelope(m map[string]string) map[string]string {
	m = maps.Clone(m)
	maps.DeleteFunc(m, func(name, _ string) bool { return !strings.HasPrefix(name, "x-amz-") })
	return m
}

// newest is the newest digest of a chain that is still there.
func (w *World) newest(c *Chain) *Digest {
	for _, d := range slices.Backward(c.Digests) {
		if _, ok := w.Get(d.Ref); ok {
			return d
		}
	}
	return nil
}

func writeObject(root, key string, o Object) error {
	name := filepath.FromSlash(key)
	if !filepath.IsLocal(name) || strings.Contains(key, "//") {
		return fmt.Errorf("the key %q cannot be a file in a directory", key)
	}
	file := filepath.Join(root, name)
	if strings.HasSuffix(key, "/") {
		return os.MkdirAll(file, 0o777)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return err
	}
	if err := os.WriteFile(file, o.Bytes, 0o666); err != nil {
		return err
	}
	if len(o.Metadata) == 0 {
		return nil
	}
	metadata, err := json.MarshalIndent(o.Metadata, "", "  ")
	return errors.Join(err, os.WriteFile(file+SideFile, append(metadata, '\n'), 0o666))
}

func (w *World) writeKeys(dir string) error {
	for region := range w.keys {
		file := filepath.Join(dir, "public-keys-"+region+".json")
		if err := os.WriteFile(file, w.ListPublicKeysJSON(region), 0o666); err != nil {
			return fmt.Errorf("write the public keys of %s: %w", region, err)
		}
	}
	return nil
}
