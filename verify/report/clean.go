package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes a name safe for a terminal and a log: every rune that is hidden
// becomes a visible escape, a backslash becomes two, a byte that is not UTF-8
// becomes \xNN. Different names stay different.
func Clean(s string) string { return clean(s, true) }

// CleanText is Clean for running text, which may quote names with escapes of
// its own: a backslash stays one.
func CleanText(s string) string { return clean(s, false) }

func clean(s string, doubled bool) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\\' && doubled:
			b.WriteString(`\\`)
		case !hidden(r):
			b.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		i += size
	}
	return b.String()
}

// isPlain reports whether Clean has nothing to do, as for nearly every name.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '\\' {
			return false
		}
	}
	return true
}

// hidden reports whether a rune does not show, or changes how others show:
// controls, bidi marks, zero-width and variation marks, line separators,
// unassigned and private runes, spaces other than the plain one, and letters
// that are blank.
func hidden(r rune) bool {
	const brailleBlank = '\u2800'
	return !unicode.IsPrint(r) || r == brailleBlank ||
		unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// validUTF8 replaces each byte that is not UTF-8 by %NN. Go's JSON encoder
// would replace it by U+FFFD and make different names equal.
func validUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&b, "%%%02X", s[i])
		} else {
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

// appendEscaped copies encoded JSON and escapes what is hidden in it.
// Outside its strings JSON has only printing ASCII and white space, so what
// is escaped is always inside one, and a reader gets the same value back.
func appendEscaped(dst, encoded []byte) []byte {
	for i := 0; i < len(encoded); {
		if c := encoded[i]; c < 0x7f {
			dst = append(dst, c)
			i++
			continue
		}
		r, size := utf8.DecodeRune(encoded[i:])
		switch {
		case !hidden(r):
			dst = append(dst, encoded[i:i+size]...)
		case r < 0x10000:
			dst = fmt.Appendf(dst, `\u%04x`, r)
		default:
			high := 0xd800 + (r-0x10000)>>10
			low := 0xdc00 + (r-0x10000)&0x3ff
			dst = fmt.Appendf(dst, `\u%04x\u%04x`, high, low)
		}
		i += size
	}
	return dst
}
