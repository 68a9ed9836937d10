package verify

import "time"

// InspectSchema names the form of an inspection in JSON. Fields are only ever
// added to it.
const InspectSchema = "trailseal.inspect/v1"

// An Inspection is all that can be said of one file.
type Inspection struct {
	URI    string       `json:"uri"`
	Kind   string       `json:"kind"`                 // "digest" or "log", by its name; "other"
	File   *File        `json:"file,omitempty"`       // what a run says of it; nil where nothing speaks for it
	Doubt  string       `json:"doubt,omitempty"`      // what may have hidden a digest that speaks for it
	KeysIn string       `json:"keysInCopy,omitempty"` // names of key files that lie in the copy they vouch for
	Says   string       `json:"says,omitempty"`       // in plain words, why there is no verdict
	Object *ObjectFacts `json:"object,omitempty"`     // the object as it is stored; nil where it could not be read
	Digest *DigestFacts `json:"digest,omitempty"`
	Log    *LogFacts    `json:"log,omitempty"`

	Logs map[Verdict]int `json:"logsByVerdict,omitempty"` // of a digest: the logs that it lists and that were judged, by verdict
	Exit int             `json:"exit"`                    // 0: kept, with all logs that it lists; 1 tampered; 3 otherwise
}

// ObjectFacts are what was seen of the stored object.
type ObjectFacts struct {
	Stored    int64  `json:"stored"`              // bytes; -1 where not known
	Form      string `json:"form,omitempty"`      // of its gzip: "exact", "not-gzip", …
	Size      int64  `json:"size"`                // uncompressed bytes, as far as they could be read
	SHA256    string `json:"sha256,omitempty"`    // of those, lower-case hex; empty where they are not whole
	Version   string `json:"versionId,omitempty"` //
	SSE       string `json:"sse,omitempty"`       // the store's own encryption: "AES256", "aws:kms", …
	SSEKey    string `json:"sseKey,omitempty"`    // ARN
	Client    string `json:"envelope,omitempty"`  // a client's encryption: "s3ec-v2", …
	ClientKey string `json:"envelopeKey,omitempty"`
}

// DigestFacts are what a digest file says, and what each check of it found.
type DigestFacts struct {
	Organization string `json:"organization,omitempty"`
	Account      string `json:"account"`
	Region       string `json:"region"`
	Trail        string `json:"trail"`
	HomeRegion   string `json:"homeRegion"`
	Backfill     bool   `json:"backfill"`
	Starting     bool   `json:"starting"`         // it begins a chain: nothing is before it
	Bucket       string `json:"bucket,omitempty"` // where it says that it was written
	Key          string `json:"key,omitempty"`

	Start     *time.Time `json:"start,omitempty"`           // of delivery time
	End       *time.Time `json:"end,omitempty"`             //
	Oldest    *time.Time `json:"oldestEventTime,omitempty"` // of the events in its logs
	Newest    *time.Time `json:"newestEventTime,omitempty"` //
	Generated string     `json:"generated,omitempty"`       // of a backfill digest: when its metadata says that it was made
	Lists     int        `json:"lists"`                     // log files

	Fingerprint string     `json:"fingerprint,omitempty"` // of the key that it names
	KeyStart    *time.Time `json:"keyValidFrom,omitempty"`
	KeyEnd      *time.Time `json:"keyValidTo,omitempty"`

	StringToSign  string     `json:"stringToSign,omitempty"`
	Signature     string     `json:"signature,omitempty"`     // the one that holds, else its own, in hex
	SignatureFrom string     `json:"signatureFrom,omitempty"` // "metadata" or "next-digest"
	Checks        []Check    `json:"checks"`
	Previous      *Neighbour `json:"previous,omitempty"`
	Next          *Neighbour `json:"next,omitempty"`
}

// A Neighbour is a digest beside the file that is inspected: the one before or
// after a digest, or the one that lists a log.
type Neighbour struct {
	URI     string     `json:"uri"`
	Verdict Verdict    `json:"verdict,omitempty"` // empty: it was not judged
	Reasons []Reason   `json:"reasons,omitempty"`
	Start   *time.Time `json:"start,omitempty"`
	End     *time.Time `json:"end,omitempty"`
}

// A Check is one thing that was looked at in a digest. The verdict is not made of
// these: they say what it was made from.
type Check struct {
	Name    string  `json:"name"` // one of CheckNames
	Outcome Outcome `json:"outcome"`
	Detail  string  `json:"detail,omitempty"` // in plain words; may quote hostile text
}

// An Outcome is what a check came to.
type Outcome string

const (
	CheckHolds   Outcome = "ok"
	CheckFails   Outcome = "failed"
	CheckUnknown Outcome = "unknown" // it could not be made
)

// CheckNames are the checks of a digest, in their order.
var CheckNames = []string{"read", "gzip", "json", "place", "name", "algorithms", "key", "key-validity", "signature", "next-hash", "next-signature", "previous"}

// LogFacts are what a log file holds, and what vouches for it.
type LogFacts struct {
	Organization string      `json:"organization,omitempty"`
	Account      string      `json:"account,omitempty"`
	Region       string      `json:"region,omitempty"`
	Folder       string      `json:"folder,omitempty"`   // "CloudTrail", "CloudTrail-Insight", …
	Delivered    time.Time   `json:"delivered,omitzero"` // by its name, to five minutes
	ListedBy     []Neighbour `json:"listedBy"`           // the digests that list it
	Expected     string      `json:"expected,omitempty"` // SHA-256 that the digest names
	Read         bool        `json:"read"`               // whether it could be read, so that what follows says something
	Events       int         `json:"events"`             // in Records
	TooLong      int         `json:"tooLong,omitempty"`  // more events, too long to be read
	First        *time.Time  `json:"firstEventTime,omitempty"`
	Last         *time.Time  `json:"lastEventTime,omitempty"`
	Services     Counts      `json:"services"`   // by eventSource
	Principals   Counts      `json:"principals"` // by the ARN of userIdentity, or what stands for it
	Errors       Counts      `json:"errors"`     // by errorCode
}

// Counts are the most frequent of some names.
type Counts struct {
	Top      []Count `json:"top"`            // at most TopCounts, most frequent first
	Others   int     `json:"others"`         // events of other names
	Distinct int     `json:"distinct"`       // names, as far as they were told apart
	Full     bool    `json:"full,omitempty"` // there were more names than are told apart
}

// A Count is how many events have a name in common.
type Count struct {
	Name   string `json:"name"`
	Events int    `json:"events"`
}

// TopCounts is how many names a Counts gives.
const TopCounts = 10
