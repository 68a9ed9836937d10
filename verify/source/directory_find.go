package source

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
)

const deepest = 12 // folders above an AWSLogs folder

// A node is one name of a folder. A folder's own name has a final "/", so that
// nodes sort as the keys that begin with them do.
type node struct {
	name string
	dir  bool
	link bool
}

// level reads one folder, in byte order. What is neither a folder, a regular
// file nor a link is left out. A missing folder is empty.
func level(tree *os.Root, dir string) ([]node, error) {
	f, err := tree.OpenFile(dir, os.O_RDONLY|nonblock, 0)
	if err != nil {
		if missing(err) {
			return nil, nil
		}
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	if err != nil {
		if missing(err) {
			return nil, nil
		}
		return nil, err
	}
	nodes := make([]node, 0, len(entries))
	for _, e := range entries {
		switch t := e.Type(); {
		case t.IsDir():
			nodes = append(nodes, node{name: e.Name() + "/", dir: true})
		case t.IsRegular(), t&fs.ModeSymlink != 0:
			nodes = append(nodes, node{name: e.Name(), link: !t.IsRegular()})
		}
	}
	slices.SortFunc(nodes, func(a, b node) int { return cmp.Compare(a.name, b.name) })
	return nodes, nil
}

// missing reports whether an error says that there is nothing of that name,
// or a file where a folder would have to be.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// findRoots finds the folders that hold an AWSLogs folder, in byte order. An
// AWSLogs folder is searched only through folders that are no account's: a
// prefix may itself contain one. Folders that may not be read are passed over
// where they are not the first.
func findRoots(tree *os.Root) ([]string, error) {
	if _, err := level(tree, "."); err != nil {
		return nil, err
	}
	var roots []string
	var walk func(dir string, depth int)
	walk = func(dir string, depth int) {
		nodes, err := level(tree, dir)
		if err != nil || depth > deepest {
			return
		}
		for _, n := range nodes {
			name := strings.TrimSuffix(n.name, "/")
			if !n.dir || path.Base(dir) == logsFolder && isOwner(name) {
				continue
			}
			if name == logsFolder {
				roots = append(roots, dir)
			}
			walk(join(dir, name), depth+1)
		}
	}
	walk(".", 0)
	slices.Sort(roots)
	return roots, nil
}

// join is path.Join without its cleaning: a name is a name.
func join(dir, name string) string {
	if dir == "." {
		return name
	}
	return dir + "/" + name
}

// PublicKeyFiles are the files named public-keys*.json in the directory, next
// to its AWSLogs folders and in the folders between, as paths relative to the
// directory (or to the folder that AWSLogs is in, where the directory is below
// that), in byte order.
func (d *Directory) PublicKeyFiles() []string { return d.keys }

func isKeyFile(name string) bool {
	return strings.HasPrefix(name, "public-keys") && strings.HasSuffix(name, ".json")
}

func (d *Directory) findKeys(roots []string) []string {
	dirs := []string{"."}
	if d.within != "" {
		dirs = append(dirs, strings.TrimSuffix(d.within, "/"))
	}
	for _, dir := range roots {
		for ; dir != "."; dir = path.Dir(dir) {
			dirs = append(dirs, dir)
		}
	}
	slices.Sort(dirs)
	var found []string
	for _, dir := range slices.Compact(dirs) {
		nodes, _ := level(d.tree, dir)
		for _, n := range nodes {
			if isKeyFile(n.name) && !n.dir && !n.link {
				found = append(found, join(dir, n.name))
			}
		}
	}
	slices.Sort(found)
	return found
}

// KeyFiles reads PublicKeyFiles. Where there are none both results are nil.
// Keys that lie beside the files prove only as much as whoever could write
// there is trusted.
func (d *Directory) KeyFiles() (*KeyFile, error) {
	if len(d.keys) == 0 {
		return nil, nil
	}
	files := &KeyFile{}
	for _, name := range d.keys {
		f, err := openRegular(d.tree, name)
		if err != nil {
			return nil, &UsageError{What: "public keys", Err: err}
		}
		err = files.add(name, f)
		f.Close()
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

var errNotRegular = errors.New("not a regular file")

// openRegular opens a file by its whole path and never waits: a named pipe
// would otherwise hold the run until somebody writes to it.
func openRegular(tree *os.Root, name string) (*os.File, error) {
	f, err := tree.OpenFile(name, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
