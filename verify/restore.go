package verify

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// restoreCommand is the command of the AWS CLI that brings a version of an object
// back: by removing the delete marker where nothing else hides it, else by copying
// the version, with its metadata, over what is there. What a terminal would not
// show as it is, or the AWS CLI would take for the name of a file or page to read
// instead, has none.
func restoreCommand(ref Ref, version, marker string, hidden bool) string {
	for _, text := range []string{ref.Bucket, ref.Key, version, marker} {
		if strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) || c == unicode.ReplacementChar }) ||
			slices.ContainsFunc(paramFiles, func(scheme string) bool { return strings.HasPrefix(text, scheme) }) {
			return ""
		}
	}
	at := option("bucket", ref.Bucket) + option("key", ref.Key)
	if hidden && marker != "" {
		return "aws s3api delete-object" + at + option("version-id", marker)
	}
	from := ref.Bucket + "/" + percentEncoded(ref.Key) + "?versionId=" + percentEncoded(version)
	return "aws s3api copy-object" + at + option("copy-source", from) + " --metadata-directive COPY"
}

// paramFiles are how values begin that the AWS CLI replaces by what it reads there;
// its first version did so with pages as well.
var paramFiles = []string{"file://", "fileb://", "http://", "https://"}

// option is an option of the AWS CLI with its value, which may begin like an option.
func option(name, value string) string {
	if strings.HasPrefix(value, "-") {
		return " --" + name + "=" + shellQuote(value)
	}
	return " --" + name + " " + shellQuote(value)
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
