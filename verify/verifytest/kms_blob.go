package verifytest

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"slices"
)

// A wrapped data key has local-kms's layout, so that one stand-in opens what
// another wrapped: the ARN after its length in a byte, the material's version
// in four, a nonce, the AES-256-GCM ciphertext and its tag.
const (
	blobVersion = 4
	blobNonce   = 12
	blobTag     = 16
)

// Wrap encrypts a data key with a key as KMS's Encrypt does, whatever state
// the key is in, adding the key where there is none.
func (k *KMS) Wrap(arn string, dataKey []byte, encryptionContext map[string]string, random io.Reader) ([]byte, error) {
	if len(arn) > 255 {
		return nil, fmt.Errorf("wrap a data key: the key's ARN has %d bytes", len(arn))
	}
	nonce := make([]byte, blobNonce)
	if _, err := io.ReadFull(random, nonce); err != nil {
		return nil, fmt.Errorf("wrap a data key: %w", err)
	}
	material := k.Add(arn).Settings().Material
	blob := append([]byte{byte(len(arn))}, arn...)
	blob = binary.LittleEndian.AppendUint32(blob, 0)
	blob = append(blob, nonce...)
	return newGCM(material[:]).Seal(blob, nonce, dataKey, blobContext(encryptionContext)), nil
}

// splitBlob takes a blob apart, up to the nonce.
func splitBlob(blob []byte) (arn string, sealed []byte, ok bool) {
	if len(blob) == 0 || len(blob) < 1+int(blob[0])+blobVersion+blobNonce+blobTag {
		return "", nil, false
	}
	n := 1 + int(blob[0])
	return string(blob[1:n]), blob[n+blobVersion:], true
}

// blobContext is the encryption context as additional data: each pair by its
// key's bytes, with nothing in between.
func blobContext(pairs map[string]string) []byte {
	var b []byte
	for _, key := range slices.Sorted(maps.Keys(pairs)) {
		b = append(append(b, key...), pairs[key]...)
	}
	return b
}

// newGCM is for keys that were made here: they have the right size.
func newGCM(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return gcm
}
