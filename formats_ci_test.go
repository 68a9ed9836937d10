package trailseal_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// xsdInstalled is where tools/formats/xsd was installed, once for all tests.
var xsdInstalled = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(built.dir, "xsd")
	if err := os.CopyFS(dir, os.DirFS("tools/formats/xsd")); err != nil {
		return "", err
	}
	cmd := exec.Command("npm", "ci")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci: %w: %.1000s", err, out)
	}
	return dir, nil
})

// xsd holds JUnit reports against its schemas, and gives what is wrong.
func xsd(t *testing.T, files ...string) error {
	t.Helper()
	const without = "no schema is asked about the JUnit reports"
	if testing.Short() {
		t.Skip("SKIPPED in short mode: " + without)
	}
	binary(t) // makes the directory, which goes when all tests are over
	for i := range files {
		files[i], _ = filepath.Abs(files[i])
	}
	dir, err := xsdInstalled()
	if err != nil {
		t.Skipf("SKIPPED: xmllint cannot be installed here, so %s: %v", without, err)
	}
	cmd := exec.Command("node", append([]string{"xsd.mjs"}, files...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %.3000s", err, out)
	}
	return nil
}

// JUnit reports are valid by the schema of Ant's and by that of Jenkins',
// whatever names they tell.
func TestJUnitFollowsItsSchemas(t *testing.T) {
	files, err := filepath.Glob("verify/report/testdata/*.junit")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d reports: %v", len(files), err)
	}
	dir := t.TempDir()
	for i, name := range []string{"", "  a  b ", "\x00\x1b\n\r\t", "]]>", "<!--&#0;", "\xff\ufffe\U0010ffff", strings.Repeat("\u202e", 2000)} {
		reports := newWriteAll(t, dir, fmt.Sprint("hostile", i))
		at := time.Date(2026, 3, 10, 5, 0, 0, 0, time.UTC)
		for _, err := range []error{
			reports.Start(verify.Header{Version: name, Source: name}), // and no time
			reports.File(verify.File{Kind: "log", URI: name, Verdict: verify.Modified, Detail: name, Class: verify.Tampering}),
			reports.File(verify.File{Kind: "log", URI: name, Verdict: verify.Pending, Detail: name, Class: verify.Remark}),
			reports.Finding(verify.Finding{Kind: verify.Gap, Message: name, Class: verify.ClassUnproven, Start: &at, End: &at,
				Chain: &verify.ChainRef{Organization: name, Account: name, Region: name, Trail: name}}),
			reports.Chain(verify.Chain{Organization: name, Account: name, Region: name, HomeRegion: name, Trail: name}),
			reports.Chain(verify.Chain{First: &at, Last: &at}),
			reports.End(verify.Summary{Verdict: "tampered", Exit: 1, Seconds: 1e9}),
			reports.close(),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		files = append(files, filepath.Join(dir, fmt.Sprintf("hostile%d.junit", i)))
	}
	if err := xsd(t, files...); err != nil {
		t.Error(err)
	}
}

// What reads the reports for CI servers finds what is wrong with them.
func TestBrokenReportsForCIAreNotRead(t *testing.T) {
	r := newReader(t)
	for _, c := range []struct{ format, old, new string }{
		{"sarif", `"version": "2.1.0"`, `"version": "2.1.1"`},
		{"sarif", `"level":"error"`, `"level":"fatal"`},
		{"sarif", `"level":"error"`, `"levels":"error"`},
		{"sarif", `"message":{"text":"Log`, `"message":{"texts":"Log`},
		{"sarif", `"uri":"s3/`, `"uri":"s3://`},
		{"sarif", `"uri":"s3/`, `"uri":"../s3/`},
		{"sarif", `a.json.gz"},"region"`, `a b.json.gz"},"region"`},
		{"sarif", `"ruleIndex":8`, `"ruleIndex":9`},
		{"sarif", `"security-severity":"9.5"`, `"security-severity":"dire"`},
		{"sarif", `"startTimeUtc":"2026-03-12T08:00:00Z"`, `"startTimeUtc":"2026-03-12"`},
		{"junit", `tests="1" failures="1"`, `tests="1" failures="0"`},
		{"junit", `name="verdict"`, `name="verdict`},
		{"junit", `<failure type="tampering"`, `<failed type="tampering"`},
		{"markdown", "`s3://example-trail-logs`", "s3://example-trail-logs <b>"},
		{"markdown", "`s3://example-trail-logs`", "[s3](http://example.com)"},
		{"markdown", "`s3://example-trail-logs`", "@example"},
		{"markdown", "| ❌ modified | log", "| ❌ modified \n# log"},
		{"markdown", "| --- | --- | --- | --- |", "| --- | --- |"},
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
		if c.format == "junit" && strings.HasPrefix(c.old, "<failure") && xsd(t, path) == nil {
			t.Errorf("the schemas do not notice %s", c.new)
		}
	}
}
