package digest

import (
	"errors"
	"fmt"
	"strings"
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
	return accountFolder(c.Organization, c.Account) + DigestFolder + "/" + c.Region + "/"
}

func accountFolder(organization, account string) string {
	if organization != "" {
		organization += "/"
	}
	return "AWSLogs/" + organization + account + "/"
}

// Key is the S3 key that the name stands for.
func (n LogName) Key() string {
	return n.Prefix + accountFolder(n.Organization, n.Account) + n.Kind + "/" + n.Region + "/" +
		n.Delivered.UTC().Format(dayLayout) + "/" + n.Account + "_" + n.Kind + "_" + n.Region + "_" +
		n.Delivered.UTC().Format(logLayout) + "_" + n.ID + suffix
}

// ParseName reads the key of a digest file. It accepts exactly the keys that
// Name.Key makes: trail names are found from the right, because they may hold
// "_" and the names of regions.
func ParseName(key string) (Name, error) {
	p, ok := splitKey(key)
	if !ok || p.kind != DigestFolder {
		return Name{}, errNotDigest
	}
	n := Name{Prefix: p.prefix, Chain: Chain{Organization: p.organization, Account: p.account, Region: p.region}}
	rest, ok := strings.CutPrefix(p.file, p.account+"_"+DigestFolder+"_"+p.region+"_")
	if !ok {
		return Name{}, errNotDigest
	}
	if rest, ok = strings.CutSuffix(rest, suffix); !ok {
		return Name{}, errNotDigest
	}
	rest, n.Chain.Backfill = strings.CutSuffix(rest, backfillSuffix)
	rest, stamp, ok1 := cutLast(rest, "_")
	trail, home, ok2 := cutLast(rest, "_")
	if !ok1 || !ok2 || trail == "" || !isRegion(home) {
		return Name{}, errNotDigest
	}
	end, err := time.Parse(endLayout, stamp)
	if err != nil || end.Format(dayLayout) != p.day {
		return Name{}, errNotDigest
	}
	n.Chain.Trail, n.Chain.HomeRegion, n.End = trail, home, end
	return n, nil
}

// ParseLogName reads the key of a log file.
func ParseLogName(key string) (LogName, error) {
	p, ok := splitKey(key)
	if !ok || p.kind == DigestFolder {
		return LogName{}, errNotLog
	}
	rest, ok1 := strings.CutPrefix(p.file, p.account+"_"+p.kind+"_"+p.region+"_")
	rest, ok2 := strings.CutSuffix(rest, suffix)
	stamp, id, ok3 := strings.Cut(rest, "_")
	if !ok1 || !ok2 || !ok3 || !isLogID(id) {
		return LogName{}, errNotLog
	}
	at, err := time.Parse(logLayout, stamp)
	if err != nil || at.Format(dayLayout) != p.day {
		return LogName{}, errNotLog
	}
	return LogName{p.prefix, p.organization, p.account, p.kind, p.region, at, id}, nil
}

// FromAWSLogs is the part of a key from its last "AWSLogs/" element on: what
// is left of it when the bucket's name and the trail's prefix are lost.
func FromAWSLogs(key string) (string, bool) {
	for at := len(key); at > 0; {
		at = strings.LastIndex(key[:at], "AWSLogs/")
		if at == 0 || at > 0 && key[at-1] == '/' {
			return key[at:], true
		}
	}
	return "", false
}

// IsAccount reports whether s is an account id: 12 digits.
func IsAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// IsOrganization reports whether s has the form of an organization id.
func IsOrganization(s string) bool {
	id, ok := strings.CutPrefix(s, "o-")
	return ok && len(id) >= 10 && len(id) <= 32 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

func isRegion(s string) bool {
	return s != "" && strings.Contains(s, "-") && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

func isLogID(s string) bool {
	return len(s) == 16 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// parts are the elements of a key below "AWSLogs/", shared by both kinds.
type parts struct{ prefix, organization, account, kind, region, day, file string }

func splitKey(key string) (parts, bool) {
	rest, ok := FromAWSLogs(key)
	if !ok {
		return parts{}, false
	}
	p := parts{prefix: key[:len(key)-len(rest)]}
	e := strings.Split(rest, "/")[1:]
	if len(e) > 0 && IsOrganization(e[0]) {
		p.organization, e = e[0], e[1:]
	}
	if len(e) != 7 || !IsAccount(e[0]) || !isRegion(e[2]) {
		return parts{}, false
	}
	p.account, p.kind, p.region, p.file = e[0], e[1], e[2], e[6]
	p.day = e[3] + "/" + e[4] + "/" + e[5]
	return p, true
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// Stated says where a name's chain and end disagree with a record's own
// words, or returns nil where they agree.
func (n Name) Stated(r *Record) error {
	switch {
	case r.Account != n.Chain.Account:
		return fmt.Errorf("it says it is of account %q", r.Account)
	case !r.End.Equal(n.End):
		return fmt.Errorf("it says it ends at %s", r.End.Format(time.RFC3339))
	default:
		return nil
	}
}
