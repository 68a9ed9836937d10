package kms

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/binary"
	"io"
)

// Bounds and words of an AWS Encryption SDK message. Source: its specification,
// "Message header".
const (
	mostHeader = 1 << 20 // bytes
	mostKeys16 = 16      // encrypted data keys that are considered

	typeCustomer = 0x80
	contentOne   = 1 // content type: one piece
	contentFrame = 2
	idLengthV1   = 16
	idLengthV2   = 32

	providerKMS = "aws-kms"
	publicKey   = "aws-crypto-public-key" // in the context of a signed message
)

// A header is a message's header as it stands.
type header struct {
	scheme     Scheme
	suiteID    []byte
	suite      suite
	id         []byte
	context    map[string]string
	keys       []dataKey // of KMS, at most mostKeys16
	others     []string  // the other providers' ids, likewise
	frame      uint32    // bytes of a frame; 0 where the body is one piece
	commitment []byte
	covered    []byte // by the tag
	iv, tag    []byte
	raw        []byte // all of it
	public     *ecdsa.PublicKey
}

// A dataKey is an encrypted data key that names its KMS key.
type dataKey struct{ arn, blob string }

// readHeader reads a header and checks all that can be checked without its key.
func readHeader(in io.Reader) (*header, error) {
	r, h := &headerReader{r: in}, &header{scheme: ESDKv1}
	idLength := idLengthV1
	switch version := r.uint8(); version {
	case 1:
		r.check(r.uint8() == typeCustomer, "type")
	case 2:
		h.scheme, idLength = ESDKv2, idLengthV2
	default:
		r.check(false, "version %d", version)
	}
	h.suiteID = r.take(2)
	known := false
	h.suite, known = suites[binary.BigEndian.Uint16(h.suiteID)]
	r.check(!known || h.suite.version == r.raw[0], "a suite of the other version")
	h.id = r.take(idLength)
	h.context = r.context()
	r.dataKeys(h)
	if r.err == nil && !known {
		r.err = refuse(Unsupported, "encrypted by suite %x", h.suiteID)
	}
	r.rest(h)
	h.raw = r.raw
	if r.err != nil {
		return nil, r.err
	}
	return h, h.readPublic()
}

// rest reads what comes after the encrypted data keys.
func (r *headerReader) rest(h *header) {
	content := r.uint8()
	if h.scheme == ESDKv1 {
		r.check(r.uint32() == 0, "reserved bytes")
		r.check(r.uint8() == ivGCM, "IV length")
	}
	h.frame = r.uint32()
	r.check(content == contentOne && h.frame == 0 || content == contentFrame && h.frame > 0, "content type %d with frames of %d bytes", content, h.frame)
	h.iv = make([]byte, ivGCM)
	if h.suite.commits {
		h.commitment = r.take(commitLength)
	}
	h.covered = r.raw
	if h.scheme == ESDKv1 {
		h.iv = r.take(ivGCM)
	}
	h.tag = r.take(tagLength)
}

// readPublic reads the key that the message is signed with: a compressed point
// (SEC 1, 2.3.3). A message that has one and is not signed was signed once.
func (h *header) readPublic() error {
	text, there := h.context[publicKey]
	if there != (h.suite.curve != nil) {
		return malformed("message header: a signed suite without a public key, or a public key without one")
	}
	if !there {
		return nil
	}
	point, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return malformed("message header: the public key is not base64")
	}
	x, y := elliptic.UnmarshalCompressed(h.suite.curve, point)
	if x == nil {
		return malformed("message header: the public key is no point of its curve")
	}
	size := len(point) - 1
	point = append(make([]byte, 0, 1+2*size), 4) // the same point, uncompressed
	point = append(point, x.FillBytes(make([]byte, size))...)
	point = append(point, y.FillBytes(make([]byte, size))...)
	h.public, err = ecdsa.ParseUncompressedPublicKey(h.suite.curve, point)
	return err
}
