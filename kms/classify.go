package kms

import (
	"regexp"
	"strings"
)

// Classify says what an error code and its message tell of a KMS key, and what
// to do about it. It knows KMS's own codes, the same as S3 passes them on
// ("KMS.DisabledException"), MinIO's ("kms:KeyNotFound"), and the refusals that
// S3 words as AccessDenied. It goes by code, then message, and never by HTTP
// status: MinIO answers 404 for a missing key. The reason is empty where the
// error is not about a key.
//
// The codes are those of KMS's API reference and of recorded answers of S3; the
// messages are loose matches, since AWS words them anew from time to time.
func Classify(code, message string) (Reason, string) {
	name, through := passedOn(code)
	switch name {
	case "DisabledException", "Disabled", "KeyDisabled":
		return KeyDisabled, enableHint
	case "KMSInvalidStateException", "InvalidStateException":
		return classifyState(message)
	case "NotFoundException", "KeyNotFound":
		return KeyNotFound, "the key is gone, or is in another region or account"
	case "AccessDeniedException", "NotAuthorized":
		return Denied, DeniedHint
	case "InvalidCiphertextException":
		if through { // S3 wrapped the key itself, so it is the key that changed
			return KeyChanged, "the store's KMS has another key of that name now: give it back the one it had"
		}
		return EnvelopeRefused, "KMS does not say whether the wrapped key, the context or the key is wrong"
	case "IncorrectKeyException":
		return KeyNotAllowed, keyHint
	case "KeyUnavailableException", "CustomKeyStoreInvalidStateException", "KMSInternalException", "DependencyTimeoutException", "InternalFailure":
		return Unreachable, "KMS did not answer: try again later"
	case "ThrottlingException", "LimitExceededException", "Throttling", "RequestLimitExceeded", "TooManyRequestsException":
		return Throttled, "KMS kept asking for fewer requests: lower --concurrency"
	case "UnrecognizedClientException", "ExpiredTokenException", "InvalidSignatureException", "IncompleteSignatureException":
		return Denied, "the AWS credentials are expired or not valid for KMS"
	case "AccessDenied":
		return classifyDenied(message)
	}
	return "", ""
}

const (
	enableHint = "the key can be enabled again: kms:EnableKey"
	// DeniedHint is what to do about Denied.
	DeniedHint = "the caller needs kms:Decrypt on the key, in the key's policy too where it belongs to another account"
	keyHint    = "--kms-key ARN names the key that may be asked, --kms-key any allows all"
)

// passedOn takes the prefix from a code with which a store passes KMS's own on.
func passedOn(code string) (name string, through bool) {
	for _, prefix := range []string{"KMS.", "kms:"} {
		if name, ok := strings.CutPrefix(code, prefix); ok {
			return name, true
		}
	}
	return code, false
}

// classifyState tells the states apart in which KMS does nothing with a key.
func classifyState(message string) (Reason, string) {
	switch {
	case strings.Contains(message, "pending deletion"), strings.Contains(message, "pending replica deletion"):
		return KeyPending, "until its deletion date: kms:CancelKeyDeletion, then kms:EnableKey"
	case strings.Contains(message, "disabled"):
		return KeyDisabled, enableHint
	case strings.Contains(message, "pending import"):
		return KeyUnusable, "its key material was deleted or has expired: who holds it can import it again"
	}
	return KeyUnusable, "the key is in a state in which it cannot be used; kms:DescribeKey tells which"
}

// goneOrDenied is how S3 words a refusal of which KMS does not tell whether
// there is such a key.
const goneOrDenied = "ciphertext refers to a customer m"

func classifyDenied(message string) (Reason, string) {
	if _, action, told := strings.Cut(message, "not authorized to perform: "); told {
		message, _, _ = strings.Cut(action, " ") // what follows names the object, which somebody else may have named
	}
	switch {
	case strings.Contains(message, goneOrDenied):
		return Denied, DeniedHint + "; or the key is gone"
	case strings.Contains(message, "kms:"):
		return Denied, DeniedHint
	}
	return "", ""
}

// Ambiguous reports whether a reason leaves something open that the key's state may
// tell.
func Ambiguous(reason Reason, message string) bool {
	return reason == KeyUnusable || reason == Denied && strings.Contains(message, goneOrDenied)
}

// Refine makes a reason that leaves something open as clear as the key's state
// does. A state that is not known changes nothing.
func (s State) Refine(reason Reason, hint, message string) (Reason, string) {
	switch {
	case !Ambiguous(reason, message):
	case s.Name == Gone:
		return KeyNotFound, "KMS knows no such key: it was deleted, or is in another region"
	case s.Name == "Disabled":
		return KeyDisabled, enableHint
	case s.Name == "PendingDeletion", s.Name == "PendingReplicaDeletion":
		return classifyState("pending deletion")
	case s.Name == "PendingImport":
		return classifyState("pending import")
	case s.Name == "Unavailable":
		return KeyUnusable, "its key store is not connected: kms:ConnectCustomKeyStore, or the external key manager must answer"
	}
	return reason, hint
}

var arnInText = regexp.MustCompile(`arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]{1,128}`)

// KeyIn is the ARN of the KMS key that a refusal's message names, or empty.
func KeyIn(message string) string { return arnInText.FindString(message) }
