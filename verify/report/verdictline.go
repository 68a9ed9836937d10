package report

import (
	"cmp"
	"github.com/trailseal/trailseal/verify"
)

// verdictLine is a report's one sentence: what was found, with counts, and what
// is kept. The class is the one to show it as; it decides nothing.
func (t *tally) verdictLine(s verify.Summary) (string, verify.Class) {
	kept := files(s.Digests[verify.Kept], "digest") + " and " + files(s.Logs[verify.Kept], "log") + " kept"
	tampering, unproven := list(t.counts[verify.Tampering]), list(t.counts[verify.ClassUnproven])
	remarks, accepted := list(t.counts[verify.Remark]), list(t.accepted)
	text, class := "", verify.Good
	switch {
	case s.Exit == 0 && accepted != "":
		text, class = "Nothing found but what was accepted: "+accepted+"; "+kept+".", verify.Remark
	case s.Exit == 0:
		text = "All kept: " + kept[:len(kept)-len(" kept")] + "."
	case s.Exit == 1:
		text, class = "Tampering found: "+cmp.Or(tampering, "see the list")+also("; not proven: ", unproven)+"; "+kept+".", verify.Tampering
	default:
		text, class = "Not proven: "+cmp.Or(unproven, "see the list")+"; "+kept+".", verify.ClassUnproven
	}
	if accepted != "" && s.Exit != 0 {
		text += " Accepted: " + accepted + "."
	}
	if remarks != "" {
		text += " Remarks: " + remarks + "."
	}
	if s.Interrupted {
		text = "Interrupted before the end. " + text
	}
	return text, class
}
