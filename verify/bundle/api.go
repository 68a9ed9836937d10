package bundle

// This file holds the types that the writer, the reader, and those who use them
// share. Everything in a bundle that is read is hostile input.

import (
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// Schema names the form of a manifest.
const Schema = "trailseal.bundle/v1"

// A Head is manifest.json. Its bytes' SHA-256 is the seal.
type Head struct {
	Schema    string          `json:"schema"`
	Tool      string          `json:"tool"`           // version of trailseal
	Collected time.Time       `json:"collected"`      // the time as of which the evidence is judged, UTC
	Source    string          `json:"source"`         // as the user named it
	Window    verify.Window   `json:"window"`         // as resolved
	Run       json.RawMessage `json:"run"`            // what else a run over the bundle needs; the collector's own
	Records   int64           `json:"records"`        // objects
	Bytes     int64           `json:"bytes"`          // of entries
	Files     []File          `json:"files"`          // entries about the collection: public keys, settings, listings
	Index     []Chunk         `json:"index"`          // of the records, in order
	Void      []Extent        `json:"void,omitempty"` // of a bundle that is one file: what lies in it and is no entry, because the collection was interrupted
}

// A File is an entry that is no object.
type File struct {
	Path   string  `json:"path"`
	Size   int64   `json:"size"`
	SHA256 string  `json:"sha256"`
	At     *Extent `json:"at,omitempty"`
}

// An Extent is where an entry lies in a bundle that is one file, with its tar
// header and padding. A bundle that was unpacked has no use for it.
type Extent struct {
	Offset int64 `json:"offset"`
	Length int64 `json:"length"`
}

// A Chunk is an entry that holds records, one a line, in order of bucket and key.
type Chunk struct {
	File
	Count        int    `json:"count"`
	Bucket       string `json:"bucket"` // of its first record
	Key          string `json:"key"`
	BucketBase64 []byte `json:"bucketBase64,omitempty"` // where they are not UTF-8
	KeyBase64    []byte `json:"keyBase64,omitempty"`
}

// A Record is what a bundle says of one object of the source.
type Record struct {
	Ref        verify.Ref  `json:"-"`                // "bucket" and "key"; a name that is not UTF-8 in "bucketBase64", "keyBase64"
	Listed     bool        `json:"listed,omitempty"` // it was in a listing, with these two
	ListedSize int64       `json:"listedSize,omitempty"`
	Modified   time.Time   `json:"modified,omitzero"`
	Path       string      `json:"path,omitempty"`    // of the entry that holds its bytes; empty: none was taken
	Size       int64       `json:"size,omitempty"`    // of the entry
	SHA256     string      `json:"sha256,omitempty"`  // of the entry
	At         *Extent     `json:"at,omitempty"`      // of the entry
	Older      bool        `json:"older,omitempty"`   // the object was read once more later: what stands here is not what counts
	Object     *Object     `json:"object,omitempty"`  // what the store said of it, where it was read
	Missing    bool        `json:"missing,omitempty"` // the store said with authority that there is none
	Unreadable *Unreadable `json:"unreadable,omitempty"`
	Companion  *bool       `json:"companion,omitempty"` // whether it was found to be one (verify.Companions)
}

// An Object is what the store said of an object besides its bytes.
type Object struct {
	Size     int64               `json:"size"` // as stored; the entry may be what it opens to
	Metadata map[string]string   `json:"metadata,omitempty"`
	Header   map[string][]string `json:"header,omitempty"` // the answer's own, but for those that tell of the caller
	Version  string              `json:"versionId,omitempty"`
	SSE      verify.SSE          `json:"sse,omitzero"`
	Envelope verify.Envelope     `json:"envelope,omitzero"`
	Altered  *verify.Altered     `json:"altered,omitempty"`
}

// An Unreadable is a *verify.UnreadableError, to be said again.
type Unreadable struct {
	What   string        `json:"what"`
	Reason verify.Reason `json:"reason"`
	Hint   string        `json:"hint,omitempty"`
	Key    string        `json:"key,omitempty"`
	Scheme string        `json:"scheme,omitempty"`
	Err    string        `json:"err"`
}

// ErrAltered is what a body's Read returns in place of io.EOF where its bytes are
// not those of the manifest, and what opening an entry returns that is missing,
// is of another size, or is no plain file. It is wrapped.
var ErrAltered = errors.New("it is not what was collected")

// ErrNoBundle says that a path is no bundle at all.
var ErrNoBundle = errors.New("no evidence bundle")

// An Alteration is a part of a bundle that is not what was collected.
type Alteration struct {
	Path   string     // of the entry
	Ref    verify.Ref // of the object that it is of; zero: of none
	Detail string     // in plain words; may quote hostile names
	Moved  string     // the content is there all the same, at this path: no alteration, but worth a remark
}

// An Identity tells one collection from another: what is asked for (as the user
// put it), and what that came to when it was begun.
type Identity struct {
	Tool    string          `json:"tool"`
	Asked   json.RawMessage `json:"asked"`   // must be the same to go on
	Settled json.RawMessage `json:"settled"` // kept from the first time: the window as resolved
}

// A Body is the bytes of an entry. One of up to 4 MiB is in memory, and checked
// before it is given; it is then a *bytes.Reader inside, as digest.HashGzip likes it.
type Body = io.ReadCloser
