package verify

import "time"

// A Bundle is an evidence bundle, as a report names it.
type Bundle struct {
	Seal      string    `json:"seal"`      // SHA-256 of its manifest, lower-case hex: what was collected, in one number
	Collected time.Time `json:"collected"` // when
	Tool      string    `json:"tool"`      // version of trailseal that collected it
}

// A Recover is what a bucket's object versions hold of a file that is modified or
// deleted. Version is empty where none of them is what was vouched for.
type Recover struct {
	Version   string     `json:"versionId,omitempty"`    // the version whose content a trusted digest vouches for, or that is signed
	Modified  *time.Time `json:"lastModified,omitempty"` // when that version was stored
	Size      int64      `json:"size,omitempty"`         // its stored bytes
	Command   string     `json:"command,omitempty"`      // what would restore it
	Removed   *time.Time `json:"removed,omitempty"`      // when it was deleted or overwritten: the delete marker's time, or that of the version stored next
	RemovedBy string     `json:"removedBy,omitempty"`    // canonical user id of the account that did, where S3 tells
	Marker    string     `json:"deleteMarker,omitempty"` // version id of the delete marker that hides it
	At        string     `json:"at,omitempty"`           // URI of the object whose versions these are, where that is a copy's
	Looked    int        `json:"looked"`                 // how many versions were looked at
	Saved     string     `json:"saved,omitempty"`        // the file that it was saved to
	Problem   string     `json:"problem,omitempty"`      // why versions could not be looked at, or not all
}

// An Explanation is an event, from a log that is kept, that touched the trail, its
// bucket, its objects or its keys.
type Explanation struct {
	Event     string    `json:"event"`                 // eventName
	Service   string    `json:"eventSource"`           //
	ID        string    `json:"eventId"`               //
	Time      time.Time `json:"time"`                  //
	Account   string    `json:"account"`               // in which it was done (recipientAccountId)
	Region    string    `json:"region"`                //
	Who       string    `json:"who,omitempty"`         // ARN of the principal, or what stands for it
	AccessKey string    `json:"accessKeyId,omitempty"` //
	From      string    `json:"sourceIp,omitempty"`    // address or service
	Agent     string    `json:"userAgent,omitempty"`   //
	Error     string    `json:"errorCode,omitempty"`   // set where it was refused
	Target    string    `json:"target,omitempty"`      // what it touched: a trail, a bucket, an object's URI, a key
	Detail    string    `json:"detail,omitempty"`      // in plain words
	Log       string    `json:"log"`                   // URI of the log file that holds it
	Explains  []int64   `json:"explains"`              // Seq of the files and findings that it may explain; empty: none
}
