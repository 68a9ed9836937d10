package verify

import "time"

// Schema names the JSON report's form. Fields are only ever added to it.
const Schema = "trailseal.report/v1"

// A File is what the run says of one digest file or log file.
type File struct {
	Kind     string     `json:"kind"`               // "digest" or "log"
	URI      string     `json:"uri"`                // s3://BUCKET/KEY as CloudTrail wrote it
	Verdict  Verdict    `json:"verdict"`            //
	Reason   Reason     `json:"reason,omitempty"`   // the first of Reasons
	Reasons  []Reason   `json:"reasons,omitempty"`  // all of them, the weightiest first
	Detail   string     `json:"detail,omitempty"`   // in plain words; may quote hostile names
	Digest   string     `json:"digest,omitempty"`   // of a log: the URI of the digest that lists it
	Expected string     `json:"expected,omitempty"` // SHA-256 vouched for, lower-case hex
	Actual   string     `json:"actual,omitempty"`   // SHA-256 found, lower-case hex
	Size     int64      `json:"size,omitempty"`     // uncompressed bytes
	Start    *time.Time `json:"start,omitempty"`    // of a digest: its span; of a log: its oldest and newest event
	End      *time.Time `json:"end,omitempty"`
	Version  string     `json:"versionId,omitempty"`
	Key      string     `json:"kmsKey,omitempty"`   // ARN of the KMS key that it is encrypted with, or that is in the way, as far as known
	Envelope string     `json:"envelope,omitempty"` // how a client encrypted it before it was stored: "s3ec-v2", …
	Recover  *Recover   `json:"recover,omitempty"`  // of what is modified or deleted: what the bucket's object versions hold; nil where they were not looked at
	Class    Class      `json:"class"`              // after the policy
	Seq      int64      `json:"seq"`                // its place among all files, findings and chains of the run, from 1

	sealing sealing // what the key report is made of
}

// A Chain is the run of digests of one organization, account, source region,
// trail, home region and kind, and what became of each part of it.
type Chain struct {
	Organization string          `json:"organization,omitempty"`
	Account      string          `json:"account"`
	Region       string          `json:"region"`
	HomeRegion   string          `json:"homeRegion"`
	Trail        string          `json:"trail"`
	Backfill     bool            `json:"backfill"`
	First        *time.Time      `json:"first,omitempty"` // start of the first digest judged
	Last         *time.Time      `json:"last,omitempty"`  // end of the last digest judged
	Digests      map[Verdict]int `json:"digests"`
	Logs         map[Verdict]int `json:"logs"`
	Gaps         []Hole          `json:"gaps"`
	Coverage     []Share         `json:"coverage"`
	Edge         *Edge           `json:"edge,omitempty"`
	Class        Class           `json:"class"` // the worst of its files and findings, after the policy
	Seq          int64           `json:"seq"`
}

// An Edge is the digest that begins before the window and reaches into it, with
// what became of it and of its logs. It is counted in the chain's sums; a run
// over the window before counts it too, and who adds up the two takes it out of
// one.
type Edge struct {
	URI     string          `json:"uri"`
	End     time.Time       `json:"end"`
	Verdict Verdict         `json:"verdict"`
	Logs    map[Verdict]int `json:"logs"`
}

// A Hole is a stretch of a chain's time without a kept digest.
type Hole struct {
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
	Reason string    `json:"reason"` // in plain words
}

// A Share is how many seconds of the window are in one state. The shares of
// a chain add up to the window.
type Share struct {
	State   State `json:"state"`
	Seconds int64 `json:"seconds"`
}

// A ChainRef names the chain a finding belongs to.
type ChainRef struct {
	Organization string `json:"organization,omitempty"`
	Account      string `json:"account"`
	Region       string `json:"region"`
	Trail        string `json:"trail,omitempty"`
	Backfill     bool   `json:"backfill"`
}

// A Finding is something wrong that belongs to no single file.
type Finding struct {
	Kind    FindingKind `json:"kind"`
	URI     string      `json:"uri,omitempty"`
	Chain   *ChainRef   `json:"chain,omitempty"`
	Start   *time.Time  `json:"start,omitempty"`
	End     *time.Time  `json:"end,omitempty"`
	Key     string      `json:"kmsKey,omitempty"`
	Reason  Reason      `json:"reason,omitempty"` // Expired, or none
	Message string      `json:"message"`
	Class   Class       `json:"class"` // after the policy
	Seq     int64       `json:"seq"`
}

// A Header opens a report.
type Header struct {
	Version string    // of the tool
	Started time.Time // UTC
	Source  string    // as the user named it
	Window  Window
	All     bool    // kept files are reported too
	Bundle  *Bundle // the evidence bundle that was verified; nil for every other source
}

// A Summary closes a report. Exit is the exit status that the run must end in.
type Summary struct {
	Finished       time.Time        `json:"-"`
	Window         Window           `json:"-"` // as it was in the end: a directory's is known only then
	Interrupted    bool             `json:"-"`
	Verdict        string           `json:"-"` // "kept", "tampered" or "unproven"
	Keys           []KeyUse         `json:"-"` // by ARN
	Explained      []Explanation    `json:"-"` // those that explain something first, by time; "explanations" in a report
	UnlistedEvents int64            `json:"-"` // how many more such events there were, or may have been, over the bounds
	Exit           int              `json:"-"`
	Chains         int              `json:"chains"`
	Digests        map[Verdict]int  `json:"digests"`
	Logs           map[Verdict]int  `json:"logs"`
	Bytes          Bytes            `json:"bytes"`
	Requests       map[string]int64 `json:"requests"` // by operation: list, get, head, keys, lifecycle, decrypt, describe, retry
	Seconds        float64          `json:"seconds"`
}

// Bytes counts what was read and what was hashed.
type Bytes struct {
	Fetched int64 `json:"fetched"` // compressed, as stored
	Hashed  int64 `json:"hashed"`  // uncompressed
}

// A Sink takes a run's results as they come, in order: the files and findings
// of an account's source region, chain by chain and oldest first, then its
// chains, then the next region. A writer may keep what it wants for later, but
// never decides the exit status. An error stops the run.
type Sink interface {
	Start(Header) error
	File(File) error
	Finding(Finding) error
	Chain(Chain) error
	End(Summary) error
}
