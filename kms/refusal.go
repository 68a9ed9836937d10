package kms

import "fmt"

// A Reason says in one stable word why something could not be opened. The words
// are those of the report (verify.Reason).
type Reason string

// Reasons of a *RefusedError.
const (
	Denied          Reason = "kms-denied"                 // the caller may not use the key, or it is gone and KMS does not say so
	KeyDisabled     Reason = "kms-key-disabled"           // the key is disabled; kms:EnableKey
	KeyPending      Reason = "kms-key-pending-deletion"   // the key waits for its deletion; kms:CancelKeyDeletion
	KeyNotFound     Reason = "kms-key-not-found"          // the key is gone, or in another region or account
	KeyUnusable     Reason = "kms-key-unusable"           // it waits for its material, or its key store is not reachable
	KeyChanged      Reason = "kms-key-changed"            // a key of that name is there, and is not the one that encrypted this
	Throttled       Reason = "throttled"                  // KMS kept asking for fewer requests
	Unreachable     Reason = "read-failed"                // KMS did not answer, or not in a way that tells anything
	KeyNotAllowed   Reason = "key-not-allowed"            // sealed with a key that --kms-key does not name
	EnvelopeRefused Reason = "envelope-refused"           // KMS does not take the wrapped key, or not with this context
	Unsupported     Reason = "envelope-unsupported"       // well-formed, of a suite or algorithm not known here
	MasterKeyNeeded Reason = "envelope-master-key-needed" // wrapped with a key that its owner holds, not with KMS
	TooLarge        Reason = "too-large"                  // one piece that must be held whole, and is larger than allowed
)

// Reasons of an *AlteredError.
const (
	Altered   Reason = "ciphertext-altered" // the bytes are not what the key sealed
	Malformed Reason = "envelope-malformed" // no writer makes such an envelope
)

// A RefusedError says that an object could not be opened, and why. It says
// nothing of the object's content.
type RefusedError struct {
	Reason Reason
	Key    string // the KMS key's ARN, where it is known
	Hint   string // what to do about it; may be empty
	Err    error
}

func (e *RefusedError) Error() string { return fmt.Sprintf("%s: %v", e.Reason, e.Err) }

func (e *RefusedError) Unwrap() error { return e.Err }

// An AlteredError says that what is stored is not what was sealed.
type AlteredError struct {
	Reason Reason // Altered or Malformed
	Detail string // which field or part; may quote hostile text
}

func (e *AlteredError) Error() string { return fmt.Sprintf("%s: %s", e.Reason, e.Detail) }
