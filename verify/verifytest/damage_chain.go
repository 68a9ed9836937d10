package verifytest

import (
	"time"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

// chainDamages are about how digests follow one another.
var chainDamages = []Damage{
	{
		Name: "gap", Says: "logging is stopped for two hours in one region and then started again", order: reshapes,
		Expect: "a gap of two hours; a new starting digest follows it", Exit: 3, do: gap,
	},
	{
		Name: "restart", Says: "the trail is deleted and made anew in one region: a new chain begins, at another minute", order: reshapes,
		Expect: "a gap of 17 minutes; a new starting digest follows it", Exit: 3, do: restart,
	},
	{
		Name: "chain-resigned", Says: "a log is struck from a digest, and it and all after it are signed with another's key", order: sweeps,
		Expect: "the digests from there on are unverified (key-not-found), their logs unattested", Exit: 3, do: resignChain,
	},
	{
		Name: "link-skipped", Says: "a signed digest names not the one before it but the one before that", order: changes,
		Expect: "the link is broken at that digest", Exit: 3, do: skipLink,
	},
}

// hole is how many digests a gap leaves out. The one after them is a starting
// digest: logging began again when it ends, so the gap is an hour longer.
const hole = 1

func gap(b *breaker) error {
	s, err := b.whole(hole + 1)
	if err != nil {
		return err
	}
	c := s.c
	for _, d := range c.Digests[s.i : s.i+hole+1] {
		b.never(b.logs(d)...)
	}
	for _, d := range c.Digests[s.i : s.i+hole] {
		b.never(d.Ref)
	}
	c.Digests = append(c.Digests[:s.i:s.i], c.Digests[s.i+hole:]...)
	fresh := s.digest()
	r := b.w.mustRecord(fresh)
	r.Logs, r.Previous, r.Oldest, r.Newest = nil, nil, time.Time{}, time.Time{}
	b.w.store(c, fresh, r)
	fresh.twist.change = func(r *digest.Record) { r.Previous = nil }
	b.w.relink(c, s.i+1)
	b.victim(fresh.Ref, digestExpected(verify.Kept))
	b.found(verify.Gap)
	return nil
}

// whole chooses a stretch of a chain after which nothing was damaged.
func (b *breaker) whole(n int) (spot, error) {
	return b.choose("a whole chain, long enough", func(s spot) bool {
		if s.c.Backfill || s.i < 2 || s.i+n >= len(s.c.Digests) {
			return false
		}
		for _, d := range s.c.Digests[s.i-1:] {
			if b.w.taken[d.Ref] {
				return false
			}
		}
		return true
	})
}

// never takes back what was delivered.
func (b *breaker) never(refs ...verify.Ref) {
	for _, ref := range refs {
		b.w.Delete(ref)
	}
}

// shift is how long there is no trail before it is made anew. Its starting
// digest spans the hour before that, which the last one of old had a part of.
const shift = 17*time.Minute + 23*time.Second

func restart(b *breaker) error {
	s, err := b.whole(2)
	if err != nil {
		return err
	}
	c := s.c
	for _, d := range c.Digests[s.i:] {
		b.never(b.logs(d)...)
		b.never(d.Ref)
	}
	c.Digests = c.Digests[:s.i]
	c.m.run(c, nil, c.Digests[s.i-1].End.Add(shift), s.i-1, c.m.spec.Hours)
	b.victim(s.digest().Ref, digestExpected(verify.Kept))
	b.found(verify.Gap)
	return nil
}

func resignChain(b *breaker) error {
	s, err := b.whole(2)
	if err != nil {
		return err
	}
	if s.digest().Logs == 0 {
		s.i++
	}
	if s.digest().Logs > 0 {
		b.orphaned(b.logs(s.digest())[0])
		r := b.w.mustRecord(s.digest())
		r.Logs = r.Logs[1:]
		b.w.store(s.c, s.digest(), r)
	}
	for _, d := range s.c.Digests[s.i:] {
		d.signer = attacker(s.c.Region, d.End)
		b.victim(d.Ref, digestExpected(verify.Unverified, verify.KeyNotFound))
		b.unattested(b.logs(d)...)
	}
	b.w.relink(s.c, s.i)
	return nil
}

func skipLink(b *breaker) error {
	s, err := b.middle(0)
	if err != nil {
		return err
	}
	before := s.c.Digests[s.i-2]
	s.digest().twist.change = func(r *digest.Record) { r.Previous = before.asPrevious() }
	b.w.relink(s.c, s.i)
	b.victim(s.digest().Ref, digestExpected(verify.Kept))
	b.w.taken[before.Ref], b.w.taken[s.c.Digests[s.i-1].Ref] = true, true
	b.found(verify.LinkBroken)
	return nil
}
