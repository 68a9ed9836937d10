package verifytest

import (
	"time"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

// deliver writes the i-th log file of an hour and says what a digest would
// say of it.
func (m *minter) deliver(c *Chain, start time.Time, hour, i int) digest.Log {
	r := stream("log", m.spec.Seed, c.Chain, start.Unix(), i)
	at := start.Add(between(r, time.Second, time.Hour-time.Second))
	b := batch{account: c.Account, region: c.Region, events: m.spec.EventsPerLog}
	b.newest = at.Add(-between(r, 0, 90*time.Second))
	b.oldest = b.newest.Add(-between(r, time.Minute, 9*time.Minute))
	// An event inside the hour, though CloudTrail's may well be older.
	if b.oldest.Before(start) {
		b.oldest = start
	}
	if b.newest.Before(b.oldest) {
		b.newest = b.oldest
	}
	// The minute in the name is a multiple of five, sometimes after the delivery.
	named := at.Truncate(5 * time.Minute)
	if r.IntN(3) == 0 {
		named = named.Add(5 * time.Minute)
	}
	modified := at
	if c.Backfill {
		modified = start.Add(time.Hour + backfillDelay - between(r, 10*time.Minute, time.Hour))
	}
	content, hash := m.content(b, c, start, i)
	key := m.w.shelve(m.bucket(hour), m.spec.Prefix, c.Chain, "CloudTrail", named, packed{
		id: logID(r), content: content, after: int32(modified.Sub(named) / time.Second),
	})
	return digest.Log{
		Bucket: m.bucket(hour), Object: key, Algorithm: digest.HashAlgorithm, Hash: hash,
		Newest: b.newest, Oldest: b.oldest,
	}
}

func (m *minter) content(b batch, c *Chain, start time.Time, i int) (uint32, digest.Hash) {
	r := stream("events", m.spec.Seed, c.Chain, start.Unix(), i)
	if events := m.events(c, start); i == 0 && len(events) > 0 {
		gz, hash := m.press.logWith(b, r, events)
		return m.w.pool.add(gz), hash
	}
	if len(m.shared) > 0 {
		s := m.shared[r.IntN(len(m.shared))]
		return s.content, s.hash
	}
	gz, hash := m.press.log(b, r)
	return m.w.pool.add(gz), hash
}

// insight writes a log file of a kind that digests need not list.
func (m *minter) insight(c *Chain, start time.Time, hour int) {
	r := stream("insight", m.spec.Seed, c.Chain, start.Unix())
	at := start.Add(between(r, time.Minute, 50*time.Minute)).Truncate(5 * time.Minute)
	gz, _ := m.press.log(batch{c.Account, c.Region, at.Add(-time.Minute), at, 2}, r)
	key := m.w.shelve(m.bucket(hour), m.spec.Prefix, c.Chain, "CloudTrail-Insight", at, packed{
		id: logID(r), content: m.w.pool.add(gz), after: 40,
	})
	m.w.expected[verify.Ref{Bucket: m.bucket(hour), Key: key}] = logExpected(verify.Unreferenced, verify.CoverageUnknown)
}

// shelve puts a log file into its day's pack and returns its key.
func (w *World) shelve(bucket, prefix string, c digest.Chain, kind string, named time.Time, l packed) string {
	name := digest.LogName{
		Prefix: prefix, Organization: c.Organization, Account: c.Account, Kind: kind, Region: c.Region,
		Delivered: named, ID: string(l.id[:]),
	}
	key, s := name.Key(), w.shelf(bucket)
	p := s.packs[folderOf(key)]
	if p == nil {
		p = &pack{
			folder: folderOf(key), stem: c.Account + "_" + kind + "_" + c.Region + "_",
			day: named.Truncate(24 * time.Hour), pool: w.pool,
		}
		s.packs[p.folder] = p
	}
	l.slot, l.sse = uint16(named.Sub(p.day)/time.Minute), w.pool.way(s.sse)
	p.logs = append(p.logs, l)
	p.sorted, s.folders = false, nil
	return key
}

// deliverDigest signs, links and stores the next digest of a chain. made is
// zero for a standard digest.
func (w *World) deliverDigest(c *Chain, bucket string, start, end time.Time, logs []digest.Log, made time.Time) {
	name := digest.Name{Prefix: c.m.spec.Prefix, Chain: c.Chain, End: end}
	d := &Digest{Ref: verify.Ref{Bucket: bucket, Key: name.Key()}, Start: start, End: end, Generated: made}
	if !c.Backfill {
		d.Generated = end
	}
	d.signer = signerAt(c.Region, d.Generated, 0)
	r := &digest.Record{
		Account: c.Account, Start: start, End: end, EndText: end.Format(timeLayout), Bucket: bucket, Object: d.Key,
		Fingerprint: d.signer.public.Fingerprint, SignatureAlgorithm: digest.SignatureAlgorithm,
		Previous: c.last, Logs: logs,
	}
	r.Oldest, r.Newest = eventSpan(logs)
	w.store(c, d, r)
	c.Digests = append(c.Digests, d)
	c.last = d.asPrevious()
}

func eventSpan(logs []digest.Log) (oldest, newest time.Time) {
	for i, l := range logs {
		if i == 0 || l.Oldest.Before(oldest) {
			oldest = l.Oldest
		}
		if i == 0 || l.Newest.After(newest) {
			newest = l.Newest
		}
	}
	return oldest, newest
}

// store writes a record as the digest file of a handle, signed by the
// handle's key. Where a damage stands in the file's place it stays there, but
// the chain goes on from what was written.
func (w *World) store(c *Chain, d *Digest, r *digest.Record) {
	r.Fingerprint = d.signer.public.Fingerprint
	raw := d.twist.apply(r)
	r.Hash = digest.Sum(raw)
	d.Hash, d.Logs, d.Signature = r.Hash, len(r.Logs), d.twist.signature(d.signer, r)
	if d.twist.frozen {
		if d.twist.forge != nil {
			w.Put(d.Ref, d.twist.forge())
		}
		return
	}
	at := d.modified(c)
	w.Put(d.Ref, Object{Bytes: zip(raw), Metadata: d.metadata(c), Modified: at})
	if t := c.m.trail; at.After(t.LatestDigest) {
		t.LatestDigest, t.LatestLog = at, at.Add(-20*time.Minute)
	}
}

func (d *Digest) metadata(c *Chain) map[string]string {
	m := map[string]string{"signature": d.Signature, "signature-algorithm": digest.SignatureAlgorithm}
	if c.Backfill {
		m["backfill-generation-timestamp"] = d.Generated.Format(timeLayout)
	}
	if d.twist.metadata != nil {
		return d.twist.metadata(m)
	}
	return m
}

// modified is when the digest was delivered: 26 to 31 minutes after it ended.
func (d *Digest) modified(c *Chain) time.Time {
	r := stream("delivery", c.m.spec.Seed, c.Chain, d.End.Unix())
	if c.Backfill {
		return d.Generated.Add(between(r, time.Second, time.Minute))
	}
	return d.End.Add(between(r, 26*time.Minute, 31*time.Minute))
}

// asPrevious is what the next digest says of this one.
func (d *Digest) asPrevious() *digest.Previous {
	p := &digest.Previous{
		Bucket: d.Bucket, Object: d.Key, Hash: d.Hash, Algorithm: digest.HashAlgorithm, Signature: d.Signature,
	}
	if d.twist.named != "" {
		p.Signature = d.twist.named
	}
	return p
}
