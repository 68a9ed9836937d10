package report

import "github.com/trailseal/trailseal/verify"

// A mark is what the chart shows of an hour of a chain, or of more hours: then
// it is the worst of theirs. The worse, the greater.
type mark byte

const (
	markNone mark = iota // nothing was told of it
	markVerified
	markBackfill
	markNotDue
	markNotStarted
	markPending
	markAccepted
	markUnknown
	markExtra
	markUnverified
	markUnreadable
	markGap
	markFailed
	markModified
	markDeleted
)

// htmlMarks say how each is drawn, and what it means. Colour is never alone: each
// that is not as it should be has a letter, and those of time without a digest
// are hollow.
var htmlMarks = [...]struct{ class, letter, word, meaning markup }{
	markNone:       {"", "", "", ""},
	markVerified:   {"ok", "", "verified", "a digest that is kept covers it, and what it lists is kept"},
	markBackfill:   {"bf", "", "backfill", "backfill digests lie in this time; they come only when they are needed"},
	markNotDue:     {"nd", "", "not due", "its digest need not have been delivered yet, or none is needed"},
	markNotStarted: {"ns", "N", "not started", "before the first digest of the chain"},
	markPending:    {"re", "P", "pending", "log files that still wait for their digest"},
	markAccepted:   {"re", "A", "accepted", "what is wrong here was accepted (--accept), or is a remark"},
	markUnknown:    {"un", "?", "not known", "nothing is known of it, as where the run did not come so far"},
	markExtra:      {"un", "X", "unreferenced", "files that no digest names"},
	markUnverified: {"un", "V", "unverified", "a digest, or a link between two, that nothing confirms, and logs that only such a digest speaks for"},
	markUnreadable: {"un", "U", "unreadable", "files that exist or may exist and could not be read"},
	markGap:        {"ga", "G", "gap", "no digest covers it"},
	markFailed:     {"ta", "F", "failed", "counted as tampering by --fail-on"},
	markModified:   {"ta", "M", "modified", "files that are not what was vouched for"},
	markDeleted:    {"de", "D", "deleted", "files that were vouched for and do not exist"},
}

// markOf is how a file shows.
func markOf(f verify.File) mark {
	switch f.Class {
	case verify.Good:
		return markVerified
	case verify.Remark:
		if f.Verdict == verify.Pending {
			return markPending
		}
		return markAccepted
	}
	switch f.Verdict {
	case verify.Modified:
		return markModified
	case verify.Deleted:
		return markDeleted
	}
	if f.Class == verify.Tampering {
		return markFailed
	}
	switch f.Verdict {
	case verify.Unreadable:
		return markUnreadable
	case verify.Unreferenced:
		return markExtra
	}
	return markUnverified
}

// markOfFinding is how the time of a finding shows; markNone where it has none
// of its own.
func markOfFinding(f verify.Finding) mark {
	if f.Class == verify.Tampering {
		return markFailed
	}
	switch f.Kind {
	case verify.Gap, verify.Stale:
		if f.Class < verify.ClassUnproven {
			return markAccepted
		}
		return markGap
	case verify.NotStarted:
		return markNotStarted
	case verify.NotChecked:
		return markUnknown
	}
	if f.Class < verify.ClassUnproven {
		return markNone
	}
	return markUnverified
}
