package kms

import (
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
)

// A suite is an algorithm suite of the AWS Encryption SDK. All encrypt with
// AES-GCM. Source: its specification, "Algorithm suites".
type suite struct {
	version byte // of the message format
	key     int  // bytes of the data key and of the content key
	derive  func() hash.Hash
	commits bool           // to the key, with a commitment of 32 bytes
	curve   elliptic.Curve // of the signature; nil where it has none
	sign    func() hash.Hash
}

var suites = map[uint16]suite{
	0x0014: {version: 1, key: 16},
	0x0046: {version: 1, key: 24},
	0x0078: {version: 1, key: 32},
	0x0114: {version: 1, key: 16, derive: sha256.New},
	0x0146: {version: 1, key: 24, derive: sha256.New},
	0x0178: {version: 1, key: 32, derive: sha256.New},
	0x0214: {version: 1, key: 16, derive: sha256.New, curve: elliptic.P256(), sign: sha256.New},
	0x0346: {version: 1, key: 24, derive: sha512.New384, curve: elliptic.P384(), sign: sha512.New384},
	0x0378: {version: 1, key: 32, derive: sha512.New384, curve: elliptic.P384(), sign: sha512.New384},
	0x0478: {version: 2, key: 32, derive: sha512.New, commits: true},
	0x0578: {version: 2, key: 32, derive: sha512.New, commits: true, curve: elliptic.P384(), sign: sha512.New384},
}

// commitLength is the length of a message's key commitment, in bytes.
const commitLength = 32

// contentKey derives the key of a message, once its commitment holds.
func (h *header) contentKey(dataKey []byte) ([]byte, error) {
	switch {
	case h.suite.derive == nil:
		return dataKey, nil
	case !h.suite.commits:
		return hkdf.Key(h.suite.derive, dataKey, nil, string(h.suiteID)+string(h.id), h.suite.key)
	}
	prk, err := hkdf.Extract(h.suite.derive, dataKey, h.id)
	if err != nil {
		return nil, err
	}
	want, err := hkdf.Expand(h.suite.derive, prk, "COMMITKEY", commitLength)
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(want, h.commitment) {
		return nil, altered("the key commitment is not that of the data key")
	}
	return hkdf.Expand(h.suite.derive, prk, string(h.suiteID)+"DERIVEKEY", h.suite.key)
}
