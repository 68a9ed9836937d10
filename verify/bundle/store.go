package bundle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync/atomic"
	"time"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

// A Store answers from a bundle what its source answered when it was collected,
// and nothing else: what was not asked then is unreadable, not copied.
type Store struct {
	from    *Reader
	source  sourceAnswers
	keys    map[string]regionAnswer
	folders map[verify.Ref]dirsAnswer
	listed  map[string]*spans
	failed  map[query]failedRun
	want    string           // the seal that it must have; empty: any
	wrong   map[string]error // entries of answers that could not be read
	lists   atomic.Int64
	gets    atomic.Int64
}

type regionAnswer struct {
	keys []digest.PublicKey
	err  error
}

var (
	_ verify.Store      = (*Store)(nil)
	_ verify.Keys       = (*Store)(nil)
	_ verify.KeyStates  = (*Store)(nil)
	_ verify.Companions = (*Store)(nil)
	_ verify.Expiring   = (*Store)(nil)
	_ verify.Testifying = (*Store)(nil)
)

// NewStore makes a store of an open bundle. Answers that cannot be read are as if
// they had not been collected; what is wrong with them is in the testimony.
func NewStore(r *Reader) *Store { return newStore(r) }

func newStore(from *Reader) *Store {
	s := &Store{from: from, keys: map[string]regionAnswer{}, folders: map[verify.Ref]dirsAnswer{},
		listed: map[string]*spans{}, failed: map[query]failedRun{}, wrong: map[string]error{}}
	for path, take := range map[string]func([]byte) error{
		sourceFile: s.takeSource, keysFile: s.takeKeys, foldersFile: s.takeFolders, listingsFile: s.takeListings,
	} {
		data, err := from.File(path, mostAnswers)
		if err == nil {
			err = take(data)
		}
		if err != nil {
			s.wrong[path] = err
		}
	}
	return s
}

func (s *Store) takeSource(data []byte) error {
	var a sourceAnswers
	err := json.Unmarshal(data, &a)
	s.source = a
	if err != nil {
		s.source = sourceAnswers{}
	}
	return err
}

func (s *Store) takeKeys(data []byte) error {
	var list keyList
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	var odd error
	keys := make([]*digest.PublicKey, len(list.PublicKeyList))
	for i, k := range list.PublicKeyList {
		key, err := digest.NewPublicKey(k.Value, k.Fingerprint, k.ValidityStartTime, k.ValidityEndTime)
		if err != nil {
			odd = errors.Join(odd, err)
			continue
		}
		key.Region = k.Region
		keys[i] = &key
	}
	for _, r := range list.Regions {
		var a regionAnswer
		if r.Error != nil {
			a.err = r.Error.again()
		}
		for _, i := range r.Keys {
			if i < 0 || i >= len(keys) {
				odd = errors.Join(odd, fmt.Errorf("there is no key %d", i))
			} else if keys[i] != nil {
				a.keys = append(a.keys, *keys[i])
			}
		}
		s.keys[r.Region] = a
	}
	return odd
}

func (s *Store) takeFolders(data []byte) error {
	return eachLine(data, func(a dirsAnswer) error {
		s.folders[a.ref()] = a
		return nil
	})
}

func (s *Store) takeListings(data []byte) error {
	return eachLine(data, func(a listAnswer) error {
		bucket := string(a.Bucket)
		if a.Keys != nil {
			if s.listed[bucket] == nil {
				s.listed[bucket] = new(spans)
			}
			s.listed[bucket].add(string(a.Keys.From), string(a.Keys.To))
		}
		if f := a.Failed; f != nil && f.Error != nil {
			s.failed[query{verify.Ref{Bucket: bucket, Key: string(f.Prefix)}, string(f.After), string(f.Until)}] = *f
		}
		return nil
	})
}

// eachLine reads one JSON value after the other.
func eachLine[T any](data []byte, use func(T) error) error {
	lines := json.NewDecoder(bytes.NewReader(data))
	for {
		var v T
		if err := lines.Decode(&v); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := use(v); err != nil {
			return err
		}
	}
}

// Roots are those of the source.
func (s *Store) Roots(ctx context.Context) ([]verify.Ref, error) {
	if err := s.answered(ctx, sourceFile, "roots"); err != nil {
		return nil, err
	}
	var roots []verify.Ref
	for _, f := range s.source.Roots {
		roots = append(roots, f.ref())
	}
	if s.source.RootsError != nil {
		return roots, s.source.RootsError.again()
	}
	return roots, nil
}

// answered is the error where an entry of answers could not be read.
func (s *Store) answered(ctx context.Context, path, what string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := s.wrong[path]; err != nil {
		return &verify.UnreadableError{What: what, Reason: verify.ReadFailed, Err: fmt.Errorf("the bundle's %s cannot be read: %w", path, err)}
	}
	return nil
}

// Dirs is what lay below a folder.
func (s *Store) Dirs(ctx context.Context, at verify.Ref) ([]string, error) {
	s.lists.Add(1)
	if err := s.answered(ctx, foldersFile, listingAt(at)); err != nil {
		return nil, err
	}
	a, ok := s.folders[at]
	switch {
	case !ok:
		return nil, notCollected(listingAt(at))
	case a.Error != nil:
		return nil, a.Error.again()
	}
	var dirs []string
	for _, d := range a.Dirs {
		dirs = append(dirs, string(d))
	}
	return dirs, nil
}

// Holds is the source's rule: equality for a bucket; for a plain copy, which
// knows neither bucket nor prefix, what comes from "AWSLogs/" on.
func (s *Store) Holds(found, stated verify.Ref) bool {
	if !s.source.Relative {
		return found == stated
	}
	a, okA := digest.FromAWSLogs(found.Key)
	b, okB := digest.FromAWSLogs(stated.Key)
	if !okA || !okB {
		return found == stated
	}
	return a == b
}

// Requests counts what was asked of the bundle.
func (s *Store) Requests() map[string]int64 {
	counts := map[string]int64{}
	if n := s.lists.Load(); n > 0 {
		counts["list"] = n
	}
	if n := s.gets.Load(); n > 0 {
		counts["get"] = n
	}
	return counts
}

// Keys are a region's, as far as they were asked for.
func (s *Store) Keys(ctx context.Context, region string, _, _ time.Time) ([]digest.PublicKey, error) {
	a, ok := s.keys[region]
	if !ok {
		if err := s.answered(ctx, keysFile, "public keys of "+region); err != nil {
			return nil, err
		}
		return nil, notCollected("public keys of " + region)
	}
	return a.keys, a.err
}

// KeyState is what KMS said of a key.
func (s *Store) KeyState(_ context.Context, key string) verify.KeyState {
	if state, ok := s.source.KMSKeys[key]; ok {
		return state
	}
	return verify.KeyState{Problem: "KMS was not asked when the bundle was collected"}
}

// Companion is what was found out about an object.
func (s *Store) Companion(_ context.Context, ref verify.Ref) bool {
	rec, ok, err := s.from.Get(ref)
	return err == nil && ok && rec.Companion != nil && *rec.Companion
}

// Expirations are a bucket's, as it told them.
func (s *Store) Expirations(_ context.Context, bucket string) ([]verify.Expiration, error) {
	for _, l := range s.source.Lifecycle {
		if string(l.Bucket) != bucket {
			continue
		}
		if l.Error != nil {
			return nil, l.Error.again()
		}
		return l.Rules, nil
	}
	return nil, notCollected(fmt.Sprintf("lifecycle rules of %q", bucket))
}

// isGone reports whether opening an entry failed because it is not there as it was
// collected.
func isGone(err error) bool { return errors.Is(err, ErrAltered) || errors.Is(err, fs.ErrNotExist) }
