package verifytest

import (
	"crypto"

	"github.com/trailseal/trailseal/digest"
)

// A twist is how a digest differs from an honest one. What is twisted when it
// is written is signed as it is and linked to by the next digest, so that
// nothing else is wrong with the chain.
type twist struct {
	change   func(*digest.Record)                      // of the record, last of all
	raw      func([]byte) []byte                       // of the uncompressed bytes
	hash     crypto.Hash                               // signed over instead of SHA-256
	also     *signer                                   // whose signature over it the next digest names
	named    string                                    // that signature
	metadata func(map[string]string) map[string]string // of the stored object
	wrote    *digest.Record                            // what CloudTrail wrote, where that cannot be read back
	frozen   bool                                      // something else stands in its place
	forge    func() Object                             // makes that anew when the chain before it changes
}

// apply makes the bytes of a digest and remembers the record where they do
// not tell it.
func (t *twist) apply(r *digest.Record) []byte {
	if t.raw != nil || t.frozen {
		wrote := *r
		t.wrote = &wrote
	}
	if t.change != nil {
		t.change(r)
	}
	raw := encode(r)
	if t.raw != nil {
		raw = t.raw(raw)
	}
	return raw
}

func (t *twist) signature(s *signer, r *digest.Record) string {
	if t.also != nil {
		t.named = t.also.sign(r)
	}
	if t.hash == crypto.MD5 {
		return s.signMD5(r)
	}
	return s.sign(r)
}

// relink writes a chain anew from the i-th digest on, after that one or the
// one before it has changed.
func (w *World) relink(c *Chain, i int) {
	for ; i < len(c.Digests); i++ {
		d := c.Digests[i]
		r := w.mustRecord(d)
		if i > 0 {
			r.Previous = c.Digests[i-1].asPrevious()
		}
		w.store(c, d, r)
	}
	c.last = c.Digests[len(c.Digests)-1].asPrevious()
}

// freeze leaves what stands at a digest's place to a damage.
func (w *World) freeze(d *Digest) {
	d.twist.wrote = w.mustRecord(d)
	d.twist.frozen = true
}
