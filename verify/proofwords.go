package verify

import (
	"crypto/x509"
	"fmt"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// words is the proof, step by step. Commands hold nothing that a bucket chose: only
// numbers, and hashes whose form is known. What else they need they take from the
// file, which they call proof.json.
func (p *Proof) words() []ProofStep {
	e, l, d, k := p.Event, p.Log, p.Digest, p.Key
	return []ProofStep{
		{fmt.Sprintf("1. The log file %q has the SHA-256 %s, uncompressed.", l.URI, l.SHA256), []string{
			"jq -r .log.gzip proof.json | base64 -d | gunzip > log.json",
			"sha256sum log.json",
		}},
		{fmt.Sprintf("2. The event %q is the %d bytes of that log that follow its first %d, and one of its Records.", e.ID, e.Length, e.Offset), []string{
			fmt.Sprintf("tail -c +%d log.json | head -c %d > event.json", e.Offset+1, e.Length),
			"jq -r .eventID event.json",
			"jq --slurpfile event event.json '[.Records[] | select(. == $event[0])] | length' log.json",
		}},
		{fmt.Sprintf("3. The digest file %q lists that log with that SHA-256.", d.URI), []string{
			"jq -r .digest.json proof.json | base64 -d > digest.json",
			`jq --arg sum "$(sha256sum log.json | cut -c 1-64)" '.logFiles[] | select(.hashValue == $sum)' digest.json`,
		}},
		{"4. The digest's end, its place, the SHA-256 of its bytes and the signature of the digest before it are the string to sign.", []string{
			`{ jq -j '.digestEndTime, "\n", .digestS3Bucket, "/", .digestS3Object, "\n"' digest.json; sha256sum digest.json | cut -c 1-64; jq -j '.previousDigestSignature // "null"' digest.json; } > string-to-sign`,
		}},
		{fmt.Sprintf("5. The key with the fingerprint %s is the one that the digest names.", k.Fingerprint), []string{
			"jq -r .key.value proof.json | base64 -d > key.der",
			"md5sum key.der",
			"jq -r .digestPublicKeyFingerprint digest.json",
		}},
		{"6. The signature is by that key over the string to sign: RSASSA-PKCS1-v1_5 with SHA-256. " + p.carrierWords(), []string{
			k.pemCommand(),
			"jq -r .digest.signature proof.json | xxd -r -p > signature",
			"openssl dgst -sha256 -verify key.pem -signature signature string-to-sign",
		}},
		{fmt.Sprintf("7. The key is one of CloudTrail's for the region %q, valid from %s to %s%s. Only CloudTrail can tell: its list of public keys must have that fingerprint.",
			k.Region, p.stamp(k.Start), p.stamp(k.End), p.dateWords()), []string{
			`aws cloudtrail list-public-keys --region "$(jq -r .key.region proof.json)" --start-time "$(jq -r .key.validFrom proof.json)" --end-time "$(jq -r .key.validTo proof.json)"`,
		}},
	}
}

func (p *Proof) stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func (p *Proof) carrierWords() string {
	if p.Digest.From == "next-digest" {
		return fmt.Sprintf("Whoever made this proof says that the digest after it, %q, names it; it proves itself, whoever carried it.", p.Digest.Carrier)
	}
	return "Whoever made this proof says that it is from the metadata of the digest file; it proves itself, whoever carried it."
}

// dateWords say whether the digest was signed while the key was valid. A digest is
// signed soon after its end; a backfill one at any time after it, which only its
// metadata tells.
func (p *Proof) dateWords() string {
	name, err := digest.ParseName(refOf(p.Digest.URI).Key)
	switch {
	case err != nil || !name.Chain.Backfill:
		return ", and the digest was signed then"
	case p.Digest.Generated != "":
		return fmt.Sprintf(", and the digest, a backfill one, was signed then if it was made at %q, as metadata says that no signature covers", p.Digest.Generated)
	}
	return ", and after the digest's end; when the digest, a backfill one, was signed is not known"
}

// pemCommand makes of the key what openssl dgst reads.
func (k ProofKey) pemCommand() string {
	if _, err := x509.ParsePKCS1PublicKey(k.Value); err == nil {
		return "openssl rsa -RSAPublicKey_in -inform DER -in key.der -pubout -out key.pem"
	}
	return "openssl pkey -pubin -inform DER -in key.der -pubout -out key.pem"
}
