package digest

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// ErrSignature says that the key is good and the signature is not by it over
// these words.
var ErrSignature = errors.New("the signature does not match")

// StringToSign is what CloudTrail signs for a digest file: four lines with LF
// between them and none at the end. previousSignature is the digest's own
// previousDigestSignature as written, or the word "null" in a starting digest.
//
// Source: AWS, "Custom implementations of CloudTrail log file integrity
// validation".
func (r *Record) StringToSign() string {
	previous := "null"
	if r.Previous != nil {
		previous = r.Previous.Signature
	}
	return r.EndText + "\n" + r.Bucket + "/" + r.Object + "\n" + r.Hash.String() + "\n" + previous
}

// Verify checks a signature, in hex as S3's user metadata holds it, over the
// record's string to sign: RSASSA-PKCS1-v1_5 with SHA-256 and nothing else.
// It does not look at the key's validity window. The error is ErrSignature
// where the signature is well-formed and wrong.
func (k PublicKey) Verify(r *Record, signature string) error {
	return k.VerifySum(sha256.Sum256([]byte(r.StringToSign())), signature)
}

// VerifySum checks a signature over words whose SHA-256 is at hand.
func (k PublicKey) VerifySum(sum [sha256.Size]byte, signature string) error {
	if k.key == nil {
		return errors.New("no public key")
	}
	if len(signature) > 2*MaxKeyBits/8 {
		return fmt.Errorf("%w: %d hex digits are too many", ErrSignature, len(signature))
	}
	raw, err := hex.DecodeString(signature)
	if err != nil {
		return fmt.Errorf("%w: not hex", ErrSignature)
	}
	if rsa.VerifyPKCS1v15(k.key, crypto.SHA256, sum[:], raw) != nil {
		return ErrSignature
	}
	return nil
}
