package verifytest

import (
	"errors"
	"strings"
	"time"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

// stretchDamages take many files at once.
var stretchDamages = []Damage{
	{
		Name: "tail-cut", Says: "the newest digests of one chain are deleted with their logs", order: sweeps,
		Expect: "the chain is stale, where another chain or --end reaches further", Exit: 3, do: cutTail,
	},
	{
		Name: "head-expired", Says: "all that is older than some hours is deleted, as a lifecycle rule does", order: heads,
		Expect: "nothing over what is left; where the window reaches back, the newest digest that is gone is deleted (not-found)",
		Exit:   0, do: expireHead,
	},
	{
		Name: "logs-and-digests-deleted", Says: "three digests in the middle of a chain are deleted with their logs", order: changes,
		Expect: "the last of them is deleted (not-found), for the next digest names it; their time is not covered", Exit: 1, do: deleteBoth,
	},
	{
		Name: "all-digests-deleted", Says: "every digest is deleted; the logs stay", order: regions,
		Expect: "no digests; every log is unreferenced", Exit: 3, do: deleteAll,
	},
}

// tail is how many digests a cut takes: enough that one is overdue.
func tail(c *Chain) int { return min(max(c.m.spec.Hours/4, 3), 6) }

func cutTail(b *breaker) error {
	s, err := b.choose("a chain of more than four digests with whole newest ones", func(s spot) bool {
		n := tail(s.c)
		if s.c.Backfill || s.i != len(s.c.Digests)-n || s.i < 2 {
			return false
		}
		for _, d := range s.c.Digests[s.i-1:] {
			if b.w.taken[d.Ref] {
				return false
			}
		}
		return true
	})
	if err != nil {
		return err
	}
	for _, d := range s.c.Digests[s.i:] {
		logs := b.logs(d)
		b.remove(d, Expected{silent: true})
		b.forgotten(logs...)
	}
	b.found(verify.Stale)
	return nil
}

// expired is how many digests of a chain, the starting one included, are gone.
const expired = 3

func expireHead(b *breaker) error {
	first := b.w.Window().Start
	for _, c := range b.w.chains {
		for i, d := range c.Digests {
			if i < expired+1 && b.w.taken[d.Ref] || !c.Backfill && len(c.Digests) < 2*expired {
				return errors.New("the trail is too small, or damaged at its beginning already")
			}
		}
	}
	before := first.Add(expired * time.Hour)
	for _, c := range b.w.chains {
		for _, d := range c.Digests {
			if d.End.Before(before) {
				logs := b.logs(d)
				b.remove(d, Expected{Kind: "digest", Verdicts: []verify.Verdict{verify.Deleted}, Optional: true})
				b.forgotten(logs...)
			}
		}
	}
	return nil
}

func deleteBoth(b *breaker) error {
	const n = 3
	s, err := b.stretch(n, 0)
	if err != nil {
		return err
	}
	for i, d := range s.c.Digests[s.i : s.i+n] {
		e := Expected{silent: true}
		if i == n-1 {
			e = digestExpected(verify.Deleted, verify.NotFound)
		}
		logs := b.logs(d)
		b.remove(d, e)
		b.forgotten(logs...)
	}
	return nil
}

func deleteAll(b *breaker) error {
	if len(b.w.taken) > 0 {
		return errors.New("the trail is damaged already, and this leaves nothing of that")
	}
	for _, c := range b.w.chains {
		for _, d := range c.Digests {
			b.orphaned(b.logs(d)...)
			b.remove(d, Expected{silent: true})
		}
	}
	// What is empty is no folder, in S3 or in a copy of it.
	for _, bucket := range b.w.Buckets() {
		for key := range b.w.Scan(bucket, "") {
			if strings.HasSuffix(key, "/"+digest.DigestFolder+"/") {
				b.w.Delete(verify.Ref{Bucket: bucket, Key: key})
			}
		}
	}
	b.found(verify.NoDigests)
	b.found(verify.Nothing)
	return nil
}
