package kms

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha512"
	"slices"
)

// openV3 opens format V3: AES-256-GCM under a key derived from the data key that
// KMS wrapped, and a commitment to it.
func (o *Opener) openV3(ctx context.Context, e envelope, src *source) (*Opened, error) {
	message, commitment, err := e.checkV3()
	if err != nil {
		return nil, err
	}
	w, err := o.wrappedIn(e, fieldKeyV3, fieldContextV3)
	if err != nil {
		return nil, err
	}
	if e.field[fieldSuite] != suiteCommit {
		return nil, refuse(Unsupported, "encrypted by suite %.80q", e.field[fieldSuite])
	}
	if err := o.checkSize(src, false); err != nil {
		return nil, err
	}
	dataKey, used, err := o.unwrap(ctx, w)
	if err != nil {
		return nil, err
	}
	if len(dataKey) != keyLength {
		return nil, malformed("a data key of %d bytes", len(dataKey))
	}
	key, err := deriveV3(dataKey, message, commitment)
	if err != nil {
		return nil, err
	}
	iv := slices.Repeat([]byte{1}, ivGCM) // the specification's constant: each key encrypts one object
	return o.openGCM(gcm{S3ECv3, key, iv, []byte(suiteCommitID), used}, src)
}

// checkV3 checks everything but the keys.
func (e envelope) checkV3() (message, commitment []byte, err error) {
	suite := e.field[fieldSuite]
	if len(suite) > 5 || !only(suite, digits) {
		return nil, nil, malformed("%s is %.80q", fieldSuite, suite)
	}
	switch wrap := e.field[fieldWrapV3]; {
	case wrap == wrapContextV3:
	case wrap == "02", wrap == "22":
		return nil, nil, masterKey("wrapped by algorithm %s", wrap)
	case len(wrap) == 2 && only(wrap, digits):
		return nil, nil, refuse(Unsupported, "wrapped by algorithm %s", wrap)
	default:
		return nil, nil, malformed("%s is %.80q", fieldWrapV3, wrap)
	}
	if message, err = readBase64(e.field, fieldMessage, lengthMessageV3, lengthMessageV3); err != nil {
		return nil, nil, err
	}
	commitment, err = readBase64(e.field, fieldCommit, lengthCommitV3, lengthCommitV3)
	return message, commitment, err
}

// deriveV3 derives the content key, once the commitment holds.
func deriveV3(dataKey, message, commitment []byte) ([]byte, error) {
	prk, err := hkdf.Extract(sha512.New, dataKey, message)
	if err != nil {
		return nil, err
	}
	want, err := hkdf.Expand(sha512.New, prk, suiteCommitID+"COMMITKEY", lengthCommitV3)
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(want, commitment) {
		return nil, altered("the key commitment is not that of the data key")
	}
	return hkdf.Expand(sha512.New, prk, suiteCommitID+"DERIVEKEY", keyLength)
}
