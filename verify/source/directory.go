package source

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

const logsFolder = "AWSLogs"

// Directory is the verify.Store of a plain copy: one bucket, or several side
// by side or below other folders. Each AWSLogs folder in it is a root. Which
// buckets and prefixes a root was taken from is learned from digests in it
// when it is opened: the names that Roots, List and Entry use are the root's
// most frequent ones, or the folder's own name where no digest tells.
//
// Roots of the same bucket and prefix are parts of one copy, and listed as
// one. Two that hold files of the same account and region are two copies,
// each of which would hide what the other lacks: they are refused.
type Directory struct {
	path    string // as opened, for people
	tree    *os.Root
	roots   []*copied // in byte order of their paths
	within  string    // what to verify of the only root, where less than all of it: "AWSLogs/…/"
	keys    []string
	alone   bool // opened for one file, which is read by its name
	folders *folders
	buffers *buffers
	lists   atomic.Int64
	reads   atomic.Int64
}

var _ verify.Store = (*Directory)(nil)

// OpenDirectory opens a copy. The path may also lead to an AWSLogs folder or to
// an account's or an organization's in one. A path that is no directory is a
// *UsageError, and so is one that holds a bucket twice; one with no AWSLogs
// folder has no roots. Links and ".." never
// lead out of the directory.
func OpenDirectory(path string) (*Directory, error) {
	base, within, err := climb(path)
	if err != nil {
		return nil, &UsageError{What: "source", Err: err}
	}
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		err = usage("", "", "%q is no directory", path).Err
	}
	if err != nil {
		return nil, &UsageError{What: "source", Err: err}
	}
	tree, err := os.OpenRoot(base)
	if err != nil {
		return nil, &UsageError{What: "source", Err: err}
	}
	d := &Directory{path: path, tree: tree, within: within, buffers: newBuffers()}
	d.folders = &folders{tree: tree, most: mostFolders}
	err = d.look(base)
	if err == nil {
		err = d.twice()
	}
	if err != nil {
		tree.Close()
		return nil, &UsageError{What: "source", Err: err}
	}
	return d, nil
}

// climb goes from a path in or at an AWSLogs folder to the folder around it.
func climb(path string) (base, within string, err error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", "", err
	}
	slashed := filepath.ToSlash(abs) + "/"
	tail, ok := digest.FromAWSLogs(slashed)
	if !ok {
		return abs, "", nil
	}
	next, _, more := strings.Cut(strings.TrimPrefix(tail, logsFolder+"/"), "/")
	if more && !isOwner(next) {
		return abs, "", nil // a copy that happens to lie below a folder of that name
	}
	base = filepath.FromSlash(slashed[:len(slashed)-len(tail)])
	if !more {
		tail = ""
	}
	return base, tail, nil
}

// isOwner reports whether a folder in AWSLogs is an account's or an organization's.
func isOwner(name string) bool { return digest.IsAccount(name) || digest.IsOrganization(name) }

// look finds the roots and the key files, and learns where the roots are from.
func (d *Directory) look(base string) error {
	var dirs []string
	if d.within == "" {
		found, err := findRoots(d.tree)
		if err != nil {
			return err
		}
		dirs = found
	} else {
		dirs = []string{"."}
	}
	for _, dir := range dirs {
		name := filepath.Base(base)
		if dir != "." {
			name = dir[strings.LastIndexByte(dir, '/')+1:]
		}
		d.roots = append(d.roots, d.learn(dir, name))
	}
	d.keys = d.findKeys(dirs)
	return nil
}

// Close closes what the store keeps open.
func (d *Directory) Close() error {
	return errors.Join(d.folders.close(), d.tree.Close())
}

// Roots names each root by its bucket and prefix; roots of the same ones once.
func (d *Directory) Roots(context.Context) ([]verify.Ref, error) {
	var refs []verify.Ref
	for _, r := range d.roots {
		ref := verify.Ref{Bucket: r.origins[0].Bucket, Key: r.origins[0].Key + d.within}
		if !slices.Contains(refs, ref) {
			refs = append(refs, ref)
		}
	}
	return refs, nil
}

// Holds compares what comes from the last "AWSLogs/" on: account, region, day
// and name. A copy may hold several buckets merged into one tree, so that the
// bucket and the prefix of a single file are not known.
func (d *Directory) Holds(found, stated verify.Ref) bool {
	a, ok1 := digest.FromAWSLogs(found.Key)
	b, ok2 := digest.FromAWSLogs(stated.Key)
	if !ok1 || !ok2 {
		return found == stated
	}
	return a == b
}

// Requests counts folders read for listings (list) and files opened (get).
func (d *Directory) Requests() map[string]int64 {
	counts := map[string]int64{}
	if n := d.lists.Load(); n > 0 {
		counts["list"] = n
	}
	if n := d.reads.Load(); n > 0 {
		counts["get"] = n
	}
	return counts
}
