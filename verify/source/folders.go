package source

import (
	"container/list"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// mostFolders are kept open: a day's logs lie in one folder for each region.
const mostFolders = 128

// folders keeps folders open, the last used ones, so that opening a file does
// not walk its whole path. A folder once entered was reached without leaving
// the tree.
type folders struct {
	tree   *os.Root
	most   int
	mu     sync.Mutex
	open   map[string]*folder
	recent list.List // of *folder, the last used first
}

// A shared is a folder's place among the open ones.
type shared struct {
	path  string
	users int
	place *list.Element // nil once dropped: the last user closes it
	lone  atomic.Int32  // files in it that were found to have no side file
	plain atomic.Bool   // no file in it has one
}

// loneFiles in one folder make it worth its names' reading once, rather than
// a call a file for a side file that is not there.
const loneFiles = 16

// looksPlain is told of a file without a side file.
func (d *folder) looksPlain(tree *os.Root) {
	if d.lone.Add(1) != loneFiles {
		return
	}
	f, err := tree.Open(d.path)
	if err != nil {
		return
	}
	defer f.Close()
	for {
		names, err := f.Readdirnames(1024)
		if slices.ContainsFunc(names, func(n string) bool { return strings.HasSuffix(n, sideSuffix) }) {
			return
		}
		if err != nil {
			d.plain.Store(err == io.EOF)
			return
		}
	}
}

// enter opens a folder or finds it open. The caller must leave it.
func (f *folders) enter(path string) (*folder, error) {
	f.mu.Lock()
	if d := f.open[path]; d != nil {
		d.users++
		f.recent.MoveToFront(d.place)
		f.mu.Unlock()
		return d, nil
	}
	f.mu.Unlock()
	d, err := openFolder(f.tree, path)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	d.path, d.users = path, 1
	if f.open[path] == nil { // else somebody was faster: this one is closed after use
		f.keep(d)
	}
	return d, nil
}

func (f *folders) keep(d *folder) {
	if f.open == nil {
		f.open = map[string]*folder{}
	}
	f.open[d.path] = d
	d.place = f.recent.PushFront(d)
	for f.recent.Len() > f.most {
		f.drop(f.recent.Back().Value.(*folder))
	}
}

func (f *folders) drop(d *folder) error {
	delete(f.open, d.path)
	f.recent.Remove(d.place)
	d.place = nil
	if d.users == 0 {
		return d.close()
	}
	return nil
}

// leave is called when a folder is used no more.
func (f *folders) leave(d *folder) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if d.users--; d.users == 0 && d.place == nil {
		d.close()
	}
}

func (f *folders) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for f.recent.Len() > 0 {
		errs = append(errs, f.drop(f.recent.Front().Value.(*folder)))
	}
	return errors.Join(errs...)
}

// openSlowly opens a file by its whole path, following links that stay in
// the tree.
func openSlowly(tree *os.Root, path string) (*os.File, int64, error) {
	f, err := openRegular(tree, path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}
