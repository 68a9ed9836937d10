package kms

import (
	"context"
	"io"
)

// A Decrypter is KMS's Decrypt.
type Decrypter interface {
	// Decrypt unwraps a data key under an encryption context. key is the ARN of
	// the KMS key to use, which also says the region; empty lets KMS find it from
	// the blob, in the configured region. usedKey is the ARN of the key that KMS
	// used. A refusal is an error that carries KMS's code (ErrorCode and
	// ErrorMessage, as the SDK's errors do), anything else the context's or the
	// network's.
	Decrypt(ctx context.Context, blob []byte, encryptionContext map[string]string, key string) (dataKey []byte, usedKey string, err error)
}

// A Scheme says how an object is sealed, by the format and not by the client
// that wrote it.
type Scheme string

const (
	Plain   Scheme = ""        // not sealed
	S3ECv1  Scheme = "s3ec-v1" // S3 Encryption Client, x-amz-key: never KMS
	S3ECv2  Scheme = "s3ec-v2" // x-amz-key-v2
	S3ECv3  Scheme = "s3ec-v3" // x-amz-3, with key commitment
	ESDKv1  Scheme = "esdk-v1" // AWS Encryption SDK message, format 1
	ESDKv2  Scheme = "esdk-v2" // format 2, with key commitment
	Unknown Scheme = "unknown" // neither gzip nor JSON nor sealed as far as can be seen: an instruction file may tell
)

// HeadBytes is how much of a body Look wants to see, where there is so much.
const HeadBytes = 4

// DefaultMaxWhole is how large a ciphertext may be that has one tag at its end
// and must be held whole until that is checked.
const DefaultMaxWhole = 256 << 20

// A Sealed is a stored object as it was found.
type Sealed struct {
	Metadata    map[string]string // S3 user metadata, names in lower case without x-amz-meta-
	Body        io.Reader
	Size        int64  // of Body in bytes; -1 where not known
	Instruction []byte // content of the object's instruction file; nil where there is none or it was not read
}

// An Opened is an object that was opened.
type Opened struct {
	Scheme        Scheme
	Key           string    // ARN of the KMS key that unwrapped the data key
	Authenticated bool      // false for AES-CBC: nothing but a digest says whether the content is the right one
	Body          io.Reader // the plaintext. Its Read fails with an *AlteredError where a later part was altered
	Size          int64     // of Body in bytes; -1 where only its end tells
}

// An Opener opens sealed objects. Many goroutines may use it.
type Opener struct {
	KMS      Decrypter
	Keys     []string          // ARNs of the KMS keys that may be asked; see ParseKey
	AnyKey   bool              // whichever key an object names may be asked
	Context  map[string]string // pairs that an object's encryption context must hold
	MaxWhole int64             // bytes; 0: DefaultMaxWhole
}
