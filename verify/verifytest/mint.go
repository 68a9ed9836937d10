package verifytest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

// Mint makes the world that the spec describes: honest in every byte.
func Mint(spec Spec) (*World, error) {
	spec, err := spec.complete()
	if err != nil {
		return nil, fmt.Errorf("mint a trail: %w", err)
	}
	m := &minter{w: newWorld(spec.Seed), spec: &spec, press: newPress(), trail: newTrail(spec)}
	m.w.trails = []*Trail{m.trail}
	m.w.kms.account = m.trail.Account
	if spec.KMSKey != "" {
		m.w.sse = m.w.kms.sse("aws:kms", spec.KMSKey)
	}
	for i := range spec.Contents {
		m.share(i)
	}
	for _, account := range spec.Accounts {
		for i, region := range spec.Regions {
			m.region(account, region, spec.Start.Add(time.Duration(i)*spec.Stagger))
		}
	}
	m.w.sortChains()
	return m.w, nil
}

// A minter lays out one trail in a world.
type minter struct {
	w      *World
	spec   *Spec
	trail  *Trail
	press  *press
	shared []sharedLog
}

// A sharedLog is one of a few contents that the logs of a large world have.
type sharedLog struct {
	content uint32
	hash    digest.Hash
}

func (m *minter) share(i int) {
	s := m.spec
	b := batch{s.Accounts[0], s.Regions[0], s.Start, s.Start.Add(10 * time.Minute), s.EventsPerLog}
	gz, hash := m.press.log(b, stream("content", s.Seed, i))
	m.shared = append(m.shared, sharedLog{m.w.pool.add(gz), hash})
}

// region mints one account's logs and digests in one region.
func (m *minter) region(account, region string, start time.Time) {
	standard := &Chain{Chain: m.spec.chain(account, region, false), m: m}
	m.w.chains = append(m.w.chains, standard)
	var backfill *Chain
	if m.spec.Backfill && m.spec.Hours >= backfillHour+backfillWait {
		backfill = &Chain{Chain: m.spec.chain(account, region, true), m: m}
		m.w.chains = append(m.w.chains, backfill)
	}
	m.markers(standard)
	end := m.run(standard, backfill, start, 0, m.spec.Hours)
	for i := range m.spec.Pending {
		l := m.deliver(standard, end, m.spec.Hours, i)
		m.w.expectByAge(verify.Ref{Bucket: l.Bucket, Key: l.Object})
	}
	m.w.publish(region, start.Add(-time.Hour), end.Add(backfillDelay))
}

// run mints a starting digest and then one for each hour, and returns the end.
func (m *minter) run(c, backfill *Chain, start time.Time, from, to int) time.Time {
	c.last = nil
	m.w.deliverDigest(c, m.bucket(from), start.Add(-time.Hour), start, nil, time.Time{})
	for hour := from; hour < to; hour++ {
		m.hour(c, backfill, start, hour)
		start = start.Add(time.Hour)
	}
	return start
}

// Every sixth hour, from the fourth on, has a log that came too late for its
// digest, and an Insight log.
const (
	backfillEvery = 6
	backfillHour  = 3
	backfillWait  = 3 // hours from its start until the backfill digest is there
	backfillDelay = 2 * time.Hour
)

func (m *minter) hour(c, backfill *Chain, start time.Time, hour int) {
	var logs []digest.Log
	if q := m.spec.QuietEvery; q == 0 || hour%q != q-1 {
		for i := range m.spec.LogsPerHour {
			logs = append(logs, m.deliver(c, start, hour, i))
		}
	}
	if len(logs) == 0 && len(m.events(c, start)) > 0 {
		logs = append(logs, m.deliver(c, start, hour, 0))
	}
	special := hour%backfillEvery == backfillHour
	if special && backfill != nil && hour+backfillWait <= m.spec.Hours {
		late := m.deliver(backfill, start, hour, 0)
		made := start.Add(time.Hour + backfillDelay + between(stream("made", m.spec.Seed, c.Chain, hour), 0, 20*time.Minute))
		m.w.deliverDigest(backfill, m.bucket(hour), start, start.Add(time.Hour), []digest.Log{late}, made)
	}
	if special && m.spec.Insight {
		m.insight(c, start, hour)
	}
	m.w.deliverDigest(c, m.bucket(hour), start, start.Add(time.Hour), logs, time.Time{})
}

// bucket is where the trail delivers to in an hour.
func (m *minter) bucket(hour int) string {
	if m.spec.MoveBucketAt > 0 && hour >= m.spec.MoveBucketAt {
		return m.spec.MoveBucketTo
	}
	return m.spec.Bucket
}

func newTrail(s Spec) *Trail {
	t := &Trail{
		Name: s.Trail, Bucket: s.Bucket, Prefix: strings.TrimSuffix(s.Prefix, "/"),
		HomeRegion: s.HomeRegion, BucketRegion: s.BucketRegion, Account: s.Accounts[0],
		Organization: s.Organization, MultiRegion: len(s.Regions) > 1, KMSKey: s.KMSKey,
	}
	if s.MoveBucketAt > 0 && s.MoveBucketAt <= s.Hours {
		t.Bucket = s.MoveBucketTo
	}
	t.ARN = "arn:" + Partition(t.HomeRegion) + ":cloudtrail:" + t.HomeRegion + ":" + t.Account + ":trail/" + t.Name
	return t
}

func (w *World) sortChains() {
	slices.SortStableFunc(w.chains, func(a, b *Chain) int {
		return cmp.Or(cmp.Compare(a.Organization, b.Organization), cmp.Compare(a.Account, b.Account),
			cmp.Compare(a.Region, b.Region), cmp.Compare(a.Trail, b.Trail),
			cmp.Compare(a.HomeRegion, b.HomeRegion), compareBool(a.Backfill, b.Backfill))
	})
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

// Partition is the AWS partition that a region belongs to.
func Partition(region string) string {
	for prefix, partition := range map[string]string{"cn-": "aws-cn", "us-gov-": "aws-us-gov"} {
		if strings.HasPrefix(region, prefix) {
			return partition
		}
	}
	return "aws"
}

// markers are the folders that the S3 console shows as objects.
func (m *minter) markers(c *Chain) {
	if !m.spec.Markers {
		return
	}
	folder := m.spec.Prefix + strings.TrimSuffix(c.Folder(), digest.DigestFolder+"/"+c.Region+"/")
	for _, kind := range []string{"CloudTrail/", digest.DigestFolder + "/"} {
		m.w.Put(verify.Ref{Bucket: m.spec.Bucket, Key: folder + kind}, Object{Modified: m.spec.Start})
	}
}
