package trailseal_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
	writers "github.com/trailseal/trailseal/verify/report"
	"github.com/trailseal/trailseal/verify/source"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// The tests in formats_*_test.go have reports read by tools/formats: by
// parsers, types and schemas that are not this project's.

// machineFormats are the reports here, by the ending of their files, and what
// reads them.
var machineFormats = map[string]string{"json": "schema", "ocsf": "ocsf", "asff": "asff", "openmetrics": "openmetrics",
	"sarif": "sarif", "junit": "junit", "markdown": "markdown"}

// A reader is tools/formats, with the schema as the tool prints it.
type reader struct{ path, schema string }

func newReader(t *testing.T) reader {
	t.Helper()
	path := toolBinary(t, "formats", "nobody else reads the reports for machines")
	out, exit := trailseal(t, nil, "schema", "report")
	if exit != 0 {
		t.Fatalf("trailseal schema ends in %d", exit)
	}
	schema := filepath.Join(t.TempDir(), "report.schema.json")
	if err := os.WriteFile(schema, out, 0o600); err != nil {
		t.Fatal(err)
	}
	return reader{path, schema}
}

// read has files of a format read, and gives what is wrong with them.
func (r reader) read(format string, files ...string) error {
	cmd := exec.Command(r.path, append([]string{machineFormats[format]}, files...)...)
	cmd.Env = append(os.Environ(), "TRAILSEAL_SCHEMA="+r.schema)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %.3000s", err, out)
	}
	return nil
}

// in reads every report in a directory.
func (r reader) in(t *testing.T, dir string) {
	t.Helper()
	for format := range machineFormats {
		files, err := filepath.Glob(filepath.Join(dir, "*."+format))
		if err != nil || len(files) == 0 {
			t.Fatalf("no %s in %s: %v", format, dir, err)
		}
		if err := r.read(format, files...); err != nil {
			t.Errorf("%s: %v", format, err)
		}
	}
}

func TestGoldenReportsAreReadByOthers(t *testing.T) {
	newReader(t).in(t, "verify/report/testdata")
}

// What reads the reports finds what is wrong with them: else its silence would
// say nothing.
func TestBrokenReportsAreNotRead(t *testing.T) {
	r := newReader(t)
	for _, c := range []struct{ format, old, new string }{
		{"json", `"class":"remark"`, `"class":"odd"`},
		{"json", `"verdict":"modified",`, ``},
		{"json", `"seq":1}`, `"seq":"1"}`},
		{"json", `"started": "2026-03-12T08:00:00Z"`, `"started": "2026-02-30T08:00:00Z"`},
		{"json", `"exit": 1`, `"exit": 3`},
		{"ocsf", `"class_uid":2004`, `"class_uid":2003`},
		{"ocsf", `"severity_id":5`, `"severity_id":7`},
		{"ocsf", `"standards":[`, `"standard":[`},
		{"ocsf", `"algorithm_id":3,`, ``},
		{"ocsf", `"databucket":{`, `"bucket":{`},
		{"ocsf", `"provider":"AWS"`, `"provider":7`},
		{"ocsf", `"cloud_partition":"aws"`, `"partition":"aws"`},
		{"asff", `"GeneratorId"`, `"Generator"`},
		{"asff", `"Title":"CloudTrail log file deleted",`, ``},
		{"asff", `"Label":"CRITICAL"`, `"Label":"DIRE"`},
		{"asff", `"AwsAccountId":"111122223333"`, `"AwsAccountId":"444455556666"`},
		{"asff", `"Title":"`, `"Title":"` + strings.Repeat("x", 256)},
		{"openmetrics", `trailseal_verdict 1`, `trailseal_verdict one`},
		{"openmetrics", `trailseal_verdict 1`, `trailseal_verdict 1 1773302404000`},
		{"openmetrics", `kind="gap"`, `kind="junk"`},
		{"openmetrics", `# TYPE trailseal_run gauge`, `# TYPE trailseal_run counter`},
	} {
		text, err := os.ReadFile("verify/report/testdata/tampered." + c.format)
		if err != nil {
			t.Fatal(err)
		}
		broken := strings.Replace(string(text), c.old, c.new, 1)
		if broken == string(text) {
			t.Errorf("%s: there is no %s", c.format, c.old)
		}
		path := filepath.Join(t.TempDir(), "broken")
		if err := os.WriteFile(path, []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		if r.read(c.format, path) == nil {
			t.Errorf("%s: %s for %s is not noticed", c.format, c.new, c.old)
		}
	}
}

// writeAll is a sink that writes a report of each format into a directory.
type writeAll struct {
	verify.Sink
	close func() error
}

func newWriteAll(t *testing.T, dir, name string) *writeAll {
	t.Helper()
	var all []writers.Writer
	var files []*os.File
	for format := range machineFormats {
		f, err := os.Create(filepath.Join(dir, name+"."+format))
		if err != nil {
			t.Fatal(err)
		}
		w, err := writers.New(format, f, writers.Options{TempDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		all, files = append(all, w), append(files, f)
		t.Cleanup(func() { w.Close(); f.Close() })
	}
	return &writeAll{writers.Tee(all...), func() error {
		for _, f := range files {
			if err := f.Close(); err != nil {
				return err
			}
		}
		return nil
	}}
}

// cancelling ends a run after its first file.
type cancelling struct {
	verify.Sink
	cancel context.CancelFunc
}

func (c cancelling) File(f verify.File) error {
	c.cancel()
	return c.Sink.File(f)
}

// Reports of real runs: trails with every damage that goes with others, one
// that is honest and all of it told, and one that was interrupted.
func TestReportsOfRunsAreReadByOthers(t *testing.T) {
	awsHere(t)
	r, dir := newReader(t), t.TempDir()
	var damages []string
	for _, d := range verifytest.Damages() {
		if !slices.Contains(apart, d.Name) {
			damages = append(damages, d.Name)
		}
	}
	for name, damage := range map[string][]string{"honest": nil, "damaged": damages, "no-digests": {"all-digests-deleted"}} {
		w := mintWorld(t, func(s *verifytest.Spec) {
			if s.Hours = 6; len(damage) > 1 {
				s.Hours = 40
				s.Accounts, s.Regions = append(s.Accounts, "444455556666"), append(s.Regions, "ap-southeast-2")
			}
		})
		if err := w.Damage(damage...); err != nil {
			t.Fatal(err)
		}
		runAll(t, w, dir, name, nil)
		ctx, cancel := context.WithCancel(t.Context())
		runAll(t, w, dir, name+"-interrupted", func(s verify.Sink) (context.Context, verify.Sink) {
			return ctx, cancelling{s, cancel}
		})
		cancel()
		if text, err := os.ReadFile(filepath.Join(dir, name+"-interrupted.json")); err != nil || name != "no-digests" && !strings.Contains(string(text), `"interrupted": true`) {
			t.Errorf("%s was not interrupted: %v", name, err)
		}
	}
	r.in(t, dir)
}

// runAll verifies a world over HTTP into reports of all formats.
func runAll(t *testing.T, w *verifytest.World, dir, name string, change func(verify.Sink) (context.Context, verify.Sink)) {
	t.Helper()
	server := serveHTTP(t, w, verifytest.ServerOptions{})
	a := asking{
		source.S3Options{URI: "s3://" + w.Trails()[0].Bucket, Region: "eu-west-1", EndpointURL: server.URL, MaxAttempts: 2},
		verify.Request{Source: "s3://" + w.Trails()[0].Bucket, Version: "v0.0.0-test", Window: w.Window(), Now: later(w), All: true},
	}
	reports := newWriteAll(t, dir, name)
	ctx, sink := t.Context(), verify.Sink(reports)
	if change != nil {
		ctx, sink = change(sink)
	}
	store, err := source.OpenS3(t.Context(), a.S3Options)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	a.Request.Store, a.Request.Keys = store, store.Keys()
	if _, err := verify.Run(ctx, a.Request, sink); err != nil {
		t.Fatal(err)
	}
	if err := reports.close(); err != nil {
		t.Fatal(err)
	}
}

// Reports of runs that met KMS keys: sealed by clients, under keys that open,
// that are not to be asked, and of another account.
func TestReportsAboutKeysAreReadByOthers(t *testing.T) {
	awsHere(t)
	r, dir := newReader(t), t.TempDir()
	for name, change := range map[string]func(*kmsAsking){"opened": allow(kmsTrail), "barred": allow(), "off": func(a *kmsAsking) { a.off = true }} {
		w := kmsWorld(t, nil)
		sealWorld(t, w, verifytest.Seal{Scheme: "s3ec-v2"}, isLog)
		w.EncryptSSE(kmsForeign, "aws:kms", isDigest)
		server := serveHTTP(t, w, verifytest.ServerOptions{})
		a, store := openKMS(t, w, server.URL, change)
		reports := newWriteAll(t, dir, name)
		if _, err := verify.Run(t.Context(), a.asking.Request, reports); err != nil {
			t.Fatal(err)
		}
		store.Close()
		if err := reports.close(); err != nil {
			t.Fatal(err)
		}
	}
	r.in(t, dir)
}

// Names that somebody put into the bucket do not make a report that is not one,
// and neither does their number.
func TestHostileReportsAreReadByOthers(t *testing.T) {
	r, dir := newReader(t), t.TempDir()
	names := []string{"", " ", "\x1b]0;owned\x07", "a\nb\"} 1\n# x", "\u202e\u2066", "\xff\xfe", `"},"exit":0,"x":{"`, `\`, `a\n"`, "\u2028\ufeff",
		"../../etc/passwd", strings.Repeat("ü", 3000), "s3://b", "s3://b/", "s3://b/AWSLogs/111122223333/CloudTrail/eu-west-1/\x00/"}
	for i, name := range names {
		at := time.Date(2026, 3, 10, 5, 0, 0, 0, time.UTC)
		reports := newWriteAll(t, dir, fmt.Sprint("hostile", i))
		var err error
		say := func(e error) {
			if err == nil {
				err = e
			}
		}
		say(reports.Start(verify.Header{Version: name, Started: at, Source: name}))
		seq := int64(0)
		next := func() int64 { seq++; return seq }
		for range 120 {
			say(reports.File(verify.File{Kind: "log", URI: name, Verdict: verify.Modified, Reason: verify.HashMismatch, Reasons: []verify.Reason{verify.HashMismatch},
				Detail: name, Digest: name, Version: name, Key: name, Envelope: name, Class: verify.Tampering, Seq: next()}))
		}
		say(reports.Finding(verify.Finding{Kind: verify.Junk, URI: name, Key: name, Message: name, Class: verify.Remark, Seq: next(),
			Chain: &verify.ChainRef{Organization: name, Account: name, Region: name, Trail: name}}))
		say(reports.Finding(verify.Finding{Kind: verify.KeyForeign, Key: name, Message: name, Class: verify.Remark, Seq: next()}))
		chains := 3
		if i < 4 {
			chains = 1100
		}
		for j := range chains {
			say(reports.Chain(verify.Chain{Organization: name, Account: name, Region: name, HomeRegion: name, Trail: fmt.Sprint(name, j), First: &at, Last: &at,
				Class: verify.Tampering, Seq: next(), Gaps: []verify.Hole{{Start: at, End: at, Reason: name}}}))
		}
		say(reports.End(verify.Summary{Finished: at, Verdict: "tampered", Exit: 1, Chains: chains, Requests: map[string]int64{name: 1},
			Keys: []verify.KeyUse{{ARN: name, State: name, Detail: name}}}))
		say(reports.close())
		if err != nil {
			t.Fatal(err)
		}
	}
	r.in(t, dir)
}
