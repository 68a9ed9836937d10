package verify_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// Whatever was done to a bucket that keeps versions, looking through them makes no
// run better than it is without, and gives one report however much is in flight.
func TestVersionsExcuseNothing(t *testing.T) {
	for seed := range uint64(25) {
		w := mint(t, oneRegion)
		w.Version(bucket)
		w.Hand(theft, thief)
		rnd := rand.New(rand.NewPCG(seed, 7))
		digests := w.Chains()[0].Digests
		var refs []verify.Ref
		for _, d := range digests {
			refs = append(refs, d.Ref)
		}
		refs = append(refs, w.Logs()...)
		for range 1 + rnd.IntN(12) {
			ref := refs[rnd.IntN(len(refs))]
			if rnd.IntN(2) == 0 {
				ref = digests[rnd.IntN(len(digests))].Ref
			}
			other, _ := w.Get(digests[rnd.IntN(len(digests))].Ref)
			switch rnd.IntN(6) {
			case 0, 1:
				w.Delete(ref)
			case 2:
				if _, ok := w.Get(ref); ok {
					w.Put(ref, forged(w, ref))
				}
			case 3:
				w.Put(ref, other)
			case 4:
				w.Put(ref, other)
				w.Delete(ref)
			case 5:
				if all := w.Versions(ref); len(all) > 0 {
					w.Delete(ref)
					w.DeleteVersion(ref, all[len(all)-1].ID)
				}
			}
		}
		plain := judge(t, request(w, verifytest.NewStore(w)))
		var first string
		for _, n := range []int{1, 3, 64} {
			r := rescue(t, w, func(r *verify.Request) { r.InFlight = n })
			if (r.summary.Exit == 0) != (plain.summary.Exit == 0) || plain.summary.Exit == 1 && r.summary.Exit != 1 {
				t.Errorf("seed %d:\n%s\nwithout versions:\n%s", seed, r, plain)
			}
			for _, f := range plain.files {
				g := r.find(f.URI)
				if g.Verdict == verify.Kept && f.Verdict != verify.Unattested && f.Verdict != verify.Unreferenced && f.Verdict != verify.Pending && f.Verdict != verify.Kept {
					t.Errorf("seed %d: %s was %s and is kept", seed, f.URI, f.Verdict)
				}
			}
			if first == "" {
				first = r.String()
			}
			if r.String() != first {
				t.Errorf("seed %d: with %d in flight:\n%s\nelse\n%s", seed, n, r, first)
			}
		}
	}
}

// Of an honest bucket versions tell nothing, wherever the window is cut, whenever
// the run is, and whatever is filtered; nor where each file was stored twice.
func TestVersionsAccuseNobody(t *testing.T) {
	for _, twice := range []bool{false, true} {
		w := mint(t, nil)
		for _, b := range w.Buckets() {
			w.Version(b)
		}
		if twice {
			for _, c := range w.Chains() {
				for _, d := range c.Digests {
					o, _ := w.Get(d.Ref)
					w.Put(d.Ref, o)
				}
			}
			for _, ref := range w.Logs() {
				o, _ := w.Get(ref)
				w.Put(ref, o)
			}
		}
		for cut := range 12 {
			for _, trail := range []string{"", w.Chains()[0].Trail, "no-such"} {
				req := request(w, verifytest.NewStore(w))
				req.Window.Start = req.Window.Start.Add(time.Duration(cut) * 47 * time.Minute)
				req.Window.End = req.Window.End.Add(-time.Duration(cut) * 31 * time.Minute)
				req.Now = req.Now.Add(-time.Duration(cut%3) * 50 * time.Minute)
				if trail != "" {
					req.Filter.Trails = []string{trail}
				}
				plain := judge(t, req)
				req.Store, req.Versions = verifytest.NewStore(w), true
				if with := judge(t, req); with.String() != plain.String() {
					t.Errorf("twice %v, cut %d, trail %q:\n%s\nwithout versions:\n%s", twice, cut, trail, with, plain)
				}
			}
		}
	}
}
