package verifytest

import (
	"errors"
	"fmt"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// A Spec says what trail to mint. Start from DefaultSpec. It stands for one
// trail; Merge puts several into one world.
type Spec struct {
	Seed         int64
	Start        time.Time     // when logging starts, UTC: the starting digest ends then
	Phase        time.Duration // added to Start; CloudTrail's hours begin when logging did
	Stagger      time.Duration // how much later each further region starts
	Hours        int           // digests after the starting digest
	LogsPerHour  int           // log files in each hour that is not quiet
	QuietEvery   int           // every so many hours one has no logs; 0: none has
	EventsPerLog int           // about 1 KB of JSON each
	Contents     int           // how many different log contents there are, for large worlds; 0: each log has its own

	Accounts     []string // the first owns the trail
	Regions      []string // source regions
	Trail        string   // its name
	HomeRegion   string   // where the trail was made; empty: the first region
	Organization string   // "o-…" for an organization's trail, or empty
	Bucket       string
	BucketRegion string // empty: the home region
	Prefix       string // with or without a final "/"
	KMSKey       string // ARN of the trail's KMS key: all is stored under SSE-KMS with it; or empty

	Backfill     bool    // every sixth hour has a log that came late, in a backfill digest
	Insight      bool    // an Insight log every sixth hour, which no digest lists
	Markers      bool    // zero-byte folder markers, as the S3 console makes them
	Events       []Event // what the logs hold besides, where the contents are not shared
	Pending      int     // logs a region that came after its last digest
	MoveBucketAt int     // from this hour on the trail delivers to MoveBucketTo; 0: never
	MoveBucketTo string  // empty: the bucket's name and "-new"
}

// DefaultSpec is a day of one account in two regions: what `trailseal
// simulate` writes when nothing else is asked.
func DefaultSpec() Spec {
	return Spec{
		Seed:         1,
		Start:        time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC),
		Phase:        12*time.Minute + 31*time.Second,
		Hours:        24,
		LogsPerHour:  4,
		QuietEvery:   5,
		EventsPerLog: 20,
		Accounts:     []string{"111122223333"},
		Regions:      []string{"eu-west-1", "us-east-1"},
		Trail:        "management-events",
		Bucket:       "example-trail-logs",
		Backfill:     true,
		Markers:      true,
	}
}

// complete fills in what follows from the rest and refuses what cannot be.
func (s Spec) complete() (Spec, error) {
	switch {
	case s.Hours < 1:
		return s, errors.New("a trail needs at least one hour")
	case s.LogsPerHour < 0 || s.EventsPerLog < 1:
		return s, errors.New("a trail needs no fewer than 0 logs an hour and 1 event a log")
	case len(s.Accounts) == 0 || len(s.Regions) == 0 || s.Trail == "" || s.Bucket == "":
		return s, errors.New("a trail needs an account, a region, a name and a bucket")
	case s.Start.IsZero():
		return s, errors.New("a trail needs a start")
	case s.KMSKey != "" && parseKeyARN(s.KMSKey).account == "":
		return s, fmt.Errorf("%q is not a KMS key's ARN: arn:aws:kms:REGION:ACCOUNT:key/ID", s.KMSKey)
	}
	if s.HomeRegion == "" {
		s.HomeRegion = s.Regions[0]
	}
	if s.BucketRegion == "" {
		s.BucketRegion = s.HomeRegion
	}
	if s.MoveBucketTo == "" {
		s.MoveBucketTo = s.Bucket + "-new"
	}
	if s.Prefix != "" && s.Prefix[len(s.Prefix)-1] != '/' {
		s.Prefix += "/"
	}
	s.Start = s.Start.UTC().Add(s.Phase).Truncate(time.Second)
	return s, s.checkNames()
}

// checkNames sees that the keys made from the spec are ones that digest reads.
func (s Spec) checkNames() error {
	for _, account := range s.Accounts {
		for _, region := range s.Regions {
			n := digest.Name{Prefix: s.Prefix, Chain: s.chain(account, region, false), End: s.Start}
			if got, err := digest.ParseName(n.Key()); err != nil || got != n {
				return fmt.Errorf("CloudTrail would not write %q: an account has 12 digits, "+
					"a region's name looks like eu-west-1, an organization's like o-exampleorgid", n.Key())
			}
		}
	}
	return nil
}

func (s Spec) chain(account, region string, backfill bool) digest.Chain {
	return digest.Chain{
		Organization: s.Organization, Account: account, Region: region,
		Trail: s.Trail, HomeRegion: s.HomeRegion, Backfill: backfill,
	}
}
