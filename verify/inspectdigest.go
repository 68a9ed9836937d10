package verify

import (
	"fmt"
	"slices"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// digestFacts are what a digest says, and the checks as far as they are made of
// the digest itself and of those that name it.
func digestFacts(d *sight, s Store) *DigestFacts {
	c := d.name.Chain
	f := &DigestFacts{
		Organization: c.Organization, Account: c.Account, Region: c.Region, Trail: c.Trail, HomeRegion: c.HomeRegion,
		Backfill: c.Backfill, Generated: d.meta[generatedAt], Signature: d.signature(),
	}
	if r := d.record; r != nil {
		f.Bucket, f.Key, f.Starting, f.Lists = r.Bucket, r.Object, r.Previous == nil, len(r.Logs)
		f.Start, f.End, f.Oldest, f.Newest = stamp(r.Start), stamp(r.End), stamp(r.Oldest), stamp(r.Newest)
		f.Fingerprint, f.StringToSign = r.Fingerprint, r.StringToSign()
		if r.Previous != nil {
			f.Previous = &Neighbour{URI: Ref{r.Previous.Bucket, r.Previous.Object}.URI()}
		}
	}
	if d.key != nil {
		f.KeyStart, f.KeyEnd = stamp(d.key.Start), stamp(d.key.End)
	}
	if f.Signature != "" {
		f.SignatureFrom = "metadata"
	}
	if signature, carrier := d.proven(); carrier != nil {
		f.Signature, f.SignatureFrom = signature, "next-digest"
	}
	f.Checks = append(d.contentChecks(s), d.keyChecks()...)
	f.Checks = append(f.Checks, d.signatureCheck())
	f.Checks = append(f.Checks, d.nextChecks()...)
	return f
}

// proven is the signature that holds over the digest, and the digest that carries
// it where it is not its own metadata. It is empty where none is known to hold.
func (d *sight) proven() (signature string, carrier *sight) {
	if d.own == sigHolds {
		return d.signature(), nil
	}
	if d.recovered != sigHolds {
		return "", nil
	}
	for _, n := range d.nexts {
		if s := n.record.Previous.Signature; d.checkSignature(s) == sigHolds {
			return s, n
		}
	}
	return "", nil
}

// outcome is a check that holds where nothing is wrong.
func outcome(name string, wrong error) Check {
	if wrong != nil {
		return Check{name, CheckFails, wrong.Error()}
	}
	return Check{Name: name, Outcome: CheckHolds}
}

func unknown(why string, names ...string) (all []Check) {
	for _, name := range names {
		all = append(all, Check{name, CheckUnknown, why})
	}
	return all
}

// contentChecks are about the object and what is in it.
func (d *sight) contentChecks(s Store) []Check {
	rest := CheckNames[1:6]
	switch {
	case isMissing(d.err):
		return append([]Check{{"read", CheckFails, "the store says that it does not exist"}}, unknown("", rest...)...)
	case d.err != nil:
		return append([]Check{{"read", CheckUnknown, d.err.Error()}}, unknown("", rest...)...)
	case d.altered != nil:
		return append([]Check{{"read", CheckFails, d.altered.Detail}}, unknown("", rest...)...)
	}
	checks := []Check{{Name: "read", Outcome: CheckHolds}}
	if d.content.Form != digest.Exact {
		return append(append(checks, Check{"gzip", CheckFails, d.content.Form.String()}), unknown("", rest[1:]...)...)
	}
	checks = append(checks, Check{Name: "gzip", Outcome: CheckHolds, Detail: "exactly one gzip member"})
	if d.record == nil {
		return append(append(checks, Check{"json", CheckFails, d.fault.detail}), unknown("", rest[2:]...)...)
	}
	var place, algorithms error
	if stated := (Ref{d.record.Bucket, d.record.Object}); !s.Holds(d.found, stated) {
		place = fmt.Errorf("it was written to %.1200q", stated.URI())
	}
	if a := d.record.SignatureAlgorithm; a != digest.SignatureAlgorithm {
		algorithms = fmt.Errorf("it is signed with %.40q", a)
	}
	if p := d.record.Previous; p != nil && p.Algorithm != digest.HashAlgorithm {
		algorithms = fmt.Errorf("it gives the hash of the one before in %.40q", p.Algorithm)
	}
	return append(checks, outcome("json", nil), outcome("place", place), outcome("name", d.name.Stated(d.record)), outcome("algorithms", algorithms))
}

// keyChecks are about the key that it names.
func (d *sight) keyChecks() []Check {
	switch {
	case d.key != nil:
		return []Check{
			{"key", CheckHolds, fmt.Sprintf("%s is one of %s", d.key.Fingerprint, d.name.Chain.Region)},
			{"key-validity", CheckHolds, fmt.Sprintf("valid from %s to %s", d.key.Start.Format(time.RFC3339), d.key.End.Format(time.RFC3339))},
		}
	case slices.Contains(d.fault.reasons, KeyNotFound):
		return []Check{{"key", CheckFails, d.fault.detail}, {"key-validity", CheckUnknown, ""}}
	case slices.Contains(d.fault.reasons, KeyNotValidThen):
		return []Check{{"key", CheckHolds, "fingerprint " + d.record.Fingerprint}, {"key-validity", CheckFails, d.fault.detail}}
	case slices.Contains(d.fault.reasons, KeysUnavailable):
		return unknown(d.fault.detail, "key", "key-validity")
	}
	return unknown("", "key", "key-validity")
}

func (d *sight) signatureCheck() Check {
	switch {
	case d.own == sigHolds:
		return Check{Name: "signature", Outcome: CheckHolds}
	case d.own == sigWrong:
		return Check{"signature", CheckFails, "it was not made by that key, or not for this content and place"}
	case d.signature() == "":
		return Check{"signature", CheckUnknown, "no signature is in its metadata"}
	}
	return Check{"signature", CheckUnknown, "there is no key to check it with"}
}

// nextChecks are about what the next digest says of it.
func (d *sight) nextChecks() []Check {
	next := d.next()
	switch {
	case next == nil && len(d.nexts) > 0:
		return unknown("only a digest that is not trusted names it as the one before", "next-hash", "next-signature")
	case next == nil:
		return unknown("no digest that was read names it as the one before", "next-hash", "next-signature")
	case d.record == nil:
		return unknown("", "next-hash", "next-signature")
	}
	p := next.record.Previous
	hash := Check{Name: "next-hash", Outcome: CheckHolds}
	if p.Hash != d.record.Hash {
		hash = Check{"next-hash", CheckFails, "the next digest names " + p.Hash.String()}
	}
	signature := Check{Name: "next-signature", Outcome: CheckHolds}
	switch {
	case p.Signature == d.signature():
		signature.Detail = "it names the same"
	case d.recovered == sigHolds:
		signature.Detail = "the one that it names holds"
	case d.own == sigHolds:
		signature.Detail = "it names another, for the same content: the digest was delivered again"
	case d.key != nil:
		signature = Check{"next-signature", CheckFails, "the next digest names another, which does not hold"}
	default:
		signature = unknown("there is no key to check it with", "next-signature")[0]
	}
	return []Check{hash, signature}
}

// neighbours adds the digests before and after, and the check of the one before.
func (c *closeLook) neighbours() {
	check := Check{"previous", CheckUnknown, "the digest before it was not read"}
	if c.facts.Starting {
		check = Check{"previous", CheckHolds, "it begins a chain: none is before it"}
	}
	for _, n := range c.near {
		switch {
		case n.names:
			if c.facts.Next == nil || n.trusted && c.facts.Next.Verdict != Kept {
				c.facts.Next = &n.Neighbour
			}
		case c.facts.Previous != nil:
			c.facts.Previous = &n.Neighbour
			check = c.previous(n)
		}
	}
	if c.facts.End == nil {
		check = Check{Name: "previous", Outcome: CheckUnknown}
	}
	c.facts.Checks = append(c.facts.Checks, check)
}

func (c *closeLook) previous(n *nearby) Check {
	switch {
	case n.missing:
		return Check{"previous", CheckFails, "the digest before it does not exist"}
	case !n.read:
		return Check{"previous", CheckUnknown, "the digest before it could not be read, or is none"}
	case n.hash != c.whole.record.Previous.Hash:
		return Check{"previous", CheckFails, "the digest before it has another content: " + n.hash.String()}
	}
	return Check{"previous", CheckHolds, "the digest before it is there, and is what this one names"}
}
