// Package kms opens what AWS KMS encrypted, and says why a key refuses.
//
// # What is encrypted, and by whom
//
// A trail with a KMS key is stored under SSE-KMS: S3 decrypts it for those who
// may use the key, and nothing here is needed to read it. [Classify] turns what
// S3 or KMS answers where the key is in the way into a [Reason], and
// [Client.Describe] asks for the key's state.
//
// Archives are often encrypted once more before they are stored, by the client.
// An [Opener] opens those that the Amazon S3 Encryption Client (object formats
// V2 and V3, with or without an instruction file) and the AWS Encryption SDK
// (message formats 1 and 2) wrote under a KMS key. It asks KMS for the data key
// and does the rest itself, with the standard library's cryptography.
//
// # What is trusted
//
// Everything in an envelope is hostile input: it is checked before it is used,
// and before KMS is asked where that can be. KMS is asked only with keys that
// the user allowed, for a request to a stranger's key would tell the stranger
// who is looking. No byte that an authentication tag covers is handed on before
// the tag is checked. AES-CBC has none: what it opens to is as good as the
// digest that vouches for it, and [Opened.Authenticated] is false.
//
// # Errors
//
// Opening fails in two ways. A [*RefusedError] says that the object cannot be
// opened, and why; nothing is known of its content. An [*AlteredError] says that
// what is stored is not what was sealed: its envelope cannot be, or KMS vouched
// for the key and the bytes do not fit it. Any other error is the body's own or
// the context's, as it came.
//
// Sources: the Amazon S3 Encryption Client and AWS Encryption SDK specifications
// (awslabs/aws-encryption-sdk-specification), and the KMS API reference.
package kms
