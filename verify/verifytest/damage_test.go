package verifytest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// collector is a sink that remembers.
type collector struct {
	files    map[string]verify.File
	findings []verify.Finding
}

func (c *collector) Start(verify.Header) error      { return nil }
func (c *collector) Finding(f verify.Finding) error { c.findings = append(c.findings, f); return nil }
func (c *collector) Chain(verify.Chain) error       { return nil }
func (c *collector) End(verify.Summary) error       { return nil }
func (c *collector) File(f verify.File) error {
	if _, twice := c.files[f.URI]; twice {
		return fmt.Errorf("%s is reported twice", f.URI)
	}
	c.files[f.URI] = f
	return nil
}

// run verifies a world with the engine, over all there is.
func run(t *testing.T, w *World, now time.Time) (*collector, verify.Summary) {
	t.Helper()
	s := NewStore(w)
	s.AllKeys = true
	c := &collector{files: map[string]verify.File{}}
	sum, err := verify.Run(context.Background(), verify.Request{
		Store: s, Keys: s, Now: now, All: true,
		LogLimit: 64 << 20, DigestLimit: 16 << 20, // the bombs are larger, and take less time so
	}, c)
	if err != nil {
		t.Fatal(err)
	}
	return c, sum
}

// compare holds a report against what the world expects.
func compare(t *testing.T, w *World, now time.Time) (*collector, verify.Summary) {
	t.Helper()
	c, sum := run(t, w, now)
	want := w.Expect(now)
	for ref, e := range want {
		f, ok := c.files[ref.URI()]
		switch {
		case !ok && e.Optional:
		case !ok:
			t.Errorf("%q: nothing is said of it, want %v", ref.URI(), e.Verdicts)
		case !e.Meets(f):
			t.Errorf("%q: %s %v %s, want %s %v %v", ref.URI(), f.Verdict, f.Reasons, f.Detail, e.Kind, e.Verdicts, e.Reasons)
		}
		delete(c.files, ref.URI())
	}
	for uri, f := range c.files {
		t.Errorf("%q: %s %v, want nothing said", uri, f.Verdict, f.Reasons)
	}
	for _, kind := range w.Findings {
		if !slices.ContainsFunc(c.findings, func(f verify.Finding) bool { return f.Kind == kind }) {
			t.Errorf("no finding %s", kind)
		}
	}
	for _, f := range c.findings {
		if !slices.Contains(w.Findings, f.Kind) {
			t.Errorf("finding %s: %s", f.Kind, f.Message)
		}
	}
	return c, sum
}

// TestDamages does each damage to the same world and lets the engine judge.
func TestDamages(t *testing.T) {
	for _, d := range Damages() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			cheap := func(s *Spec) { s.Hours, s.EventsPerLog = 16, 3 }
			w := mint(t, cheap)
			if err := w.Damage(d.Name); err != nil {
				t.Fatal(err)
			}
			if len(w.Victims[d.Name]) == 0 {
				t.Error("no victims")
			}
			_, sum := compare(t, w, w.Now().Add(72*time.Hour))
			if sum.Exit != d.Exit {
				t.Errorf("exit %d, want %d", sum.Exit, d.Exit)
			}
		})
	}
}

// TestDamagesTogether does many at once, in worlds of several shapes, and each
// must still come out as it does alone.
func TestDamagesTogether(t *testing.T) {
	for seed := range int64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			shape := func(s *Spec) {
				s.Seed, s.Hours, s.EventsPerLog, s.MoveBucketAt = seed, 48, 2, int(seed)*20
				s.Accounts = append(s.Accounts, "444455556666")
				s.Regions = append(s.Regions, "ap-southeast-2")
			}
			w := mint(t, shape)
			// These take what others need.
			without := []string{"all-digests-deleted", "key-expired", "key-not-yet-valid", [...]string{"key-missing", "head-expired"}[seed%2]}
			var names []string
			for _, d := range Damages() {
				if !slices.Contains(without, d.Name) {
					names = append(names, d.Name)
				}
			}
			if err := w.Damage(names...); err != nil {
				t.Fatal(err)
			}
			again := mint(t, shape)
			if err := again.Damage(names...); err != nil || fingerprint(again) != fingerprint(w) {
				t.Errorf("the second time it was done differently: %v", err)
			}
			if _, sum := compare(t, w, w.Now().Add(72*time.Hour)); sum.Exit != 1 {
				t.Errorf("exit %d", sum.Exit)
			}
		})
	}
}

// TestSmallWorld: six hours are enough for the damages that people practise
// with, and an hour is refused in words.
func TestSmallWorld(t *testing.T) {
	t.Parallel()
	for _, d := range Damages() {
		w := mint(t, func(s *Spec) { s.Hours, s.EventsPerLog = 6, 2 })
		if err := w.Damage(d.Name); err != nil && d.Name != "backfill-deleted" {
			t.Error(err)
		}
		tiny := mint(t, func(s *Spec) { s.Hours, s.Regions = 1, s.Regions[:1] })
		if err := tiny.Damage(d.Name); err != nil && len(err.Error()) < 40 {
			t.Errorf("%q does not help", err)
		}
	}
}
