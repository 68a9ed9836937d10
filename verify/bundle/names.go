package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"hash/maphash"
	"path"
	"strconv"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// Bounds of a mapped name, in bytes. File systems take 255 an element; Windows
// takes 260 a path where nobody asked for more, which CloudTrail's own exceed.
const (
	maxElement = 180
	maxPath    = 900
)

const objectsFolder = "s3"

// pathOf is where an object's bytes lie in a bundle. Keys are hostile input: what
// could lead out of the bundle, or be no name on some system, is escaped, so that
// nearly every key that CloudTrail writes stays as it is. Two keys never have one
// path, but for case, which the writer looks after.
func pathOf(ref verify.Ref) string {
	if p, ok := plainPath(ref); ok {
		return p
	}
	return mappedPath(ref)
}

func mappedPath(ref verify.Ref) string {
	elements := []string{objectsFolder, folder(ref.Bucket)}
	folders := strings.Split(ref.Key, "/")
	for _, e := range folders[:len(folders)-1] {
		elements = append(elements, folder(e))
	}
	elements = append(elements, file(folders[len(folders)-1]))
	p := strings.Join(elements, "/")
	if len(p) > maxPath {
		sum := sha256.Sum256([]byte(ref.Key))
		p = strings.Join([]string{objectsFolder, folder(ref.Bucket), "%long", file(hex.EncodeToString(sum[:]))}, "/")
	}
	return p
}

// plainPath is pathOf of what CloudTrail writes, each element of which is simple.
func plainPath(ref verify.Ref) (string, bool) {
	p := objectsFolder + "/" + ref.Bucket + "/" + ref.Key
	if len(p) > maxPath || !simple(ref.Bucket) || gzipped(ref.Bucket) || !strings.HasSuffix(ref.Key, ".gz") {
		return "", false
	}
	rest := ref.Key
	for {
		e, more, folder := strings.Cut(rest, "/")
		if !simple(e) || folder && gzipped(e) {
			return "", false
		}
		if !folder {
			return p, true
		}
		rest = more
	}
}

// gzipped reports whether a name has a file's ending, in any case.
func gzipped(e string) bool { return len(e) >= 3 && strings.EqualFold(e[len(e)-3:], ".gz") }

// An object may have the name of another's folder. So files end in .gz, as all of
// CloudTrail's do, or in a mark of their own, and folders never do.

func folder(e string) string {
	mapped := element(e)
	if gzipped(mapped) {
		mapped += "%d"
	}
	return mapped
}

func file(e string) string {
	mapped := element(e)
	if !strings.HasSuffix(mapped, ".gz") {
		mapped += "%o"
	}
	return mapped
}

// element maps one element of a key.
func element(e string) string {
	if simple(e) {
		return e
	}
	var b strings.Builder
	for i := range len(e) {
		c := e[i]
		if plain(c) && !(c == '.' && (i == 0 && e[0] == '.' || i == len(e)-1)) {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteString(strings.ToUpper(hex.EncodeToString([]byte{c})))
	}
	mapped := b.String()
	switch {
	case e == "":
		return "%"
	case len(mapped) > maxElement:
		sum := sha256.Sum256([]byte(e))
		return mapped[:maxElement-60] + "%." + hex.EncodeToString(sum[:24])
	case device(mapped):
		return mapped[:1] + "%5F" + mapped[1:]
	}
	return mapped
}

// simple reports whether an element stays as it is, as nearly all do.
func simple(e string) bool {
	if e == "" || len(e) > maxElement || e[0] == '.' || e[len(e)-1] == '.' {
		return false
	}
	for i := range len(e) {
		if !plain(e[i]) {
			return false
		}
	}
	return e[0] >= '0' && e[0] <= '9' || !device(e)
}

// plain reports whether a byte is itself in a name, on every system.
func plain(c byte) bool { return plainBytes[c] }

var plainBytes = func() (is [256]bool) {
	for c := range is {
		is[c] = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.=+@,", byte(c)) >= 0
	}
	return is
}()

// device reports whether Windows takes a name for a device's, whatever follows a dot.
func device(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	if len(stem) > len("CONOUT$") {
		return false
	}
	stem = strings.ToUpper(stem)
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	return len(stem) == 4 && (strings.HasPrefix(stem, "COM") || strings.HasPrefix(stem, "LPT")) && stem[3] >= '0' && stem[3] <= '9'
}

// numbered is a path with a number, for an object whose own path is taken.
func numbered(p string, n uint64) string { return p + "~" + strconv.FormatUint(n, 36) }

// belongs reports whether a path may be the one of an object.
func belongs(p string, ref verify.Ref) bool {
	own := pathOf(ref)
	rest, ok := strings.CutPrefix(p, own)
	return ok && (rest == "" || rest[0] == '~' && len(rest) > 1 && len(rest) < 15 && strings.Trim(rest[1:], "0123456789abcdefghijklmnopqrstuvwxyz") == "")
}

// ordinary reports whether a path may be the one of an entry that is no object.
func ordinary(p string) bool {
	first, _, _ := strings.Cut(strings.ToLower(p), "/")
	switch first {
	case objectsFolder, manifestFolder, manifestPath, sumPath, footerPath:
		return false
	}
	if p != path.Clean(p) || len(p) > 200 || strings.HasPrefix(p, ".") {
		return false
	}
	for e := range strings.SplitSeq(p, "/") {
		if e == "" || e != element(e) {
			return false
		}
	}
	return true
}

// A crowd tells whether a path may be taken already, on a system that does not
// tell case apart. It never forgets one and may be wrong about others: then a
// path gets a number that it did not need. It grows to 8 MiB and no further. The bits of a path
// lie side by side, in one line of a processor's cache.
type crowd struct {
	pages [crowdPages]*[perPage][8]uint64 // nil: no path is there
	seed  maphash.Seed
}

const (
	crowdPages = 1 << 11 // of four million paths one in 700 is taken for another, of one million hardly any
	perPage    = 64      // lines of 64 bytes
)

func newCrowd() *crowd { return &crowd{seed: maphash.MakeSeed()} }

// has reports whether a path may be there.
func (c *crowd) has(p string) bool {
	page, line, bits := c.place(p)
	return c.pages[page] != nil && holdsAll(&c.pages[page][line], &bits)
}

func holdsAll(line, bits *[8]uint64) bool {
	var missing uint64
	for i := range line {
		missing |= bits[i] &^ line[i]
	}
	return missing == 0
}

// meet adds a path and reports whether it may have been there.
func (c *crowd) meet(p string) bool {
	page, at, bits := c.place(p)
	if c.pages[page] == nil {
		c.pages[page] = new([perPage][8]uint64)
	}
	line := &c.pages[page][at]
	there := holdsAll(line, &bits)
	for i := range line {
		line[i] |= bits[i]
	}
	return there
}

// PathOf is where an object's bytes lie in a bundle, or in any directory: below it,
// whatever the key is.
func PathOf(ref verify.Ref) string { return pathOf(ref) }

// place is where a path's bits are, and which, which nobody can foretell. Paths are
// ASCII.
func (c *crowd) place(p string) (page, line uint64, bits [8]uint64) {
	var room [maxPath + 16]byte
	lower := append(room[:0], p...)
	for i, b := range lower {
		if 'A' <= b && b <= 'Z' {
			lower[i] = b + 'a' - 'A'
		}
	}
	sum := maphash.Bytes(c.seed, lower)
	page, line = sum/perPage%crowdPages, sum%perPage
	sum /= perPage * crowdPages
	for range 5 { // of the 512
		bits[sum>>6&7] |= 1 << (sum & 63)
		sum >>= 9
	}
	return page, line, bits
}
