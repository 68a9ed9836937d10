package kms

import (
	"encoding/binary"
	"strings"
)

// Names of the user metadata, and of an instruction file's members, that the S3
// Encryption Client writes. Sources: the client's specification, "Content
// metadata" and "Object metadata V3".
const (
	fieldKeyV1   = "x-amz-key"      // V1: the data key, never wrapped by KMS
	fieldKeyV2   = "x-amz-key-v2"   // V2: the wrapped data key
	fieldIV      = "x-amz-iv"       // V1, V2
	fieldContext = "x-amz-matdesc"  // V2: the encryption context
	fieldWrap    = "x-amz-wrap-alg" // V2
	fieldCipher  = "x-amz-cek-alg"  // V2
	fieldTag     = "x-amz-tag-len"  // V2: bits

	fieldKeyV3     = "x-amz-3" // V3: the wrapped data key
	fieldWrapV3    = "x-amz-w"
	fieldContextV3 = "x-amz-t"
	fieldSuite     = "x-amz-c" // V3: these three are never in an instruction file
	fieldCommit    = "x-amz-d"
	fieldMessage   = "x-amz-i"
)

// Look says how an object is sealed, from its S3 user metadata and the first
// bytes of its body: HeadBytes of them, or all where there are fewer. It asks
// nobody, and allocates nothing for an object that is not sealed.
//
// Metadata decides first, then a gzip head, an AWS Encryption SDK head, the half
// of a V3 envelope that stays beside an instruction file, and text. What is left
// is Unknown: noise, or an object whose envelope is in an instruction file. A
// ciphertext looks like text by chance once in 30,000 objects, and hardly ever
// like the others: that is why more than the first byte or two is looked at.
//
// The error is an *AlteredError: the metadata holds the keys of two formats.
func Look(meta map[string]string, head []byte) (Scheme, error) {
	scheme, err := lookFields(meta)
	switch {
	case err != nil || scheme != Plain:
		return scheme, err
	case gzipHead(head):
		return Plain, nil
	}
	if scheme := messageHead(head); scheme != Plain {
		return scheme, nil
	}
	switch {
	case halfV3(meta):
		return S3ECv3, nil
	case textHead(head):
		return Plain, nil
	}
	return Unknown, nil
}

// NeedsInstruction says whether Open wants the object's instruction file, from
// the metadata and what Look made of it. To ask for it in any other case would
// be one request too many for each object.
func (o *Opener) NeedsInstruction(meta map[string]string, scheme Scheme) bool {
	return scheme == Unknown || scheme == S3ECv3 && meta[fieldKeyV3] == ""
}

// lookFields is the format whose wrapped key the fields hold. An empty field
// counts as none: some writers leave those.
func lookFields(f map[string]string) (Scheme, error) {
	scheme, keys := Plain, 0
	for _, format := range [...]struct {
		field  string
		scheme Scheme
	}{{fieldKeyV1, S3ECv1}, {fieldKeyV2, S3ECv2}, {fieldKeyV3, S3ECv3}} {
		if f[format.field] != "" {
			scheme = format.scheme
			keys++
		}
	}
	if keys > 1 {
		return Plain, malformed("the metadata holds the wrapped keys of two formats")
	}
	return scheme, nil
}

// halfV3 says whether all is there that a V3 object keeps beside an instruction
// file.
func halfV3(meta map[string]string) bool {
	return meta[fieldSuite] != "" && meta[fieldCommit] != "" && meta[fieldMessage] != ""
}

// gzipHead: ID, the only method there is, and no reserved flag (RFC 1952, 2.3).
// A head may be shorter than that.
func gzipHead(head []byte) bool {
	const id, reserved = "\x1f\x8b\x08", 0xe0
	n := min(len(head), len(id))
	return n > 0 && string(head[:n]) == id[:n] && (len(head) < 4 || head[3]&reserved == 0)
}

// textHead: the start of a JSON object or array, or white space only, or nothing.
func textHead(head []byte) bool {
	for i, c := range head {
		switch c {
		case ' ', '\t', '\r', '\n':
		case '{':
			return textFollows(head[i+1:], " \t\r\n\"}")
		case '[':
			return textFollows(head[i+1:], " \t\r\n\"{[]")
		default:
			return false
		}
	}
	return true
}

// textFollows: the next byte is one of those, and the others are ASCII text.
func textFollows(rest []byte, next string) bool {
	for i, c := range rest {
		if i == 0 && strings.IndexByte(next, c) < 0 || c < ' ' && strings.IndexByte("\t\r\n", c) < 0 || c > '~' {
			return false
		}
	}
	return true
}

// messageHead is the AWS Encryption SDK's message format that a body begins
// with, or Plain. A suite of the other format's is still a message: Open says
// what is wrong. So is a suite of format 2 that is not known, where it looks
// like those that are: a future suite must not pass for noise, nor noise for a
// future suite. Format 1 gets no more suites.
func messageHead(head []byte) Scheme {
	switch {
	case len(head) < HeadBytes:
		return Plain
	case head[0] == 1 && head[1] == typeCustomer:
		if _, known := suites[binary.BigEndian.Uint16(head[2:])]; known {
			return ESDKv1
		}
	case head[0] == 2:
		id := binary.BigEndian.Uint16(head[1:])
		if _, known := suites[id]; known || id>>8 < 0x10 && id>>8 > 5 && id&0xff == 0x78 {
			return ESDKv2
		}
	}
	return Plain
}
