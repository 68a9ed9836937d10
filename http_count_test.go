package trailseal_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/source"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// A gate stands before a server and notes what is asked.
type gate struct {
	URL  string
	mu   sync.Mutex
	seen map[string]int // "METHOD /path" without the query; of listings the prefix; of CloudTrail the operation
}

func newGate(t testing.TB, s *verifytest.Server) *gate {
	g := &gate{seen: map[string]int{}}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		what := r.Method + " " + r.URL.Path
		if q := r.URL.Query(); q.Has("list-type") {
			what = "list " + q.Get("prefix")
			if n := q.Get("max-keys"); n != "" && n != "1000" {
				what = "a small page of " + q.Get("prefix")
			}
		}
		if target := r.Header.Get("X-Amz-Target"); target != "" {
			what = target[strings.LastIndexByte(target, '.')+1:]
		}
		g.mu.Lock()
		g.seen[what]++
		g.mu.Unlock()
		s.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	g.URL = front.URL
	return g
}

// count is how many requests came.
func (g *gate) count() (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, times := range g.seen {
		n += times
	}
	return n
}

// Verifying a stretch in the middle of a trail costs one GET a digest, and the
// one before and after it; one GET a log; listings of 1,000 keys; one call for
// the keys of a region; and nothing else.
func TestRequestsAreFew(t *testing.T) {
	awsHere(t)
	w := mintWorld(t, func(s *verifytest.Spec) { s.Hours, s.LogsPerHour, s.Contents, s.Backfill = 30, 40, 8, false })
	s := serveHTTP(t, w, verifytest.ServerOptions{})
	g := newGate(t, s)
	asked := verify.Window{Start: w.Window().Start.Add(8 * time.Hour), End: w.Window().End.Add(-8 * time.Hour)}
	j := judgeOver(t, w, g.URL, func(a *asking) { a.Window = asked })
	if j.summary.Exit != 0 || len(j.findings) > 0 {
		t.Fatalf("an honest trail:\n%s", j)
	}
	j.addsUp(t)

	digests, logs := map[string]bool{}, map[string]bool{}
	edges := 0
	for _, c := range w.Chains() {
		for _, d := range c.Digests {
			path := "GET /" + d.Bucket + "/" + d.Key
			inside := asked.Touches(d.Start, d.End)
			switch n := g.seen[path]; {
			case n > 1 || inside && n != 1:
				t.Errorf("%s: asked for %d times", path, n)
			case n == 1 && !inside:
				edges++
			}
			delete(g.seen, path)
			if digests[path] = inside; !inside {
				continue
			}
			for _, ref := range logsOf(t, w, d) {
				logs["GET /"+ref.Bucket+"/"+ref.Key] = true
			}
		}
	}
	if edges > 2*len(w.Chains()) {
		t.Errorf("%d digests outside of the window were read for %d chains", edges, len(w.Chains()))
	}
	maps.DeleteFunc(g.seen, func(path string, n int) bool { return n == 1 && logs[path] })
	if n := g.seen["ListPublicKeys"]; n != 2 {
		t.Errorf("%d calls for the keys of 2 regions", n)
	}
	delete(g.seen, "ListPublicKeys")
	pages := 0
	for what, n := range g.seen {
		if !strings.HasPrefix(what, "list ") {
			t.Errorf("%d times %s, for which there is no need", n, what)
		}
		pages += n
	}
	// The folders: the root, AWSLogs, the account's four; then a page of digests
	// and two of logs (30 hours of 40) for each region.
	if most := 2 + 4 + 2*(1+2); pages > most {
		t.Errorf("%d listings, want at most %d: %v", pages, most, g.seen)
	}
	if got := s.Requests(); got["HeadObject"]+got["HeadBucket"]+got["GetBucketLocation"] > 0 {
		t.Errorf("%v: no HEAD is needed", got)
	}
	t.Logf("%d digests and %d logs: %d digests at the edges, %d listings; %v", j.summary.Digests[verify.Kept], len(logs), edges, pages, s.Requests())
}

// Nothing depends on how many entries a page has, of listings or of keys.
func TestSmallPages(t *testing.T) {
	awsHere(t)
	w := mintWorld(t, func(s *verifytest.Spec) {
		s.Backfill, s.Start = true, verifytest.KeyRollover("eu-west-1", s.Start).Add(-3*time.Hour)
	})
	for _, page := range []int{1, 2, 7} {
		s := serveHTTP(t, w, verifytest.ServerOptions{PageSize: page, KeyPage: 1, AllKeys: true})
		j := judgeOver(t, w, s.URL, nil)
		j.check(t, w, want{})
		got, keys := s.Requests(), int64(0)
		for _, region := range []string{"eu-west-1", "us-east-1"} {
			keys += int64(len(w.PublicKeys(region)))
		}
		if got["ListPublicKeys"] != keys || keys < 4 {
			t.Errorf("%d pages of keys were read, there are %d", got["ListPublicKeys"], keys)
		}
		if objects, _ := w.Size(); got["GetObject"] > int64(objects) {
			t.Errorf("%d reads of %d objects", got["GetObject"], objects)
		}
	}
}

// Measuring a window takes about a listing a thousand objects, also where there is
// little in each day, or nothing yet.
func TestMeasuringAsksLittle(t *testing.T) {
	awsHere(t)
	for _, c := range []struct{ logs, days, ahead int }{{1, 90, 0}, {1, 90, 4 * 365}, {60, 6, 0}} {
		w := mintWorld(t, func(s *verifytest.Spec) {
			s.Hours, s.LogsPerHour, s.QuietEvery, s.Regions, s.Backfill, s.Contents = c.days*24, c.logs, 0, []string{"us-east-1"}, false, 4
		})
		store, err := source.OpenS3(t.Context(), source.S3Options{URI: "s3://" + w.Buckets()[0], EndpointURL: serveHTTP(t, w, verifytest.ServerOptions{}).URL})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		window := w.Window()
		window.End = window.End.AddDate(0, 0, c.ahead)
		got := verify.Measure(t.Context(), verify.Request{Store: store, Keys: store.Keys(), Window: window, Now: later(w)})
		if want := int64(c.days * 24 * (c.logs + 1)); got.Failed > 0 || got.Objects < want || got.Objects > want+2 {
			t.Errorf("%+v: %+v, want %d objects", c, got, want)
		}
		if n := store.Requests()["list"]; n > 15+2*got.Objects/1000 {
			t.Errorf("%+v: %d listings of %d objects", c, n, got.Objects)
		}
	}
}
