package report

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/trailseal/trailseal/verify"
)

// sentences makes sentences of clauses, and leaves out empty ones.
func sentences(clauses ...string) string {
	var done []string
	for _, c := range clauses {
		if c == "" {
			continue
		}
		if c[0] >= 'a' && c[0] <= 'z' {
			c = strings.ToUpper(c[:1]) + c[1:]
		}
		if !strings.HasSuffix(c, ".") {
			c += "."
		}
		done = append(done, c)
	}
	return strings.Join(done, " ")
}

// about puts the name of an object behind what is said of it, as it is.
func about(text, name string) string { return strings.TrimSpace(text + " " + Clean(name)) }

// verdictCounts lists counts: "20 kept, 1 deleted", or "none".
func verdictCounts(counts map[verify.Verdict]int) string {
	var parts []string
	for _, v := range verify.Verdicts {
		if n := counts[v]; n > 0 {
			parts = append(parts, thousands(n)+" "+string(v))
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "none")
}

// shares lists how much time is in each state.
func shares(coverage []verify.Share) string {
	parts := make([]string, len(coverage))
	for i, s := range coverage {
		parts[i] = fmt.Sprintf("%d s %s", s.Seconds, s.State)
	}
	return strings.Join(parts, ", ")
}

// short cuts a text to a number of bytes, on the border of a rune, and shows
// that it did. A limit in characters of any kind is kept by that too.
func short(s string, limit int) string {
	const mark = "…"
	if len(s) <= limit {
		return s
	}
	at := limit - len(mark)
	for at > 0 && !utf8.RuneStart(s[at]) {
		at--
	}
	return s[:at] + mark
}

// shortID is short for names, which stay different from each other.
func shortID(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	id := stableID(s)
	return short(s, limit-len(id)) + id
}

// partition is the part of AWS that a region is in.
func partition(region string) string {
	for _, p := range [][2]string{{"cn-", "aws-cn"}, {"us-gov-", "aws-us-gov"}, {"us-isob-", "aws-iso-b"}, {"us-isof-", "aws-iso-f"},
		{"us-iso-", "aws-iso"}, {"eu-isoe-", "aws-iso-e"}, {"eusc-", "aws-eusc"}} {
		if strings.HasPrefix(region, p[0]) {
			return p[1]
		}
	}
	return "aws"
}

// bucketAndKey are the two parts of an object's address.
func bucketAndKey(uri string) (bucket, key string) {
	bucket, key, _ = strings.Cut(strings.TrimPrefix(uri, "s3://"), "/")
	return bucket, key
}

// objectARN is how AWS names an object or a folder of a bucket.
func objectARN(uri, region string) string {
	bucket, key := bucketAndKey(uri)
	return "arn:" + partition(region) + ":s3:::" + bucket + "/" + key
}

// trailARN is how AWS names a chain's trail. That of an organization's is not
// known, for it belongs to an account that the chain does not name.
func trailARN(c verify.Chain) string {
	if c.Organization != "" {
		return ""
	}
	return "arn:" + partition(c.HomeRegion) + ":cloudtrail:" + c.HomeRegion + ":" + c.Account + ":trail/" + c.Trail
}
