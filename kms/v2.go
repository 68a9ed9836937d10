package kms

import (
	"context"
	"strings"
)

// openV2 opens format V2: AES-256 under a data key that KMS wrapped, GCM without
// additional data or CBC.
func (o *Opener) openV2(ctx context.Context, e envelope, src *source) (*Opened, error) {
	if err := e.checkWrap(); err != nil {
		return nil, err
	}
	w, err := o.wrappedIn(e, fieldKeyV2, fieldContext)
	if err != nil {
		return nil, err
	}
	ivLength, err := e.checkCipher()
	if err != nil {
		return nil, err
	}
	iv, err := readBase64(e.field, fieldIV, ivLength, ivLength)
	if err != nil {
		return nil, err
	}
	cbc := ivLength == ivCBC
	if err := o.checkSize(src, cbc); err != nil {
		return nil, err
	}
	key, used, err := o.unwrap(ctx, w)
	if err != nil {
		return nil, err
	}
	if len(key) != keyLength {
		return nil, malformed("a data key of %d bytes", len(key))
	}
	if cbc {
		return o.openCBC(key, iv, used, src)
	}
	return o.openGCM(gcm{S3ECv2, key, iv, nil, used}, src)
}

func (e envelope) checkWrap() error {
	switch wrap := e.field[fieldWrap]; {
	case wrap == wrapContext, wrap == wrapLegacy:
		return nil
	case wrap == "":
		return malformed("no %s", fieldWrap)
	case strings.HasPrefix(wrap, "AES"), strings.HasPrefix(wrap, "RSA"):
		return masterKey("wrapped by %.80q", wrap)
	default:
		return refuse(Unsupported, "wrapped by %.80q", wrap)
	}
}

// checkCipher tells the cipher by the length of its IV, in bytes. What the data
// key binds was compared before: a name that was changed to an unknown one is no
// cipher of later.
func (e envelope) checkCipher() (ivLength int, err error) {
	switch c := e.field[fieldCipher]; c {
	case cipherGCM:
		if tag := e.field[fieldTag]; tag != "" && tag != "128" {
			return 0, malformed("%s is %.80q", fieldTag, tag)
		}
		return ivGCM, nil
	case cipherCBC:
		return ivCBC, nil
	case "", cipherCTR:
		return 0, malformed("%s is %q, by which no object is stored", fieldCipher, c)
	default:
		return 0, refuse(Unsupported, "encrypted by %.80q", c)
	}
}
