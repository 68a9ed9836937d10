// Package digest is the CloudTrail digest format and nothing else: names,
// records, the string to sign, signatures, public keys, and the strict
// reading of gzip. It does no I/O and keeps no clock.
//
// # The format
//
// CloudTrail writes an account's API history to S3 as gzip log files. Each
// hour, for each source region, it also writes a digest file: gzip of one JSON
// object that lists the log files delivered in that hour with the SHA-256 of
// their uncompressed bytes. The digest names the digest before it with the
// SHA-256 of its uncompressed bytes and with its signature, so that the
// digests form a chain. The first digest after validation is switched on (a
// starting digest) has null in all five previous-fields.
//
// The signature is not in the file. It is in the object's S3 user metadata,
// x-amz-meta-signature, as lower-case hex: RSASSA-PKCS1-v1_5 with SHA-256 over
// the string to sign (see Record.StringToSign), by a private key of the source
// region. The public half comes from CloudTrail's ListPublicKeys in that
// region; the digest names it by fingerprint, the lower-case hex MD5 of the
// key's DER bytes exactly as CloudTrail returns them.
//
// Because the next digest repeats the signature, a digest whose metadata is
// lost can still be checked: rebuild its string to sign from its bytes and
// verify the signature that the next digest names.
//
// A backfill digest lists log files that came too late for their hour's
// digest. Its name ends in "_backfill", it links to the backfill digest before
// it, and it is signed with a key valid when it was made
// (x-amz-meta-backfill-generation-timestamp), not when its span ended.
//
// # What this package decides
//
// ParseName and ParseLogName say what a key names; Parse what a digest says;
// PublicKey.Verify whether a signature holds; HashGzip whether stored bytes are
// exactly one gzip member and what they hash to. What any of this means for a
// file's verdict is decided in package verify.
//
// Whole bodies are inflated by a decoder of our own (internal/inflate), about
// three times as fast as the standard library's. It may only say yes: whatever
// it does not find exact is read again with compress/gzip, whose answer counts.
//
// The format is written down for other implementers in docs/format.md.
package digest
