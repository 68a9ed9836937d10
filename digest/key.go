package digest

import (
	"crypto/md5"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
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

// MaxKeyBits bounds an RSA key's size, so that a forged key file cannot buy
// hours of arithmetic. CloudTrail's keys have 2,048 bits.
const MaxKeyBits = 8192

// NewPublicKey reads a key's DER, either PKCS #1 RSAPublicKey (what CloudTrail
// returns) or SubjectPublicKeyInfo (what one key of AWS's own documentation
// is). The fingerprint is recomputed over the bytes as they are; a stated one
// that differs is an error. An empty stated fingerprint is not compared.
func NewPublicKey(value []byte, stated string, start, end time.Time) (PublicKey, error) {
	sum := md5.Sum(value)
	k := PublicKey{Fingerprint: hex.EncodeToString(sum[:]), Start: start.UTC(), End: end.UTC(), Value: value}
	if stated != "" && stated != k.Fingerprint {
		return PublicKey{}, fmt.Errorf("public key %q: its bytes have the fingerprint %s", stated, k.Fingerprint)
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
	if bits := key.N.BitLen(); bits > MaxKeyBits {
		return nil, fmt.Errorf("an RSA key of %d bits, more than %d", bits, MaxKeyBits)
	}
	return key, nil
}

// ValidAt reports whether the key's validity window holds t.
func (k PublicKey) ValidAt(t time.Time) bool {
	return !t.Before(k.Start) && !t.After(k.End)
}

// ParsePublicKeys reads what `aws cloudtrail list-public-keys` prints: an
// object with "PublicKeyList". A top-level "Region" beside it binds the keys
// to that region. Keys that cannot be used are left out and named in rejected;
// the error says that the file is no such list at all.
func ParsePublicKeys(data []byte) (keys []PublicKey, rejected []error, err error) {
	var list struct {
		Region        string
		PublicKeyList []struct {
			Value             []byte
			ValidityStartTime cliTime
			ValidityEndTime   cliTime
			Fingerprint       string
		}
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, nil, fmt.Errorf("public key list: %w", err)
	}
	if list.PublicKeyList == nil {
		return nil, nil, errors.New(`public key list: no "PublicKeyList" in it`)
	}
	for _, e := range list.PublicKeyList {
		k, err := NewPublicKey(e.Value, e.Fingerprint, e.ValidityStartTime.Time, e.ValidityEndTime.Time)
		if err != nil {
			rejected = append(rejected, err)
			continue
		}
		k.Region = list.Region
		keys = append(keys, k)
	}
	return keys, rejected, nil
}

// cliTime is a time as the AWS CLI prints it: ISO 8601 with a zone, or
// seconds since 1970.
type cliTime struct{ time.Time }

func (t *cliTime) UnmarshalJSON(b []byte) error {
	var seconds float64
	if json.Unmarshal(b, &seconds) == nil {
		whole, part := math.Modf(seconds)
		t.Time = time.Unix(int64(whole), int64(part*1e9)).UTC()
		return nil
	}
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return fmt.Errorf("time %s: %w", b, err)
	}
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return fmt.Errorf("time %q: want RFC 3339, such as 2026-03-10T00:00:00Z", text)
	}
	t.Time = parsed.UTC()
	return nil
}
