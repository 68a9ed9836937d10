package verify_test

import (
	"testing"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// A log of hundreds of megabytes is searched in a few: nothing is held of it but
// the event under way. The proof then holds the log as it is stored.
func TestProveStreams(t *testing.T) {
	if testing.Short() {
		t.Skip("it makes a large log")
	}
	events := 150_000
	if raced {
		events /= 4
	}
	spec := verifytest.DefaultSpec()
	spec.Hours, spec.LogsPerHour, spec.EventsPerLog, spec.QuietEvery, spec.Backfill = 1, 2, events, 0, false
	spec.Regions = spec.Regions[:1]
	w, err := verifytest.Mint(spec)
	if err != nil {
		t.Fatal(err)
	}
	ref := logIn(-1)(w)
	o, _ := w.Get(ref)
	ids := eventsOf(t, w, ref)
	last := ids[len(ids)-1]
	ids = nil
	const limit = 24 << 20
	var found verify.Search
	req := request(w, verifytest.NewStore(w))
	req.Progress = new(verify.Progress)
	grew := livePeak(func() { found = prove(t, req, "00000000-0000-4000-8000-000000000000") })
	t.Logf("searched %d MiB, the live heap grew by %d KiB", req.Progress.Hashed.Load()>>20, grew>>10)
	if found.Searched != 2 || req.Progress.Hashed.Load() < 2*1000*int64(events) || grew > limit {
		t.Errorf("%+v, the live heap grew by %d bytes", found, grew)
	}
	grew = livePeak(func() { found = prove(t, req, last) })
	t.Logf("proved an event of a log of %d KiB, the live heap grew by %d KiB", len(o.Bytes)>>10, grew>>10)
	if found.Proof == nil || grew > limit+2*uint64(len(o.Bytes)) {
		t.Errorf("%+v, the live heap grew by %d bytes, the log has %d", found.Why, grew, len(o.Bytes))
	}
}

// BenchmarkProve searches a day of logs for an event that is not there.
func BenchmarkProve(b *testing.B) {
	spec := verifytest.DefaultSpec()
	spec.LogsPerHour, spec.EventsPerLog, spec.Contents = 20, 2000, 8
	w, err := verifytest.Mint(spec)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		req := request(w, verifytest.NewStore(w))
		req.Progress = new(verify.Progress)
		prove(b, req, "00000000-0000-4000-8000-000000000000")
		b.SetBytes(req.Progress.Hashed.Load())
	}
}
