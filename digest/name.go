package digest

import (
	"errors"
	"fmt"
	"time"
)

// A Chain names a run of digests that link to one another: one organization,
// account, source region, trail, home region and kind.
type Chain struct {
	Organization string // "o-…", or empty
	Account      string // 12 digits: whose events these are
	Region       string // source region: whose events these are, and whose keys sign
	Trail        string // the trail's name; may hold "_", "-", "."
	HomeRegion   string // the region the trail was made in
	Backfill     bool   // digests of log files that came too late for their hour's digest
}

// A Name is what the S3 key of a digest file says:
//
//	[prefix/]AWSLogs/[o-ID/]ACCOUNT/CloudTrail-Digest/REGION/YYYY/MM/DD/
//	ACCOUNT_CloudTrail-Digest_REGION_TRAIL_HOME_YYYYMMDDTHHMMSSZ[_backfill].json.gz
type Name struct {
	Prefix string // what stands before "AWSLogs/": empty, or ends in "/"
	Chain  Chain
	End    time.Time // digestEndTime, UTC, to the second
}

// A LogName is what the S3 key of a log file says:
//
//	[prefix/]AWSLogs/[o-ID/]ACCOUNT/KIND/REGION/YYYY/MM/DD/
//	ACCOUNT_KIND_REGION_YYYYMMDDTHHmmZ_ID.json.gz
type LogName struct {
	Prefix       string
	Organization string
	Account      string
	Kind         string // "CloudTrail", "CloudTrail-Insight", …
	Region       string
	Delivered    time.Time // to five minutes, and not exact even so
	ID           string    // 16 letters and digits
}

// DigestFolder is the folder that digest files lie in, below the account's.
const DigestFolder = "CloudTrail-Digest"

// LogFolders are the folders that log files lie in, below the account's.
// AWS says of the first alone that digests cover it.
var LogFolders = []string{"CloudTrail", "CloudTrail-Insight", "CloudTrail-NetworkActivity", "CloudTrail-Aggregated"}

const (
	suffix         = ".json.gz"
	backfillSuffix = "_backfill"
	endLayout      = "20060102T150405Z"
	logLayout      = "20060102T1504Z"
	dayLayout      = "2006/01/02"
)

var (
	errNotDigest = errors.New("not the name of a digest file")
	errNotLog    = errors.New("not the name of a log file")
)

// Key is the S3 key that the name stands for.
func (n Name) Key() string {
	c, kind := n.Chain, ""
	if c.Backfill {
		kind = backfillSuffix
	}
	return n.Prefix + c.Folder() + n.End.UTC().Format(dayLayout) + "/" +
		c.Account + "_" + DigestFolder + "_" + c.Region + "_" + c.Trail + "_" + c.HomeRegion + "_" +
		n.End.UTC().Format(endLayout) + kind + suffix
}

// Folder is where the chain's digests lie, from "AWSLogs/" to the region's "/".
func (c Chain) Folder() string {
	return AccountFolder(c.Organization, c.Account) + DigestFolder + "/" + c.Region + "/"
}

// AccountFolder is where an account's files lie, from "AWSLogs/" to its own "/".
// The organization is empty where there is none.
func AccountFolder(organization, account string) string {
	if organization != "" {
		organization += "/"
	}
	return "AWSLogs/" + organization + account + "/"
}

// Key is the S3 key that the name stands for.
func (n LogName) Key() string {
	return n.Prefix + AccountFolder(n.Organization, n.Account) + n.Kind + "/" + n.Region + "/" +
		n.Delivered.UTC().Format(dayLayout) + "/" + n.Account + "_" + n.Kind + "_" + n.Region + "_" +
		n.Delivered.UTC().Format(logLayout) + "_" + n.ID + suffix
}

// Stated says where a name's chain and end disagree with a record's own
// words, or returns nil where they agree.
func (n Name) Stated(r *Record) error {
	switch {
	case r.Account != n.Chain.Account:
		return fmt.Errorf("it says it is of account %.40q", r.Account)
	case !r.End.Equal(n.End):
		return fmt.Errorf("it says it ends at %s", r.End.Format(time.RFC3339))
	default:
		return nil
	}
}
