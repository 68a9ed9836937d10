package verify_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"testing"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// harms are ways in which one digest of a versioned bucket comes to harm.
var harms = []func(w *verifytest.World, c *verifytest.Chain, i int){
	func(*verifytest.World, *verifytest.Chain, int) {},
	func(w *verifytest.World, c *verifytest.Chain, i int) { w.Delete(c.Digests[i].Ref) },
	func(w *verifytest.World, c *verifytest.Chain, i int) {
		w.Put(c.Digests[i].Ref, verifytest.Object{Bytes: []byte("encrypted; pay")})
	},
	func(w *verifytest.World, c *verifytest.Chain, i int) { // another hour's, which CloudTrail signed as well
		other := w.Versions(c.Digests[(i+1)%len(c.Digests)].Ref)
		w.Put(c.Digests[i].Ref, other[len(other)-1].Object)
	},
	func(w *verifytest.World, c *verifytest.Chain, i int) { // its signature is lost
		o, _ := w.Get(c.Digests[i].Ref)
		o.Metadata = nil
		w.Put(c.Digests[i].Ref, o)
	},
	func(w *verifytest.World, c *verifytest.Chain, i int) {
		w.Put(c.Digests[i].Ref, forged(w, c.Digests[i].Ref))
		w.Delete(c.Digests[i].Ref)
	},
}

// An unlistable store tells what it is asked for by name, and lists no delete markers.
type unlistable struct{ *verifytest.Store }

func (unlistable) Hidden(context.Context, verify.Ref, string, string) iter.Seq2[verify.Entry, error] {
	return func(yield func(verify.Entry, error) bool) {
		yield(verify.Entry{}, verifytest.Unreadable("versions", verify.AccessDenied))
	}
}

// However many digests come to harm, in whatever order of ways: each is named and
// recovered or kept all the same, and each log that is there is kept, at every
// concurrency alike.
func TestRecoverAnyMixOfDigests(t *testing.T) {
	for seed := range uint64(60) {
		blind := seed%2 == 1
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 1))
			harmed, pattern := map[string]int{}, ""
			w := robbed(t, func(w *verifytest.World, c *verifytest.Chain) {
				for i, d := range c.Digests[:len(c.Digests)-1] {
					if i == 0 {
						continue // it lies before the window
					}
					if how := random.IntN(2) * random.IntN(len(harms)); how > 0 {
						harms[how](w, c, i)
						harmed[d.URI()] = how
						pattern += fmt.Sprintf(" %d:%d", i, how)
					}
				}
			})
			run := func(n int) *recorder {
				return rescue(t, w, func(r *verify.Request) {
					if r.InFlight = n; blind {
						r.Store = unlistable{r.Store.(*verifytest.Store)}
					}
				})
			}
			one, many := run(1), run(64)
			if one.String() != many.String() {
				t.Errorf("one at a time:\n%s\nmany:\n%s", one, many)
			}
			seen := map[string]bool{}
			for i, f := range many.files {
				if seen[f.URI] {
					t.Errorf("%s is reported twice", f.URI)
				}
				seen[f.URI] = true
				if other := one.files[i]; fmt.Sprint(other.Recover) != fmt.Sprint(f.Recover) && (other.Recover == nil || f.Recover == nil || *other.Recover.Removed != *f.Recover.Removed || other.Recover.Version != f.Recover.Version) {
					t.Errorf("%s: %+v, %+v", f.URI, other.Recover, f.Recover)
				}
				switch how := harmed[f.URI]; {
				case f.Kind == "log" && f.Verdict != verify.Kept:
					t.Errorf("log %s: %s %v %s", f.URI, f.Verdict, f.Reasons, f.Detail)
				case how > 0 && f.Verdict != verify.Kept && (f.Recover == nil || f.Recover.Version == ""):
					t.Errorf("harm %d: %s: %s %v %+v", how, f.URI, f.Verdict, f.Reasons, f.Recover)
				case how > 0 && f.Verdict == verify.Kept && how != 4:
					t.Errorf("harm %d: %s is kept", how, f.URI)
				case f.Kind == "digest" && how == 0 && f.Verdict != verify.Kept:
					t.Errorf("%s: %s %v", f.URI, f.Verdict, f.Reasons)
				}
			}
			for uri, how := range harmed {
				if !seen[uri] {
					t.Errorf("harm %d: nothing is said of %s", how, uri)
				}
			}
			if len(many.findings) > 0 {
				t.Errorf("findings %+v", many.findings)
			}
			if t.Failed() {
				t.Logf("harm by digest:%s; delete markers listed: %v", pattern, !blind)
			}
		})
	}
}

// More digests in a row than may wait for one that speaks of them are each said once.
func TestRecoverManyInARow(t *testing.T) {
	for how := 1; how < len(harms); how++ {
		t.Run(fmt.Sprint(how), func(t *testing.T) {
			t.Parallel()
			w := mint(t, func(s *verifytest.Spec) { oneRegion(s); s.Hours = 50 })
			w.Version(bucket)
			w.Hand(theft.AddDate(0, 0, 2), thief)
			c := w.Chains()[0]
			for i := 5; i < 45; i++ {
				harms[how](w, c, i)
			}
			r := rescue(t, w, nil)
			count := map[string]int{}
			for _, f := range r.files {
				count[f.URI]++
				if f.Kind == "log" && f.Verdict != verify.Kept {
					t.Errorf("%s: %s %v", f.URI, f.Verdict, f.Reasons)
				}
			}
			for i, d := range c.Digests[1:] {
				f := r.find(d.URI())
				if count[d.URI()] != 1 || i+1 >= 5 && i+1 < 45 && f.Verdict != verify.Kept && (f.Recover == nil || f.Recover.Version == "") {
					t.Errorf("%d: said %d times, %s %+v", i+1, count[d.URI()], f.Verdict, f.Recover)
				}
			}
			for _, f := range r.findings { // of what is there and not trusted, no more than so many hours are told apart
				if f.Kind != verify.Gap || how == 1 || how == 5 {
					t.Errorf("%+v", f)
				}
			}
		})
	}
}
