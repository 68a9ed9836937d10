package trailseal_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// An actionRun is what a step of the GitHub action left behind.
type actionRun struct {
	status          int
	log             string // both streams, as a runner reads them
	outputs         map[string]string
	summary, folder string
}

// runAction runs a step of action.yml as a runner does: inputs by environment,
// outputs and summary by file.
func runAction(t *testing.T, step string, env ...string) actionRun {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the action's script is tried on Linux only")
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	repository, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	run := actionRun{folder: t.TempDir(), outputs: map[string]string{}}
	path := func(name string) string { return filepath.Join(run.folder, name) }
	cmd := exec.Command(bash, filepath.Join(repository, "ci", "action.sh"), step)
	cmd.Dir = run.folder
	cmd.Env = append(os.Environ(), "RUNNER_OS=Linux", "RUNNER_ARCH=X64", "RUNNER_TEMP="+run.folder, "ACTION_DIR="+repository,
		"GITHUB_OUTPUT="+path("output"), "GITHUB_STEP_SUMMARY="+path("step-summary"), "GITHUB_SERVER_URL=https://github.com", "GH_TOKEN=")
	cmd.Env = append(cmd.Env, env...)
	log, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	run.status, run.log = cmd.ProcessState.ExitCode(), string(log)
	outputs, _ := os.ReadFile(path("output"))
	for line := range strings.Lines(string(outputs)) {
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if _, twice := run.outputs[name]; !ok || twice {
			t.Errorf("output %q", line)
		}
		run.outputs[name] = value
	}
	summary, _ := os.ReadFile(path("step-summary"))
	run.summary = string(summary)
	return run
}

func testdata(t *testing.T, name string) string {
	path, err := filepath.Abs(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestActionEndsAsTheToolDoes(t *testing.T) {
	for _, c := range []struct {
		source, verdict string
		status          int
	}{{"whole", "kept", 0}, {"damaged", "tampered", 1}, {"gap", "unproven", 3}} {
		t.Run(c.source, func(t *testing.T) {
			run := runAction(t, "verify", "TRAILSEAL="+binary(t), "INPUT_SOURCE="+testdata(t, c.source),
				"INPUT_SARIF=out/scan/report.sarif", "INPUT_JUNIT=out/junit.xml", "INPUT_HTML=out/report.html")
			if run.status != c.status || run.outputs["exit-code"] != fmt.Sprint(c.status) || run.outputs["verdict"] != c.verdict {
				t.Fatalf("exit status %d, outputs %v\n%s", run.status, run.outputs, run.log)
			}
			text, err := os.ReadFile(run.outputs["report"])
			var r report
			if err != nil || json.Unmarshal(text, &r) != nil || r.Exit != c.status {
				t.Errorf("the JSON report: %v\n%s", err, text)
			}
			for _, name := range []string{"out/scan/report.sarif", "out/junit.xml", "out/report.html"} {
				if info, err := os.Stat(filepath.Join(run.folder, name)); err != nil || info.Size() == 0 {
					t.Errorf("%s: %v", name, err)
				}
			}
			if len(run.summary) < 100 || !strings.Contains(run.summary, "#") {
				t.Errorf("the summary is %q", run.summary)
			}
			if errors := strings.Count(run.log, "::error "); errors != min(c.status, 1) {
				t.Errorf("%d annotations\n%s", errors, run.log)
			}
			between := regexp.MustCompile(`(?s)\A::stop-commands::([0-9a-f]{32})\n(.*)\n::([0-9a-f]{32})::\n`).FindStringSubmatch(run.log)
			if between == nil || between[1] != between[3] || !strings.Contains(between[2], "chains, ") {
				t.Errorf("the runner would take commands from the report:\n%s", run.log)
			}
		})
	}
}

func TestActionPassesInputsOn(t *testing.T) {
	both := []string{"TRAILSEAL=" + binary(t), "INPUT_SUMMARY=false"}
	damaged := "INPUT_SOURCE=" + testdata(t, "damaged")
	for name, c := range map[string]struct {
		env    []string
		status int
		log    string
	}{
		"words accepted":    {[]string{damaged, "INPUT_ACCEPT=modified,deleted\n\nunreferenced\r\n"}, 0, "kept"},
		"words refused":     {[]string{"INPUT_SOURCE=" + testdata(t, "gap"), "INPUT_FAIL_ON=gap"}, 1, "Tampering"},
		"patterns":          {[]string{damaged, "INPUT_REGION=us-*\nap-*", "INPUT_ACCOUNT=1111*"}, 3, "unreferenced"},
		"window":            {[]string{damaged, "INPUT_START=2026-03-10T00:12:31Z", "INPUT_END=2026-03-10T01:12:31Z"}, 0, "to 2026-03-10T01:12:31Z (1 h)"},
		"more arguments":    {[]string{"INPUT_SOURCE=" + testdata(t, "gap"), "INPUT_ARGS=--accept\ngap"}, 0, "kept"},
		"nothing to verify": {nil, 2, "::error "},
		"two sources":       {[]string{damaged, "INPUT_TRAIL=management-events"}, 2, "::error "},
		"no such word":      {[]string{damaged, "INPUT_ACCEPT=gaps"}, 2, "::error "},
		"two lines":         {[]string{damaged, "INPUT_START=7d\n--accept=deleted"}, 2, "start has more than one line"},
		"two paths":         {[]string{damaged, "INPUT_JSON=a\nverdict=kept"}, 2, "report has more than one line"},
		"half a truth":      {[]string{damaged, "INPUT_SUMMARY=yes"}, 2, "want true or false"},
		"no such path":      {[]string{damaged, "INPUT_JSON=/dev/null/report.json"}, 70, "this action itself failed"},
		"source is a flag":  {[]string{"INPUT_SOURCE=--help"}, 2, "::error "},
		"source is a shell": {[]string{"INPUT_SOURCE=$(touch pwned)`touch pwned`; touch pwned", "INPUT_REGION=$(touch pwned)\n`touch pwned`"}, 2, "::error "},
	} {
		t.Run(name, func(t *testing.T) {
			run := runAction(t, "verify", append(slices.Clone(both), c.env...)...)
			if run.status != c.status || run.outputs["exit-code"] != fmt.Sprint(c.status) || !strings.Contains(run.log, c.log) {
				t.Errorf("exit status %d, want %d and %q; outputs %v\n%s", run.status, c.status, c.log, run.outputs, run.log)
			}
			if none := run.outputs["report"] == ""; none != (c.status == 2 || c.status == 70) || none != (run.outputs["verdict"] == "error") {
				t.Errorf("outputs %v", run.outputs)
			}
			if run.summary != "" {
				t.Errorf("the summary is %q", run.summary)
			}
			if _, err := os.Stat(filepath.Join(run.folder, "pwned")); err == nil {
				t.Error("an input was run")
			}
		})
	}
}

// Where a run has no report, one of an earlier run is not taken for it.
func TestActionLeavesNoOldReport(t *testing.T) {
	old := filepath.Join(t.TempDir(), "report.json")
	if err := os.WriteFile(old, []byte(`{"exit":0}`), 0o600); err != nil {
		t.Fatal(err)
	}
	run := runAction(t, "verify", "TRAILSEAL="+binary(t), "INPUT_SOURCE="+testdata(t, "whole"), "INPUT_JSON="+old, "INPUT_ARGS=--no-such-flag")
	if _, err := os.Stat(old); run.status != 2 || err == nil || run.outputs["report"] != "" {
		t.Errorf("exit status %d, %v, outputs %v\n%s", run.status, err, run.outputs, run.log)
	}
}

// Names of objects come from whoever can write into the bucket: as a line of
// the log they are nothing that a runner obeys.
func TestActionObeysNoReport(t *testing.T) {
	hostile := filepath.Join(t.TempDir(), "trailseal")
	script := "#!/bin/sh\necho '::set-output name=verdict::kept'\necho '##[error]no'\necho '::stop-commands::mine'\nexit 1\n"
	if err := os.WriteFile(hostile, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	run := runAction(t, "verify", "TRAILSEAL="+hostile, "INPUT_SOURCE=.")
	if obeyed := obey(run.log); len(obeyed) != 1 || !strings.HasPrefix(obeyed[0], "::error title=trailseal::Tampering") {
		t.Errorf("a runner obeys %q\n%s", obeyed, run.log)
	}
}

// obey gives the lines of a log that a runner takes for commands.
func obey(log string) (commands []string) {
	stopped := ""
	for line := range strings.Lines(log) {
		line = strings.TrimSpace(line)
		switch token, stop := strings.CutPrefix(line, "::stop-commands::"); {
		case stopped != "":
			if line == "::"+stopped+"::" {
				stopped = ""
			}
		case stop:
			stopped = token
		case strings.HasPrefix(line, "::") || strings.Contains(line, "##["):
			commands = append(commands, line)
		}
	}
	return commands
}

// releaseArchive is an archive as a release has it, packed once.
var releaseArchive = sync.OnceValues(func() ([]byte, error) {
	text, err := os.ReadFile(built.path)
	var packed bytes.Buffer
	z, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	a := tar.NewWriter(z)
	err = errors.Join(err, a.WriteHeader(&tar.Header{Name: "trailseal", Mode: 0o755, Size: int64(len(text))}))
	_, failed := a.Write(text)
	err = errors.Join(err, failed, a.Close(), z.Close())
	return packed.Bytes(), err
})

// release makes a folder that looks like a release, and one with programs that
// stand for curl, go and gh, and returns the PATH.
func release(t *testing.T, gh string, damage func(dir, archive string)) string {
	t.Helper()
	dir, programs, tool := t.TempDir(), t.TempDir(), binary(t)
	packed, err := releaseArchive()
	if err != nil {
		t.Fatal(err)
	}
	const archive = "trailseal_1.2.3_linux_amd64.tar.gz"
	files := map[string]string{
		filepath.Join(dir, archive):         string(packed),
		filepath.Join(dir, "checksums.txt"): fmt.Sprintf("%x  other.tar.gz\n%x  %s\n", sha256.Sum256(nil), sha256.Sum256(packed), archive),
		filepath.Join(programs, "curl"): `#!/bin/bash
while [ $# -gt 1 ]; do [ "$1" = --output ] && to=$2; shift; done
case $1 in https://github.com/trailseal/trailseal/releases/download/v1.2.3/*) cp "` + dir + `/${1##*/}" "$to" ;; *) exit 22 ;; esac
`,
		filepath.Join(programs, "go"): `#!/bin/bash
case "$*" in "build -trimpath -o $4 ./cmd/trailseal") [ -f go.mod ] && cp "` + tool + `" "$4" ;; *) exit 9 ;; esac
`,
	}
	if gh != "" {
		files[filepath.Join(programs, "gh")] = gh
	}
	for name, content := range files {
		if err := os.WriteFile(name, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if damage != nil {
		damage(dir, archive)
	}
	return programs + string(filepath.ListSeparator) + os.Getenv("PATH")
}

func TestActionInstallsWhatItCanTrust(t *testing.T) {
	const (
		vouches = "#!/bin/sh\n" + `case "$*" in
*--help*) echo "--source-ref string" ;;
*"_linux_amd64.tar.gz --repo trailseal/trailseal --source-ref refs/tags/v1.2.3 --signer-workflow trailseal/trailseal/.github/workflows/release.yml"*) ;;
*) exit 9 ;; esac
`
		refuses = "#!/bin/sh\ncase \"$*\" in *--help*) echo --source-ref ;; *) exit 1 ;; esac\n"
		old     = "#!/bin/sh\nexit 1\n"
	)
	altered := func(dir, archive string) {
		f, err := os.OpenFile(filepath.Join(dir, archive), os.O_APPEND|os.O_WRONLY, 0)
		if err == nil {
			_, err = f.WriteString("x")
		}
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	short := func(dir, archive string) {
		text := []byte("\x1f\x8b")
		sums := fmt.Appendf(nil, "%x  %s\n", sha256.Sum256(text), archive)
		if err := errors.Join(os.WriteFile(filepath.Join(dir, archive), text, 0o600), os.WriteFile(filepath.Join(dir, "checksums.txt"), sums, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	unnamed := func(dir, _ string) { os.WriteFile(filepath.Join(dir, "checksums.txt"), nil, 0o600) }
	for name, c := range map[string]struct {
		gh     string
		damage func(dir, archive string)
		env    []string
		status int
		log    string
	}{
		"attested":              {vouches, nil, []string{"INPUT_VERSION=v1.2.3", "GH_TOKEN=x"}, 0, "trailseal "},
		"by the action's tag":   {vouches, nil, []string{"ACTION_REF=v1.2.3", "GH_TOKEN=x", "INPUT_ATTESTATION=required"}, 0, "trailseal "},
		"no gh that can":        {old, nil, []string{"INPUT_VERSION=v1.2.3", "GH_TOKEN=x"}, 0, "::warning "},
		"no token":              {vouches, nil, []string{"INPUT_VERSION=v1.2.3"}, 0, "::warning "},
		"not asked":             {refuses, nil, []string{"INPUT_VERSION=v1.2.3", "GH_TOKEN=x", "INPUT_ATTESTATION=off"}, 0, "trailseal "},
		"not attested":          {refuses, nil, []string{"INPUT_VERSION=v1.2.3", "GH_TOKEN=x"}, 70, "no attestation"},
		"required, no token":    {vouches, nil, []string{"INPUT_VERSION=v1.2.3", "INPUT_ATTESTATION=required"}, 70, "cannot be used"},
		"altered":               {vouches, altered, []string{"INPUT_VERSION=v1.2.3", "GH_TOKEN=x"}, 70, "checksum"},
		"not in the checksums":  {vouches, unnamed, []string{"INPUT_VERSION=v1.2.3", "GH_TOKEN=x"}, 70, "checksum"},
		"no such release":       {vouches, nil, []string{"INPUT_VERSION=v9.9.9", "GH_TOKEN=x"}, 70, "cannot download"},
		"no such platform":      {vouches, nil, []string{"INPUT_VERSION=v1.2.3", "RUNNER_ARCH=S390X"}, 2, "S390X"},
		"no version":            {vouches, nil, []string{"INPUT_VERSION=latest"}, 2, "latest"},
		"no word":               {vouches, nil, []string{"INPUT_VERSION=v1.2.3", "INPUT_ATTESTATION=maybe"}, 2, "maybe"},
		"cut short":             {vouches, short, []string{"INPUT_VERSION=v1.2.3", "GH_TOKEN=x"}, 70, "cannot be unpacked"},
		"a path as a version":   {vouches, nil, []string{"INPUT_VERSION=v1.2.3/../../evil"}, 2, "want a release"},
		"source":                {"", nil, []string{"INPUT_VERSION=source"}, 0, "trailseal "},
		"source by commit hash": {"", nil, []string{"ACTION_REF=08c6903cd8c0fde910a37f88322edcfb5dd907a8"}, 0, "trailseal "},
	} {
		t.Run(name, func(t *testing.T) {
			run := runAction(t, "install", append([]string{"PATH=" + release(t, c.gh, c.damage)}, c.env...)...)
			if run.status != c.status || !strings.Contains(run.log, c.log) {
				t.Fatalf("exit status %d, want %d and %q\n%s", run.status, c.status, c.log, run.log)
			}
			if c.status != 0 {
				if run.outputs["binary"] != "" {
					t.Errorf("it gives a binary: %v", run.outputs)
				}
				return
			}
			if out, err := exec.Command(run.outputs["binary"], "version").CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

// The action hands over every input, the script knows no other, and no
// expression is pasted into a script.
func TestActionHandsOverItsInputs(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(string(text), "\r\n", "\n")
	}
	action, script := read("action.yml"), read("ci/action.sh")
	names := func(pattern, text string) []string {
		var all []string
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			all = append(all, strings.ToUpper(strings.ReplaceAll(m[1], "-", "_")))
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	inputs, _, _ := strings.Cut(action, "\noutputs:")
	_, inputs, _ = strings.Cut(inputs, "\ninputs:")
	declared := names(`(?m)^  ([a-z-]+):$`, inputs)
	for what, got := range map[string][]string{
		"env of action.yml":    names(`(?m)^        INPUT_([A-Z_]+): \$\{\{ inputs\.[a-z-]+ \}\}$`, action),
		"${{ inputs }}":        names(`\$\{\{ inputs\.([a-z-]+) \}\}`, action),
		"script ci/action.sh":  names(`INPUT_([A-Z_]+)`, script),
		"table of docs/ci.md":  names("(?m)^\\| `([a-z-]+)` \\| input", read("docs/ci.md")),
		"inputs of action.yml": declared,
	} {
		if !slices.Equal(got, declared) || len(got) < 10 {
			t.Errorf("%s: %v, want %v", what, got, declared)
		}
	}
	for line := range strings.Lines(action) {
		if strings.Contains(line, "${{") && strings.Contains(line, "run:") {
			t.Errorf("an expression in a script: %s", line)
		}
	}
}
