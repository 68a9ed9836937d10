package digest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// A Hash is the SHA-256 of an uncompressed log file or digest file.
type Hash [sha256.Size]byte

// Sum hashes uncompressed content.
func Sum(content []byte) Hash { return sha256.Sum256(content) }

// ParseHash reads 64 hex digits, as a digest file writes a hash.
func ParseHash(text string) (Hash, error) {
	var h Hash
	if len(text) != hex.EncodedLen(len(h)) {
		return h, fmt.Errorf("hash %.80q: %d characters, want %d", text, len(text), hex.EncodedLen(len(h)))
	}
	if _, err := hex.Decode(h[:], []byte(text)); err != nil {
		return Hash{}, fmt.Errorf("hash %.80q: %w", text, err)
	}
	return h, nil
}

// String is the hash in lower-case hex, as CloudTrail writes it.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }
