package trailseal_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trailseal/trailseal/kms"
	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/bundle"
	"github.com/trailseal/trailseal/verify/source"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// collectInto makes a bundle of what a request reads, and gives its report.
func collectInto(t testing.TB, path string, req verify.Request) []byte {
	t.Helper()
	report, err := tryCollect(t, t.Context(), path, req, true)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// tryCollect is a collection, or the part of one that comes before it is
// interrupted. Without finish, trouble that may pass leaves it unfinished.
func tryCollect(t testing.TB, ctx context.Context, path string, req verify.Request, finish bool) ([]byte, error) {
	t.Helper()
	report, _, err := goOn(t, ctx, path, req, finish)
	return report, err
}

// goOn is tryCollect that tells how many objects were there before.
func goOn(t testing.TB, ctx context.Context, path string, req verify.Request, finish bool) (report []byte, taken int64, err error) {
	t.Helper()
	w, err := bundle.Create(t.Context(), path, bundle.Identity{Tool: "test", Asked: json.RawMessage("{}"), Settled: json.RawMessage("{}")})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := bundle.NewRecorder(w, bundle.RecorderOptions{Store: req.Store, Keys: req.Keys, KeyStates: req.KeyStates, Stop: cancel})
	_, taken, _ = w.Resumed()
	recorded := req
	recorded.Store, recorded.Keys, recorded.KeyStates = r, r, r
	report = reportOf(t, ctx, recorded)
	switch {
	case ctx.Err() != nil:
		return report, taken, ctx.Err()
	case r.Passing() > 0 && !finish:
		return report, taken, fmt.Errorf("%d could not be had", r.Passing())
	}
	if err := r.Finish(ctx); err != nil {
		return report, taken, err
	}
	_, err = w.Commit(bundle.Head{Tool: "test", Collected: req.Now, Source: req.Source, Window: req.Window})
	return report, taken, err
}

// replayFrom is the report of a request over a bundle alone.
func replayFrom(t testing.TB, path string, req verify.Request) []byte {
	t.Helper()
	r, err := bundle.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s := bundle.NewStore(r)
	req.Store, req.Keys, req.KeyStates = s, s, s
	return reportOf(t, t.Context(), req)
}

// bothSame collects and verifies, and wants the report of the source both times.
func bothSame(t *testing.T, form string, make func() verify.Request) {
	t.Helper()
	path := filepath.Join(t.TempDir(), form)
	plain := reportOf(t, t.Context(), make())
	same(t, "collecting", collectInto(t, path, make()), plain)
	same(t, "replaying", replayFrom(t, path, make()), plain)
}

// What KMS opened, and what it refused, is in the bundle: nothing is asked again.
func TestABundleNeedsNoKMS(t *testing.T) {
	awsHere(t)
	for _, seal := range everySeal() {
		t.Run(sealName(seal), func(t *testing.T) {
			t.Parallel()
			w := kmsWorld(t, func(s *verifytest.Spec) { s.Hours = 3 })
			sealWorld(t, w, seal, nil)
			s := serveHTTP(t, w, verifytest.ServerOptions{})
			for name, change := range map[string]func(*kmsAsking){"allowed": allow(kmsTrail), "not allowed": nil, "off": func(a *kmsAsking) { a.off = true }} {
				t.Run(name, func(t *testing.T) {
					bothSame(t, "bundle.tar", func() verify.Request {
						a, store := openKMS(t, w, s.URL, change)
						t.Cleanup(func() { store.Close() })
						return a.asking.Request
					})
				})
			}
		})
	}
	for _, key := range []string{kmsTrail, kmsForeign} {
		w := kmsWorld(t, func(s *verifytest.Spec) { s.KMSKey = key })
		s := serveHTTP(t, w, verifytest.ServerOptions{})
		bothSame(t, "bundle", func() verify.Request {
			a, store := openKMS(t, w, s.URL, nil)
			t.Cleanup(func() { store.Close() })
			return a.asking.Request
		})
	}
}

// A plain copy on disk is collected as well, with the keys that lie in it.
func TestABundleOfADirectory(t *testing.T) {
	for _, d := range verifytest.Damages() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			w := mintWorld(t, func(s *verifytest.Spec) { s.Hours = 13 })
			if err := w.Damage(d.Name); err != nil {
				t.Skip(err)
			}
			for _, stripped := range []bool{false, true} {
				dir := t.TempDir()
				if err := w.WriteDir(dir, verifytest.DirOptions{Buckets: true, PublicKeys: true}); err != nil {
					t.Skip(err) // it cannot be in a directory
				}
				if stripped {
					strip(t, dir)
				}
				bothSame(t, "bundle.tar.zst", func() verify.Request {
					store, err := source.OpenDirectory(dir)
					if err != nil {
						t.Skip(err) // it cannot be in a directory
					}
					t.Cleanup(func() { store.Close() })
					keys, err := store.KeyFiles()
					if err != nil {
						t.Fatal(err)
					}
					return verify.Request{Source: "copy", Store: source.NewOpening(store, source.NewKMS(t.Context(), source.AWSOptions{}, ""), &kms.Opener{}), Keys: keys,
						Now: later(w), All: true, LogLimit: 4 << 20, DigestLimit: digestLimit(w), KeysInCopy: "keys"}
				})
			}
		})
	}
}

// An organization's trail that moved, with kinds of logs that no digest lists, and
// answers that are refused.
func TestABundleOfAnOrganization(t *testing.T) {
	awsHere(t)
	w := mintWorld(t, func(s *verifytest.Spec) {
		s.Organization, s.Accounts = "o-exampleorgid", append(s.Accounts, "444455556666", "777788889999")
		s.Prefix, s.Insight, s.MoveBucketAt, s.Hours, s.Pending = "audit", true, 9, 20, 2
	})
	for name, fault := range map[string]verifytest.Fault{
		"none":     {Operation: "nothing"},
		"logs":     {Operation: "GetObject", Key: "*444455556666_CloudTrail_*", Status: 403, Code: "AccessDenied"},
		"listing":  {Operation: "ListObjectsV2", Key: "*/777788889999/CloudTrail/us-east-1/*", Status: 403, Code: "AccessDenied"},
		"page":     {Operation: "ListObjectsV2", Page: 2, Status: 403, Code: "AccessDenied"},
		"keys":     {Operation: "ListPublicKeys", Region: "us-east-1", Status: 400, Code: "AccessDeniedException"},
		"archived": {Operation: "GetObject", Key: "*CloudTrail-Digest*T05*", Status: 403, Code: "InvalidObjectState"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serveHTTP(t, w, verifytest.ServerOptions{PageSize: 9, Faults: []verifytest.Fault{fault}})
			c := collecting{w: w, url: s.URL, at: 8}
			bothSame(t, "bundle", func() verify.Request {
				store, keys := c.open(t)
				return c.asked(store, keys, nil)
			})
		})
	}
}

// counted counts what is read, and does something when so much was.
type counted struct {
	verify.Store
	n    atomic.Int64
	at   int64
	then func()
}

func (c *counted) Read(ctx context.Context, ref verify.Ref, use func(verify.Object) error) error {
	if c.n.Add(1) > c.at {
		c.then()
		return ctx.Err()
	}
	return c.Store.Read(ctx, ref, use)
}

// A collection that is interrupted after any number of objects is gone on with,
// and asks for what is missing alone.
func TestAnInterruptedCollectionIsGoneOnWith(t *testing.T) {
	awsHere(t)
	w := mintWorld(t, func(s *verifytest.Spec) {
		s.Hours, s.Regions, s.Backfill, s.Pending = 3, []string{"eu-west-1"}, false, 0
	})
	s := serveHTTP(t, w, verifytest.ServerOptions{})
	c := collecting{w: w, url: s.URL, at: 3}
	store, keys := c.open(t)
	plain := reportOf(t, t.Context(), c.asked(store, keys, nil))
	all := s.Requests()["GetObject"]
	for _, form := range forms {
		for n := int64(0); n <= all; n++ {
			path := filepath.Join(t.TempDir(), form)
			ctx, cancel := context.WithCancel(t.Context())
			first, keys := c.open(t)
			cut := &counted{Store: first, at: n, then: cancel}
			_, err := tryCollect(t, ctx, path, c.asked(cut, keys, nil), false)
			if cancel(); n == all {
				if err != nil {
					t.Fatal(err)
				}
				same(t, form, replayFrom(t, path, c.asked(nil, nil, nil)), plain)
				continue
			}
			if err == nil {
				t.Fatalf("%s: it was interrupted after %d of %d, and is finished", form, n, all)
			}
			if _, err := bundle.Open(path); err == nil {
				t.Fatalf("%s: after %d of %d it passes for a bundle", form, n, all)
			}
			again, keys := c.open(t)
			rest := &counted{Store: again, at: all}
			report, taken, err := goOn(t, t.Context(), path, c.asked(rest, keys, nil), false)
			if err != nil {
				t.Fatal(err)
			}
			if got := rest.n.Load(); taken > n || got != all-taken {
				t.Errorf("%s: %d of %d were there after %d, and %d were asked for", form, taken, all, n, got)
			}
			what := fmt.Sprintf("%s after %d", form, n)
			same(t, what, report, plain)
			same(t, what, replayFrom(t, path, c.asked(nil, nil, nil)), plain)
		}
	}
}

// A network that fails leaves a collection unfinished; errors are asked again.
func TestTroubleThatPasses(t *testing.T) {
	awsHere(t)
	w := mintWorld(t, func(s *verifytest.Spec) { s.Hours = 4 })
	bad := serveHTTP(t, w, verifytest.ServerOptions{Faults: []verifytest.Fault{{Operation: "GetObject", Key: "*_CloudTrail_us-east-1_*", Cut: true}}})
	good := serveHTTP(t, w, verifytest.ServerOptions{})
	ask := func(url string) verify.Request {
		c := collecting{w: w, url: url, at: 8}
		store, keys := c.open(t)
		return c.asked(store, keys, nil)
	}
	plain := reportOf(t, t.Context(), ask(good.URL))
	path := filepath.Join(t.TempDir(), "bundle.tar")
	if _, err := tryCollect(t, t.Context(), path, ask(bad.URL), false); err == nil {
		t.Fatal("half of the logs broke, and it is finished")
	}
	before := good.Requests()["GetObject"]
	report, err := tryCollect(t, t.Context(), path, ask(good.URL), false)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "going on", report, plain)
	same(t, "replaying", replayFrom(t, path, ask(good.URL)), plain)
	logs := int64(0)
	for ref := range w.Expect(later(w)) {
		if strings.Contains(ref.Key, "_CloudTrail_us-east-1_") {
			logs++
		}
	}
	if got := good.Requests()["GetObject"] - before; got != logs {
		t.Errorf("%d objects were asked for, %d were missing", got, logs)
	}
}

var fetchedBytes = regexp.MustCompile(`"fetched": \d+`)

// A large object goes through in one piece, and once more from its start where it
// breaks.
func TestALargeObject(t *testing.T) {
	awsHere(t)
	w := mintWorld(t, func(s *verifytest.Spec) { s.Hours = 4 })
	_, logs := spotOf(t, w, "eu-west-1")
	noise := make([]byte, 6<<20)
	rand.NewChaCha8([32]byte{1}).Read(noise)
	var large bytes.Buffer
	z := gzip.NewWriter(&large)
	z.Write(noise)
	z.Close()
	alter(t, w, logs[0], func(o *verifytest.Object) { o.Bytes = large.Bytes() })
	for _, limit := range []int64{0, 5 << 20} {
		for _, form := range forms {
			s := serveHTTP(t, w, verifytest.ServerOptions{Faults: []verifytest.Fault{{Operation: "GetObject", Key: logs[0].Key, Cut: true, Times: 1}}})
			c := collecting{w: w, url: s.URL, at: 8, request: func(r *verify.Request) { r.LogLimit = limit }}
			path := filepath.Join(t.TempDir(), form)
			ask := func() verify.Request {
				store, keys := c.open(t)
				return c.asked(store, keys, nil)
			}
			// How much is read of what is too large depends on the pieces in which it comes.
			but := func(report []byte) []byte { return fetchedBytes.ReplaceAll(report, nil) }
			plain := but(reportOf(t, t.Context(), ask()))
			same(t, "collecting", but(collectInto(t, path, ask())), plain)
			same(t, "replaying", but(replayFrom(t, path, ask())), plain)
		}
	}
}

// Whatever is changed in a bundle is noticed.
func TestEveryPartOfABundleIsChecked(t *testing.T) {
	awsHere(t)
	w := mintWorld(t, func(s *verifytest.Spec) { s.Hours, s.Regions, s.Backfill = 3, []string{"eu-west-1"}, false })
	s := serveHTTP(t, w, verifytest.ServerOptions{})
	c := collecting{w: w, url: s.URL, at: 8}
	store, keys := c.open(t)
	dir := filepath.Join(t.TempDir(), "bundle")
	collectInto(t, dir, c.asked(store, keys, nil))
	var parts []string
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			parts = append(parts, path)
		}
		return err
	})
	for _, part := range parts {
		whole, err := os.ReadFile(part)
		if err != nil {
			t.Fatal(err)
		}
		for name, change := range map[string]func() error{
			"a bit":   func() error { b := bytes.Clone(whole); b[len(b)/2] ^= 1; return os.WriteFile(part, b, 0o600) },
			"cut":     func() error { return os.WriteFile(part, whole[:len(whole)-1], 0o600) },
			"longer":  func() error { return os.WriteFile(part, append(bytes.Clone(whole), '\n'), 0o600) },
			"missing": func() error { return os.Remove(part) },
		} {
			if err := change(); err != nil {
				t.Fatal(err)
			}
			if j := judgeBundle(t, dir, c.asked(nil, nil, nil)); j != nil && (j.summary.Exit != 1 || j.finding(verify.BundleAltered).Kind == "") {
				t.Errorf("%s, %s: exit %d\n%s", strings.TrimPrefix(part, dir), name, j.summary.Exit, j)
			} else if j == nil && filepath.Base(part) != "manifest.json" {
				t.Errorf("%s, %s: it cannot be opened", part, name)
			}
			os.Remove(part)
			if err := os.WriteFile(part, whole, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if j := judgeBundle(t, dir, c.asked(nil, nil, nil)); j == nil || j.summary.Exit != 0 || len(j.findings) > 0 {
		t.Errorf("as it was: %v", j)
	}
}

// judgeBundle verifies a bundle; nil: it cannot be opened.
func judgeBundle(t testing.TB, path string, req verify.Request) *judgement {
	t.Helper()
	r, err := bundle.Open(path)
	if err != nil {
		return nil
	}
	defer r.Close()
	s := bundle.NewStore(r)
	req.Store, req.Keys, req.KeyStates = s, s, s
	var j judgement
	if _, err := verify.Run(t.Context(), req, &j); err != nil {
		t.Fatal(err)
	}
	return &j
}

// A bundle says nothing of what it was not collected for: neither kept nor deleted.
func TestABundleKnowsNothingElse(t *testing.T) {
	awsHere(t)
	w := mintWorld(t, func(s *verifytest.Spec) { s.Hours, s.Accounts = 12, append(s.Accounts, "444455556666") })
	s := serveHTTP(t, w, verifytest.ServerOptions{})
	middle := everything(w)
	middle.Start, middle.End = middle.Start.Add(4*time.Hour), middle.End.Add(-5*time.Hour)
	narrow := func(r *verify.Request) {
		r.Window, r.Lookback = middle, time.Hour
		r.Filter.Accounts, r.Filter.Regions = []string{"111122223333"}, []string{"eu-west-1"}
	}
	c := collecting{w: w, url: s.URL, at: 8, request: narrow}
	store, keys := c.open(t)
	path := filepath.Join(t.TempDir(), "bundle")
	collectInto(t, path, c.asked(store, keys, nil))
	for name, wider := range map[string]func(*verify.Request){
		"earlier":      func(r *verify.Request) { r.Window.Start = r.Window.Start.Add(-50 * time.Hour) },
		"later":        func(r *verify.Request) { r.Window.End = everything(w).End.Add(80 * time.Hour) },
		"everything":   func(r *verify.Request) { r.Window = verify.Window{} },
		"all accounts": func(r *verify.Request) { r.Filter.Accounts = nil },
		"all regions":  func(r *verify.Request) { r.Filter.Regions = nil },
		"another":      func(r *verify.Request) { r.Filter.Accounts = []string{"444455556666"} },
		"lookback":     func(r *verify.Request) { r.Lookback = 400 * time.Hour },
	} {
		req := c.asked(nil, nil, nil)
		wider(&req)
		j := judgeBundle(t, path, req)
		if j.summary.Exit != 3 || j.summary.Logs[verify.Deleted]+j.summary.Digests[verify.Deleted] > 0 {
			t.Errorf("%s: exit %d\n%s", name, j.summary.Exit, j)
		}
	}
	req := c.asked(nil, nil, nil)
	req.Window.Start, req.Window.End = middle.Start.Add(time.Hour), middle.End.Add(-time.Hour)
	if j := judgeBundle(t, path, req); j.summary.Exit != 0 || j.summary.Logs[verify.Kept] == 0 {
		t.Errorf("a part of the window: %s", j)
	}
}
