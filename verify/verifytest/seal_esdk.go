package verifytest

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"hash"
	"maps"
	"slices"
)

// A suite is an algorithm suite of the AWS Encryption SDK, all of them AES-GCM.
type suite struct {
	version int
	key     int              // bytes
	kdf     func() hash.Hash // nil: the data key is used as it is
	curve   elliptic.Curve   // nil: not signed
	signed  crypto.Hash
}

func suiteOf(id uint16) (suite, bool) {
	const none = crypto.Hash(0)
	s, ok := map[uint16]suite{
		0x0014: {1, 16, nil, nil, none},
		0x0046: {1, 24, nil, nil, none},
		0x0078: {1, 32, nil, nil, none},
		0x0114: {1, 16, sha256.New, nil, none},
		0x0146: {1, 24, sha256.New, nil, none},
		0x0178: {1, 32, sha256.New, nil, none},
		0x0214: {1, 16, sha256.New, elliptic.P256(), crypto.SHA256},
		0x0346: {1, 24, sha512.New384, elliptic.P384(), crypto.SHA384},
		0x0378: {1, 32, sha512.New384, elliptic.P384(), crypto.SHA384},
		0x0478: {2, 32, sha512.New, nil, none},
		0x0578: {2, 32, sha512.New, elliptic.P384(), crypto.SHA384},
	}[id]
	return s, ok
}

const publicKeyPair = "aws-crypto-public-key" // in the context of signed suites

// esdk writes an AWS Encryption SDK message. Signatures are deterministic, as
// RFC 6979 has it.
func (e *sealer) esdk(version int, id uint16, plain []byte) []byte {
	s, ok := suiteOf(id)
	if !ok || s.version != version {
		e.fail(fmt.Errorf("message format %d has no suite %#04x", version, id))
		return nil
	}
	data, messageID := e.draw(s.key), e.draw(16*version)
	var signer *ecdsa.PrivateKey
	if s.curve != nil {
		signer = e.signingKey(s.curve)
		e.Context[publicKeyPair] = encode64(compressed(signer))
	}
	key, commitment := e.contentKey(s, id, data, messageID)
	head := e.esdkHeader(s, id, data, messageID, commitment)
	if e.err != nil {
		return nil
	}
	gcm := newGCM(key)
	iv := make([]byte, 12)
	tag := gcm.Seal(nil, iv, nil, head)
	out := slices.Clone(head)
	if version == 1 {
		out = append(out, iv...)
	}
	out = e.appendBody(append(out, tag...), gcm, messageID, plain)
	if signer != nil {
		out = e.sign(out, signer, s.signed)
	}
	return out
}

// contentKey derives the key of the content, and in format 2 the commitment
// to it.
func (e *sealer) contentKey(s suite, id uint16, data, messageID []byte) (key, commitment []byte) {
	suiteID := string(binary.BigEndian.AppendUint16(nil, id))
	switch {
	case s.version == 2:
		return e.derive(data, messageID, suiteID+"DERIVEKEY", s.key), e.derive(data, messageID, "COMMITKEY", 32)
	case s.kdf == nil:
		return data, nil
	}
	key, err := hkdf.Key(s.kdf, data, nil, suiteID+string(messageID), s.key)
	if err != nil {
		e.fail(err)
	}
	return key, nil
}

// esdkHeader is the header's body: all but its authentication.
func (e *sealer) esdkHeader(s suite, id uint16, data, messageID, commitment []byte) []byte {
	big := binary.BigEndian
	out := []byte{byte(s.version)}
	if s.version == 1 {
		out = append(out, 0x80)
	}
	out = append(big.AppendUint16(out, id), messageID...)
	out = appendField(out, e.contextField())
	keys := append([]string{e.Key}, e.Also...)
	out = big.AppendUint16(out, uint16(len(keys)))
	for _, key := range keys {
		out = appendField(out, []byte("aws-kms"))
		out = appendField(out, []byte(key))
		out = appendField(out, e.wrap(key, data))
	}
	kind, frame := byte(2), cmp.Or(e.Frame, 4096)
	if e.Frame < 0 {
		kind, frame = 1, 0
	}
	out = append(out, kind)
	if s.version == 1 {
		out = append(out, 0, 0, 0, 0, 12) // reserved, and the IVs' length
	}
	return append(big.AppendUint32(out, uint32(frame)), commitment...)
}

// contextField is the encryption context as the header has it, by its keys'
// bytes.
func (e *sealer) contextField() []byte {
	if len(e.Context) == 0 {
		return nil
	}
	out := binary.BigEndian.AppendUint16(nil, uint16(len(e.Context)))
	for _, name := range slices.Sorted(maps.Keys(e.Context)) {
		out = appendField(appendField(out, []byte(name)), []byte(e.Context[name]))
	}
	return out
}

// appendField appends bytes after their length in two.
func appendField(out, b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(out, uint16(len(b))), b...)
}
