package report

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

func (s *sarifWriter) result(word string, class verify.Class, message string) sarifResult {
	return sarifResult{RuleID: word, RuleIndex: s.ruleIDs[word], Level: levelOf(class), Message: sarifText{Text: unlinked(message)}}
}

func levelOf(class verify.Class) string {
	switch class {
	case verify.Tampering:
		return "error"
	case verify.ClassUnproven:
		return "warning"
	}
	return "note"
}

// unlinked keeps what SARIF gives a meaning in a message, links and
// placeholders, out of one that quotes names.
func unlinked(text string) string { return ofMessages.Replace(text) }

var ofMessages = strings.NewReplacer("[accepted]", "(accepted)", "[counted", "(counted", "--fail-on]", "--fail-on)",
	"[", `\x5b`, "]", `\x5d`, "{", `\x7b`, "}", `\x7d`)

// accepted says that a result was moved out of the way by the policy.
func accepted() []sarifSuppression {
	return []sarifSuppression{{"external", "accepted", "accepted by --accept"}}
}

// locationOf is where a result is shown: the object, else the chain, else the
// run. It has a line because GitHub asks for one.
func locationOf(uri string, chain verify.ChainRef) (l sarifLocation) {
	l.Physical.Region.StartLine = 1
	at := &l.Physical.Artifact.URI
	switch {
	case uri != "":
		*at = relative("s3/" + strings.TrimPrefix(uri, "s3://"))
	case chain != verify.ChainRef{}:
		*at = relative(strings.Join([]string{"chain", cmp.Or(chain.Organization, "-"), chain.Account, chain.Region, chain.Trail}, "/"))
	default:
		*at = "run"
	}
	if chain != (verify.ChainRef{}) {
		l.Logical = []sarifLogical{{chainName(chain)}}
	}
	return l
}

// relative is a path as RFC 3986 has it, with no scheme, no authority and no
// step upwards, whatever the name was.
func relative(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if segment == "." || segment == ".." {
			segment = strings.ReplaceAll(segment, ".", "%2E") // escaped once more below, for an escaped dot is a dot
		}
		segments[i] = percentEncoded(segment)
	}
	return strings.Join(segments, "/")
}

func percentEncoded(segment string) string {
	const plain = lower + digits + "ABCDEFGHIJKLMNOPQRSTUVWXYZ-._~"
	var b strings.Builder
	for i := range len(segment) {
		if strings.IndexByte(plain, segment[i]) >= 0 {
			b.WriteByte(segment[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", segment[i])
		}
	}
	return b.String()
}

// fingerprints are the same for the same trouble in every run. GitHub looks at
// the first alone, and would else make one of the line in the file.
func fingerprints(parts ...string) map[string]string {
	id := stableID(parts...)
	return map[string]string{"primaryLocationLineHash": id + ":1", "trailseal/v1": id}
}

// identity is what tells findings of a kind apart that are about time: a second
// gap is not the first one, which somebody may have closed. Where a window cuts
// a time short, it is no part of it.
func identity(f verify.Finding) string {
	switch {
	case f.Start != nil && (f.Kind == verify.Gap || f.Kind == verify.Stale):
		return moment(*f.Start)
	case f.Kind == verify.Junk && f.URI == "", f.Kind == verify.Unlisted && f.URI == "":
		return f.Message
	}
	return ""
}
