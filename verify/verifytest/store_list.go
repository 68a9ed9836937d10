package verifytest

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// Dirs lists the names below a prefix that have something below them.
func (s *Store) Dirs(ctx context.Context, at verify.Ref) ([]string, error) {
	if err := s.count(ctx, "list"); err != nil {
		return nil, err
	}
	fault := s.listFault(at)
	var dirs []string
	for key := range s.w.dirs(at) {
		if fault != nil && len(dirs) == fault.after {
			return nil, fault.err
		}
		dirs = append(dirs, key[len(at.Key):])
	}
	if fault != nil {
		return nil, fault.err
	}
	return dirs, nil
}

// dirs yields the common prefixes below a prefix for the delimiter "/".
func (w *World) dirs(at verify.Ref) iter.Seq[string] {
	return func(yield func(string) bool) {
		for from := at.Key; ; {
			dir, ok := w.dirFrom(at, from)
			if !ok || !yield(dir) {
				return
			}
			from = dir[:len(dir)-1] + "0" // "0" comes next after "/"
		}
	}
}

func (w *World) dirFrom(at verify.Ref, from string) (string, bool) {
	for key := range w.Scan(at.Bucket, from) {
		rest, ok := strings.CutPrefix(key, at.Key)
		if !ok {
			return "", false
		}
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			return key[:len(at.Key)+i+1], true
		}
	}
	return "", false
}

// List yields the objects below a prefix.
func (s *Store) List(ctx context.Context, at verify.Ref, after, until string) iter.Seq2[verify.Entry, error] {
	return func(yield func(verify.Entry, error) bool) {
		fault, n := s.listFault(at), 0
		for key, o := range s.w.Scan(at.Bucket, max(at.Key, after)) {
			if !strings.HasPrefix(key, at.Key) || until != "" && key >= until {
				break
			}
			if key == after {
				continue
			}
			if fault != nil && n == fault.after {
				break
			}
			if n++; n%1000 == 1 {
				if err := s.count(ctx, "list"); err != nil {
					yield(verify.Entry{}, err)
					return
				}
			}
			e := verify.Entry{Ref: verify.Ref{Bucket: at.Bucket, Key: key}, Size: int64(len(o.Bytes)), Modified: o.Modified}
			if s.Copy {
				e.Modified = time.Time{}
			}
			if !yield(e, nil) {
				return
			}
		}
		if n == 0 {
			if err := s.count(ctx, "list"); err != nil {
				yield(verify.Entry{}, err)
				return
			}
		}
		if fault != nil {
			yield(verify.Entry{}, fault.err)
		}
	}
}
