package digest

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

// member compresses content with a header that has every optional field.
func member(t testing.TB, content []byte, level int, full bool) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	if full {
		w.Extra, w.Name, w.Comment = []byte("extra"), "näme", "comment"
	}
	w.Write(content)
	w.Close()
	if !full {
		return b.Bytes()
	}
	// compress/gzip writes no FHCRC: put one in.
	z := b.Bytes()
	end := bytes.Index(z, []byte("comment\x00")) + 8
	z[3] |= 2
	head := binary.LittleEndian.AppendUint16(bytes.Clone(z[:end]), uint16(crc32.ChecksumIEEE(z[:end])))
	return append(head, z[end:]...)
}

var content = []byte(strings.Repeat(`{"Records":[{"eventVersion":"1.08"}]}`, 50))

// readers are the ways in which the same bytes may come.
var readers = map[string]func([]byte) io.Reader{
	"bytes": func(b []byte) io.Reader { return bytes.NewReader(b) },
	"embedded": func(b []byte) io.Reader {
		return &struct{ bytes.Reader }{*bytes.NewReader(b)}
	},
	"after": func(b []byte) io.Reader {
		r := bytes.NewReader(append([]byte("before"), b...))
		r.Seek(6, io.SeekStart)
		return r
	},
	"pieces": func(b []byte) io.Reader { return &inPieces{*bytes.NewReader(b)} },
	"stream": func(b []byte) io.Reader { return struct{ io.Reader }{bytes.NewReader(b)} },
	"single": func(b []byte) io.Reader {
		if len(b) > 1<<16 {
			return iotest.HalfReader(bytes.NewReader(b))
		}
		return iotest.OneByteReader(bytes.NewReader(b))
	},
	"dataEOF": func(b []byte) io.Reader {
		return iotest.DataErrReader(bytes.NewReader(b))
	},
}

// inPieces looks like a bytes.Reader and does not write in one piece.
type inPieces struct{ bytes.Reader }

func (r *inPieces) WriteTo(w io.Writer) (int64, error) {
	return io.CopyBuffer(w, struct{ io.Reader }{&r.Reader}, make([]byte, 10))
}

func checkForm(t *testing.T, what string, z []byte, limit int64, want Content) {
	t.Helper()
	for name, reader := range readers {
		got, err := HashGzip(reader(z), limit)
		if err != nil || got != want {
			t.Errorf("%s from %s: %+v, %v; want %+v", what, name, got, err, want)
		}
	}
}

func exact(b []byte) Content { return Content{Form: Exact, Hash: Sum(b), Size: int64(len(b))} }

func TestHashGzipExact(t *testing.T) {
	for level := gzip.HuffmanOnly; level <= gzip.BestCompression; level++ {
		for _, full := range []bool{false, true} {
			for _, n := range []int{0, 1, len(content)} {
				z := member(t, content[:n], level, full)
				checkForm(t, fmt.Sprintf("level %d, %d bytes", level, n), z, int64(n), exact(content[:n]))
				got, c, err := ReadGzip(bytes.NewReader(z), int64(n))
				if err != nil || c != exact(content[:n]) || !bytes.Equal(got, content[:n]) {
					t.Errorf("level %d, %d bytes: %v %v", level, n, c, err)
				}
			}
		}
	}
}

// Bodies that are read ahead, and bodies too large for it, are read alike.
func TestHashGzipLarge(t *testing.T) {
	text := trailLike(5<<20, 1)
	for _, size := range []int{maxAhead - 1, maxAhead, maxAhead + 1, 2 * maxAhead} {
		// A stored block makes the size come out exactly.
		z := member(t, text[:size-18-5*((size-18+65534)/65535)], gzip.NoCompression, false)
		c := exact(text[:size-18-5*((size-18+65534)/65535)])
		checkForm(t, fmt.Sprint(len(z), " stored bytes"), z, 1<<30, c)
	}
	z := member(t, text, 6, false)
	checkForm(t, "large", z, 1<<30, exact(text))
	checkForm(t, "large, limit", z, 1<<20, Content{TooLarge, Sum(text[:1<<20]), 1 << 20})
	z = append(z, 0)
	checkForm(t, "large, trailing", z, 1<<30, Content{TrailingData, Sum(text), int64(len(text))})
	got, _, err := ReadGzip(bytes.NewReader(z[:len(z)-1]), 1<<30)
	if err != nil || !bytes.Equal(got, text) || cap(got) > len(got)+8192 {
		t.Errorf("ReadGzip: %d bytes in %d, %v", len(got), cap(got), err)
	}
}

func TestHashGzipTruncated(t *testing.T) {
	for _, level := range []int{gzip.NoCompression, gzip.HuffmanOnly, gzip.BestSpeed, gzip.BestCompression} {
		for _, full := range []bool{false, true} {
			content := content[:400]
			z := member(t, content, level, full)
			for n := range len(z) {
				for name, reader := range readers {
					got, err := HashGzip(reader(z[:n]), 1<<20)
					if err != nil || got.Form != Truncated {
						t.Fatalf("level %d, first %d of %d bytes from %s: %v %v", level, n, len(z), name, got.Form, err)
					}
					if trailer := n >= len(z)-8; trailer && got.Hash != Sum(content) {
						t.Errorf("level %d, trailer cut at %d: the content's hash is lost", level, n)
					}
				}
			}
		}
	}
}

func TestHashGzipDamaged(t *testing.T) {
	z := member(t, content, 6, false)
	full := member(t, content, 6, true)
	at := func(b []byte, i int, x byte) []byte {
		b = bytes.Clone(b)
		if i < 0 {
			i += len(b)
		}
		b[i] ^= x
		return b
	}
	for _, c := range []struct {
		name string
		z    []byte
		want Form
	}{
		{"magic 1", at(z, 0, 1), NotGzip}, {"magic 2", at(z, 1, 1), NotGzip}, {"method", at(z, 2, 1), NotGzip},
		{"text", []byte("{}"), NotGzip}, {"one byte", []byte("x"), NotGzip}, {"zlib", []byte("\x78\x9c\x03\x00\x00\x00\x00\x01"), NotGzip},
		{"first byte alone", z[:1], Truncated}, {"NULs", make([]byte, 100), NotGzip},
		{"reserved flag 5", at(z, 3, 0x20), Corrupt}, {"reserved flag 7", at(z, 3, 0x80), Corrupt},
		{"header checksum", at(full, bytes.Index(full, []byte("comment\x00"))+8, 1), Corrupt},
		{"header damaged", at(full, 4, 1), Corrupt},
		{"endless name", append(append(bytes.Clone(z[:3]), 8, 0, 0, 0, 0, 0, 0), bytes.Repeat([]byte("x"), 1<<16)...), Corrupt},
		{"reserved block", at(z, 10, 6), Corrupt},
		{"checksum", at(z, -8, 1), Corrupt}, {"checksum's end", at(z, -5, 1), Corrupt},
		{"length", at(z, -4, 1), Corrupt}, {"length's end", at(z, -1, 1), Corrupt},
		{"second member", append(bytes.Clone(z), z...), TrailingData}, {"empty member", append(bytes.Clone(z), member(t, nil, 6, false)...), TrailingData},
		{"half a member", append(bytes.Clone(z), z[:5]...), TrailingData}, {"NUL padding", append(bytes.Clone(z), make([]byte, 16)...), TrailingData},
		{"one NUL", append(bytes.Clone(z), 0), TrailingData}, {"new line", append(bytes.Clone(z), '\n'), TrailingData},
		{"much", append(bytes.Clone(z), make([]byte, 2<<20)...), TrailingData},
	} {
		for name, reader := range readers {
			got, err := HashGzip(reader(c.z), 1<<20)
			if err != nil || got.Form != c.want {
				t.Errorf("%s from %s: %v %v, want %v", c.name, name, got.Form, err, c.want)
			}
			if (c.want == TrailingData || c.name == "checksum") && got.Hash != Sum(content) {
				t.Errorf("%s from %s: the content's hash is lost", c.name, name)
			}
		}
	}
}

func TestHashGzipLimit(t *testing.T) {
	big := make([]byte, 1<<20)
	z := member(t, big, 9, false)
	for _, limit := range []int64{-1, 0, 1, 1 << 16, 1<<20 - 1} {
		n := max(limit, 0)
		checkForm(t, fmt.Sprint("limit ", limit), z, limit, Content{TooLarge, Sum(big[:n]), n})
	}
	checkForm(t, "limit met", z, 1<<20, exact(big))
	checkForm(t, "limit of nothing", member(t, nil, 6, false), 0, exact(nil))
	got, c, err := ReadGzip(bytes.NewReader(z), 1000)
	if err != nil || c.Form != TooLarge || len(got) != 1000 {
		t.Errorf("ReadGzip: %d bytes, %v %v", len(got), c, err)
	}
}

// A bomb must cost no more memory than an honest file.
func TestHashGzipBomb(t *testing.T) {
	z := member(t, make([]byte, 32<<20), 1, false)
	HashGzip(bytes.NewReader(z), 1)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 3 {
		if c, _ := HashGzip(bytes.NewReader(z), 8<<20); c.Form != TooLarge {
			t.Error(c.Form)
		}
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 4<<20 {
		t.Errorf("%d bytes allocated", n)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestHashGzipReaderErrors(t *testing.T) {
	z := member(t, content, 6, true)
	broken := errors.New("connection reset")
	for n := range len(z) + 1 {
		for _, fail := range []error{broken, io.ErrUnexpectedEOF, fmt.Errorf("read: %w", io.EOF)} {
			for name, r := range map[string]io.Reader{
				"after":  io.MultiReader(bytes.NewReader(z[:n]), iotest.ErrReader(fail)),
				"with":   iotest.DataErrReader(io.MultiReader(bytes.NewReader(z[:n]), iotest.ErrReader(fail))),
				"single": io.MultiReader(iotest.OneByteReader(bytes.NewReader(z[:n])), iotest.ErrReader(fail)),
			} {
				c, err := HashGzip(r, 1<<20)
				if !errors.Is(err, fail) || c != (Content{}) {
					t.Fatalf("%v %s %d bytes: %+v %v", fail, name, n, c, err)
				}
			}
		}
		if c, err := HashGzip(io.MultiReader(bytes.NewReader(z[:n]), stuck{}), 1<<20); !errors.Is(err, io.ErrNoProgress) {
			t.Fatalf("stuck after %d bytes: %+v %v", n, c, err)
		}
	}
	// Nothing of that may stay behind for the next file.
	checkForm(t, "afterwards", z, 1<<20, exact(content))
}

func TestFormString(t *testing.T) {
	for f := Exact; f <= TooLarge; f++ {
		if f.String() == "" || strings.ToLower(f.String()) != f.String() {
			t.Errorf("%d: %q", f, f)
		}
	}
}
