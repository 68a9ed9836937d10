package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/trailseal/trailseal/verify"
)

func TestNeeded(t *testing.T) {
	for _, test := range []struct {
		objects, bytes, there, want int64
	}{
		{0, 0, 0, perBundle},
		{100, 100_000, 0, 100_000 + 5_000 + 100*perObject + perBundle},
		{100, 100_000, 60_000, 40_000 + 2_000 + 100*perObject + perBundle},
		{100, 100_000, 200_000, 100*perObject + perBundle},
	} {
		if got := needed(verify.Measurement{Objects: test.objects, Bytes: test.bytes}, verify.Measurement{Bytes: test.there}); got != test.want {
			t.Errorf("%+v: %d", test, got)
		}
	}
}

func TestFreeSpaceOfAPlaceThatIsNotThereYet(t *testing.T) {
	dir := t.TempDir()
	if at := standing(filepath.Join(dir, "a", "b", "evidence.tar")); at != placeOf(dir) {
		t.Errorf("%q", at)
	}
	if free, known := freeSpace(dir); known && free <= 0 {
		t.Errorf("%d bytes are free", free)
	}
}

func TestWhatLiesInTheEvidence(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Skip(err)
	}
	for place, want := range map[string]bool{
		dir: true, filepath.Join(dir, "a"): true, filepath.Join(dir, "..a"): true, filepath.Join(link, "a"): true,
		dir + "-a": false, filepath.Join(dir, "..", "a"): false,
	} {
		if got := liesIn(dir, place); got != want {
			t.Errorf("%q: %v", place, got)
		}
	}
}
