package trailseal_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
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
	d, logs := spotOf(t, small, "eu-west-1")
	large := mintWorld(t, func(s *verifytest.Spec) { s.Seed = 2 })
	_, larges := spotOf(t, large, "eu-west-1")
	large.Put(larges[0], verifytest.Object{Bytes: largeBody(t), Modified: later(large)})
	orphans := map[string]string{d.URI(): "unreadable read-failed"}
	for _, log := range logs {
		orphans[log.URI()] = "unreferenced no-digest"
	}
	for _, row := range []struct {
		name  string
		w     *verifytest.World
		ref   verify.Ref
		whole want // what comes of it where the body comes whole in the end
		never want // and where it never does
	}{
		{"digest", small, d.Ref, want{}, want{exit: 3, files: orphans}},
		{"log", small, logs[0], want{}, want{exit: 3, files: map[string]string{logs[0].URI(): "unreadable read-failed"}}},
		{"large log", large, larges[0],
			want{exit: 1, files: map[string]string{larges[0].URI(): "modified hash-mismatch"}},
			want{exit: 3, files: map[string]string{larges[0].URI(): "unreadable read-failed"}}},
	} {
		for _, times := range []int{1, 2, 0} {
			t.Run(fmt.Sprint(row.name, " ", times), func(t *testing.T) {
				t.Parallel()
				want, retries := row.whole, int64(times)
				if times == 0 {
					want, retries = row.never, 2
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

// largeBody is a whole gzip member that is too large to be read before it is
// used.
func largeBody(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	zip, err := gzip.NewWriterLevel(&b, gzip.NoCompression)
	if err == nil {
		_, err = zip.Write(make([]byte, 6<<20))
	}
	if err = errors.Join(err, zip.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
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
	spec := func(s *verifytest.Spec) { s.Hours, s.LogsPerHour, s.Contents = 14, 16, 4 }
	honest, damaged := mintWorld(t, spec), mintWorld(t, spec)
	if err := damaged.Damage("log-deleted", "log-modified"); err != nil {
		t.Fatal(err)
	}
	wantDamaged := want{exit: 1, files: map[string]string{
		damaged.Victims["log-deleted"][0].URI():  "deleted not-found",
		damaged.Victims["log-modified"][0].URI(): "modified hash-mismatch",
	}}
	for name, row := range map[string]struct {
		w     *verifytest.World
		rate  int
		first []int // with these statuses each request is refused before it is served
		want  want
	}{
		"storm":               {honest, 0, []int{503, 503}, want{}},
		"503 and 429":         {honest, 0, []int{503, 429}, want{}},
		"storm over a damage": {damaged, 0, []int{503, 503}, wantDamaged},
		"rate":                {honest, 300, nil, want{}},
		"rate over a damage":  {damaged, 300, nil, wantDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serveHTTP(t, row.w, verifytest.ServerOptions{Rate: row.rate})
			j := judgeOver(t, row.w, storm(t, s, row.first), func(a *asking) { a.MaxAttempts = 2 })
			j.check(t, row.w, row.want)
			n, refused := j.summary.Logs[verify.Kept], j.summary.Requests["retry"]
			if n < 350 || refused < 1 {
				t.Errorf("%d logs, %d requests made again: nothing was tried", n, refused)
			}
		})
	}
}

// storm stands before a server and asks for fewer requests: each is refused as
// often as there are statuses. It gives its address.
func storm(t testing.TB, s *verifytest.Server, statuses []int) string {
	var mu sync.Mutex
	seen := map[string]int{}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		n := seen[r.URL.RequestURI()]
		seen[r.URL.RequestURI()]++
		mu.Unlock()
		if r.Method != http.MethodGet || n >= len(statuses) {
			s.ServeHTTP(w, r)
			return
		}
		w.WriteHeader(statuses[n])
		if statuses[n] == http.StatusServiceUnavailable {
			io.WriteString(w, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
		}
	}))
	t.Cleanup(front.Close)
	return front.URL
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
