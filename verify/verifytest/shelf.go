package verifytest

import (
	"iter"
	"maps"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// An Object is what is stored under a key.
type Object struct {
	Bytes    []byte
	Metadata map[string]string // S3 user metadata without x-amz-meta-
	Modified time.Time         // S3's LastModified

	SSE          string // server-side encryption: "AES256" (or empty), "aws:kms", "aws:kms:dsse", "sse-c"
	Key          string // ARN of the KMS key, for the two with kms
	StorageClass string // empty: STANDARD; from GLACIER and DEEP_ARCHIVE nothing can be read
}

// A shelf is one bucket: packs of log files, and loose objects before them.
type shelf struct {
	packs   map[string]*pack         // by folder
	loose   map[string]*Object       // nil says that the object in the pack is gone
	sse     sse                      // of objects put here that do not say theirs
	history map[string][]HeldVersion // of keys that were changed; nil where the bucket keeps none

	mu      sync.Mutex
	keys    []string // of loose, sorted; nil when they must be sorted anew
	folders []string // of packs, likewise
}

func newShelf() *shelf {
	return &shelf{packs: map[string]*pack{}, loose: map[string]*Object{}}
}

func (s *shelf) get(key string) (Object, bool) {
	if o, ok := s.loose[key]; ok {
		if o == nil {
			return Object{}, false
		}
		return *o, true
	}
	p := s.packs[folderOf(key)]
	if p == nil {
		return Object{}, false
	}
	s.order()
	return p.find(key)
}

// put stores an object; nil deletes what is there.
func (s *shelf) put(key string, o *Object) {
	if o != nil && o.SSE == "" {
		o.SSE, o.Key = s.sse.SSE, s.sse.Key
	}
	s.loose[key] = o
	s.keys = nil
}

// order sorts what is not sorted yet and gives the sorted keys and folders.
func (s *shelf) order() (keys, folders []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil {
		s.keys = slices.Sorted(maps.Keys(s.loose))
	}
	if s.folders == nil {
		s.folders = slices.Sorted(maps.Keys(s.packs))
		for _, p := range s.packs {
			p.sort()
		}
	}
	return s.keys, s.folders
}

// scan yields the objects whose keys are not less than from, in byte order.
func (s *shelf) scan(from string) iter.Seq2[string, Object] {
	return func(yield func(string, Object) bool) {
		keys, _ := s.order()
		keys = keys[sort.SearchStrings(keys, from):]
		for key, o := range s.scanPacks(from) {
			for len(keys) > 0 && keys[0] < key {
				if !s.yieldLoose(keys[0], yield) {
					return
				}
				keys = keys[1:]
			}
			if len(keys) > 0 && keys[0] == key {
				continue // the loose object stands before it
			}
			if !yield(key, o) {
				return
			}
		}
		for _, key := range keys {
			if !s.yieldLoose(key, yield) {
				return
			}
		}
	}
}

func (s *shelf) yieldLoose(key string, yield func(string, Object) bool) bool {
	o := s.loose[key]
	return o == nil || yield(key, *o)
}

func (s *shelf) scanPacks(from string) iter.Seq2[string, Object] {
	return func(yield func(string, Object) bool) {
		_, folders := s.order()
		for _, folder := range folders {
			if folder < from && !strings.HasPrefix(from, folder) {
				continue
			}
			p := s.packs[folder]
			for _, l := range p.logs[p.from(from):] {
				if !yield(p.key(l), p.object(l)) {
					return
				}
			}
		}
	}
}
