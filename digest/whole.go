package digest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"
	"io"
	"slices"
	"sync"

	"github.com/trailseal/trailseal/digest/internal/inflate"
)

// gzip's parts as CloudTrail's writer makes them: a header without options,
// and after the content its CRC-32 and length.
const (
	plainHeader = 10
	trailer     = 8
)

// An inflater reads whole bodies fast. It is taken only while the processor
// works, not while bytes are on their way, so there are few of them.
type inflater struct {
	inflate.Decoder
	out sink
	crc uint32
}

var inflaters = sync.Pool{New: func() any { return &inflater{out: sink{sha: sha256.New()}} }}

// readWhole reads a body that is all there. Whatever the fast way does not
// find exact is read once more with the standard library before anything is
// said of it: a fault of ours must never accuse.
func readWhole(z []byte, limit int64, to kept) Content {
	if keep := to.bytes; keep != nil && len(z) >= plainHeader+trailer {
		// The trailer states the size. A false one cannot ask for much: no
		// content is more than 1,032 times what it is stored in.
		if size := int64(binary.LittleEndian.Uint32(z[len(z)-4:])); size <= min(limit, 1032*int64(len(z))) {
			*keep = make([]byte, 0, size)
		}
	}
	f := inflaters.Get().(*inflater)
	defer inflaters.Put(f)
	if c, ok := f.read(z, limit, to); ok {
		return c
	}
	to.restart()
	c, _ := readStream(bytes.NewReader(z), &source{}, limit, to)
	return c
}

// read reads exactly one member with a plain header, or nothing.
func (f *inflater) read(z []byte, limit int64, to kept) (Content, bool) {
	if len(z) < plainHeader+trailer || !bytes.HasPrefix(z, magic) || z[len(magic)] != 0 {
		return Content{}, false
	}
	f.crc = 0
	f.out.reset(limit, to)
	n, err := f.Decode(z[plainHeader:len(z)-trailer], f.piece)
	f.out.keep, f.out.tee = nil, nil
	end := z[len(z)-trailer:]
	if err != nil || n != len(z)-plainHeader-trailer ||
		binary.LittleEndian.Uint32(end) != f.crc || binary.LittleEndian.Uint32(end[4:]) != uint32(f.out.size) {
		return Content{}, false
	}
	return f.out.content(Exact), true
}

func (f *inflater) piece(p []byte) error {
	f.crc = crc32.Update(f.crc, crc32.IEEETable, p)
	_, err := f.out.Write(p)
	return err
}

// maxAhead is how much of a body that comes piecemeal is read ahead of
// inflating it. Nearly every log file is smaller; of the others, many may be
// on their way at once.
const maxAhead = 256 << 10

// An ahead holds what was read ahead.
type ahead struct{ buf []byte }

var aheads = sync.Pool{New: func() any { return &ahead{buf: make([]byte, 32<<10)} }}

// read reads to the end, which it says with io.EOF, or as far as maxAhead.
func (a *ahead) read(r io.Reader) ([]byte, error) {
	for n := 0; ; {
		m, err := r.Read(a.buf[n:])
		if n += m; err != nil || n == maxAhead {
			return a.buf[:n], err
		}
		if n == len(a.buf) {
			a.buf = slices.Grow(a.buf, n)[:2*n]
		}
	}
}
