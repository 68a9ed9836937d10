package trailseal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/bundle"
	writers "github.com/trailseal/trailseal/verify/report"
	"github.com/trailseal/trailseal/verify/source"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// forms are the names that ask for the three forms of a bundle.
var forms = []string{"bundle", "bundle.tar", "bundle.tar.zst"}

// A collecting is one collection of a world over HTTP.
type collecting struct {
	w       *verifytest.World
	url     string
	path    string
	at      int // requests at once
	request func(*verify.Request)
	opener  func(store verify.Store) verify.Store
}

// request is what is asked of a world, plainly and of a bundle.
func (c collecting) asked(store verify.Store, keys verify.Keys, states verify.KeyStates) verify.Request {
	r := verify.Request{
		Source: "test", Store: store, Keys: keys, KeyStates: states, Window: everything(c.w), Now: later(c.w).Truncate(time.Second), All: true, InFlight: c.at,
	}
	if c.request != nil {
		c.request(&r)
	}
	return r
}

func (c collecting) open(t testing.TB) (verify.Store, verify.Keys) {
	t.Helper()
	s3, err := source.OpenS3(t.Context(), source.S3Options{URI: "s3://" + c.w.Trails()[0].Bucket, EndpointURL: c.url, Concurrency: c.at, MaxAttempts: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s3.Close() })
	if c.opener != nil {
		return c.opener(s3), s3.Keys()
	}
	return s3, s3.Keys()
}

// collect makes the bundle, and gives the report of the run that made it.
func (c collecting) collect(t testing.TB) []byte {
	t.Helper()
	w, err := bundle.Create(t.Context(), c.path, bundle.Identity{Tool: "test", Asked: json.RawMessage("{}"), Settled: json.RawMessage("{}")})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	store, keys := c.open(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	r := bundle.NewRecorder(w, bundle.RecorderOptions{Store: store, Keys: keys, Stop: cancel})
	request := c.asked(r, r, r)
	report := reportOf(t, ctx, request)
	if err := r.Finish(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Commit(bundle.Head{Tool: "test", Collected: request.Now, Source: "test", Window: request.Window}); err != nil {
		t.Fatal(err)
	}
	return report
}

// replay is the report that comes of the bundle alone.
func (c collecting) replay(t testing.TB, path string) []byte {
	t.Helper()
	return replayFrom(t, path, c.asked(nil, nil, nil))
}

// reportOf is a run's JSON report without what is of the run and not of the trail.
func reportOf(t testing.TB, ctx context.Context, request verify.Request) []byte {
	t.Helper()
	var out bytes.Buffer
	writer, err := writers.New("json", &out, writers.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	if _, err := verify.Run(ctx, request, writer); err != nil {
		t.Fatal(err)
	}
	return ofTheTrail(t, out.Bytes())
}

// ofTheTrail is a JSON report without times, requests and the bundle.
func ofTheTrail(t testing.TB, report []byte) []byte {
	t.Helper()
	var whole map[string]any
	if err := json.Unmarshal(report, &whole); err != nil {
		t.Fatal(err, string(report))
	}
	for _, name := range []string{"started", "finished", "bundle"} {
		delete(whole, name)
	}
	if summary, ok := whole["summary"].(map[string]any); ok {
		delete(summary, "requests")
		delete(summary, "seconds")
	}
	again, err := json.MarshalIndent(whole, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func same(t testing.TB, what string, got, want []byte) {
	t.Helper()
	if len(want) < 1000 {
		t.Errorf("%s: the report is only\n%s", what, want)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: the reports differ: %s", what, firstDifference(got, want))
	}
}

// What is collected verifies as the source does, in each form, however many
// requests are in flight: nearly every damage there is, in one trail.
func TestABundleVerifiesAsItsSource(t *testing.T) {
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
	s := serveHTTP(t, w, verifytest.ServerOptions{PageSize: 7})
	c := collecting{w: w, url: s.URL, at: 64}
	store, keys := c.open(t)
	plain := reportOf(t, t.Context(), c.asked(store, keys, nil))
	for _, at := range []int{1, 64} {
		for _, form := range forms {
			t.Run(fmt.Sprintf("%s at %d", form, at), func(t *testing.T) {
				c := c
				c.at, c.path = at, filepath.Join(t.TempDir(), form)
				same(t, "collecting", c.collect(t), plain)
				c.at = 65 - at
				same(t, "replaying", c.replay(t, c.path), plain)
			})
		}
	}
}

// Each damage alone, in a small trail.
func TestABundleOfEachDamage(t *testing.T) {
	awsHere(t)
	for i, d := range verifytest.Damages() {
		if raced && i%4 != 0 { // nearly all of them together are in TestABundleVerifiesAsItsSource
			continue
		}
		t.Run(d.Name, func(t *testing.T) {
			if testing.Short() && slices.Contains(apart, d.Name) {
				t.Skip()
			}
			w := mintWorld(t, func(s *verifytest.Spec) { s.Hours = 26 })
			if err := w.Damage(d.Name); err != nil {
				t.Skip(err)
			}
			s := serveHTTP(t, w, verifytest.ServerOptions{})
			c := collecting{w: w, url: s.URL, at: 16, path: filepath.Join(t.TempDir(), "bundle.tar")}
			store, keys := c.open(t)
			but := func(report []byte) []byte { return report }
			if strings.HasSuffix(d.Name, "bomb") { // how much is read of it depends on the pieces in which it comes
				but = func(report []byte) []byte { return fetchedBytes.ReplaceAll(report, nil) }
			}
			plain := but(reportOf(t, t.Context(), c.asked(store, keys, nil)))
			same(t, "collecting", but(c.collect(t)), plain)
			same(t, "replaying", but(c.replay(t, c.path)), plain)
		})
	}
}
