package digest

import (
	"crypto"
	"crypto/md5"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"time"
)

// A PublicKey is one of CloudTrail's digest-signing keys. CloudTrail makes
// them a region at a time; each is valid for about 30 days and a new one
// comes about every 20.
type PublicKey struct {
	Fingerprint string    // lower-case hex MD5 of Value
	Start, End  time.Time // validity window, UTC, both ends included
	Region      string    // whose digests it signs; empty where not known
	Value       []byte    // DER exactly as CloudTrail returned it
	key         *rsa.PublicKey
}

// MinKeyBits and MaxKeyBits bound an RSA key's size: below, anyone could have
// signed; above, a forged key file would buy hours of arithmetic. CloudTrail's
// keys have 2,048 bits.
const (
	MinKeyBits = 1024
	MaxKeyBits = 8192
)

// NewPublicKey reads a key's DER, either PKCS #1 RSAPublicKey (what CloudTrail
// returns) or SubjectPublicKeyInfo (what one key of AWS's own documentation
// is). The fingerprint is recomputed over the bytes as they are; a stated one
// that differs is an error. An empty stated fingerprint is not compared.
func NewPublicKey(value []byte, stated string, start, end time.Time) (PublicKey, error) {
	sum := md5.Sum(value)
	k := PublicKey{Fingerprint: hex.EncodeToString(sum[:]), Start: start.UTC(), End: end.UTC(), Value: value}
	if stated != "" && stated != k.Fingerprint {
		return PublicKey{}, fmt.Errorf("public key %.80q: its bytes have the fingerprint %s", stated, k.Fingerprint)
	}
	key, err := parseRSA(value)
	if err != nil {
		return PublicKey{}, fmt.Errorf("public key %s: %w", k.Fingerprint, err)
	}
	k.key = key
	return k, nil
}

func parseRSA(der []byte) (*rsa.PublicKey, error) {
	key, err := x509.ParsePKCS1PublicKey(der)
	if err != nil {
		any, spkiErr := x509.ParsePKIXPublicKey(der)
		if spkiErr != nil {
			return nil, fmt.Errorf("neither PKCS #1 nor SubjectPublicKeyInfo: %w", err)
		}
		var isRSA bool
		if key, isRSA = any.(*rsa.PublicKey); !isRSA {
			return nil, fmt.Errorf("a %T, not an RSA key", any)
		}
	}
	if bits := key.N.BitLen(); bits < MinKeyBits || bits > MaxKeyBits {
		return nil, fmt.Errorf("an RSA key of %d bits, want %d to %d", bits, MinKeyBits, MaxKeyBits)
	}
	// A key that crypto/rsa will not work with (an even modulus, say) would
	// later look like a wrong signature. Try it now.
	none := make([]byte, key.Size())
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, make([]byte, sha256.Size), none); err != rsa.ErrVerification {
		return nil, fmt.Errorf("an RSA key that cannot be used: %v", err)
	}
	return key, nil
}

// ValidAt reports whether the key's validity window holds t.
func (k PublicKey) ValidAt(t time.Time) bool {
	return !t.Before(k.Start) && !t.After(k.End)
}
