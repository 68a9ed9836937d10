package trailseal_test

import (
	"fmt"
	"testing"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/source"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// A body that breaks half-way is read again: once and twice that helps, and
// where it never comes whole the file is unreadable, not modified.
func TestBodiesThatBreak(t *testing.T) {
	awsHere(t)
	small := mintWorld(t, nil)
	large := mintWorld(t, func(s *verifytest.Spec) { // log bodies over a MiB, which are hashed as they come
		s.Hours, s.LogsPerHour, s.EventsPerLog, s.Contents, s.QuietEvery = 3, 1, 13_000, 1, 0
		s.Regions, s.Backfill = s.Regions[:1], false
	})
	d, logs := spotOf(t, small, "eu-west-1")
	_, larges := spotOf(t, large, "eu-west-1")
	if o, _ := large.Get(larges[0]); len(o.Bytes) <= 1<<20 {
		t.Fatalf("a large log has %d bytes", len(o.Bytes))
	}
	orphans := map[string]string{d.URI(): "unreadable read-failed"}
	for _, log := range logs {
		orphans[log.URI()] = "unreferenced no-digest"
	}
	for _, row := range []struct {
		name  string
		w     *verifytest.World
		ref   verify.Ref
		files map[string]string // what comes of it where the body never comes whole
	}{
		{"digest", small, d.Ref, orphans},
		{"log", small, logs[0], map[string]string{logs[0].URI(): "unreadable read-failed"}},
		{"large log", large, larges[0], map[string]string{larges[0].URI(): "unreadable read-failed"}},
	} {
		for _, times := range []int{1, 2, 0} {
			t.Run(fmt.Sprint(row.name, " ", times), func(t *testing.T) {
				t.Parallel()
				want, retries := want{}, int64(times)
				if times == 0 {
					want.exit, want.files, retries = 3, row.files, 2
				}
				fault := verifytest.Fault{Operation: "GetObject", Bucket: row.ref.Bucket, Key: row.ref.Key, Cut: true, Times: times}
				s := serveHTTP(t, row.w, verifytest.ServerOptions{Faults: []verifytest.Fault{fault}})
				j := judgeOver(t, row.w, s.URL, nil)
				j.check(t, row.w, want)
				if got := j.summary.Requests["retry"]; got != retries {
					t.Errorf("%d requests made again, want %d", got, retries)
				}
			})
		}
	}
}

// Every body breaks once: every file is still kept. Listings too.
func TestEveryBodyBreaksOnce(t *testing.T) {
	awsHere(t)
	w := mintWorld(t, nil)
	var faults []verifytest.Fault
	for bucket, key := range objects(w) {
		faults = append(faults, verifytest.Fault{Operation: "GetObject", Bucket: bucket, Key: key, Cut: true, Times: 1})
	}
	faults = append(faults, verifytest.Fault{Operation: "ListObjectsV2", Cut: true, Times: 5})
	s := serveHTTP(t, w, verifytest.ServerOptions{Faults: faults})
	j := judgeOver(t, w, s.URL, func(a *asking) { a.MaxAttempts = 8 })
	j.check(t, w, want{})
	if n := j.summary.Requests["retry"]; n < 40 {
		t.Errorf("%d retries", n)
	}
}

// objects yields the places of all objects.
func objects(w *verifytest.World) func(yield func(bucket, key string) bool) {
	return func(yield func(bucket, key string) bool) {
		for _, bucket := range w.Buckets() {
			for key := range w.Scan(bucket, "") {
				if !yield(bucket, key) {
					return
				}
			}
		}
	}
}

// A server that asks for fewer requests is given fewer: nothing is called
// anything but what it is, however few attempts other trouble is allowed.
func TestSlowDown(t *testing.T) {
	awsHere(t)
	spec := func(s *verifytest.Spec) { s.Hours, s.LogsPerHour, s.Contents = 14, 24, 4 }
	honest, damaged := mintWorld(t, spec), mintWorld(t, spec)
	if err := damaged.Damage("log-deleted", "log-modified"); err != nil {
		t.Fatal(err)
	}
	wantDamaged := want{exit: 1, files: map[string]string{
		damaged.Victims["log-deleted"][0].URI():  "deleted not-found",
		damaged.Victims["log-modified"][0].URI(): "modified hash-mismatch",
	}}
	// Every object is refused twice, in one way or another.
	storm, other := []verifytest.Fault{{Operation: "ListObjectsV2", Status: 503, Code: "SlowDown", Times: 4}}, []verifytest.Fault{}
	for bucket, key := range objects(honest) {
		refused := func(status int, code string, times int) verifytest.Fault {
			return verifytest.Fault{Operation: "GetObject", Bucket: bucket, Key: key, Status: status, Code: code, Times: times}
		}
		storm = append(storm, refused(503, "SlowDown", 2))
		other = append(other, refused(400, "KMS.ThrottlingException", 1), refused(429, "", 1))
	}
	for name, row := range map[string]struct {
		w    *verifytest.World
		o    verifytest.ServerOptions
		want want
	}{
		"storm":               {honest, verifytest.ServerOptions{Faults: storm}, want{}},
		"KMS and 429":         {honest, verifytest.ServerOptions{Faults: other}, want{}},
		"storm over a damage": {damaged, verifytest.ServerOptions{Faults: storm}, wantDamaged},
		"rate":                {honest, verifytest.ServerOptions{Rate: 300}, want{}},
		"rate over a damage":  {damaged, verifytest.ServerOptions{Rate: 300}, wantDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serveHTTP(t, row.w, row.o)
			j := judgeOver(t, row.w, s.URL, func(a *asking) { a.MaxAttempts = 2 })
			j.check(t, row.w, row.want)
			n, refused := j.summary.Logs[verify.Kept], j.summary.Requests["retry"]
			if n < 500 || refused < 1 {
				t.Errorf("%d logs, %d requests made again: nothing was tried", n, refused)
			}
		})
	}
}

// Wherever the bucket is, and whatever region is configured, one wrong request
// a bucket teaches where it is.
func TestBucketsOfOtherRegions(t *testing.T) {
	awsHere(t)
	one := mintWorld(t, func(s *verifytest.Spec) { s.BucketRegion = "ap-southeast-2" })
	two := mintWorld(t, func(s *verifytest.Spec) { s.MoveBucketAt = 3 })
	regions := map[string]string{two.Buckets()[0]: "eu-north-1", two.Buckets()[1]: "sa-east-1"}
	for _, status := range []int{301, 307, 400} {
		for _, configured := range []string{"", "us-west-2", "ap-southeast-2"} {
			t.Run(fmt.Sprint(status, configured), func(t *testing.T) {
				t.Parallel()
				s := serveHTTP(t, one, verifytest.ServerOptions{Redirect: status})
				judgeOver(t, one, s.URL, func(a *asking) { a.Region, a.MaxAttempts = configured, 1 }).check(t, one, want{})
				misled := s.Requests()["Redirect"]
				if right := configured == "ap-southeast-2"; right != (misled == 0) || misled > 1 {
					t.Errorf("%d requests went to the wrong region", misled)
				}
				s = serveHTTP(t, two, verifytest.ServerOptions{Redirect: status, BucketRegions: regions})
				judgeOver(t, two, s.URL, func(a *asking) { a.S3Options = source.S3Options{URI: a.URI, EndpointURL: s.URL, Region: configured} }).check(t, two, want{})
			})
		}
	}
}
