package report

import (
	"strings"
	"time"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

// A place is where a file belongs, as far as its names tell. What they do not
// tell is empty; what they tell is plain text, whoever made the names.
type place struct {
	chain verify.ChainRef // without a trail where only the folder is known
	day   string          // as in 2026-03-10, UTC
}

const dayForm = "2006-01-02"

// placeOf is a file's place. The name of a log says nothing of its trail, but
// the name of the digest that lists it does.
func placeOf(f verify.File) place {
	p := placeOfURI(f.URI)
	if of := placeOfURI(f.Digest); f.Digest != "" && of.chain.Account != "" {
		p.chain = of.chain
		if p.day == "" {
			p.day = of.day
		}
	}
	if p.day == "" && f.Start != nil {
		p.day = f.Start.UTC().Format(dayForm)
	}
	return p
}

func placeOfURI(uri string) place {
	_, key, _ := strings.Cut(strings.TrimPrefix(uri, "s3://"), "/")
	if n, err := digest.ParseName(key); err == nil {
		c := n.Chain
		return place{verify.ChainRef{Organization: c.Organization, Account: c.Account, Region: c.Region,
			Trail: c.Trail, Backfill: c.Backfill}, n.End.UTC().Format(dayForm)}
	}
	return placeOfFolder(key)
}

// placeOfFolder reads AWSLogs/[o-ID/]ACCOUNT/KIND/REGION/YYYY/MM/DD/, which
// also holds for a file whose own name is not CloudTrail's.
func placeOfFolder(key string) (p place) {
	at := strings.LastIndex("/"+key, "/AWSLogs/")
	if at < 0 {
		return place{}
	}
	parts := strings.Split(key[at:], "/")[1:]
	if len(parts) > 1 && strings.HasPrefix(parts[0], "o-") && only(parts[0][2:], lower+digits) {
		p.chain.Organization, parts = parts[0], parts[1:]
	}
	if len(parts) < 4 || len(parts[0]) != 12 || !only(parts[0], digits) || parts[2] == "" || !only(parts[2], lower+digits+"-") {
		return place{}
	}
	p.chain.Account, p.chain.Region = parts[0], parts[2]
	if len(parts) > 6 {
		if day, err := time.Parse("2006/01/02", strings.Join(parts[3:6], "/")); err == nil {
			p.day = day.Format(dayForm)
		}
	}
	return p
}

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	digits = "0123456789"
)

func only(s, letters string) bool { return strings.Trim(s, letters) == "" }

// placeOfFinding is a finding's place. The day is that of its start.
func placeOfFinding(f verify.Finding) place {
	p := placeOfURI(f.URI)
	if f.Chain != nil {
		p.chain = *f.Chain
	}
	if f.Start != nil {
		p.day = f.Start.UTC().Format(dayForm)
	}
	return p
}
