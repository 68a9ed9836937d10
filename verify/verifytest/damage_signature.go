package verifytest

import (
	"crypto"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

// signatureDamages leave the content of the digests as it was.
var signatureDamages = []Damage{
	{
		Name: "signature-stripped", Says: "the metadata of a digest is lost, as an upload loses it", order: changes,
		Expect: "nothing: the digest is kept (signature-recovered)", Exit: 0,
		do: metadataDamage((*breaker).middleOne, digestExpected(verify.Kept, verify.SignatureRecovered), nil),
	},
	{
		Name: "signature-wrong", Says: "the signature in the metadata of a digest is changed", order: changes,
		Expect: "nothing: the digest is kept (signature-recovered)", Exit: 0,
		do: metadataDamage((*breaker).middleOne, digestExpected(verify.Kept, verify.SignatureRecovered), flipSignature),
	},
	{
		Name: "signature-stripped-newest", Says: "the metadata of the newest digest of a chain is lost", order: changes,
		Expect: "the digest is unverified (signature-missing), its logs unattested", Exit: 3,
		do: metadataDamage((*breaker).newestOne, digestExpected(verify.Unverified, verify.SignatureMissing), nil),
	},
	{
		Name: "signature-wrong-newest", Says: "the signature in the metadata of the newest digest is changed", order: changes,
		Expect: "the digest is modified (signature-invalid), its logs unattested", Exit: 1,
		do: metadataDamage((*breaker).newestOne, digestExpected(verify.Modified, verify.SignatureInvalid), flipSignature),
	},
	{
		Name: "md5-signature", Says: "a digest is signed over MD5, by the region's key, and says that it is SHA-256", order: changes,
		Expect: "the digest is modified (signature-invalid), its logs unattested", Exit: 1,
		do: twistDamage(digestExpected(verify.Modified, verify.SignatureInvalid), func(b *breaker, s spot) {
			s.digest().twist.hash = crypto.MD5
		}),
	},
	{
		Name: "algorithm-md5", Says: "a digest says that it is signed with MD5withRSA, and is", order: changes,
		Expect: "the digest is unverified (algorithm-unsupported), its logs unattested", Exit: 3,
		do: twistDamage(digestExpected(verify.Unverified, verify.AlgorithmUnsupported), func(b *breaker, s spot) {
			s.digest().twist.hash = crypto.MD5
			s.digest().twist.change = func(r *digest.Record) { r.SignatureAlgorithm = "MD5withRSA" }
		}),
	},
	{
		Name: "wrong-region-key", Says: "a digest is signed with the key of another region", order: changes,
		Expect: "the digest is unverified (key-not-found), its logs unattested", Exit: 3,
		do: twistDamage(digestExpected(verify.Unverified, verify.KeyNotFound), func(b *breaker, s spot) {
			d := s.digest()
			other := b.otherRegion(s.c.Region)
			if _, known := b.w.keys[other]; !known {
				b.w.publish(other, d.Start, d.End)
			}
			d.signer = signerAt(other, d.End, 0)
		}),
	},
	{
		Name: "digest-redelivered", Says: "a digest is the same and signed anew: the next one names another signature", order: changes,
		Expect: "nothing: the digest is kept (redelivered)", Exit: 0, do: redeliver,
	},
}

func (b *breaker) middleOne() (spot, error) { return b.middle(1) }
func (b *breaker) newestOne() (spot, error) { return b.newest() }

// metadataDamage changes the metadata of a digest; nil takes it away.
func metadataDamage(pick func(*breaker) (spot, error), e Expected, change func(map[string]string)) func(*breaker) error {
	return func(b *breaker) error {
		s, err := pick(b)
		if err != nil {
			return err
		}
		s.digest().twist.metadata = func(m map[string]string) map[string]string {
			if change == nil {
				return nil
			}
			change(m)
			return m
		}
		b.w.relink(s.c, s.i)
		b.victim(s.digest().Ref, e)
		if e.Verdicts[0] != verify.Kept {
			b.unattested(b.logs(s.digest())...)
		}
		return nil
	}
}

func flipSignature(m map[string]string) {
	sig := []byte(m["signature"])
	sig[10] = "0123456789abcdef"[(sig[10]+1)%16]
	m["signature"] = string(sig)
}

// twistDamage changes how a digest is made; the ones after it link to what it
// became.
func twistDamage(e Expected, change func(*breaker, spot)) func(*breaker) error {
	return func(b *breaker) error {
		s, err := b.middle(1)
		if err != nil {
			return err
		}
		logs := b.logs(s.digest())
		change(b, s)
		b.w.relink(s.c, s.i)
		b.victim(s.digest().Ref, e)
		b.unattested(logs...)
		return nil
	}
}

// otherRegion is another region of the world, or some other region.
func (b *breaker) otherRegion(region string) string {
	for _, c := range b.w.chains {
		if c.Region != region {
			return c.Region
		}
	}
	if region == "us-east-1" {
		return "eu-west-1"
	}
	return "us-east-1"
}

// redeliver makes the next digest name the signature that the region's key
// before would have made over the same words.
func redeliver(b *breaker) error {
	s, err := b.middle(1)
	if err != nil {
		return err
	}
	s.digest().twist.also = signerAt(s.c.Region, s.digest().End, 1)
	b.w.relink(s.c, s.i)
	b.victim(s.digest().Ref, digestExpected(verify.Kept, verify.Redelivered))
	return nil
}
