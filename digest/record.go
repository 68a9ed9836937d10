package digest

import (
	"errors"
	"fmt"
	"time"
)

// Algorithms are the only ones that count, whatever metadata claims.
const (
	HashAlgorithm      = "SHA-256"
	SignatureAlgorithm = "SHA256withRSA"
)

// A Record is the content of a digest file.
type Record struct {
	Account            string    // awsAccountId
	Start              time.Time // digestStartTime: delivery time, not event time
	End                time.Time // digestEndTime
	EndText            string    // digestEndTime as written: the string to sign holds it so
	Bucket             string    // digestS3Bucket, at the time of delivery
	Object             string    // digestS3Object
	Newest             time.Time // newestEventTime; zero where there were no events
	Oldest             time.Time // oldestEventTime
	Fingerprint        string    // digestPublicKeyFingerprint
	SignatureAlgorithm string    // digestSignatureAlgorithm
	Previous           *Previous // nil in a starting digest
	Logs               []Log     // logFiles; none when nothing was delivered
	Hash               Hash      // of the uncompressed bytes
}

// A Previous is what a digest says of the digest before.
type Previous struct {
	Bucket    string // previousDigestS3Bucket
	Object    string // previousDigestS3Object
	Hash      Hash   // previousDigestHashValue; zero where the algorithm is not ours
	Algorithm string // previousDigestHashAlgorithm
	Signature string // previousDigestSignature: hex, as written
}

// A Log is what a digest says of one log file.
type Log struct {
	Bucket    string // s3Bucket
	Object    string // s3Object
	Algorithm string // hashAlgorithm
	Hash      Hash   // hashValue; zero where the algorithm is not ours
	Newest    time.Time
	Oldest    time.Time
}

// MaxLogs bounds the log files of one digest, so that a forged one of many
// tiny entries cannot take many times its own size in memory. No digest that
// keeps to 256 MiB and has real entries (some 360 bytes each) comes near it.
const MaxLogs = 1 << 20

// Parse reads the uncompressed bytes of a digest file. It is strict where a
// verifier must be: field names are exact, none comes twice, types are as
// documented, the previous-fields are all there or all null, hashes are whole.
// Fields that it does not know are passed over, unless one is a known name in
// another case. The error says which field.
//
// A record holds on to nothing of raw, and takes no more memory than about
// raw's own size and MaxLogs entries.
func Parse(raw []byte) (*Record, error) {
	p := parser{scanner: scanner{data: raw}, Record: Record{Hash: Sum(raw)}}
	err := p.document(p.field)
	if err == nil {
		err = p.complete()
	}
	if err != nil {
		return nil, fmt.Errorf("digest file: %w", err)
	}
	r := p.Record // alone: a pointer into p would hold on to raw
	return &r, nil
}

// complete checks what takes more than one field to see.
func (p *parser) complete() (err error) {
	for i, name := range fieldNames[:requiredFields] {
		if p.seen&(1<<i) == 0 {
			return fmt.Errorf("no field %q", name)
		}
	}
	if p.Previous, err = p.previous.whole(); err != nil {
		return err
	}
	if !p.Start.Before(p.End) {
		return fmt.Errorf("it ends at %s, not after its start", p.EndText)
	}
	return nil
}

// rawPrevious holds the five previous-fields before it is known whether they
// are all there: bucket, object, hash, algorithm, signature.
type rawPrevious [5]*string

func (p *rawPrevious) whole() (*Previous, error) {
	null := 0
	for _, field := range p {
		if field == nil {
			null++
		}
	}
	if null == len(p) {
		return nil, nil
	}
	if null > 0 {
		return nil, errors.New("some of its previous-fields are null and some are not")
	}
	prev := &Previous{Bucket: *p[0], Object: *p[1], Algorithm: *p[3], Signature: *p[4]}
	if prev.Algorithm != HashAlgorithm {
		return prev, nil
	}
	var err error
	if prev.Hash, err = ParseHash(*p[2]); err != nil {
		return nil, fmt.Errorf("previousDigestHashValue: %w", err)
	}
	return prev, nil
}
