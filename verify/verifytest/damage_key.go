package verifytest

import (
	"slices"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

// keyDamages befall the public keys of one region. Its digests stay as they
// were.
var keyDamages = []Damage{
	keyDamage("key-expired", "the keys of a region are published as valid until six years before", verify.KeyNotValidThen,
		func(k *digest.PublicKey) bool {
			k.Start, k.End = k.Start.AddDate(-6, 0, 0), k.End.AddDate(-6, 0, 0)
			return true
		}),
	keyDamage("key-not-yet-valid", "the keys of a region are published as valid from a year later", verify.KeyNotValidThen,
		func(k *digest.PublicKey) bool {
			k.Start, k.End = k.Start.AddDate(1, 0, 0), k.End.AddDate(1, 0, 0)
			return true
		}),
	keyDamage("key-missing", "the keys of a region are not published", verify.KeyNotFound,
		func(*digest.PublicKey) bool { return false }),
}

// keyDamage changes every published key of a region; false takes it away.
func keyDamage(name, says string, reason verify.Reason, change func(*digest.PublicKey) bool) Damage {
	return Damage{
		Name: name, Says: says, Exit: 3, order: regions,
		Expect: "the region's digests are unverified (" + string(reason) + "), their logs unattested",
		do: func(b *breaker) error {
			s, err := b.choose("a region in which all is whole", func(s spot) bool { return !b.damaged(s.c.Region) })
			if err != nil {
				return err
			}
			var keys []digest.PublicKey
			for _, k := range b.w.keys[s.c.Region] {
				if change(&k) {
					keys = append(keys, k)
				}
			}
			b.w.keys[s.c.Region] = keys
			// A source that gives only the keys of the time asked has none.
			b.distrust(s.c.Region, reason, verify.KeyNotFound)
			return nil
		},
	}
}

func (b *breaker) damaged(region string) bool {
	return slices.ContainsFunc(b.w.chains, func(c *Chain) bool {
		return c.Region == region && slices.ContainsFunc(c.Digests, func(d *Digest) bool { return b.w.taken[d.Ref] })
	})
}

// distrust expects that nothing confirms the digests of a region.
func (b *breaker) distrust(region string, reasons ...verify.Reason) {
	for _, c := range b.w.chains {
		if c.Region != region {
			continue
		}
		for _, d := range c.Digests {
			b.victim(d.Ref, digestExpected(verify.Unverified, reasons...))
			b.unattested(b.logs(d)...)
		}
	}
}
