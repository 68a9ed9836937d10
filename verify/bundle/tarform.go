package bundle

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// In the forms that are one file, each entry is what tar makes of it (a header,
// the bytes, zeros up to 512), and in a .tar.zst each of these is compressed by
// itself, so that any can be read without the others. Such a file is an ordinary
// tar all the same.

const block = 512

func padding(size int64) int64 { return (block - size%block) % block }

// header is an entry's tar header: a ustar block, before which a pax header says what
// does not fit into it. It is made of the path and the size alone, so that a reader
// knows each of its bytes; archive/tar could write it otherwise one day.
func header(path string, size int64) ([]byte, error) { return appendHeader(nil, path, size) }

// appendHeader appends it.
func appendHeader(dst []byte, path string, size int64) ([]byte, error) {
	if path == "" || size < 0 || strings.ContainsFunc(path, func(c rune) bool { return c < ' ' || c > '~' }) {
		return nil, fmt.Errorf("%.300q cannot be the path of an entry of %d bytes", path, size)
	}
	var room [1 << 10]byte
	more, name, octal := room[:0], path, size
	if len(path) > 100 {
		more, name = appendPax(more, "path", path), path[:100]
	}
	if size >= 1<<33 {
		more, octal = appendPax(more, "size", strconv.FormatInt(size, 10)), 0
	}
	if len(more) > 0 {
		dst = append(appendUstar(dst, tar.TypeXHeader, "PaxHeaders.0/entry", int64(len(more))), more...)
		dst = appendPadding(dst, int64(len(more)))
	}
	return appendUstar(dst, tar.TypeReg, name, octal), nil
}

// appendPadding appends the zeros that follow so many bytes.
func appendPadding(dst []byte, size int64) []byte {
	var zeros [block]byte
	return append(dst, zeros[:padding(size)]...)
}

// appendPax appends a record, which begins with its own length.
func appendPax(dst []byte, key, value string) []byte {
	n := len(key) + len(value) + 3
	for n != len(key)+len(value)+3+len(strconv.Itoa(n)) {
		n = len(key) + len(value) + 3 + len(strconv.Itoa(n))
	}
	dst = append(append(strconv.AppendInt(dst, int64(n), 10), ' '), key...)
	return append(append(append(dst, '='), value...), '\n')
}

// ustar is one header block (POSIX.1-1988): mode 0600, no owner, the year 1970.
func ustar(kind byte, name string, size int64) []byte { return appendUstar(nil, kind, name, size) }

// appendUstar appends it.
func appendUstar(dst []byte, kind byte, name string, size int64) []byte {
	var b [block]byte
	copy(b[:100], name)
	copy(b[100:], "0000600\x000000000\x000000000\x00")
	putOctal(b[124:135], size)
	copy(b[136:], "00000000000\x00        ")
	b[156] = kind
	copy(b[257:], "ustar\x0000")
	copy(b[329:], "0000000\x000000000\x00")
	var sum int64
	for _, c := range b[:345] { // what follows is empty
		sum += int64(c)
	}
	putOctal(b[148:154], sum)
	b[154] = 0
	return append(dst, b[:]...)
}

// putOctal writes a number's last octal digits.
func putOctal(to []byte, n int64) {
	for i := len(to) - 1; i >= 0; i-- {
		to[i], n = '0'+byte(n&7), n>>3
	}
}

// checkHeader reads an entry's tar header and refuses one that is not what header
// makes, whatever else a tar could hold: links, holes, another's name.
func checkHeader(r io.Reader, path string, size int64) error {
	want, err := header(path, size)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrAltered, err)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(r, got); err != nil {
		return fmt.Errorf("%w: the entry has no whole header: %w", ErrAltered, err)
	}
	if bytes.Equal(got, want) {
		return nil
	}
	h, err := tar.NewReader(bytes.NewReader(got)).Next()
	if err != nil {
		return fmt.Errorf("%w: its header is damaged: %w", ErrAltered, err)
	}
	return fmt.Errorf("%w: its header is of %.300q (%d bytes, type %q)", ErrAltered, h.Name, h.Size, h.Typeflag)
}

// checkPadding reads what follows an entry's bytes, to the end of its extent.
func checkPadding(r io.Reader, size int64) error {
	rest, err := io.ReadAll(io.LimitReader(r, block+1))
	if err != nil || int64(len(rest)) != padding(size) || bytes.ContainsFunc(rest, func(c rune) bool { return c != 0 }) {
		return fmt.Errorf("%w: the entry does not end where it must", ErrAltered)
	}
	return nil
}

// The end of a file: the manifest, its hash as an entry of its own, two empty blocks
// as every tar has them, and what says where the first two are. In a plain .tar that
// is the last entry; in a .tar.zst a frame that readers of zstd pass over.
const (
	footerPath  = "end-of-bundle"
	footerSize  = 128
	footerMagic = "\x5e\x2a\x4d\x18\x80\x00\x00\x00" // a skippable frame of 128 bytes
)

// A footer says where a file's manifest is, and its hash.
type footer struct{ manifest, sum Extent }

func (f footer) text() []byte {
	return fmt.Appendf(nil, "%-*s", footerSize, fmt.Sprintf("trailseal.bundle/v1 %d %d %d %d", f.manifest.Offset, f.manifest.Length, f.sum.Offset, f.sum.Length))
}

func parseFooter(text []byte) (f footer, ok bool) {
	_, err := fmt.Sscanf(string(text), "trailseal.bundle/v1 %d %d %d %d", &f.manifest.Offset, &f.manifest.Length, &f.sum.Offset, &f.sum.Length)
	return f, err == nil && bytes.Equal(text, f.text())
}

// ending is what follows the manifest and its hash in a file of the form.
func ending(form form, f footer) ([]byte, error) {
	empty := make([]byte, 2*block)
	if form == formZstd {
		return slices.Concat(encoder().EncodeAll(empty, nil), []byte(footerMagic), f.text()), nil
	}
	head, err := header(footerPath, footerSize)
	return slices.Concat(head, f.text(), make([]byte, padding(footerSize)), empty), err
}

// sumText is a manifest's hash as sha256sum writes it and checks it.
func sumText(manifest []byte) []byte { return []byte(hashOf(manifest) + "  " + manifestPath + "\n") }

// encoder compresses whole entries. Logs are gzip already, so the least that zstd
// can do is enough.
var encoder = sync.OnceValue(func() *zstd.Encoder {
	return must(zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true)))
})

// decoder opens entries of up to wholeBytes.
var decoder = sync.OnceValue(func() *zstd.Decoder {
	return must(zstd.NewReader(nil, zstd.WithDecoderMaxMemory(2*wholeBytes), zstd.WithDecoderMaxWindow(8<<20), zstd.WithDecoderConcurrency(0)))
})

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // a wrong option: it never runs
	}
	return v
}

// tarContent is the content of the manifest's entry, whose header alone tells its size.
func tarContent(text []byte) ([]byte, error) {
	h, err := tar.NewReader(bytes.NewReader(text)).Next()
	if err != nil || h.Typeflag != tar.TypeReg || h.Name != manifestPath {
		return nil, fmt.Errorf("%w: where its manifest should be is something else", ErrNoBundle)
	}
	r := bytes.NewReader(text)
	if err := checkHeader(r, manifestPath, h.Size); err != nil {
		return nil, err
	}
	rest := text[len(text)-r.Len():]
	if h.Size > int64(len(rest)) {
		return nil, fmt.Errorf("%w: its manifest is cut off", ErrNoBundle)
	}
	return rest[:h.Size], checkPadding(bytes.NewReader(rest[h.Size:]), h.Size)
}
