package verify

import (
	"errors"
	"fmt"

	"github.com/trailseal/trailseal/digest"
)

// A ruling is a verdict with its reasons, the weightiest first.
type ruling struct {
	verdict Verdict
	reasons []Reason
	detail  string
}

func rule(v Verdict, detail string, reasons ...Reason) ruling { return ruling{v, reasons, detail} }

// forms is what a gzip file's form means, where it is not exact.
var forms = map[digest.Form]Reason{
	digest.NotGzip:      NotGzip,
	digest.Corrupt:      GzipCorrupt,
	digest.Truncated:    Truncated,
	digest.TrailingData: TrailingData,
	digest.TooLarge:     TooLarge,
}

// A logSight is what was seen of one log file.
type logSight struct {
	content digest.Content
	err     error // a *NotFoundError or *UnreadableError
	version string
	altered *Altered
	sealing sealing
	leads   leads // what events were found in it
}

// judgeLog says what became of a log file that a digest lists. trusted says
// whether that digest is kept. It is a pure function, and the only place
// where a log's verdict is made.
func judgeLog(listed digest.Log, trusted bool, seen logSight) ruling {
	switch {
	case !trusted:
		return rule(Unattested, "", DigestNotTrusted)
	case listed.Algorithm != digest.HashAlgorithm:
		return rule(Unattested, fmt.Sprintf("the digest gives its hash in %.40q", listed.Algorithm), AlgorithmUnsupported)
	case seen.err != nil:
		return judgeError(seen.err)
	case seen.altered != nil:
		return rule(Modified, seen.altered.Detail, seen.altered.Reason)
	}
	same := seen.content.Hash == listed.Hash
	reason, damaged := forms[seen.content.Form]
	switch {
	case damaged && (same || seen.content.Form == digest.TooLarge || seen.content.Size == 0):
		return rule(Modified, "", reason)
	case damaged:
		return rule(Modified, "", reason, HashMismatch)
	case !same:
		return rule(Modified, "", HashMismatch)
	default:
		return rule(Kept, "")
	}
}

// judgeError is the ruling on a file that is vouched for and could not be read.
func judgeError(err error) ruling {
	if isMissing(err) {
		return rule(Deleted, "", NotFound)
	}
	var unreadable *UnreadableError
	if errors.As(err, &unreadable) {
		detail := unreadable.Err.Error()
		if unreadable.Hint != "" {
			detail += "; " + unreadable.Hint
		}
		return rule(Unreadable, detail, unreadable.Reason)
	}
	return rule(Unreadable, err.Error(), ReadFailed)
}

func isMissing(err error) bool {
	var missing *NotFoundError
	return errors.As(err, &missing)
}

// judgeDigest says what became of a digest file, from what was seen of it and
// what the next digest says of it. It is a pure function, and the only place
// where a digest's verdict is made.
func judgeDigest(d *sight) ruling {
	if d.err != nil {
		if d.late && isMissing(d.err) && d.rescue == nil {
			return rule(Unreadable, "the next digest names it; it may still be delivered", NotFound)
		}
		return judgeError(d.err)
	}
	if d.altered != nil {
		return rule(Modified, d.altered.Detail, d.altered.Reason)
	}
	if reason, damaged := forms[d.content.Form]; damaged {
		return rule(Modified, "", reason)
	}
	if d.record == nil {
		return rule(Modified, d.fault.detail, Malformed)
	}
	if d.fault.verdict == Modified {
		return d.fault
	}
	// What a trusted neighbour says weighs more than a missing key.
	mismatch := d.vouched() && d.previous().Hash != d.record.Hash
	switch {
	case d.authentic() && mismatch:
		return rule(Modified, "another validly signed digest stands in its place", LinkMismatch)
	case d.authentic():
		return judgeSignature(d)
	case mismatch && d.own == sigWrong:
		return rule(Modified, "", SignatureInvalid, HashMismatch)
	case mismatch:
		return rule(Modified, "", HashMismatch)
	case d.fault.verdict != "":
		return d.fault
	case d.own == sigWrong:
		return rule(Modified, "", SignatureInvalid)
	case d.recovered == sigWrong && d.vouched():
		// The hash is right: a trusted digest names it. A digest that was
		// delivered again looks so in a copy, and so does one that was signed
		// weakly.
		return rule(Unverified, "the next digest vouches for its content but names another signature, and its own is not at hand", SignatureInvalid)
	default:
		return rule(Unverified, "", SignatureMissing)
	}
}

// judgeSignature tells apart the ways in which an authentic digest came by
// its signature.
func judgeSignature(d *sight) ruling {
	switch {
	case d.own == sigWrong:
		return rule(Kept, "the signature in its metadata is wrong; the next digest carries the right one", SignatureRecovered)
	case d.own != sigHolds:
		return rule(Kept, "", SignatureRecovered)
	case d.vouched() && d.previous().Signature != d.signature():
		return rule(Kept, "", Redelivered)
	default:
		return rule(Kept, "")
	}
}
