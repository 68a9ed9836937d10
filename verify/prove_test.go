package verify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// eventsOf are the ids of the events of a log.
func eventsOf(t testing.TB, w *verifytest.World, ref verify.Ref) (ids []string) {
	t.Helper()
	o, ok := w.Get(ref)
	if !ok {
		t.Fatalf("no %s", ref.URI())
	}
	raw, _, err := digest.ReadGzip(bytes.NewReader(o.Bytes), 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	var log struct{ Records []struct{ EventID string } }
	if err := json.Unmarshal(raw, &log); err != nil {
		t.Fatal(err)
	}
	for _, e := range log.Records {
		ids = append(ids, e.EventID)
	}
	return ids
}

func prove(t testing.TB, req verify.Request, id string) verify.Search {
	t.Helper()
	found, err := verify.Prove(context.Background(), req, id)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// keysOf are the published keys of a region, as somebody has them from elsewhere.
func keysOf(t testing.TB, w *verifytest.World, region string) []digest.PublicKey {
	t.Helper()
	keys, _, err := digest.ParsePublicKeys(w.ListPublicKeysJSON(region))
	if err != nil || len(keys) == 0 {
		t.Fatal(err)
	}
	return keys
}

func TestProve(t *testing.T) {
	base := func(s *verifytest.Spec) { s.QuietEvery = 0 }
	for name, c := range map[string]struct {
		spec   func(*verifytest.Spec)
		choose func(w *verifytest.World) verify.Ref
		copy   bool
		from   string
	}{
		"a log":             {base, logIn(10), false, "metadata"},
		"the first":         {base, logIn(0), false, "metadata"},
		"organization":      {func(s *verifytest.Spec) { base(s); s.Organization = "o-abcdef1234" }, logIn(5), false, "metadata"},
		"prefix":            {func(s *verifytest.Spec) { base(s); s.Prefix = "a/b" }, logIn(5), false, "metadata"},
		"backfill":          {func(s *verifytest.Spec) { base(s); s.Backfill = true }, backfilled, false, "metadata"},
		"a copy":            {base, logIn(10), true, "next-digest"},
		"moved, old bucket": {func(s *verifytest.Spec) { base(s); s.MoveBucketAt = 6 }, logIn(2), false, "metadata"},
	} {
		t.Run(name, func(t *testing.T) {
			w := mint(t, c.spec)
			ref := c.choose(w)
			s := verifytest.NewStore(w)
			s.Copy = c.copy
			ids := eventsOf(t, w, ref)
			found := prove(t, request(w, s), ids[len(ids)-1])
			p := found.Proof
			if p == nil || found.Exit != 0 || found.File.URI != ref.URI() || p.Digest.From != c.from || len(found.Others) > 0 {
				t.Fatalf("%+v", found)
			}
			if !strings.Contains(p.Event.JSON, ids[len(ids)-1]) || !json.Valid([]byte(p.Event.JSON)) {
				t.Errorf("the event %q", p.Event.JSON)
			}
			result := checked(t, p, keysOf(t, w, p.Key.Region))
			if !result.Holds || !result.Confirmed {
				t.Errorf("%+v", result)
			}
			if own := checked(t, p, nil); !own.Holds || own.Confirmed {
				t.Errorf("without keys: %+v", own)
			}
		})
	}
}

// checked writes a proof, reads it again, and checks it.
func checked(t testing.TB, p *verify.Proof, known []digest.PublicKey) verify.ProofResult {
	t.Helper()
	text, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, exact, err := verify.ReadProof(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return verify.CheckProof(again, exact, known, verify.DefaultLogLimit)
}

// An event whose log nothing proves gives no proof, and it is said why.
func TestProveNothing(t *testing.T) {
	base := func(s *verifytest.Spec) { s.QuietEvery = 0 }
	for name, c := range map[string]struct {
		damage string
		choose func(w *verifytest.World) verify.Ref
		fail   error
		exit   int
		why    string
		doubts bool
	}{
		"unattested":   {"digest-modified", logOfVictim("digest-modified"), nil, 3, "is unattested", true},
		"unreferenced": {"", notNamed2, nil, 3, "is unreferenced", false},
		"unreadable":   {"", logIn(10), verifytest.Unreadable("x", verify.KMSDenied), 3, "no log that was read", true},
		"deleted":      {"log-deleted", victimOf("log-deleted"), nil, 3, "no log that was read", true},
		"appended":     {"log-appended", victimOf("log-appended"), nil, 1, "is modified", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := mint(t, base)
			before := map[verify.Ref]string{}
			for _, ref := range w.Logs() {
				before[ref] = eventsOf(t, w, ref)[0]
			}
			if c.damage != "" {
				if err := w.Damage(c.damage); err != nil {
					t.Fatal(err)
				}
			}
			ref := c.choose(w)
			if _, known := before[ref]; !known {
				before[ref] = eventsOf(t, w, ref)[0]
			}
			s := verifytest.NewStore(w)
			s.FailReads(func(r verify.Ref) error {
				if r == ref {
					return c.fail
				}
				return nil
			})
			req := request(w, s)
			req.Now = req.Now.AddDate(0, 0, 9) // what is named by no digest is no longer pending
			found := prove(t, req, before[ref])
			if found.Proof != nil || found.Exit != c.exit || !strings.Contains(found.Why, c.why) || (len(found.Doubts) > 0) != c.doubts {
				t.Errorf("exit %d, %q, doubts %q", found.Exit, found.Why, found.Doubts)
			}
		})
	}
	w := mint(t, base)
	found := prove(t, request(w, verifytest.NewStore(w)), "00000000-0000-4000-8000-000000000000")
	if found.Exit != 3 || found.File != nil || found.Searched != len(w.Logs()) || len(found.Doubts) > 0 || found.Window.IsZero() {
		t.Errorf("not there: %+v, of %d logs", found, len(w.Logs()))
	}
}

// notNamed2 stores a log that no digest names, with events of its own.
func notNamed2(w *verifytest.World) verify.Ref {
	ref := notNamed(w)
	w.Put(ref, verifytest.Object{Bytes: zip(`{"Records":[{"eventID":"11111111-2222-4333-8444-555555555555"}]}`), Modified: w.Window().Start})
	return ref
}

// Only the event's own eventID counts, wherever else the id stands.
func TestProveTakesTheEventsOwnID(t *testing.T) {
	const id = "11111111-2222-4333-8444-555555555555"
	for text, want := range map[string]bool{
		`{"eventID":"` + id + `"}`:                                         true,
		`{"a":[{"eventID":"x"}], "eventID" : "` + id + `"}`:                true,
		`{"requestParameters":{"eventID":"` + id + `"},"eventID":"other"}`: false,
		`{"requestParameters":{"eventID":"` + id + `"}}`:                   false,
		`{"userAgent":"\"eventID\":\"` + id + `\""}`:                       false,
		`{"eventid":"` + id + `"}`:                                         false,
		`{"eventID":"` + id + `","eventID":"other"}`:                       false,
		`{"eventID":["` + id + `"]}`:                                       false,
		`{"sharedEventID":"` + id + `"}`:                                   false,
	} {
		w := mint(t, nil)
		ref := notNamed(w)
		w.Put(ref, verifytest.Object{Bytes: zip(`{"Records":[` + text + `]}`), Modified: w.Window().Start})
		if found := prove(t, request(w, verifytest.NewStore(w)), id); (found.File != nil) != want {
			t.Errorf("%s: %+v", text, found.File)
		}
	}
}

// Which of several logs is taken does not depend on chance, and the others are named.
func TestProveChoosesTheFirst(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) { s.Contents = 3 })
	id := eventsOf(t, w, logIn(7)(w))[0]
	first := ""
	for _, flight := range []int{1, 2, 16, 0, 0, 0} {
		req := request(w, verifytest.NewStore(w))
		req.InFlight = flight
		found := prove(t, req, id)
		if found.Proof == nil || len(found.Others) < 5 {
			t.Fatalf("%+v", found)
		}
		found.Proof.Collected = req.Now
		if got := fmt.Sprint(found.Proof.Seal, found.Others); first == "" {
			first = got
		} else if got != first {
			t.Errorf("%d in flight: another proof", flight)
		}
	}
}

// A run that ends before it is over proves nothing and says so.
func TestProveInterrupted(t *testing.T) {
	w := mint(t, nil)
	s := verifytest.NewStore(w)
	ctx, cancel := context.WithCancel(t.Context())
	var read atomic.Int64
	s.FailReads(func(ref verify.Ref) error {
		if read.Add(1) == 20 {
			cancel()
		}
		return nil
	})
	req := request(w, s)
	req.InFlight = 1
	found, err := verify.Prove(ctx, req, "00000000-0000-4000-8000-000000000000")
	if err == nil && (found.Exit != 3 || !found.Interrupted || found.Proof != nil) {
		t.Errorf("%+v", found)
	}
}

// A log that is too large for a proof is refused, whatever its size is said to be.
func TestProveRefusesLargeLogs(t *testing.T) {
	for _, stated := range []int64{-1, 0, 5, 1 << 62} {
		for size, fits := range map[int]bool{0: true, 1: true, 10: true, 11: false, 1000: false} {
			got, err := verify.ReadAtMost(verify.Object{Body: strings.NewReader(strings.Repeat("x", size)), Size: stated}, 10)
			if (err == nil) != fits || fits && len(got) != size {
				t.Errorf("%d bytes, said to be %d: %d, %v", size, stated, len(got), err)
			}
		}
	}
}
