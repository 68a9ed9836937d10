package verifytest

import (
	"cmp"
	"crypto"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/binary"
	"fmt"
)

// appendBody appends a message's body: frames, the last of which may be empty,
// or all in one piece.
func (e *sealer) appendBody(out []byte, gcm cipher.AEAD, messageID, plain []byte) []byte {
	big := binary.BigEndian
	if e.Frame < 0 {
		out = append(out, frameIV(1)...)
		out = big.AppendUint64(out, uint64(len(plain)))
		return gcm.Seal(out, frameIV(1), plain, frameContext(messageID, "Single Block", 1, len(plain)))
	}
	n, sequence := cmp.Or(e.Frame, 4096), uint32(1)
	for ; len(plain) > n; sequence++ {
		out = append(big.AppendUint32(out, sequence), frameIV(sequence)...)
		out = gcm.Seal(out, frameIV(sequence), plain[:n], frameContext(messageID, "Frame", sequence, n))
		plain = plain[n:]
	}
	out = append(out, 0xff, 0xff, 0xff, 0xff)
	out = append(big.AppendUint32(out, sequence), frameIV(sequence)...)
	out = big.AppendUint32(out, uint32(len(plain)))
	return gcm.Seal(out, frameIV(sequence), plain, frameContext(messageID, "Final Frame", sequence, len(plain)))
}

// frameIV is the sequence number, as the SDKs do it.
func frameIV(sequence uint32) []byte { return binary.BigEndian.AppendUint32(make([]byte, 8), sequence) }

// frameContext is a frame's additional data.
func frameContext(messageID []byte, label string, sequence uint32, n int) []byte {
	b := fmt.Appendf(nil, "%sAWSKMSEncryptionClient %s", messageID, label)
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(b, sequence), uint64(n))
}

// signingKey draws the key pair of one message.
func (e *sealer) signingKey(curve elliptic.Curve) *ecdsa.PrivateKey {
	for {
		key, err := ecdsa.ParseRawPrivateKey(curve, e.draw(curve.Params().BitSize/8))
		if err == nil {
			return key
		}
		if e.err != nil { // else it was no number below the order: next try
			return nil
		}
	}
}

// compressed is a public key's point: the sign of y, and x.
func compressed(key *ecdsa.PrivateKey) []byte {
	if key == nil {
		return nil
	}
	raw, err := key.PublicKey.Bytes()
	if err != nil {
		panic(err) // a key just made
	}
	x, y := raw[1:1+len(raw)/2], raw[1+len(raw)/2:]
	return append([]byte{2 | y[len(y)-1]&1}, x...)
}

// sign appends the footer: the signature over all before it.
func (e *sealer) sign(message []byte, key *ecdsa.PrivateKey, by crypto.Hash) []byte {
	h := by.New()
	h.Write(message)
	signature, err := key.Sign(nil, h.Sum(nil), by)
	if err != nil {
		e.fail(fmt.Errorf("sign: %w", err))
	}
	return appendField(message, signature)
}
