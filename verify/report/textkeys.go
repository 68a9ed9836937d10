package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// maxBars bounds how many groups of unreadable files are told apart.
const maxBars = 1000

// A bar is what unreadable files have in common: why, and the KMS key that is
// in the way.
type bar struct {
	reason verify.Reason
	key    string
}

// barred counts what a bar bars, and keeps the first detail.
type barred struct {
	digests, logs int
	detail        string
	class         verify.Class
}

// bar counts an unreadable file.
func (t *textWriter) bar(f verify.File) {
	if f.Verdict != verify.Unreadable {
		return
	}
	b := bar{key: f.Key}
	if len(f.Reasons) > 0 {
		b.reason = f.Reasons[0]
	}
	of := t.barred[b]
	if of == nil && len(t.barred) >= maxBars {
		b = bar{} // the others
		of = t.barred[b]
	}
	if of == nil {
		of = &barred{detail: f.Detail}
		t.barred[b] = of
	}
	of.class = max(of.class, f.Class)
	if f.Kind == "digest" {
		of.digests++
	} else {
		of.logs++
	}
}

// unreadable tells of the files that could not be read, by reason and key.
func (t *textWriter) unreadable(keys []verify.KeyUse) error {
	if !t.manyBarred() {
		return nil
	}
	fmt.Fprintf(t.w, "\n%s\n", t.paint.bold("Unreadable, by reason and key"))
	bars := slices.SortedFunc(maps.Keys(t.barred), func(a, b bar) int {
		x, y := t.barred[a], t.barred[b]
		return cmp.Or(y.digests+y.logs-x.digests-x.logs, cmp.Compare(a.reason, b.reason), cmp.Compare(a.key, b.key))
	})
	var err error
	for _, b := range bars {
		of := t.barred[b]
		text := fmt.Sprintf("  %s  %s: ", t.paint.class(of.class, fmt.Sprintf("%-12s", verify.Unreadable)), of.count())
		if b.reason == "" {
			text += "for other reasons, or of other keys\n"
		} else {
			text += reasonSayings[b.reason].of("log") + " (" + string(b.reason) + ")\n" + t.aboutBar(b, of, keys)
		}
		_, err = io.WriteString(t.w, text)
	}
	return err
}

// manyBarred reports whether there is more to tell than the lines of the files
// themselves do.
func (t *textWriter) manyBarred() bool {
	n := 0
	for b, of := range t.barred {
		if n += of.digests + of.logs; b.key != "" || n > unreadableLimit {
			return true
		}
	}
	return false
}

func (b *barred) count() string {
	var parts []string
	if b.digests > 0 {
		parts = append(parts, files(b.digests, "digest"))
	}
	if b.logs > 0 {
		parts = append(parts, files(b.logs, "log"))
	}
	return strings.Join(parts, " and ")
}

// aboutBar is the key that is in the way, with what is known of it and what to
// do about it; else what the store said of the first of the files.
func (t *textWriter) aboutBar(b bar, of *barred, keys []verify.KeyUse) string {
	const indent = 16
	var lines []string
	if b.key != "" {
		lines = append(lines, "key "+Clean(b.key))
	}
	i := slices.IndexFunc(keys, func(k verify.KeyUse) bool { return k.ARN == b.key })
	if i >= 0 {
		lines = append(lines, wrap(stateOf(keys[i]), indent))
	}
	switch {
	case i >= 0 && keys[i].Remedy != "":
		lines = append(lines, CleanText(keys[i].Remedy))
	case of.detail != "":
		lines = append(lines, wrap(CleanText(of.detail), indent))
	}
	text := ""
	for _, line := range lines {
		text += strings.Repeat(" ", indent) + line + "\n"
	}
	return text
}

// stateOf is a key's state in words, with what was read under it all the same.
func stateOf(k verify.KeyUse) string {
	text := "its state is " + Clean(k.State)
	if k.Detail != "" {
		text += " (" + CleanText(k.Detail) + ")"
	}
	if k.EndsAt != nil {
		text += ", and what it encrypts cannot be read from " + moment(*k.EndsAt) + " on"
	}
	if read := k.Files - k.Unreadable; read > 0 && k.Unreadable > 0 {
		text += fmt.Sprintf("; %s of its %s files could be read in this run", thousands(read), thousands(k.Files))
	}
	return text
}

// keys prints the KMS keys that files are encrypted with.
func (t *textWriter) keys(keys []verify.KeyUse) error {
	if len(keys) == 0 {
		return nil
	}
	fmt.Fprintf(t.w, "\n%s\n", t.paint.bold("KMS keys"))
	for _, k := range keys {
		fmt.Fprintf(t.w, "  %s  %s\n%19s%s\n", t.paint.class(keyClass(k), fmt.Sprintf("%-15s", Clean(k.State))), Clean(k.ARN), "", wrap(aboutKey(k), 19))
	}
	return nil
}

// keyClass colours a state; it decides nothing.
func keyClass(k verify.KeyUse) verify.Class {
	switch {
	case k.State == "Enabled" && k.EndsAt == nil:
		return verify.Good
	case k.State == "Enabled", k.State == "unknown":
		return verify.Remark
	}
	return verify.ClassUnproven
}

func aboutKey(k verify.KeyUse) string {
	text := thousands(k.Files) + " " + plural(k.Files, "file", "files")
	if k.Digests > 0 {
		text += " (" + files(k.Digests, "digest") + ")"
	}
	if k.Unreadable > 0 {
		text += ", " + thousands(k.Unreadable) + " unreadable"
	}
	text += ", " + size(k.Bytes)
	if k.First != nil && k.Last != nil {
		text += ", " + moment(*k.First) + " to " + moment(*k.Last)
	}
	if len(k.Encryption) > 0 {
		text += "; " + Clean(strings.Join(k.Encryption, ", ")) // the store's word
	}
	if k.Account != "" {
		text += "; of account " + Clean(k.Account)
	}
	if k.EndsAt != nil {
		text += "; unreadable from " + moment(*k.EndsAt) + " on"
	}
	if k.MultiRegion {
		text += "; multi-region"
	}
	if k.Detail != "" {
		text += "; " + CleanText(k.Detail)
	}
	return text
}
