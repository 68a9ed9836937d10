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
	Hash      Hash   // previousDigestHashValue
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

// Parse reads the uncompressed bytes of a digest file. It is strict where a
// verifier must be: field names are exact, none comes twice, types are as
// documented, the previous-fields are all there or all null, hashes are whole.
// Fields that it does not know are passed over. The error says which field.
func Parse(raw []byte) (*Record, error) {
	r := &Record{Hash: Sum(raw)}
	s := scanner{data: raw}
	p := rawPrevious{}
	seen := map[string]bool{}
	err := s.document(func(field string) error {
		if seen[field] {
			return fmt.Errorf("field %q comes twice", field)
		}
		seen[field] = true
		if err := r.field(&s, field, &p); err != nil {
			return fmt.Errorf("field %q: %w", field, err)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("digest file: %w", err)
	}
	for _, field := range required {
		if !seen[field] {
			return nil, fmt.Errorf("digest file: no field %q", field)
		}
	}
	if r.Previous, err = p.whole(); err != nil {
		return nil, fmt.Errorf("digest file: %w", err)
	}
	if !r.Start.Before(r.End) {
		return nil, fmt.Errorf("digest file: it ends at %s, not after its start", r.EndText)
	}
	return r, nil
}

// required are the fields without which a digest proves nothing. The
// previous-fields may be missing altogether, which says the same as null.
var required = []string{
	"awsAccountId", "digestStartTime", "digestEndTime", "digestS3Bucket", "digestS3Object",
	"digestPublicKeyFingerprint", "digestSignatureAlgorithm", "logFiles",
}

func (r *Record) field(s *scanner, name string, p *rawPrevious) (err error) {
	switch name {
	case "awsAccountId":
		r.Account, err = s.text()
	case "digestStartTime":
		r.Start, _, err = s.time()
	case "digestEndTime":
		r.End, r.EndText, err = s.time()
	case "digestS3Bucket":
		r.Bucket, err = s.text()
	case "digestS3Object":
		r.Object, err = s.text()
	case "newestEventTime":
		r.Newest, _, err = s.timeOrNull()
	case "oldestEventTime":
		r.Oldest, _, err = s.timeOrNull()
	case "digestPublicKeyFingerprint":
		r.Fingerprint, err = s.text()
	case "digestSignatureAlgorithm":
		r.SignatureAlgorithm, err = s.text()
	case "logFiles":
		err = s.array(func() error { return r.log(s) })
	default:
		if target := p.target(name); target != nil {
			*target, err = s.textOrNull()
			return err
		}
		err = s.skip()
	}
	return err
}

func (r *Record) log(s *scanner) error {
	l, hash := Log{}, ""
	seen := 0
	err := s.object(func(field string) (err error) {
		bit := 0
		switch field {
		case "s3Bucket":
			bit, l.Bucket, err = setText(s, 1)
			// One bucket's name stands in every entry: keep one copy of it.
			if l.Bucket == r.Bucket {
				l.Bucket = r.Bucket
			}
		case "s3Object":
			bit, l.Object, err = setText(s, 2)
		case "hashValue":
			bit, hash, err = setText(s, 4)
		case "hashAlgorithm":
			bit, l.Algorithm, err = setText(s, 8)
			if l.Algorithm == HashAlgorithm {
				l.Algorithm = HashAlgorithm
			}
		case "newestEventTime":
			bit = 16
			l.Newest, _, err = s.timeOrNull()
		case "oldestEventTime":
			bit = 32
			l.Oldest, _, err = s.timeOrNull()
		default:
			return s.skip()
		}
		if err == nil && seen&bit != 0 {
			err = errors.New("comes twice")
		}
		if seen |= bit; err != nil {
			return fmt.Errorf("%q: %w", field, err)
		}
		return nil
	})
	if err == nil && seen&15 != 15 {
		err = errors.New("one of s3Bucket, s3Object, hashValue, hashAlgorithm is missing")
	}
	if err == nil && l.Algorithm == HashAlgorithm {
		l.Hash, err = ParseHash(hash)
	}
	if err != nil {
		return fmt.Errorf("entry %d: %w", len(r.Logs)+1, err)
	}
	r.Logs = append(r.Logs, l)
	return nil
}

func setText(s *scanner, bit int) (int, string, error) {
	text, err := s.text()
	return bit, text, err
}

// rawPrevious holds the five previous-fields before it is known whether they
// are all there: bucket, object, hash, algorithm, signature.
type rawPrevious [5]*string

var previousFields = [5]string{
	"previousDigestS3Bucket", "previousDigestS3Object", "previousDigestHashValue",
	"previousDigestHashAlgorithm", "previousDigestSignature",
}

func (p *rawPrevious) target(name string) **string {
	for i, field := range previousFields {
		if field == name {
			return &p[i]
		}
	}
	return nil
}

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
