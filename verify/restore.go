package verify

import (
	"fmt"
	"strings"
	"unicode"
)

// restoreCommand is the command of the AWS CLI that brings a version of an object
// back: by removing the delete marker where nothing else hides it, else by copying
// the version, with its metadata, over what is there. A name that a terminal would
// not show as it is has none.
func restoreCommand(ref Ref, version, marker string, hidden bool) string {
	for _, text := range []string{ref.Bucket, ref.Key, version, marker} {
		if strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) || c == unicode.ReplacementChar }) {
			return ""
		}
	}
	at := " --bucket " + shellQuote(ref.Bucket) + " --key " + shellQuote(ref.Key)
	if hidden && marker != "" {
		return "aws s3api delete-object" + at + " --version-id " + shellQuote(marker)
	}
	from := ref.Bucket + "/" + percentEncoded(ref.Key) + "?versionId=" + percentEncoded(version)
	return "aws s3api copy-object" + at + " --copy-source " + shellQuote(from) + " --metadata-directive COPY"
}

// Restores reports whether the command is one that a run gives for that version of
// the object. Whoever writes a report down could put any other in its place, for
// somebody to run.
func (r *Recover) Restores(uri string) bool {
	ref := refOf(uri)
	return r.Command == restoreCommand(ref, r.Version, r.Marker, false) || r.Command == restoreCommand(ref, r.Version, r.Marker, true)
}

// percentEncoded is a key as the header of a copy wants it.
func percentEncoded(key string) string {
	var b strings.Builder
	for i := range len(key) {
		c := key[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.~/", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// shellQuote makes a text one word of a POSIX shell.
func shellQuote(s string) string {
	plain := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_./:=@%+,", c)
	}
	if s != "" && !strings.ContainsFunc(s, func(c rune) bool { return !plain(c) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
