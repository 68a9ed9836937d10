package digest

import (
	"strings"
	"time"
)

// ParseName reads the key of a digest file. It accepts exactly the keys that
// Name.Key makes: trail names are found from the right, because they may hold
// "_" and the names of regions.
func ParseName(key string) (Name, error) {
	p, ok := splitKey(key)
	if !ok || p.kind != DigestFolder {
		return Name{}, errNotDigest
	}
	n := Name{Prefix: p.prefix, Chain: Chain{Organization: p.organization, Account: p.account, Region: p.region}}
	rest, backfill := strings.CutSuffix(p.rest, backfillSuffix)
	rest, stamp, ok1 := cutLast(rest, "_")
	trail, home, ok2 := cutLast(rest, "_")
	end, ok3 := p.time(endLayout, stamp)
	if !ok1 || !ok2 || !ok3 || !isTrail(trail) || !isRegion(home) {
		return Name{}, errNotDigest
	}
	n.Chain.Trail, n.Chain.HomeRegion, n.Chain.Backfill, n.End = trail, home, backfill, end
	return n, nil
}

// ParseLogName reads the key of a log file. It accepts exactly the keys that
// LogName.Key makes, of any kind that begins like CloudTrail's.
func ParseLogName(key string) (LogName, error) {
	p, ok := splitKey(key)
	if !ok || !isLogKind(p.kind) {
		return LogName{}, errNotLog
	}
	stamp, id, ok1 := strings.Cut(p.rest, "_")
	at, ok2 := p.time(logLayout, stamp)
	if !ok1 || !ok2 || !isLogID(id) {
		return LogName{}, errNotLog
	}
	return LogName{p.prefix, p.organization, p.account, p.kind, p.region, at, id}, nil
}

// parts are the elements of a key below "AWSLogs/", shared by both kinds.
// rest is what the file's name has between its first three words and ".json.gz".
type parts struct{ prefix, organization, account, kind, region, day, rest string }

func splitKey(key string) (p parts, ok bool) {
	below, ok := FromAWSLogs(key)
	if !ok || strings.Count(below, "/") > 8 {
		return parts{}, false
	}
	p.prefix = key[:len(key)-len(below)]
	e := strings.Split(below, "/")[1:]
	if IsOrganization(e[0]) {
		p.organization, e = e[0], e[1:]
	}
	if len(e) != 7 || !IsAccount(e[0]) || !isRegion(e[2]) {
		return parts{}, false
	}
	p.account, p.kind, p.region = e[0], e[1], e[2]
	p.day = e[3] + "/" + e[4] + "/" + e[5]
	rest, ok1 := strings.CutPrefix(e[6], p.account+"_"+p.kind+"_"+p.region+"_")
	rest, ok2 := strings.CutSuffix(rest, suffix)
	p.rest = rest
	return p, ok1 && ok2
}

// time reads a name's time, which must fall on the day of the name's folder.
// Parse alone would also take fractions of a second that no layout asked for.
func (p parts) time(layout, stamp string) (time.Time, bool) {
	t, err := time.Parse(layout, stamp)
	return t, err == nil && t.Format(layout) == stamp && t.Format(dayLayout) == p.day
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
	return len(s) == 12 && consistsOf(s, digits)
}

// IsOrganization reports whether s has the form of an organization id.
func IsOrganization(s string) bool {
	id, ok := strings.CutPrefix(s, "o-")
	return ok && len(id) >= 10 && len(id) <= 32 && consistsOf(id, lower+digits)
}

const (
	lower   = "abcdefghijklmnopqrstuvwxyz"
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + lower
	digits  = "0123456789"
)

func consistsOf(s, chars string) bool { return s != "" && strings.Trim(s, chars) == "" }

func isRegion(s string) bool {
	return strings.Contains(s, "-") && consistsOf(s, lower+digits+"-")
}

// isTrail holds a trail's name to the characters that CloudTrail allows.
func isTrail(s string) bool {
	return len(s) <= 128 && consistsOf(s, letters+digits+"._-")
}

func isLogID(s string) bool { return len(s) == 16 && consistsOf(s, letters+digits) }

func isLogKind(s string) bool {
	more, ok := strings.CutPrefix(s, LogFolders[0])
	return ok && s != DigestFolder && (more == "" || more[0] == '-' && consistsOf(more[1:], letters))
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
