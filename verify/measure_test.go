package verify_test

import (
	"context"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// However it is listed, each object is counted once.
func TestMeasure(t *testing.T) {
	w := mint(t, func(s *verifytest.Spec) {
		s.Hours, s.LogsPerHour, s.QuietEvery, s.Regions, s.Backfill = 4*24, 30, 0, []string{"us-east-1", "eu-west-1"}, false
	})
	beside := verify.Ref{Bucket: w.Buckets()[0], Key: "AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/1/x.json.gz"}
	w.Put(beside, verifytest.Object{Bytes: []byte("x")})
	var want verify.Measurement
	whole := request(w, verifytest.NewStore(w))
	for e, err := range whole.Store.List(context.Background(), verify.Ref{Bucket: beside.Bucket}, "", "") {
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(e.Key, "/") { // the console's folders
			want.Objects++
			want.Bytes += e.Size
		}
	}
	got := verify.Measure(context.Background(), whole)
	if got != want || got.Objects < 2*4*24*30 {
		t.Errorf("%+v, want %+v", got, want)
	}
	some := whole
	some.Window.Start = whole.Window.End.AddDate(0, 0, -1)
	if got := verify.Measure(context.Background(), some); got.Objects >= want.Objects || got.Objects < 2*24*30 || got.Failed > 0 {
		t.Errorf("of a day: %+v", got)
	}
}
