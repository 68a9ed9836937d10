package source

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

const sideSuffix = ".metadata.json"

// beside reports whether a node is the side file of another file of its
// folder, and so was no object of the bucket. One without its file is shown:
// a forged log may have any name. So is the side file of a side file.
func beside(nodes []node, n node) bool {
	owner, ok := strings.CutSuffix(n.name, sideSuffix)
	if !ok || n.dir || strings.HasSuffix(owner, sideSuffix) {
		return false
	}
	_, found := slices.BinarySearchFunc(nodes, owner, func(n node, name string) int { return strings.Compare(n.name, name) })
	return found
}

// A view is one root as it looks from a bucket and a prefix.
type view struct {
	*copied
	d      *Directory
	bucket string
	prefix string // keys are this and the path below the root
}

// views are the roots that hold what lies at a place, and the part of the
// place's key below them. No root is an error: nothing is known of the place.
func (d *Directory) views(at verify.Ref) ([]view, error) {
	var found []view
	for _, r := range d.roots {
		for _, o := range r.origins {
			rest, ok := strings.CutPrefix(at.Key, o.Key)
			const logs = logsFolder + "/"
			if o.Bucket == at.Bucket && ok && (strings.HasPrefix(rest, logs) || strings.HasPrefix(logs, rest)) {
				found = append(found, view{r, d, at.Bucket, o.Key})
				break
			}
		}
	}
	if found == nil {
		return nil, &verify.UnreadableError{What: listing(at), Reason: verify.NotCopied, Err: errNotCopied}
	}
	return found, nil
}

var errNotCopied = errors.New("the directory holds no copy of it")

// Dirs lists one level of folders that hold a file, at whatever depth. A link
// to a folder counts as one. So does one that leads out of the directory:
// what lies behind it cannot be listed, which is then said.
func (d *Directory) Dirs(ctx context.Context, at verify.Ref) ([]string, error) {
	views, err := d.views(at)
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, v := range views {
		for n, err := range v.names(ctx, at.Key) {
			if err != nil {
				return nil, v.failed(ctx, at, err)
			}
			full, err := n.link && v.leadsOut(n.path), error(nil)
			if !full && (n.dir || n.link) {
				full, err = v.holdsFile(ctx, n.path)
			}
			if err != nil {
				return nil, v.failed(ctx, at, err)
			}
			if full {
				dirs = append(dirs, strings.TrimSuffix(n.key[len(at.Key):], "/")+"/")
			}
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs), nil
}

// List walks the folders in the order of keys, one folder's names in memory a
// level, and passes over folders that lie before after or past until. It does
// not follow links to folders, which may lead in circles: such a link is an
// object, which cannot be read, so that nobody hides things behind one.
func (d *Directory) List(ctx context.Context, at verify.Ref, after, until string) iter.Seq2[verify.Entry, error] {
	views, err := d.views(at)
	if err != nil {
		return func(yield func(verify.Entry, error) bool) { yield(verify.Entry{}, err) }
	}
	var all []iter.Seq2[verify.Entry, error]
	for _, v := range views {
		all = append(all, func(yield func(verify.Entry, error) bool) {
			span{v, ctx, at, after, until}.walk(at.Key, yield)
		})
	}
	return merge(all)
}

// A named is a node with its key and its path below the tree.
type named struct {
	node
	key, path string
}

// names are the nodes whose keys begin with a prefix and have no "/" between
// that and their end, in order.
func (v view) names(ctx context.Context, prefix string) iter.Seq2[named, error] {
	return func(yield func(named, error) bool) {
		rest := strings.TrimPrefix(prefix, v.prefix)
		if !strings.HasPrefix(rest, logsFolder+"/") {
			key := v.prefix + logsFolder + "/"
			yield(named{node{name: logsFolder + "/", dir: true}, key, join(v.dir, logsFolder)}, nil)
			return
		}
		dir, start := rest[:strings.LastIndexByte(rest, '/')], rest[strings.LastIndexByte(rest, '/')+1:]
		if !local(dir) {
			return // no copy has such a folder
		}
		v.d.lists.Add(1)
		nodes, err := level(v.d.tree, join(v.dir, dir))
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			yield(named{}, err)
			return
		}
		for _, n := range nodes {
			if !strings.HasPrefix(n.name, start) || beside(nodes, n) {
				continue
			}
			path := join(v.dir, dir) + "/" + strings.TrimSuffix(n.name, "/")
			if !yield(named{n, v.prefix + dir + "/" + n.name, path}, nil) {
				return
			}
		}
	}
}

// leadsOut reports whether a link cannot be followed, though it may lead
// somewhere.
func (v view) leadsOut(path string) bool {
	_, err := v.d.tree.Stat(path)
	return err != nil && !missing(err)
}

// holdsFile reports whether there is a file somewhere below a folder. It looks
// no further than the first: a day's folder may hold many thousands.
func (v view) holdsFile(ctx context.Context, path string) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	f, err := v.d.tree.OpenFile(path, os.O_RDONLY|nonblock, 0)
	if err != nil {
		if missing(err) {
			return false, nil
		}
		return false, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.IsDir() {
		return false, err // a link to a file
	}
	v.d.lists.Add(1)
	for {
		entries, err := f.ReadDir(64)
		for _, e := range entries {
			switch t := e.Type(); {
			case t.IsDir():
				if full, err := v.holdsFile(ctx, path+"/"+e.Name()); full || err != nil {
					return full, err
				}
			case t.IsRegular(), t&fs.ModeSymlink != 0:
				return true, nil // a side file too: either its file is here, or it is listed itself
			}
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				return false, nil
			}
			return false, err
		}
	}
}

func (v view) failed(ctx context.Context, at verify.Ref, err error) error {
	return ended(ctx, unreadableFile(listing(at), err))
}

// A span is a listing under way.
type span struct {
	view
	ctx          context.Context
	at           verify.Ref
	after, until string
}

// walk yields what is below a prefix; false ends the listing.
func (s span) walk(prefix string, yield func(verify.Entry, error) bool) bool {
	for n, err := range s.names(s.ctx, prefix) {
		if err != nil {
			yield(verify.Entry{}, s.failed(s.ctx, s.at, err))
			return false
		}
		if s.until != "" && n.key >= s.until {
			return false
		}
		if n.key <= s.after && !(n.dir && strings.HasPrefix(s.after, n.key)) {
			continue // every key that begins so is before after
		}
		if n.dir {
			if !s.walk(n.key, yield) {
				return false
			}
			continue
		}
		size, ok := s.size(n)
		if !ok {
			continue
		}
		entry := verify.Entry{Ref: verify.Ref{Bucket: s.bucket, Key: n.key}, Size: size}
		if !yield(entry, nil) {
			return false
		}
	}
	return true
}

// size is a file's size. A link counts as the file that it leads to, and as an
// unreadable one where it leads nowhere or to a folder. Only the sizes of
// digests matter to anyone, and to ask for the others' costs as much as
// hashing them.
func (s span) size(n named) (int64, bool) {
	if !strings.Contains(n.key, "/"+digest.DigestFolder+"/") {
		return 0, true
	}
	info, err := s.d.tree.Stat(n.path)
	switch {
	case err != nil && !n.link && errors.Is(err, fs.ErrNotExist):
		return 0, false // removed just now
	case err != nil || !info.Mode().IsRegular():
		return 0, true
	}
	return info.Size(), true
}

// local reports whether a path below a root can be a path in a copy: elements
// that are names, which "", "." and ".." are not.
func local(path string) bool {
	for element := range strings.SplitSeq(path, "/") {
		if element == "" || element == "." || element == ".." || strings.ContainsAny(element, "\x00"+notInNames) {
			return false
		}
	}
	return true
}
