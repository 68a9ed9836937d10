package verifytest

import (
	"encoding/json"
	"time"

	"github.com/trailseal/trailseal/digest"
)

const timeLayout = "2006-01-02T15:04:05Z"

// encode writes a record as CloudTrail does: compact JSON in its order of
// fields. digest.Parse reads it back.
func encode(r *digest.Record) []byte {
	b := make([]byte, 0, 1024+400*len(r.Logs))
	b = field(b, '{', "awsAccountId", quote(r.Account))
	b = field(b, ',', "digestStartTime", quoteTime(r.Start))
	b = field(b, ',', "digestEndTime", quote(r.EndText))
	b = field(b, ',', "digestS3Bucket", quote(r.Bucket))
	b = field(b, ',', "digestS3Object", quote(r.Object))
	b = field(b, ',', "digestPublicKeyFingerprint", quote(r.Fingerprint))
	b = field(b, ',', "digestSignatureAlgorithm", quote(r.SignatureAlgorithm))
	b = field(b, ',', "newestEventTime", quoteTime(r.Newest))
	b = field(b, ',', "oldestEventTime", quoteTime(r.Oldest))
	b = appendPrevious(b, r.Previous)
	b = append(b, `,"logFiles":[`...)
	for i, l := range r.Logs {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendEntry(b, l)
	}
	return append(b, "]}"...)
}

func appendPrevious(b []byte, p *digest.Previous) []byte {
	values := [5]string{"null", "null", "null", "null", "null"}
	if p != nil {
		values = [5]string{quote(p.Bucket), quote(p.Object), quote(p.Hash.String()), quote(p.Algorithm), quote(p.Signature)}
	}
	for i, name := range previousFields {
		b = field(b, ',', name, values[i])
	}
	return b
}

var previousFields = [5]string{
	"previousDigestS3Bucket", "previousDigestS3Object", "previousDigestHashValue",
	"previousDigestHashAlgorithm", "previousDigestSignature",
}

func appendEntry(b []byte, l digest.Log) []byte {
	b = field(b, '{', "s3Bucket", quote(l.Bucket))
	b = field(b, ',', "s3Object", quote(l.Object))
	b = field(b, ',', "hashValue", quote(l.Hash.String()))
	b = field(b, ',', "hashAlgorithm", quote(l.Algorithm))
	b = field(b, ',', "newestEventTime", quoteTime(l.Newest))
	b = field(b, ',', "oldestEventTime", quoteTime(l.Oldest))
	return append(b, '}')
}

func field(b []byte, before byte, name, value string) []byte {
	b = append(b, before, '"')
	b = append(b, name...)
	b = append(b, '"', ':')
	return append(b, value...)
}

func quoteTime(t time.Time) string {
	if t.IsZero() {
		return "null"
	}
	return `"` + t.UTC().Format(timeLayout) + `"`
}

func quote(s string) string {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			b, err := json.Marshal(s)
			if err != nil {
				panic(err) // a string always marshals
			}
			return string(b)
		}
	}
	return `"` + s + `"`
}
