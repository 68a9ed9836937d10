package report

import (
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// A saying is what a word means, in plain words, for each kind of file. An
// empty digest text means that the log's text serves both.
type saying struct{ log, digest string }

func (s saying) of(kind string) string {
	if kind == "digest" && s.digest != "" {
		return s.digest
	}
	return s.log
}

// verdictSayings explain a verdict that comes without a reason.
var verdictSayings = map[verify.Verdict]saying{
	verify.Kept: {
		"it is what its digest vouches for",
		"its bytes, place, key and signature hold and its neighbours agree"},
	verify.Modified: {
		"it is not what its digest vouches for",
		"it is not what was signed"},
	verify.Deleted: {
		"a digest vouches for it and it does not exist",
		"the next digest names it and it does not exist"},
	verify.Unreadable: {
		"it could not be read", ""},
	verify.Unattested: {
		"only a digest that cannot be trusted speaks for it", ""},
	verify.Unverified: {
		"nothing confirms it", "nothing confirms this digest"},
	verify.Unreferenced: {
		"it lies among the logs and no digest names it",
		"it lies among the digests and belongs to no chain"},
	verify.Pending: {
		"it waits for its digest",
		"it waits for the next digest"},
}

// reasonSayings explain each reason.
var reasonSayings = map[verify.Reason]saying{
	verify.HashMismatch: {
		"its content is not what the digest vouches for",
		"its content is not what the next digest vouches for"},
	verify.NotFound: {
		"a digest vouches for it, and the store says that it does not exist",
		"the next digest names it, and the store says that it does not exist"},
	verify.NotGzip: {
		"it is not gzip", ""},
	verify.GzipCorrupt: {
		"its gzip data is damaged", ""},
	verify.Truncated: {
		"it was cut off: its bytes end before its gzip data does", ""},
	verify.TrailingData: {
		"bytes were appended after its gzip data", ""},
	verify.TooLarge: {
		"it inflates past the limit (--max-log-size)",
		"it inflates past the limit (--max-digest-size)"},
	verify.SignatureInvalid: {
		"its signature does not hold",
		"its signature was not made by the key it names, or not for this content and place"},
	verify.SignatureMissing: {
		"no signature is at hand",
		"its signature is not at hand, and no later digest carries it"},
	verify.SignatureRecovered: {
		"its signature was taken from the next digest", ""},
	verify.KeyNotFound: {
		"no public key of its region has the fingerprint it names", ""},
	verify.KeyNotValidThen: {
		"the key it names was not valid at that time", ""},
	verify.KeysUnavailable: {
		"the public keys of its region could not be asked for", ""},
	verify.AlgorithmUnsupported: {
		"it names a hash or signature algorithm other than SHA-256 and SHA256withRSA", ""},
	verify.Malformed: {
		"it is not well-formed",
		"it is not the JSON of a digest file"},
	verify.WrongLocation: {
		"it says that it was written elsewhere",
		"it says that it was written elsewhere: a digest copied to another place"},
	verify.LinkMismatch: {
		"the next digest names another hash or signature for it", ""},
	verify.Redelivered: {
		"the same bytes were signed once more", ""},
	verify.AccessDenied: {
		"the store refused to show it", ""},
	verify.KMSDenied: {
		"it is encrypted, and the caller may not use the KMS key", ""},
	verify.KMSKeyDisabled: {
		"it is encrypted with a KMS key that is disabled", ""},
	verify.KMSKeyPending: {
		"it is encrypted with a KMS key that waits for its deletion", ""},
	verify.KMSKeyNotFound: {
		"it is encrypted with a KMS key that is gone", ""},
	verify.KMSKeyUnusable: {
		"it is encrypted with a KMS key that cannot be used now", ""},
	verify.KMSKeyChanged: {
		"it is encrypted with a KMS key of which the store has another one now", ""},
	verify.KeyNotAllowed: {
		"a client encrypted it with a KMS key that may not be asked (--kms-key)", ""},
	verify.EnvelopeRefused: {
		"a client encrypted it, and KMS does not take the key that is wrapped with it", ""},
	verify.EnvelopeUnsupported: {
		"a client encrypted it in a way that is not known here", ""},
	verify.MasterKeyNeeded: {
		"a client encrypted it with a key that its owner holds, not with KMS", ""},
	verify.CiphertextAltered: {
		"its encrypted bytes were changed: KMS vouches for the key, and they do not fit it", ""},
	verify.EnvelopeMalformed: {
		"its encryption envelope is damaged: no client writes such a one", ""},
	verify.RequesterPays: {
		"its bucket makes readers pay (--request-payer)", ""},
	verify.SSEC: {
		"it is stored with a key of the uploader's own (SSE-C), which CloudTrail never does", ""},
	verify.BucketNotFound: {
		"there is no such bucket", ""},
	verify.Archived: {
		"it is archived and must be restored before it can be read", ""},
	verify.Throttled: {
		"the store kept asking for fewer requests", ""},
	verify.ReadFailed: {
		"it never came whole", ""},
	verify.NotCopied: {
		"the directory holds no copy of its bucket", ""},
	verify.DigestNotTrusted: {
		"the digest that lists it is not kept", ""},
	verify.NoDigest: {
		"it lies among the logs and no digest names it",
		"it belongs to no chain"},
	verify.Expired: {
		"a lifecycle rule of the bucket removes what is of its age", ""},
	verify.CoverageUnknown: {
		"it is of a kind that digests may not cover", ""},
}

// Explain says in plain words why a file has its verdict. Each reason's word
// follows its sentence, so that it can be looked up and given to --accept.
func Explain(f verify.File) string {
	if f.Verdict == verify.Pending {
		return verdictSayings[f.Verdict].of(f.Kind) + " (" + string(f.Verdict) + ")"
	}
	reasons := f.Reasons
	if len(reasons) == 0 && f.Reason != "" {
		reasons = []verify.Reason{f.Reason}
	}
	if len(reasons) == 0 {
		return verdictSayings[f.Verdict].of(f.Kind)
	}
	parts := make([]string, 0, len(reasons))
	for _, r := range reasons {
		if text := reasonSayings[r].of(f.Kind); text != "" {
			parts = append(parts, text+" ("+string(r)+")")
		} else {
			parts = append(parts, Clean(string(r)))
		}
	}
	return strings.Join(parts, "; ")
}

// ExplainFinding says what a kind of finding is, for headings.
func ExplainFinding(k verify.FindingKind) string {
	switch k {
	case verify.Gap:
		return "no readable digest covers this time"
	case verify.Stale:
		return "the newest digest ends well before the window does"
	case verify.NotStarted:
		return "the window begins before the chain does"
	case verify.LinkBroken:
		return "a signed digest that the next one does not name"
	case verify.NoDigests:
		return "there are logs, or a folder for digests, but no digest"
	case verify.Junk:
		return "something is named almost like a digest"
	case verify.Unlisted:
		return "a listing failed, so what it would have shown is unknown"
	case verify.NotChecked:
		return "the run was interrupted before this was checked"
	case verify.Nothing:
		return "the source holds nothing to check in the window"
	case verify.NotSearched:
		return "a part of the source was not searched for trails"
	case verify.KeysInCopy:
		return "the public keys came from the copy that they vouch for"
	case verify.Undelivered:
		return "CloudTrail itself reports trouble, or a newer digest"
	case verify.KeyDoomed:
		return "a KMS key waits for its deletion, or its material for its end"
	case verify.KeyForeign:
		return "a KMS key of another account, or not the trail's for that time"
	case verify.KeyDisabled:
		return "a KMS key is in a state in which it opens nothing"
	case verify.Overlap:
		return "merged reports cover the same time of a chain"
	case verify.BundleAltered:
		return "the evidence bundle is not what was collected"
	case verify.Moved:
		return "files lie elsewhere than where CloudTrail wrote them"
	case verify.ClientSide:
		return "files in the trail's own bucket that a client encrypted"
	}
	return Clean(string(k))
}
