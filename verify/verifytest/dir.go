package verifytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// DirOptions says how a world is written to a directory.
type DirOptions struct {
	Buckets    bool   // a folder for each bucket, which is needed where there are several
	Signatures string // of digests, in side files: "all" (or empty), "newest" of each chain, "none"
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
	signed, err := w.sideFiles(opts.Signatures)
	if err != nil {
		return fmt.Errorf("write a trail to %s: %w", dir, err)
	}
	for _, bucket := range w.Buckets() {
		root := dir
		if opts.Buckets {
			root = filepath.Join(dir, bucket)
		}
		for key, o := range w.Scan(bucket, "") {
			if err := writeObject(root, key, o, signed(verify.Ref{Bucket: bucket, Key: key})); err != nil {
				return fmt.Errorf("write a trail to %s: %w", dir, err)
			}
		}
	}
	if opts.PublicKeys {
		return w.writeKeys(dir)
	}
	return nil
}

// sideFiles decides which objects get a side file.
func (w *World) sideFiles(which string) (func(verify.Ref) bool, error) {
	switch which {
	case "", "all":
		return func(verify.Ref) bool { return true }, nil
	case "none":
		return func(verify.Ref) bool { return false }, nil
	case "newest":
		newest := map[verify.Ref]bool{}
		for _, c := range w.chains {
			if d := w.newest(c); d != nil {
				newest[d.Ref] = true
			}
		}
		return func(ref verify.Ref) bool { return newest[ref] }, nil
	default:
		return nil, fmt.Errorf("signatures %q: want all, newest or none", which)
	}
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

func writeObject(root, key string, o Object, side bool) error {
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
	if !side || len(o.Metadata) == 0 {
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
