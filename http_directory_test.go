package trailseal_test

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/source"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// expectations is what a world says of itself, by URI.
func expectations(w *verifytest.World) map[string]verifytest.Expected {
	expected := map[string]verifytest.Expected{}
	for ref, e := range w.Expect(later(w)) {
		expected[ref.URI()] = e
	}
	return expected
}

// asExpected holds a run against what is expected of it.
func (j *judgement) asExpected(t testing.TB, w *verifytest.World, all map[string]verifytest.Expected) {
	t.Helper()
	expected := maps.Clone(all)
	var wrong []string
	for _, f := range j.files {
		e, ok := expected[f.URI]
		if !ok || !e.Meets(f) {
			wrong = append(wrong, fmt.Sprintf("%q: %s %s, want %v %v", f.URI, outcome(f), f.Detail, e.Verdicts, e.Reasons))
		}
		delete(expected, f.URI)
	}
	for uri, e := range expected {
		if !e.Optional {
			wrong = append(wrong, fmt.Sprintf("%q: nothing is said of it, want %v", uri, e.Verdicts))
		}
	}
	if len(wrong) > 0 {
		t.Errorf("%d files:\n%s", len(wrong), strings.Join(wrong[:min(len(wrong), 10)], "\n"))
	}
	for _, kind := range w.Findings {
		if j.finding(kind).Kind == "" {
			t.Errorf("no finding %s", kind)
		}
	}
	for _, f := range j.findings {
		if !slices.Contains(w.Findings, f.Kind) {
			t.Errorf("finding %s: %s", f.Kind, f.Message)
		}
	}
	j.addsUp(t)
	if t.Failed() {
		t.Logf("the run said\n%s", j)
	}
}

// copyOf writes a world to a directory, with the keys and the metadata.
func copyOf(t *testing.T, w *verifytest.World) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := w.WriteDir(dir, verifytest.DirOptions{Buckets: true, PublicKeys: true}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// strip takes the metadata from a copy, which makes it a plain one.
func strip(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, verifytest.SideFile) {
			err = os.Remove(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// judgeCopy verifies all that is in a directory, with the keys that lie in it.
func judgeCopy(t *testing.T, w *verifytest.World, dir string) *judgement {
	t.Helper()
	store, err := source.OpenDirectory(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	keys, err := store.KeyFiles()
	if err != nil {
		t.Fatal(err)
	}
	var j judgement
	if _, err := verify.Run(t.Context(), verify.Request{
		Source: dir, Store: store, Keys: keys, Now: later(w), All: true,
		LogLimit: 4 << 20, DigestLimit: digestLimit(w), // the bombs are larger, and take less time so
	}, &j); err != nil {
		t.Fatal(err)
	}
	return &j
}

// digestLimit is enough for the digests of a world that are as they should be.
func digestLimit(w *verifytest.World) int64 {
	if w.Victims["json-huge"] != nil {
		return 40 << 20
	}
	return 4 << 20
}

// Every damage that a directory can hold: with its metadata at hand a copy is
// judged like the bucket. Without, nothing is ever all kept, and nobody is
// accused but those who are in the bucket too.
func TestDamagesInADirectory(t *testing.T) {
	t.Parallel()
	unfit := []string{
		"hostile-path", // names that no directory holds
		"digest-bomb",  // World.Expect inflates it, which takes long; TestBombsCostNoMemory has both
		"log-bomb",
	}
	for _, damage := range verifytest.Damages() {
		if slices.Contains(unfit, damage.Name) {
			continue
		}
		t.Run(damage.Name, func(t *testing.T) {
			t.Parallel()
			w := mintWorld(t, func(s *verifytest.Spec) {
				if s.Hours = 9; damage.Name == "backfill-deleted" {
					s.Hours = 13 // it needs two of them
				}
			})
			if err := w.Damage(damage.Name); err != nil {
				t.Fatal(err)
			}
			dir := copyOf(t, w)
			j := judgeCopy(t, w, dir)
			expected := expectations(w)
			j.asExpected(t, w, expected)
			if j.summary.Exit != damage.Exit {
				t.Errorf("exit %d, want %d", j.summary.Exit, damage.Exit)
			}
			strip(t, dir)
			nobodyElseIsAccused(t, expected, judgeCopy(t, w, dir))
		})
	}
}

// nobodyElseIsAccused: a copy without signatures is never proven whole, and
// what is honest is at worst not proven.
func nobodyElseIsAccused(t *testing.T, expected map[string]verifytest.Expected, j *judgement) {
	t.Helper()
	bad := func(v verify.Verdict) bool { return v.Class() == verify.Tampering }
	for _, f := range j.files {
		if bad(f.Verdict) && !slices.ContainsFunc(expected[f.URI].Verdicts, bad) {
			t.Errorf("without signatures: %q: %s %s", f.URI, outcome(f), f.Detail)
		}
	}
	if j.summary.Exit == 0 {
		t.Errorf("without signatures: exit 0")
	}
	j.addsUp(t)
	if t.Failed() {
		t.Logf("without signatures the run said\n%s", j)
	}
}

// A trail that moved from one bucket to another, copied side by side and
// nearly every damage at once.
func TestDamagesTogetherInADirectory(t *testing.T) {
	t.Parallel()
	w := mintWorld(t, func(s *verifytest.Spec) {
		s.Hours, s.MoveBucketAt = 40, 20
		s.Accounts, s.Regions = append(s.Accounts, "444455556666"), append(s.Regions, "ap-southeast-2")
	})
	var names []string
	for _, d := range verifytest.Damages() {
		if !slices.Contains(apart, d.Name) && d.Name != "hostile-path" {
			names = append(names, d.Name)
		}
	}
	if err := w.Damage(names...); err != nil {
		t.Fatal(err)
	}
	dir := copyOf(t, w)
	j := judgeCopy(t, w, dir)
	expected := expectations(w)
	j.asExpected(t, w, expected)
	if j.summary.Exit != 1 {
		t.Errorf("exit %d", j.summary.Exit)
	}
	strip(t, dir)
	nobodyElseIsAccused(t, expected, judgeCopy(t, w, dir))
}
