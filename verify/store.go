package verify

import (
	"context"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// A Ref names an object as S3 does. The key is used as it is: it is hostile
// input, not a path.
type Ref struct{ Bucket, Key string }

// URI is the object's s3:// address, unescaped.
func (r Ref) URI() string { return "s3://" + r.Bucket + "/" + r.Key }

// An Entry is one object of a listing.
type Entry struct {
	Ref
	Size     int64     // stored bytes; 0 where a copy did not look, which it does for digests
	Modified time.Time // when it was stored; zero where the store cannot say (a copy)
}

// An Object is an open object.
type Object struct {
	Body     io.Reader
	Size     int64               // stored bytes, -1 where not known
	Metadata map[string]string   // S3 user metadata, names in lower case without x-amz-meta-; nil where there is none at hand
	Version  string              // S3 version id, where known
	SSE      SSE                 // how the store encrypted it
	Envelope Envelope            // how a client had encrypted it before it was stored; Body is then what it opens to
	Header   map[string][]string // the store's own answer, names as net/http has them; nil where there is none. Not to be changed
	Altered  *Altered            // its envelope shows that it is not what was sealed; Body is then empty
}

// SSE is a store's own encryption of an object.
type SSE struct {
	Algorithm string // "AES256", "aws:kms" or "aws:kms:dsse"; empty where the store does not say
	Key       string // the KMS key's ARN
}

// An Envelope is a client's encryption of an object.
type Envelope struct {
	Scheme string // "s3ec-v2", "esdk-v2", …; empty where there is none
	Key    string // ARN of the KMS key that opened it
	Loose  bool   // nothing but a digest says that what it opens to is what was sealed (AES-CBC)

	// Planted says that the metadata has an envelope that is not one of these
	// bytes, which are a whole gzip member: somebody changed the metadata.
	Planted bool
}

// Altered says why an envelope cannot be what somebody sealed.
type Altered struct {
	Reason Reason // CiphertextAltered or EnvelopeMalformed
	Detail string // which part; may quote hostile text
}

// A Store is where files are. It has exactly two ways to fail for an object:
// *NotFoundError, said with authority, and *UnreadableError with a reason.
// Any other error (a context's end, an error of use itself) stops the run.
// All methods may be called from many goroutines.
type Store interface {
	// Roots says where to begin: each a bucket and a key prefix that ends in
	// "/" or is empty.
	Roots(ctx context.Context) ([]Ref, error)

	// Dirs lists the names directly below a prefix that have something below
	// themselves (S3's common prefixes for the delimiter "/"), each without
	// its prefix and with its final "/", in byte order.
	Dirs(ctx context.Context, at Ref) ([]string, error)

	// List yields the objects below a prefix in byte order of their keys,
	// from the first key greater than after, up to but not including until
	// (empty: no bound). An error ends the sequence: what came before it is
	// then an incomplete listing. A missing prefix is an empty listing.
	List(ctx context.Context, at Ref, after, until string) iter.Seq2[Entry, error]

	// Read opens one object and hands it to use. Where the body breaks
	// half-way it opens it again from the start and calls use once more, so
	// use must begin afresh each time it is called, and must return an error
	// of Body.Read as it came (or wrapped). The body is use's only until it
	// returns, and use must not call Read itself: it holds what that needs.
	Read(ctx context.Context, ref Ref, use func(Object) error) error

	// Holds reports whether what was found at one place may be what CloudTrail
	// wrote to the stated place. In S3 the two must be the same; a plain copy
	// knows neither the bucket nor the prefix it was taken from.
	Holds(found, stated Ref) bool

	// Requests counts the requests sent so far by operation.
	Requests() map[string]int64
}

// Companions is a store that knows of objects that CloudTrail did not write and
// that belong to one that it wrote: K.instruction holds what K was sealed with.
type Companions interface {
	// Companion reports whether the object is that and nothing else. It may read it.
	Companion(ctx context.Context, ref Ref) bool
}

// Versioned is a store that keeps an object's former versions.
type Versioned interface {
	// Versions lists an object's versions and delete markers, the newest first,
	// at most most of them; more says that there are more. It fails as Read does;
	// an object that never was has none.
	Versions(ctx context.Context, ref Ref, most int) (versions []Version, more bool, err error)

	// Hidden yields the objects below a prefix whose newest version is a delete
	// marker, in byte order of their keys, as List does; Modified is the marker's.
	Hidden(ctx context.Context, at Ref, after, until string) iter.Seq2[Entry, error]

	// ReadVersion is Read of one version.
	ReadVersion(ctx context.Context, ref Ref, id string, use func(Object) error) error
}

// A Version is one version of an object, or a delete marker.
type Version struct {
	ID       string
	At       Ref // where it lies, in a copy that is read by other names; else empty
	Modified time.Time
	Size     int64  // stored bytes
	Owner    string // canonical user id, where the store tells
	Latest   bool
	Marker   bool // a delete marker, which has no content
}

// Expiring is a store that knows when buckets delete objects by themselves.
type Expiring interface {
	// Expirations are a bucket's lifecycle rules that delete objects. It fails as
	// a listing does; a bucket without rules has none.
	Expirations(ctx context.Context, bucket string) ([]Expiration, error)
}

// An Expiration is a lifecycle rule that is in force and deletes current objects.
type Expiration struct {
	ID               string
	Prefix           string    // of the keys that it is about
	Days             int       // after an object was stored; 0: On counts
	On               time.Time // the date from which on it deletes all
	MinSize, MaxSize int64     // objects larger than, smaller than; 0: any
	Narrow           bool      // it asks for more than that (tags), which CloudTrail's objects do not have
}

// Testifying is a store that finds things out about itself.
type Testifying interface {
	// Testimony is asked for once, when all has been read that the run needs.
	Testimony(ctx context.Context) []Finding
}

const companionSuffix = ".instruction"

// Keys is where CloudTrail's public keys are.
type Keys interface {
	// Keys gives the public keys of a region that are valid at some moment
	// from start to end. It is called at most once a region in a run.
	Keys(ctx context.Context, region string, start, end time.Time) ([]digest.PublicKey, error)
}

// A NotFoundError says with authority that there is no such object.
type NotFoundError struct{ Ref Ref }

func (e *NotFoundError) Error() string { return fmt.Sprintf("no object at %q", e.Ref.URI()) }

// An UnreadableError says that an object, a listing or a region's keys could
// not be read, and why. It says nothing about whether the object exists.
type UnreadableError struct {
	What   string // what was being read, for people
	Reason Reason
	Hint   string // what to do about it; may be empty
	Key    string // ARN of the KMS key that is in the way, where known
	Scheme string // how a client had encrypted it, where that is what is in the way
	Err    error
}

func (e *UnreadableError) Error() string {
	return fmt.Sprintf("%s: %s: %v", e.What, e.Reason, e.Err)
}

func (e *UnreadableError) Unwrap() error { return e.Err }
