package digest

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
)

// fieldNames are the fields of a digest file. The first ones must be there;
// the others may be missing, which says the same as null.
var fieldNames = []string{
	"awsAccountId", "digestStartTime", "digestEndTime", "digestS3Bucket", "digestS3Object",
	"digestPublicKeyFingerprint", "digestSignatureAlgorithm", "logFiles",
	"newestEventTime", "oldestEventTime",
	"previousDigestS3Bucket", "previousDigestS3Object", "previousDigestHashValue",
	"previousDigestHashAlgorithm", "previousDigestSignature",
}

const (
	requiredFields     = 8
	firstPreviousField = 10
)

// logFieldNames are the fields of an entry of logFiles, likewise.
var logFieldNames = []string{"s3Bucket", "s3Object", "hashValue", "hashAlgorithm", "newestEventTime", "oldestEventTime"}

const requiredLogFields = 4

// A parser is a record half read.
type parser struct {
	scanner
	Record
	previous rawPrevious
	seen     uint32 // which of fieldNames
}

// known finds a field's name and marks it as seen; -1 is an unknown one. A
// name that differs only in case is refused: to some readers it is the same.
func known(names []string, name []byte, seen *uint32) (int, error) {
	i := slices.Index(names, string(name))
	if i < 0 {
		for _, n := range names {
			if bytes.EqualFold(name, []byte(n)) {
				return i, fmt.Errorf("field %.80q: is written %q", name, n)
			}
		}
		return i, nil
	}
	if *seen&(1<<i) != 0 {
		return i, fmt.Errorf("field %q comes twice", names[i])
	}
	*seen |= 1 << i
	return i, nil
}

func (p *parser) field(name []byte) error {
	i, err := known(fieldNames, name, &p.seen)
	if err != nil {
		return err
	}
	if i < 0 {
		return p.skip()
	}
	if err := p.value(i); err != nil {
		return fmt.Errorf("field %q: %w", fieldNames[i], err)
	}
	return nil
}

func (p *parser) value(field int) (err error) {
	switch fieldNames[field] {
	case "awsAccountId":
		p.Account, err = p.word()
	case "digestStartTime":
		p.Start, _, err = p.time()
	case "digestEndTime":
		p.End, p.EndText, err = p.time()
	case "digestS3Bucket":
		p.Bucket, err = p.word()
	case "digestS3Object":
		p.Object, err = p.word()
	case "digestPublicKeyFingerprint":
		p.Fingerprint, err = p.word()
	case "digestSignatureAlgorithm":
		p.SignatureAlgorithm, err = p.word()
	case "logFiles":
		// Counting costs little beside reading and saves growing step by step.
		p.Logs = make([]Log, 0, min(MaxLogs, bytes.Count(p.data[p.at:], []byte(`"s3Object"`))))
		if err = p.array(p.log); len(p.Logs) < cap(p.Logs)/2 {
			p.Logs = slices.Clone(p.Logs) // the names counted were something else's
		}
	case "newestEventTime":
		p.Newest, err = p.timeOrNull()
	case "oldestEventTime":
		p.Oldest, err = p.timeOrNull()
	default:
		if !p.null() {
			var text string
			text, err = p.word()
			p.previous[field-firstPreviousField] = &text
		}
	}
	return err
}

// log reads one entry of logFiles.
func (p *parser) log() error {
	n := len(p.Logs)
	if n == MaxLogs {
		return fmt.Errorf("more than %d entries", MaxLogs)
	}
	p.Logs = append(p.Logs, Log{})
	l, hash, seen := &p.Logs[n], Hash{}, uint32(0)
	var badHash error
	err := p.object(func(name []byte) error {
		i, err := known(logFieldNames, name, &seen)
		if err != nil {
			return err
		}
		if i < 0 {
			return p.skip()
		}
		if logFieldNames[i] == "hashValue" {
			hash, badHash, err = p.hash()
		} else {
			err = p.logValue(l, i)
		}
		if err != nil {
			return fmt.Errorf("field %q: %w", logFieldNames[i], err)
		}
		return nil
	})
	const all = 1<<requiredLogFields - 1
	if err == nil && seen&all != all {
		err = errors.New("one of s3Bucket, s3Object, hashValue, hashAlgorithm is missing")
	}
	if err == nil && l.Algorithm == HashAlgorithm {
		l.Hash, err = hash, badHash
	}
	if err != nil {
		return fmt.Errorf("entry %d: %w", n+1, err)
	}
	return nil
}

func (p *parser) logValue(l *Log, field int) (err error) {
	switch logFieldNames[field] {
	case "s3Bucket":
		l.Bucket, err = p.bucket()
	case "s3Object":
		l.Object, err = p.word()
	case "hashAlgorithm":
		var text []byte
		if text, err = p.text(); string(text) == HashAlgorithm {
			l.Algorithm = HashAlgorithm
		} else {
			l.Algorithm = p.keep(text)
		}
	case "newestEventTime":
		l.Newest, err = p.timeOrNull()
	case "oldestEventTime":
		l.Oldest, err = p.timeOrNull()
	}
	return err
}

// bucket reads a bucket's name. One name stands in every entry, and in the
// digest itself wherever that field comes: one copy of it is kept.
func (p *parser) bucket() (string, error) {
	text, err := p.text()
	switch {
	case err != nil:
		return "", err
	case len(text) == 0:
		return "", errors.New("it is empty")
	case string(text) == p.Bucket:
		return p.Bucket, nil
	case len(p.Logs) > 1 && string(text) == p.Logs[len(p.Logs)-2].Bucket:
		return p.Logs[len(p.Logs)-2].Bucket, nil
	}
	return p.keep(text), nil
}

// hash reads a hash. Whether it must be ours is known only with the
// algorithm, so a text that is none is an error of its own.
func (p *parser) hash() (h Hash, bad, err error) {
	text, err := p.text()
	if err != nil {
		return h, nil, err
	}
	if n, err := hex.Decode(h[:], text[:min(len(text), hex.EncodedLen(len(h)))]); err != nil || n != len(h) || len(text) != 2*n {
		_, bad = ParseHash(string(text)) // which says what is wrong
	}
	return h, bad, nil
}
