package source

import (
	"iter"

	"github.com/trailseal/trailseal/verify"
)

// merge makes one listing of several in the order of keys. Of equal keys the
// first listing's counts.
func merge(all []iter.Seq2[verify.Entry, error]) iter.Seq2[verify.Entry, error] {
	if len(all) == 1 {
		return all[0]
	}
	return func(yield func(verify.Entry, error) bool) {
		heads := make([]head, 0, len(all))
		for _, one := range all {
			next, stop := iter.Pull2(one)
			defer stop()
			heads = append(heads, head{next: next}.forward())
		}
		last, some := "", false
		for {
			least := -1
			for i, h := range heads {
				if h.ok && (h.err != nil || least < 0 || heads[least].err == nil && h.entry.Key < heads[least].entry.Key) {
					least = i
				}
			}
			if least < 0 {
				return
			}
			h := heads[least]
			if h.err != nil {
				yield(verify.Entry{}, h.err)
				return
			}
			heads[least] = h.forward()
			if some && h.entry.Key == last {
				continue
			}
			if last, some = h.entry.Key, true; !yield(h.entry, nil) {
				return
			}
		}
	}
}

// A head is the next entry of one listing.
type head struct {
	next  func() (verify.Entry, error, bool)
	entry verify.Entry
	err   error
	ok    bool
}

func (h head) forward() head {
	h.entry, h.err, h.ok = h.next()
	return h
}
