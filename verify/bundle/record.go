package bundle

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/trailseal/trailseal/verify"
)

// Bounds of what is read of a manifest.
const (
	maxLine  = 1 << 20  // a record
	maxChunk = 3 << 20  // a chunk of records: chunkBytes, and the one that came last
	maxHead  = 64 << 20 // enough for the parts of 100 million records
)

// line is a record as a manifest has it. The name comes first, so that it can be
// read without the rest.
type line struct {
	Bucket       string `json:"bucket"`
	Key          string `json:"key"`
	BucketBase64 []byte `json:"bucketBase64,omitempty"`
	KeyBase64    []byte `json:"keyBase64,omitempty"`
	Record
}

// bytesOf are a name's own bytes where it is not UTF-8, which JSON cannot hold.
func bytesOf(name string) []byte {
	if utf8.ValidString(name) {
		return nil
	}
	return []byte(name)
}

func utf8Of(name string) string { return strings.ToValidUTF8(name, "\ufffd") }

// named is a name as it was before utf8Of.
func named(bucket, key string, bucketBytes, keyBytes []byte) verify.Ref {
	ref := verify.Ref{Bucket: bucket, Key: key}
	if bucketBytes != nil {
		ref.Bucket = string(bucketBytes)
	}
	if keyBytes != nil {
		ref.Key = string(keyBytes)
	}
	return ref
}

func formatRecord(r Record) ([]byte, error) {
	text, plain := appendRecord(make([]byte, 0, 1<<10), &r)
	var err error
	if !plain {
		text, err = marshalRecord(r)
	}
	if err == nil && len(text) >= maxLine {
		return nil, fmt.Errorf("what is to be recorded of %.300q takes %d bytes, which is too much", r.Ref.URI(), len(text))
	}
	return text, err
}

func marshalRecord(r Record) ([]byte, error) {
	return json.Marshal(line{
		utf8Of(r.Ref.Bucket), utf8Of(r.Ref.Key), bytesOf(r.Ref.Bucket), bytesOf(r.Ref.Key), r,
	})
}

// long reports whether a record may be longer than a line can be: a byte takes six
// at most.
func (r *Record) long() bool {
	n := 1024 + len(r.Ref.Bucket) + len(r.Ref.Key) + len(r.Path)
	if o := r.Object; o != nil {
		n += len(o.Version) + len(o.SSE.Key) + len(o.Envelope.Key)
		for name, value := range o.Metadata {
			n += len(name) + len(value) + 4
		}
		for name, values := range o.Header {
			n += len(name) + 4
			for _, v := range values {
				n += len(v) + 4
			}
		}
		if o.Altered != nil {
			n += len(o.Altered.Detail)
		}
	}
	if u := r.Unreadable; u != nil {
		n += len(u.What) + len(u.Hint) + len(u.Key) + len(u.Err)
	}
	return n > maxLine/8
}

// parseRecord reads a record, which may be anything.
func parseRecord(text []byte) (Record, error) {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return Record{}, err
	}
	l.Record.Ref = named(l.Bucket, l.Key, l.BucketBase64, l.KeyBase64)
	r := l.Record
	switch {
	case r.Path != "" && !belongs(r.Path, r.Ref):
		return r, fmt.Errorf("%.300q cannot be the path of %.300q", r.Path, r.Ref.URI())
	case r.Size < 0 || r.ListedSize < 0:
		return r, errors.New("a size of less than nothing")
	case r.Path != "" && len(r.SHA256) != 64, r.Path == "" && r.At != nil:
		return r, errors.New("an entry without a path or a hash")
	}
	return r, nil
}

// refOf reads the name alone.
func refOf(text []byte) (verify.Ref, error) {
	var l struct {
		Bucket, Key             string
		BucketBase64, KeyBase64 []byte
	}
	err := json.Unmarshal(text, &l)
	return named(l.Bucket, l.Key, l.BucketBase64, l.KeyBase64), err
}

// fold adds what came later to what is known of an object.
func fold(before, later Record) Record {
	r := before
	if later.Listed {
		r.Listed, r.ListedSize, r.Modified = true, later.ListedSize, later.Modified
	}
	if later.Companion != nil {
		r.Companion = later.Companion
	}
	if later.Path != "" || later.Object != nil || later.Missing || later.Unreadable != nil {
		r.Path, r.At, r.Size, r.SHA256 = later.Path, later.At, later.Size, later.SHA256
		r.Object, r.Missing, r.Unreadable = later.Object, later.Missing, later.Unreadable
	}
	return r
}

func compareRefs(a, b verify.Ref) int {
	if c := strings.Compare(a.Bucket, b.Bucket); c != 0 {
		return c
	}
	return strings.Compare(a.Key, b.Key)
}
