package verify

import (
	"strings"
	"unicode"

	"github.com/trailseal/trailseal/digest"
)

// restoreCommand is the command of the AWS CLI that brings a version of an object
// back: by removing the delete marker where nothing else hides it, else by copying
// the version, with its metadata, over what is there. A name that a terminal would
// not show as it is, or that the AWS CLI would not take for one, has none.
func restoreCommand(ref Ref, version, marker string, hidden bool) string {
	for _, text := range []string{ref.Bucket, ref.Key, version, marker} {
		if strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) || c == unicode.ReplacementChar || c == '\\' }) {
			return ""
		}
	}
	if strings.HasPrefix(ref.Key, "-") || strings.Contains(ref.Key[:min(len(ref.Key), 8)], "://") {
		return "" // the AWS CLI would take it for an option, or read the file or address in its place
	}
	at := " --bucket " + shellQuote(ref.Bucket) + " --key " + shellQuote(ref.Key)
	if hidden && marker != "" {
		return "aws s3api delete-object" + at + " --version-id " + shellQuote(marker)
	}
	if strings.Contains(ref.Key, "?versionId=") || strings.Contains(version, " ") {
		return "" // the AWS CLI would cut it elsewhere
	}
	from := ref.Bucket + "/" + ref.Key + "?versionId=" + version // the AWS CLI escapes it, and would do so twice
	return "aws s3api copy-object" + at + " --copy-source " + shellQuote(from) + " --metadata-directive COPY"
}

// Restores reports whether the command is one that a run gives for that version of
// the object. Whoever writes a report down could put any other in its place, for
// somebody to run.
func (r *Recover) Restores(uri string) bool {
	if r.At != "" { // a copy's, in which it has the same place below AWSLogs
		of, ok1 := digest.FromAWSLogs(refOf(uri).Key)
		at, ok2 := digest.FromAWSLogs(refOf(r.At).Key)
		if uri = r.At; !ok1 || !ok2 || of != at {
			return false
		}
	}
	ref := refOf(uri)
	return r.Command == restoreCommand(ref, r.Version, r.Marker, false) || r.Command == restoreCommand(ref, r.Version, r.Marker, true)
}

// shellQuote makes a text without backslashes one word of a POSIX shell. It has none
// itself: reports for people double those, and what is then pasted would no longer
// be quoted.
func shellQuote(s string) string {
	plain := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_./:=@%+,", c)
	}
	if s != "" && !strings.ContainsFunc(s, func(c rune) bool { return !plain(c) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'"'"'`) + "'"
}
