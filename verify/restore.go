package verify

import (
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
	from := ref.Bucket + "/" + ref.Key + "?versionId=" + version // the AWS CLI escapes it, and would do so twice
	return "aws s3api copy-object" + at + " --copy-source " + shellQuote(from) + " --metadata-directive COPY"
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
