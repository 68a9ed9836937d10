package verifytest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

// A Damage is one way in which a trail comes to harm.
type Damage struct {
	Name   string
	Says   string // what is done
	Expect string // what verify reports
	Exit   int    // the exit status of a run over all that is left, with its metadata and keys

	order int // damages done together are done in this order
	do    func(*breaker) error
}

// The order of damages done together: first those that take whole regions or
// the beginning of every chain, then those that write a chain anew from some
// digest on, then its end, and last what needs only a few digests.
const (
	regions = iota
	heads
	reshapes
	sweeps
	changes
)

// Damages lists every damage, by name.
func Damages() []Damage {
	all := slices.Concat(logDamages, digestDamages, signatureDamages, chainDamages, stretchDamages, keyDamages, jsonDamages, nameDamages)
	slices.SortFunc(all, func(a, b Damage) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// FindDamage finds a damage by its name.
func FindDamage(name string) (Damage, bool) {
	all := Damages()
	i := slices.IndexFunc(all, func(d Damage) bool { return d.Name == name })
	if i < 0 {
		return Damage{}, false
	}
	return all[i], true
}

// Damage breaks the world in each of the ways named, each in a place of its
// own. The same world is always broken in the same places, which Victims
// holds. After an error the world is of no use.
func (w *World) Damage(names ...string) error {
	var chosen []Damage
	for _, name := range names {
		d, ok := FindDamage(name)
		if !ok {
			return fmt.Errorf("there is no damage %q", name)
		}
		chosen = append(chosen, d)
	}
	slices.SortStableFunc(chosen, func(a, b Damage) int { return a.order - b.order })
	for _, d := range chosen {
		if w.Victims[d.Name] != nil {
			return fmt.Errorf("damage %s: done already", d.Name)
		}
		b := &breaker{w: w, name: d.Name, rand: stream("damage", w.seed, d.Name)}
		if err := d.do(b); err != nil {
			return fmt.Errorf("damage %s: %w", d.Name, err)
		}
		w.Victims[d.Name] = b.victims
	}
	return nil
}

// A breaker does one damage.
type breaker struct {
	w       *World
	name    string
	rand    *rand.Rand
	victims []verify.Ref
}

// A spot is one digest in its chain.
type spot struct {
	c *Chain
	i int
}

func (s spot) digest() *Digest { return s.c.Digests[s.i] }
func (s spot) next() *Digest   { return s.c.Digests[s.i+1] }

// middle chooses a digest with at least so many logs that has two digests
// before and after it, and whose neighbours are whole.
func (b *breaker) middle(logs int) (spot, error) { return b.stretch(1, logs) }

// stretch chooses n digests in a row, likewise, and gives the first.
func (b *breaker) stretch(n, logs int) (spot, error) {
	return b.choose(fmt.Sprintf("%d digests in a row, each with %d logs, with whole ones around them", n, logs),
		func(s spot) bool {
			if s.c.Backfill || s.i < 2 || s.i+n+1 >= len(s.c.Digests) {
				return false
			}
			for i, d := range s.c.Digests[s.i-1 : s.i+n+1] {
				if b.w.taken[d.Ref] || 0 < i && i <= n && d.Logs < logs {
					return false
				}
			}
			return true
		})
}

// newest chooses the newest digest of a chain.
func (b *breaker) newest() (spot, error) {
	return b.choose("a chain whose newest digests are whole", func(s spot) bool {
		n := len(s.c.Digests)
		return !s.c.Backfill && s.i == n-1 && n > 2 && !b.w.taken[s.digest().Ref] && !b.w.taken[s.c.Digests[n-2].Ref]
	})
}

func (b *breaker) choose(what string, fits func(spot) bool) (spot, error) {
	var fitting []spot
	for _, c := range b.w.chains {
		for i := range c.Digests {
			if s := (spot{c, i}); fits(s) {
				fitting = append(fitting, s)
			}
		}
	}
	if len(fitting) == 0 {
		return spot{}, fmt.Errorf("the trail is too small, or too damaged already: it needs %s", what)
	}
	return fitting[b.rand.IntN(len(fitting))], nil
}

// victim notes what was touched. No later damage takes it.
func (b *breaker) victim(ref verify.Ref, e Expected) {
	b.victims = append(b.victims, ref)
	b.expect(ref, e)
}

// expect notes what is to be reported of something, touched or not.
func (b *breaker) expect(ref verify.Ref, e Expected) {
	b.w.taken[ref] = true
	b.w.expected[ref] = e
}

// logs are the log files that CloudTrail listed in a digest.
func (b *breaker) logs(d *Digest) []verify.Ref {
	var refs []verify.Ref
	for _, l := range b.w.mustRecord(d).Logs {
		refs = append(refs, logRef(l))
	}
	return refs
}

func logRef(l digest.Log) verify.Ref { return verify.Ref{Bucket: l.Bucket, Key: l.Object} }

// unattested: a digest still lists these logs, but is not trusted.
func (b *breaker) unattested(refs ...verify.Ref) {
	for _, ref := range refs {
		b.expect(ref, logExpected(verify.Unattested, verify.DigestNotTrusted))
	}
}

// orphaned: no digest lists these logs any more.
func (b *breaker) orphaned(refs ...verify.Ref) {
	for _, ref := range refs {
		b.expect(ref, Expected{byAge: true})
	}
}

// forgotten: these are gone, and so is all that spoke of them.
func (b *breaker) forgotten(refs ...verify.Ref) {
	for _, ref := range refs {
		b.w.Delete(ref)
		b.victim(ref, Expected{silent: true})
	}
}

// found notes that the damage leaves something to be found on a chain.
func (b *breaker) found(kind verify.FindingKind) { b.w.Findings = append(b.w.Findings, kind) }
