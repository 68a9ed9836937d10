package verify

import (
	"fmt"
	"slices"
)

// A Verdict says what became of one log file or digest file. The set is
// closed: every file a run names has exactly one.
type Verdict string

const (
	Kept         Verdict = "kept"         // what a trusted digest vouches for is what is stored
	Modified     Verdict = "modified"     // present, but not what was vouched for
	Deleted      Verdict = "deleted"      // vouched for, and the store says with authority that it does not exist
	Unreadable   Verdict = "unreadable"   // exists or may exist, but could not be read
	Unattested   Verdict = "unattested"   // a log that only an untrusted digest speaks for
	Unverified   Verdict = "unverified"   // a digest that nothing confirms
	Unreferenced Verdict = "unreferenced" // stored among the logs for more than PendingAge, named by no digest
	Pending      Verdict = "pending"      // the same, but younger: a digest may still come
)

// Verdicts lists every verdict, best first.
var Verdicts = []Verdict{Kept, Pending, Unreferenced, Unattested, Unverified, Unreadable, Modified, Deleted}

// A Reason says why a verdict was given. Reasons are stable words: one is
// never reused for a second meaning.
type Reason string

const (
	HashMismatch         Reason = "hash-mismatch"              // the uncompressed bytes hash to something else
	NotFound             Reason = "not-found"                  // the store says that there is no such object
	NotGzip              Reason = "not-gzip"                   // no gzip header
	GzipCorrupt          Reason = "gzip-corrupt"               // a gzip header, then bytes that do not inflate or a wrong checksum
	Truncated            Reason = "truncated"                  // the stored bytes end before the gzip member does
	TrailingData         Reason = "trailing-data"              // bytes follow the one gzip member
	TooLarge             Reason = "too-large"                  // inflates past the cap
	SignatureInvalid     Reason = "signature-invalid"          // the key is known and the signature is not by it
	SignatureMissing     Reason = "signature-missing"          // no signature at hand
	SignatureRecovered   Reason = "signature-recovered"        // the next digest carried the signature
	KeyNotFound          Reason = "key-not-found"              // no public key of the region has that fingerprint
	KeyNotValidThen      Reason = "key-not-valid-then"         // the key's validity window does not hold that time
	KeysUnavailable      Reason = "keys-unavailable"           // the region's public keys could not be asked for
	AlgorithmUnsupported Reason = "algorithm-unsupported"      // not SHA-256 or not SHA256withRSA
	Malformed            Reason = "malformed"                  // not the JSON of a digest file
	WrongLocation        Reason = "wrong-location"             // the digest says it was written elsewhere
	LinkMismatch         Reason = "link-mismatch"              // the next digest names another hash or signature for it
	Redelivered          Reason = "redelivered"                // the same bytes, signed once more
	AccessDenied         Reason = "access-denied"              // the store refused
	KMSDenied            Reason = "kms-denied"                 // the caller may not use the key
	KMSKeyDisabled       Reason = "kms-key-disabled"           // the key is disabled
	KMSKeyPending        Reason = "kms-key-pending-deletion"   // the key waits for its deletion
	KMSKeyNotFound       Reason = "kms-key-not-found"          // the key is gone
	KMSKeyUnusable       Reason = "kms-key-unusable"           // the key waits for its material, or its store is not reachable
	KMSKeyChanged        Reason = "kms-key-changed"            // a key of that name is there, and is not the one that encrypted it
	KeyNotAllowed        Reason = "key-not-allowed"            // sealed with a key that may not be asked (--kms-key)
	EnvelopeRefused      Reason = "envelope-refused"           // KMS does not take the wrapped key, or not with its context
	EnvelopeUnsupported  Reason = "envelope-unsupported"       // sealed in a way that is not known here
	MasterKeyNeeded      Reason = "envelope-master-key-needed" // sealed with a key that its owner holds, not with KMS
	CiphertextAltered    Reason = "ciphertext-altered"         // KMS vouched for the key, and the bytes are not what it sealed
	EnvelopeMalformed    Reason = "envelope-malformed"         // an envelope that no writer makes
	RequesterPays        Reason = "requester-pays"             // the bucket's readers pay, and the request did not say so
	SSEC                 Reason = "sse-c"                      // stored with a key of the uploader's own, which CloudTrail never does
	BucketNotFound       Reason = "bucket-not-found"           // there is no such bucket
	Archived             Reason = "archived"                   // in a storage class that must be restored first
	Throttled            Reason = "throttled"                  // the store kept asking for fewer requests
	ReadFailed           Reason = "read-failed"                // the body never came whole
	NotCopied            Reason = "not-copied"                 // the directory holds no copy of that bucket
	DigestNotTrusted     Reason = "digest-not-trusted"         // the digest that lists the log is not kept
	NoDigest             Reason = "no-digest"                  // named by no digest
	Expired              Reason = "expired"                    // removed by the bucket's lifecycle rule
	CoverageUnknown      Reason = "coverage-unknown"           // of a kind that digests may not cover
)

// Reasons lists every reason.
var Reasons = []Reason{
	HashMismatch, NotFound, NotGzip, GzipCorrupt, Truncated, TrailingData, TooLarge,
	SignatureInvalid, SignatureMissing, SignatureRecovered, KeyNotFound, KeyNotValidThen,
	KeysUnavailable, AlgorithmUnsupported, Malformed, WrongLocation, LinkMismatch,
	Redelivered, AccessDenied, KMSDenied, KMSKeyDisabled, KMSKeyPending, KMSKeyNotFound,
	KMSKeyUnusable, KMSKeyChanged, KeyNotAllowed, EnvelopeRefused, EnvelopeUnsupported,
	MasterKeyNeeded, CiphertextAltered, EnvelopeMalformed, RequesterPays, SSEC, BucketNotFound,
	Archived, Throttled, ReadFailed, NotCopied, DigestNotTrusted, NoDigest, Expired, CoverageUnknown,
}

// A FindingKind names something wrong that belongs to no single file.
type FindingKind string

const (
	Gap           FindingKind = "gap"            // a stretch of a chain's time that no readable digest covers
	Stale         FindingKind = "stale"          // the newest digest ends well before the window does
	NotStarted    FindingKind = "not-started"    // the window begins before the chain's first starting digest
	LinkBroken    FindingKind = "link-broken"    // a signed digest that the next one does not name
	NoDigests     FindingKind = "no-digests"     // logs, or a folder for digests, but no digest
	Junk          FindingKind = "junk"           // something named almost like a digest
	Unlisted      FindingKind = "unlisted"       // a listing failed, so what it would have shown is unknown
	NotChecked    FindingKind = "not-checked"    // the run was interrupted before this was checked
	Nothing       FindingKind = "nothing"        // the source holds nothing to check in the window
	NotSearched   FindingKind = "not-searched"   // a part of the source was not searched for trails
	KeysInCopy    FindingKind = "keys-in-copy"   // the public keys came from the copy that they vouch for
	Undelivered   FindingKind = "delivery"       // CloudTrail itself reports trouble or a newer digest
	KeyDoomed     FindingKind = "key-doomed"     // a KMS key waits for its deletion, or its material for its end
	KeyForeign    FindingKind = "key-foreign"    // a KMS key of another account, or not the trail's for that time
	KeyDisabled   FindingKind = "key-disabled"   // a KMS key is in a state in which it opens nothing
	ClientSide    FindingKind = "client-side"    // files in the trail's own bucket that a client encrypted
	Overlap       FindingKind = "overlap"        // merged reports cover the same time of a chain
	BundleAltered FindingKind = "bundle-altered" // an evidence bundle is not what was collected
	Moved         FindingKind = "moved"          // files lie elsewhere than where CloudTrail wrote them, and say so themselves
)

// FindingKinds lists every kind of finding.
var FindingKinds = []FindingKind{Gap, Stale, NotStarted, LinkBroken, NoDigests, Junk, Unlisted, NotChecked, Nothing, NotSearched, KeysInCopy, Undelivered,
	KeyDoomed, KeyForeign, KeyDisabled, ClientSide, Overlap, BundleAltered, Moved}

// A State is what a second of a chain's window is in.
type State string

const (
	Verified      State = "verified"       // a kept digest that lists logs
	VerifiedEmpty State = "verified-empty" // a kept digest that says there were none
	InGap         State = "gap"            // no digest
	DigestDeleted State = "digest-deleted" // the next digest names one that is gone
	Unproven      State = "unproven"       // a digest that is not kept
	BeforeStart   State = "not-started"    // before the chain's first starting digest
	NotYetDue     State = "not-yet-due"    // its digest need not have been delivered yet
)

// States lists every accounting state, in report order.
var States = []State{Verified, VerifiedEmpty, InGap, DigestDeleted, Unproven, BeforeStart, NotYetDue}

// A Class is what a verdict or a finding means for the exit status.
type Class int

const (
	Good Class = iota
	Remark
	ClassUnproven
	Tampering
)

// classes are the words for classes, as reports have them.
var classes = []string{Good: "good", Remark: "remark", ClassUnproven: "unproven", Tampering: "tampering"}

func (c Class) String() string { return classes[c] }

// MarshalText gives the class's word.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads a class's word.
func (c *Class) UnmarshalText(text []byte) error {
	i := slices.Index(classes, string(text))
	if i < 0 {
		return fmt.Errorf("%.40q is no class", text)
	}
	*c = Class(i)
	return nil
}

// Class is the verdict's class before any policy.
func (v Verdict) Class() Class {
	switch v {
	case Kept:
		return Good
	case Pending:
		return Remark
	case Modified, Deleted:
		return Tampering
	default:
		return ClassUnproven
	}
}

// Class is the finding's class before any policy.
func (k FindingKind) Class() Class {
	switch k {
	case NotStarted, Junk, KeysInCopy, KeyDoomed, KeyForeign, KeyDisabled, ClientSide, Overlap, Moved:
		return Remark
	case BundleAltered:
		return Tampering
	default:
		return ClassUnproven
	}
}

// A Policy moves verdicts, reasons and findings between classes: --accept
// turns what it names into remarks, --fail-on into tampering.
type Policy struct {
	Accept []string
	FailOn []string
}

// File is the class of a file with that verdict and those reasons. A reason
// is accepted only when every reason of the file is: to accept trailing data
// is not to accept a wrong hash beside it. That a rule deleted a file says why it
// was not found, and so accepts that, and needs no acceptance of its own.
func (p Policy) File(v Verdict, reasons []Reason) Class {
	named := func(words []string) bool { return slices.Contains(words, string(v)) }
	in := func(words []string) func(Reason) bool {
		return func(r Reason) bool { return slices.Contains(words, string(r)) }
	}
	if named(p.FailOn) || slices.ContainsFunc(reasons, in(p.FailOn)) {
		return Tampering
	}
	class := v.Class()
	if v == Unreferenced && slices.Equal(reasons, []Reason{CoverageUnknown}) {
		return Remark // AWS does not say that digests cover these
	}
	unaccepted := slices.ContainsFunc(reasons, func(r Reason) bool { return r != Expired && !in(p.Accept)(r) })
	if slices.Equal(reasons, []Reason{NotFound, Expired}) && in(p.Accept)(Expired) {
		unaccepted = false
	}
	if class > Remark && (named(p.Accept) || len(reasons) > 0 && !unaccepted) {
		return Remark
	}
	return class
}

// Finding is the class of a finding, by its kind and reason.
func (p Policy) Finding(f Finding) Class {
	named := func(words []string) bool {
		return slices.Contains(words, string(f.Kind)) || f.Reason == Expired && slices.Contains(words, string(Expired))
	}
	if named(p.FailOn) {
		return Tampering
	}
	if f.Kind.Class() > Remark && named(p.Accept) {
		return Remark
	}
	return f.Kind.Class()
}

// Words lists every word that --accept and --fail-on take.
func Words() []string {
	var words []string
	for _, v := range Verdicts {
		words = append(words, string(v))
	}
	for _, r := range Reasons {
		words = append(words, string(r))
	}
	for _, k := range FindingKinds {
		words = append(words, string(k))
	}
	return words
}
