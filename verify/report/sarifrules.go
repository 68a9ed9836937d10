package report

import (
	"slices"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// rule describes a word. How severe it is, is the worst class that a result of
// it has in this run, so that a policy counts here as everywhere; a word that
// no result has is as severe as it is without a policy.
func (s *sarifWriter) rule(word string) sarifRule {
	means, section, class := meaning(word)
	if worst, ok := s.worst[word]; ok {
		class = worst
	}
	r := sarifRule{ID: word, Name: pascal(strings.TrimSuffix(section, "s") + "-" + word), HelpURI: wordsURL + "#" + section}
	r.Short.Text = sentences(means)
	r.Full.Text = sentences(strings.TrimSuffix(section, "s")+" "+word, means)
	next := "See " + r.HelpURI
	if advice := Advice(map[string]bool{word: true}); len(advice) > 0 {
		next = strings.Join(advice, " ")
	}
	r.Help.Text = sentences(means, next)
	r.Help.Markdown = "**" + word + "**: " + sentence(means) + ".\n\n" + sentence(next) + "\n\n[What the words mean](" + r.HelpURI + ")"
	r.Default.Level = levelOf(class)
	r.Properties.Tags = []string{"security", "cloudtrail", strings.TrimSuffix(section, "s")}
	r.Properties.Severity = securitySeverity(class)
	return r
}

// meaning is what a word means, where the papers tell more of it, and the class
// that it has of itself.
func meaning(word string) (means, section string, class verify.Class) {
	if says, ok := verdictSayings[verify.Verdict(word)]; ok {
		return "a file is " + word + ": " + says.log, "verdicts", verify.Verdict(word).Class()
	}
	if says, ok := reasonSayings[verify.Reason(word)]; ok {
		return "of a file: " + says.log, "reasons", reasonClass(verify.Reason(word))
	}
	return ExplainFinding(verify.FindingKind(word)), "findings", verify.FindingKind(word).Class()
}

// reasonClass is the class of the files that mostly have that reason. A result
// has the class of its own.
func reasonClass(r verify.Reason) verify.Class {
	switch {
	case slices.Contains([]verify.Reason{verify.HashMismatch, verify.NotFound, verify.NotGzip, verify.GzipCorrupt, verify.Truncated,
		verify.TrailingData, verify.TooLarge, verify.SignatureInvalid, verify.Malformed, verify.WrongLocation, verify.LinkMismatch,
		verify.CiphertextAltered, verify.EnvelopeMalformed}, r):
		return verify.Tampering
	case slices.Contains([]verify.Reason{verify.SignatureRecovered, verify.Redelivered, verify.CoverageUnknown}, r):
		return verify.Remark
	}
	return verify.ClassUnproven
}

// securitySeverity is a number that GitHub shows as critical, medium or low.
func securitySeverity(class verify.Class) string {
	switch class {
	case verify.Tampering:
		return "9.5"
	case verify.ClassUnproven:
		return "5.5"
	}
	return "2.0"
}

// pascal is a word as SARIF wants the names of rules.
func pascal(word string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(word, "-") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}
