package trailseal_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
	writers "github.com/trailseal/trailseal/verify/report"
	"github.com/trailseal/trailseal/verify/source"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// apart are damages that need a trail of their own: they take what others
// need. Bombs and the huge digest cost time that other tests have spent.
var apart = []string{
	"all-digests-deleted", "key-expired", "key-not-yet-valid", "head-expired", "log-bomb", "digest-bomb", "json-huge",
}

// theSame are ways to ask for the same.
var theSame = []struct {
	concurrency, page int
	rate              int
}{
	{1, 1000, 0}, {3, 2, 0}, {256, 7, 2000},
}

// The report of a trail with nearly every damage is the same, byte for byte,
// however many requests are in flight, however long the pages are, and
// whatever the server refuses on the way.
func TestTheReportIsTheSame(t *testing.T) {
	awsHere(t)
	w := mintWorld(t, func(s *verifytest.Spec) {
		s.Hours = 40
		s.Accounts, s.Regions = append(s.Accounts, "444455556666"), append(s.Regions, "ap-southeast-2")
	})
	var names []string
	for _, d := range verifytest.Damages() {
		if !slices.Contains(apart, d.Name) {
			names = append(names, d.Name)
		}
	}
	if err := w.Damage(names...); err != nil {
		t.Fatal(err)
	}
	s := serveHTTP(t, w, verifytest.ServerOptions{})
	judgeOver(t, w, s.URL, nil).asExpected(t, w, expectations(w))
	reports := make([][]byte, len(theSame))
	t.Run("ways", func(t *testing.T) {
		for i, way := range theSame {
			t.Run(fmt.Sprintf("%d at once, %d a page", way.concurrency, way.page), func(t *testing.T) {
				t.Parallel()
				reports[i] = writeReport(t, w, way.concurrency, verifytest.ServerOptions{PageSize: way.page, Rate: way.rate})
			})
		}
	})
	for i, got := range reports {
		if len(got) < 10_000 {
			t.Fatalf("way %d: the report is only\n%s", i, got)
		}
		if !bytes.Equal(got, reports[0]) {
			t.Errorf("%v and %v differ:\n%s", theSame[i], theSame[0], firstDifference(got, reports[0]))
		}
	}
}

// writeReport verifies all of a world and gives the JSON report, without what
// is of the run and not of the trail.
func writeReport(t *testing.T, w *verifytest.World, concurrency int, o verifytest.ServerOptions) []byte {
	t.Helper()
	s := serveHTTP(t, w, o)
	store, err := source.OpenS3(t.Context(), source.S3Options{
		URI: "s3://" + w.Trails()[0].Bucket, EndpointURL: s.URL, Concurrency: concurrency, MaxAttempts: 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var out bytes.Buffer
	writer, err := writers.New("json", &out, writers.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	request := verify.Request{
		Source: "test", Store: store, Keys: store.Keys(), Window: everything(w), Now: later(w).Truncate(time.Second), All: true, InFlight: concurrency,
	}
	if _, err := verify.Run(t.Context(), request, writer); err != nil {
		t.Fatal(err)
	}
	var whole map[string]any
	if err := json.Unmarshal(out.Bytes(), &whole); err != nil {
		t.Fatal(err)
	}
	summary := whole["summary"].(map[string]any)
	for _, name := range []string{"started", "finished"} {
		delete(whole, name)
	}
	for _, name := range []string{"requests", "seconds"} {
		delete(summary, name)
	}
	again, err := json.MarshalIndent(whole, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func firstDifference(a, b []byte) string {
	as, bs := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for i := range min(len(as), len(bs)) {
		if !bytes.Equal(as[i], bs[i]) {
			return fmt.Sprintf("line %d:\n%s\n%s", i+1, bytes.Join(as[max(0, i-6):i+3], []byte("\n")), bs[i])
		}
	}
	return fmt.Sprintf("%d and %d lines", len(as), len(bs))
}
