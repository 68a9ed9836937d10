package bundle

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/trailseal/trailseal/verify"
)

// The entries that hold what a source answered besides its objects.
const (
	sourceFile   = "source.json"      // roots, KMS keys, lifecycle rules, findings
	keysFile     = "public-keys.json" // as list-public-keys prints them, with Region
	foldersFile  = "folders.ndjson"   // a folder a line, and what lies directly below it
	listingsFile = "listings.ndjson"  // which keys were listed, and what could not be
)

// mostAnswers bounds each of those entries, in bytes.
const mostAnswers = 512 << 20

// A name is a text that may be anything S3 allows: JSON cannot hold all of it.
type name string

func (n name) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(n)) {
		return json.Marshal(string(n))
	}
	return json.Marshal(struct {
		Base64 []byte `json:"base64"`
	}{[]byte(n)})
}

func (n *name) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		return json.Unmarshal(raw, (*string)(n))
	}
	var coded struct {
		Base64 string `json:"base64"`
	}
	if err := json.Unmarshal(raw, &coded); err != nil {
		return err
	}
	plain, err := base64.StdEncoding.DecodeString(coded.Base64)
	*n = name(plain)
	return err
}

// A prefix is a bucket and a prefix.
type prefix struct {
	Bucket name `json:"bucket"`
	Prefix name `json:"prefix"`
}

func prefixOf(ref verify.Ref) prefix { return prefix{name(ref.Bucket), name(ref.Key)} }

func (f prefix) ref() verify.Ref { return verify.Ref{Bucket: string(f.Bucket), Key: string(f.Prefix)} }

// A sourceAnswers is source.json.
type sourceAnswers struct {
	Roots      []prefix                   `json:"roots"`
	RootsError *Unreadable                `json:"rootsError,omitempty"`
	Relative   bool                       `json:"relative"` // a plain copy, which knows neither buckets nor prefixes for sure
	KMSKeys    map[string]verify.KeyState `json:"kmsKeys"`
	Lifecycle  []lifecycle                `json:"lifecycle"`
	Findings   []verify.Finding           `json:"findings"` // what the source found out about itself
}

// A lifecycle is what a bucket said of its rules that delete objects.
type lifecycle struct {
	Bucket name                `json:"bucket"`
	Rules  []verify.Expiration `json:"rules,omitempty"`
	Error  *Unreadable         `json:"error,omitempty"`
}

// A dirsAnswer is a line of folders.ndjson.
type dirsAnswer struct {
	prefix
	Dirs  []name      `json:"dirs"`
	Error *Unreadable `json:"error,omitempty"`
}

// A listAnswer is a line of listings.ndjson: a part of a bucket's keys that was
// listed, or a listing that failed.
type listAnswer struct {
	Bucket name       `json:"bucket"`
	Keys   *nameSpan  `json:"keys,omitempty"`
	Failed *failedRun `json:"failed,omitempty"`
}

type nameSpan struct {
	From name `json:"from"`
	To   name `json:"to,omitempty"`
}

// A failedRun is a listing that ended in an error.
type failedRun struct {
	Prefix name        `json:"prefix"`
	After  name        `json:"after,omitempty"`
	Until  name        `json:"until,omitempty"`
	To     name        `json:"to"` // it came up to here, not including it
	Error  *Unreadable `json:"error"`
}

// keyList is public-keys.json.
type keyList struct {
	PublicKeyList []listedKey
	Regions       []keyRegion
}

// A listedKey is a key as `aws cloudtrail list-public-keys` prints it, and its region.
type listedKey struct {
	Value             []byte
	ValidityStartTime time.Time
	ValidityEndTime   time.Time
	Fingerprint       string
	Region            string `json:",omitempty"`
}

// A keyRegion says what was answered when a region's keys were asked for.
type keyRegion struct {
	Region     string
	Start, End time.Time
	Keys       []int       `json:",omitempty"` // of PublicKeyList, in the order of the answer
	Error      *Unreadable `json:",omitempty"`
}

// refusalOf is an error of a store as it is recorded. It is false for one that is
// none of a store's.
func refusalOf(err error) (u *Unreadable, missing bool, ok bool) {
	var none *verify.NotFoundError
	var unread *verify.UnreadableError
	switch {
	case errors.As(err, &none):
		return nil, true, true
	case errors.As(err, &unread):
		return &Unreadable{What: unread.What, Reason: unread.Reason, Hint: unread.Hint, Key: unread.Key, Scheme: unread.Scheme, Err: text(unread.Err)}, false, true
	}
	return nil, false, false
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// again is the error that was recorded.
func (u *Unreadable) again() error {
	return &verify.UnreadableError{What: u.What, Reason: u.Reason, Hint: u.Hint, Key: u.Key, Scheme: u.Scheme, Err: errors.New(u.Err)}
}

// passing reports whether asking again later may help by itself.
func (u *Unreadable) passing() bool {
	return u.Reason == verify.ReadFailed || u.Reason == verify.Throttled
}

// notCollected is the error for what was not asked when the bundle was made.
func notCollected(what string) error {
	return &verify.UnreadableError{What: what, Reason: verify.NotCopied, Err: errors.New("the bundle does not hold it"),
		Hint: "a bundle holds the window and the filters that it was collected with, and nothing else: collect those from the source"}
}

func objectAt(ref verify.Ref) string  { return fmt.Sprintf("object %q", ref.URI()) }
func listingAt(ref verify.Ref) string { return fmt.Sprintf("listing of %q", ref.URI()) }
