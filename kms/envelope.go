package kms

import (
	"context"
	"strings"
)

// An envelope is what the S3 Encryption Client wrote beside an object.
type envelope struct {
	scheme Scheme
	field  map[string]string
	header bool // the context came as a header, which servers encode each in their way
}

// Open opens a sealed object: it asks KMS for the data key, once for each allowed
// key and each reading of the encryption context until one holds, and decrypts.
//
// What is one piece is decrypted before Open returns, and so is everything of at
// most 4 MiB or in memory: the plaintext is a *bytes.Reader then, and everything
// was checked. Larger AES-CBC objects and framed messages are decrypted as they
// are read, in memory that depends on the frames only; no byte is handed on that
// its tag does not cover, and the signature of a signed message is checked before
// the last frame is handed on.
//
// A multi-region key is asked for in the region that Keys names, and then in the
// one that the message names.
//
// An object that is not sealed, or of which no envelope could be found, comes
// back as Plain with its body as it was: if it is no gzip file then, it is not
// what was stored.
//
// The error is a *RefusedError or an *AlteredError. A failure of the body itself
// and a context's end come as they are. Bytes of a body in memory are not changed,
// and what was decrypted whole does not share them.
func (o *Opener) Open(ctx context.Context, in Sealed) (*Opened, error) {
	src := newSource(in)
	scheme, err := lookFields(in.Metadata)
	if err == nil && scheme == Plain {
		var head []byte
		if head, err = src.head(); err == nil {
			scheme, err = Look(in.Metadata, head)
		}
	}
	if err != nil {
		return nil, err
	}
	if scheme == Plain {
		return plain(src), nil
	}
	if scheme == ESDKv1 || scheme == ESDKv2 {
		return o.openMessage(ctx, src)
	}
	e, err := findEnvelope(in, scheme)
	if err != nil {
		return nil, err
	}
	return o.openEnvelope(ctx, e, src)
}

func plain(src *source) *Opened {
	return &Opened{Scheme: Plain, Authenticated: true, Body: src.r, Size: src.size}
}

func (o *Opener) openEnvelope(ctx context.Context, e envelope, src *source) (*Opened, error) {
	switch e.scheme {
	case S3ECv1:
		return nil, masterKey("format V1")
	case S3ECv2:
		return o.openV2(ctx, e, src)
	case S3ECv3:
		return o.openV3(ctx, e, src)
	}
	return plain(src), nil
}

// findEnvelope is the envelope in an object's metadata, or in its instruction
// file, or in both. Its scheme is Plain where there is none.
func findEnvelope(in Sealed, scheme Scheme) (envelope, error) {
	size := 0
	for name, value := range in.Metadata {
		size += len(name) + len(value)
	}
	if size > mostText {
		return envelope{}, malformed("metadata of %d bytes", size)
	}
	if in.Metadata[fieldKeyV1]+in.Metadata[fieldKeyV2]+in.Metadata[fieldKeyV3] != "" {
		return envelope{scheme, in.Metadata, true}, nil
	}
	inside, found, err := readInstruction(in.Instruction)
	switch {
	case err != nil:
		return envelope{}, err
	case scheme != S3ECv3 && found != S3ECv3:
		return envelope{found, inside, false}, nil
	case found == Plain:
		return envelope{}, malformed("a key commitment, and no wrapped key in the metadata or an instruction file")
	case found != S3ECv3:
		return envelope{}, malformed("a key commitment in the metadata, and an instruction file of another format")
	}
	for _, field := range []string{fieldSuite, fieldCommit, fieldMessage} {
		if _, there := inside[field]; there {
			return envelope{}, malformed("%s is in the instruction file, where the key could be changed with it", field)
		}
		inside[field] = in.Metadata[field]
	}
	return envelope{S3ECv3, inside, false}, nil
}

// readInstruction reads an instruction file. One that cannot be read is an error
// where it looks like an envelope, and otherwise none: any object may be stored
// under such a name.
func readInstruction(file []byte) (map[string]string, Scheme, error) {
	if len(file) > mostText {
		return nil, Plain, nil
	}
	fields, err := readFlat(string(file), true)
	if err != nil {
		if text := string(file); strings.Contains(text, `"`+fieldKeyV1) || strings.Contains(text, `"`+fieldKeyV3) {
			return nil, Plain, malformed("instruction file: %v", err)
		}
		return nil, Plain, nil
	}
	scheme, err := lookFields(fields)
	return fields, scheme, err
}

func masterKey(format string, args ...any) error {
	r := refuse(MasterKeyNeeded, format+": its data key is not wrapped by KMS", args...)
	r.Hint = "decrypt it with the key that its owner holds"
	return r
}
