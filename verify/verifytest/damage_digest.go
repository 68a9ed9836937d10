package verifytest

import (
	"bytes"
	"time"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

// digestDamages befall one digest file that is not the newest.
var digestDamages = []Damage{
	bytesDamage("digest-truncated", "the checksum and length at the end of a digest are cut off", verify.Truncated, cutTrailer),
	bytesDamage("digest-appended", "bytes are appended to a digest, after its gzip member", verify.TrailingData, func(gz []byte) []byte {
		return append(gz, "junk"...)
	}),
	bytesDamage("digest-not-gzip", "a digest is stored uncompressed", verify.NotGzip, unzip),
	bytesDamage("digest-empty", "a digest is replaced by an empty file", verify.Truncated, func([]byte) []byte { return nil }),
	bytesDamage("digest-bomb", "a digest is replaced by half a MB that inflates to 512 MiB", verify.TooLarge, func([]byte) []byte {
		return bomb(512 << 20)
	}),
	{
		Name: "digest-deleted", Says: "a digest in the middle of a chain is deleted; its logs stay", order: changes,
		Expect: "the digest is deleted (not-found); its logs are unreferenced", Exit: 1, do: deleteDigest(false),
	},
	{
		Name: "backfill-deleted", Says: "a backfill digest is deleted; its logs stay", order: changes,
		Expect: "the digest is deleted (not-found); its logs are unreferenced", Exit: 1, do: deleteDigest(true),
	},
	rewriteDamage("digest-modified", "a log is struck from a digest, whose signature stays as it was",
		"the digest is modified (signature-invalid)", verify.SignatureInvalid,
		func(d *Digest, at time.Time) *signer { return nil }),
	rewriteDamage("digest-resigned", "a log is struck from a digest, which is signed with another's key and names that key",
		"the digest is modified (hash-mismatch)", verify.HashMismatch,
		func(d *Digest, at time.Time) *signer { return attacker(d.signer.public.Region, at) }),
	rewriteDamage("digest-forged-key", "a log is struck from a digest, which is signed with another's key and names the region's",
		"the digest is modified (signature-invalid)", verify.SignatureInvalid,
		func(d *Digest, at time.Time) *signer {
			s := *attacker(d.signer.public.Region, at)
			s.public = d.signer.public
			return &s
		}),
	rewriteDamage("digest-swapped", "another digest by the region's own key, with a log fewer, stands in a digest's place",
		"the digest is modified (link-mismatch)", verify.LinkMismatch,
		func(d *Digest, at time.Time) *signer { return d.signer }),
	{
		Name: "digest-copied", Says: "a digest is copied over the next one", order: changes,
		Expect: "the digest is modified (wrong-location); its logs are unreferenced", Exit: 1, do: copyDigest,
	},
}

// bytesDamage makes a digest unreadable. What it listed is not known any more.
func bytesDamage(name, says string, reason verify.Reason, change func([]byte) []byte) Damage {
	return Damage{
		Name: name, Says: says, Exit: 1, order: changes,
		Expect: "the digest is modified (" + string(reason) + "); its logs are unreferenced",
		do: func(b *breaker) error {
			s, err := b.middle(1)
			if err != nil {
				return err
			}
			o, _ := b.w.Get(s.digest().Ref)
			o.Bytes = change(bytes.Clone(o.Bytes))
			b.replace(s.digest(), o, digestExpected(verify.Modified, reason))
			b.orphaned(b.logs(s.digest())...)
			return nil
		},
	}
}

// replace puts something in a digest's place.
func (b *breaker) replace(d *Digest, o Object, e Expected) {
	b.w.freeze(d)
	b.w.Put(d.Ref, o)
	b.victim(d.Ref, e)
}

func deleteDigest(backfill bool) func(*breaker) error {
	return func(b *breaker) error {
		s, err := b.middle(1)
		if backfill {
			s, err = b.choose("a whole backfill digest with one after it", func(s spot) bool {
				return s.c.Backfill && s.i+1 < len(s.c.Digests) && !b.w.taken[s.digest().Ref] && !b.w.taken[s.next().Ref]
			})
		}
		if err != nil {
			return err
		}
		b.remove(s.digest(), digestExpected(verify.Deleted, verify.NotFound))
		b.orphaned(b.logs(s.digest())...)
		return nil
	}
}

// remove deletes a digest.
func (b *breaker) remove(d *Digest, e Expected) {
	b.w.freeze(d)
	b.w.Delete(d.Ref)
	b.victim(d.Ref, e)
}

// rewriteDamage strikes the first log from a digest and signs it with the key
// that sign gives; nil leaves the signature that was there. The next digest
// knows nothing of it.
func rewriteDamage(name, says, expect string, reason verify.Reason, sign func(d *Digest, at time.Time) *signer) Damage {
	return Damage{
		Name: name, Says: says, Exit: 1, order: changes,
		Expect: expect + "; the logs it still lists are unattested, the one that it lists no more is unreferenced",
		do: func(b *breaker) error {
			s, err := b.middle(2)
			if err != nil {
				return err
			}
			d, logs := s.digest(), b.logs(s.digest())
			d.twist.forge = func() Object { return b.w.forge(s.c, d, sign(d, d.End)) }
			b.replace(d, d.twist.forge(), digestExpected(verify.Modified, reason))
			b.orphaned(logs[0])
			b.unattested(logs[1:]...)
			return nil
		},
	}
}

// forge makes another digest for the place of one, without its first log.
func (w *World) forge(c *Chain, d *Digest, by *signer) Object {
	r := w.mustRecord(d)
	r.Logs = r.Logs[1:]
	if by != nil {
		r.Fingerprint = by.public.Fingerprint
	}
	raw := encode(r)
	r.Hash = digest.Sum(raw)
	o := Object{Bytes: zip(raw), Metadata: d.metadata(c), Modified: d.modified(c).Add(time.Hour)}
	if by != nil {
		o.Metadata["signature"] = by.sign(r)
	}
	return o
}

func copyDigest(b *breaker) error {
	s, err := b.stretch(2, 1)
	if err != nil {
		return err
	}
	o, _ := b.w.Get(s.digest().Ref)
	b.replace(s.next(), o, digestExpected(verify.Modified, verify.WrongLocation))
	b.orphaned(b.logs(s.next())...)
	b.w.taken[s.digest().Ref] = true
	return nil
}
