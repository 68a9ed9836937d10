package digest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"strings"
	"testing"
)

// FuzzParse: whatever Parse accepts, encoding/json reads as the same words.
func FuzzParse(f *testing.F) {
	for _, text := range []string{normal, starting, empty, backfill, org, `{}`, `{"logFiles":[{}]}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := Parse(raw)
		if err != nil {
			if len(err.Error()) > 1000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		var std struct {
			AWSAccountID, DigestEndTime, DigestS3Bucket, DigestS3Object string
			PreviousDigestSignature                                     *string
			LogFiles                                                    []struct{ S3Bucket, S3Object, HashAlgorithm, HashValue string }
		}
		if err := json.Unmarshal(raw, &std); err != nil {
			t.Fatalf("encoding/json refuses it: %v", err)
		}
		if r.Account != std.AWSAccountID || r.EndText != std.DigestEndTime || r.Bucket != std.DigestS3Bucket || r.Object != std.DigestS3Object || len(r.Logs) != len(std.LogFiles) {
			t.Errorf("%+v is %+v to encoding/json", r, std)
		}
		if (r.Previous == nil) != (std.PreviousDigestSignature == nil) || r.Previous != nil && r.Previous.Signature != *std.PreviousDigestSignature {
			t.Errorf("previous signature: %+v", r.Previous)
		}
		for i, l := range r.Logs {
			if s := std.LogFiles[i]; l.Bucket != s.S3Bucket || l.Object != s.S3Object || l.Algorithm != s.HashAlgorithm ||
				l.Algorithm == HashAlgorithm && l.Hash.String() != strings.ToLower(s.HashValue) {
				t.Errorf("entry %d: %+v is %+v to encoding/json", i, l, s)
			}
		}
		if !r.Start.Before(r.End) || r.End.Format(timeLayout) != r.EndText {
			t.Errorf("from %v to %v", r.Start, r.End)
		}
	})
}

// FuzzParseName: a name that is accepted is written back as it was.
func FuzzParseName(f *testing.F) {
	f.Add(digestKey)
	f.Add("p/AWSLogs/o-exampleorgid/" + strings.Replace(digestKey[8:], "31Z.", "31Z_backfill.", 1))
	f.Fuzz(func(t *testing.T, key string) {
		if n, err := ParseName(key); err == nil {
			if n.Key() != key {
				t.Errorf("%q became %q", key, n.Key())
			}
			if _, err := ParseLogName(key); err == nil {
				t.Errorf("%q is a log's name as well", key)
			}
			if !strings.HasPrefix(key, n.Prefix+n.Chain.Folder()) {
				t.Errorf("%q is not in %q", key, n.Chain.Folder())
			}
		}
	})
}

// FuzzParseLogName: likewise.
func FuzzParseLogName(f *testing.F) {
	f.Add(strings.ReplaceAll(logKey, "KIND", "CloudTrail"))
	f.Add("p/AWSLogs/o-exampleorgid/" + strings.ReplaceAll(logKey, "KIND", "CloudTrail-Insight")[8:])
	f.Fuzz(func(t *testing.T, key string) {
		if n, err := ParseLogName(key); err == nil && n.Key() != key {
			t.Errorf("%q became %q", key, n.Key())
		}
	})
}

// FuzzParsePublicKeys: whatever is accepted has a fingerprint of its own
// bytes and a validity window.
func FuzzParsePublicKeys(f *testing.F) {
	k := newTestKey(f)
	value, _ := json.Marshal(k.Value)
	f.Add([]byte(`{"Region":"eu-west-1","PublicKeyList":[{"Value":` + string(value) + `,"ValidityStartTime":1.5,"ValidityEndTime":"2026-03-10T00:00:00Z"}]}`))
	f.Add([]byte(`{"PublicKeyList":[null,{"ValidityStartTime":1e99}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, rejected, err := ParsePublicKeys(data)
		if err != nil && len(keys)+len(rejected) > 0 {
			t.Error("keys beside an error")
		}
		for _, k := range keys {
			if again, err := NewPublicKey(k.Value, k.Fingerprint, k.Start, k.End); err != nil || !k.Start.Before(k.End) {
				t.Errorf("%+v is not %+v: %v", again, k, err)
			}
		}
	})
}

// byTheBook reads one member with compress/gzip: its content, and whether
// it is all there is.
func byTheBook(z []byte, limit int64) (content []byte, exact bool) {
	if len(z) > 3 && z[3]&reservedFlags != 0 {
		return nil, false // RFC 1952 says to give up; compress/gzip goes on
	}
	br := bufio.NewReader(bytes.NewReader(z))
	r, err := gzip.NewReader(br)
	if err != nil {
		return nil, false
	}
	r.Multistream(false)
	content, err = io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil || int64(len(content)) > limit {
		return content, false
	}
	_, err = br.ReadByte()
	return content, err == io.EOF
}

// FuzzHashGzip: exact is what compress/gzip reads to the end with nothing after.
func FuzzHashGzip(f *testing.F) {
	for _, level := range []int{gzip.HuffmanOnly, 0, 1, 6, 9} {
		for _, full := range []bool{false, true} {
			z := member(f, content, level, full)
			f.Add(z)
			f.Add(append(z, 0))
			f.Add(z[:len(z)-1])
		}
	}
	f.Fuzz(func(t *testing.T, z []byte) {
		const limit = 1 << 20
		want, exact := byTheBook(z, limit)
		for name, reader := range readers {
			got, c, err := ReadGzip(reader(z), limit)
			if err != nil || (c.Form == Exact) != exact || c.Hash != Sum(got) || c.Size != int64(len(got)) {
				t.Errorf("%s: %v %v, want exact=%v", name, c.Form, err, exact)
			}
			if exact && !bytes.Equal(got, want) {
				t.Errorf("%s: %d bytes, want %d", name, len(got), len(want))
			}
		}
	})
}
