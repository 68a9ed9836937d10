package digest

import "hash"

// A sink hashes each piece while it is still in the cache.
type sink struct {
	sha  hash.Hash
	size int64
	room int64 // how many more bytes are allowed
	keep *[]byte
}

func (s *sink) reset(limit int64, keep *[]byte) {
	s.sha.Reset()
	s.size, s.room, s.keep = 0, max(limit, 0), keep
}

// Write takes what is allowed and refuses the rest, so that a content too
// large has the same hash whatever pieces it comes in.
func (s *sink) Write(p []byte) (n int, err error) {
	if int64(len(p)) > s.room {
		p, err = p[:s.room], errTooLarge
	}
	s.room -= int64(len(p))
	s.size += int64(len(p))
	if s.keep != nil {
		*s.keep = append(*s.keep, p...)
	}
	s.sha.Write(p)
	return len(p), err
}

// content is what was found, once the form of the whole is known.
func (s *sink) content(form Form) Content {
	c := Content{Form: form, Size: s.size}
	s.sha.Sum(c.Hash[:0])
	return c
}
