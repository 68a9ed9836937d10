package kms

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"math"
)

// A gcm is how one object is encrypted: one ciphertext with its tag behind it.
type gcm struct {
	scheme Scheme
	key    []byte
	iv     []byte
	aad    []byte
	used   string // KMS key
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// maxWhole is the largest ciphertext that may be held, in bytes. Some more can
// still be counted.
func (o *Opener) maxWhole() int64 {
	if o.MaxWhole > 0 {
		return min(o.MaxWhole, math.MaxInt-1<<10)
	}
	return DefaultMaxWhole
}

// checkSize checks what a known size says, before KMS is asked or a byte is read.
func (o *Opener) checkSize(src *source, cbc bool) error {
	switch {
	case src.size < 0:
		return nil
	case cbc:
		return wholeBlocks(src.size)
	case src.size < tagLength:
		return shorterThanTag(src.size)
	case src.size > o.maxWhole():
		return tooLarge(o.maxWhole())
	}
	return nil
}

func shorterThanTag(size int64) error {
	return malformed("a body of %d bytes, shorter than its tag", size)
}

// openGCM decrypts a body whole, since its tag comes last and nothing of it may
// be used before that holds: in place, or beside the caller's own bytes.
func (o *Opener) openGCM(g gcm, src *source) (*Opened, error) {
	aead, err := newGCM(g.key)
	if err != nil {
		return nil, err
	}
	var content []byte
	err = src.whole(o.maxWhole(), func(z []byte, caller bool) error {
		if len(z) < tagLength {
			return shorterThanTag(int64(len(z)))
		}
		dst := z[:0]
		if caller {
			dst = make([]byte, 0, len(z)-tagLength)
		}
		var wrong error
		if content, wrong = aead.Open(dst, g.iv, z, g.aad); wrong != nil {
			return altered("the content does not fit its tag")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &Opened{Scheme: g.scheme, Key: g.used, Authenticated: true, Body: bytes.NewReader(content), Size: int64(len(content))}, nil
}
