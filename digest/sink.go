package digest

import (
	"hash"
	"io"
)

// A Tee is given the uncompressed bytes of a file while they are hashed. Reset
// tells it to begin anew: the file is read once more. What Write returns does not
// count.
type Tee interface {
	io.Writer
	Reset()
}

// kept is where uncompressed bytes go besides being hashed; either may be nil.
type kept struct {
	bytes *[]byte
	tee   Tee
}

func (k kept) restart() {
	if k.bytes != nil {
		*k.bytes = (*k.bytes)[:0]
	}
	if k.tee != nil {
		k.tee.Reset()
	}
}

// A sink hashes each piece while it is still in the cache.
type sink struct {
	sha  hash.Hash
	size int64
	room int64 // how many more bytes are allowed
	keep *[]byte
	tee  Tee
}

func (s *sink) reset(limit int64, to kept) {
	s.sha.Reset()
	s.size, s.room, s.keep, s.tee = 0, max(limit, 0), to.bytes, to.tee
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
	if s.tee != nil {
		s.tee.Write(p) // which cannot fail what is hashed
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
