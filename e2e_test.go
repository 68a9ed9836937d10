package trailseal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/trailseal/trailseal/verify/verifytest"
)

// A report is what these tests read of the JSON report.
type report struct {
	Files []struct {
		Kind, URI, Verdict, Reason string
		Reasons                    []string
	}
	Findings []struct{ Kind, Message string }
	Summary  struct {
		Digests, Logs map[string]int
		Requests      map[string]int64
	}
	Exit        int
	Interrupted bool
}

func (r report) verdict(uri string) string {
	for _, f := range r.Files {
		if f.URI == uri {
			return f.Verdict
		}
	}
	return ""
}

var built struct {
	sync.Once
	dir, path string
	err       error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// binary builds the tool once for all tests.
func binary(t testing.TB) string {
	t.Helper()
	built.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "trailseal-test-"); built.err != nil {
			return
		}
		built.path = filepath.Join(built.dir, "trailseal")
		if out, err := exec.Command("go", "build", "-o", built.path, "./cmd/trailseal").CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%w: %s", err, out)
		}
	})
	if built.err != nil {
		t.Fatalf("building the tool: %v", built.err)
	}
	return built.path
}

// verifyJSON runs the tool and reads its JSON report. The exit status must be
// the one in the report.
func verifyJSON(t testing.TB, env []string, args ...string) report {
	t.Helper()
	cmd := exec.Command(binary(t), append([]string{"verify", "--format", "json", "--quiet"}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v: %v\n%s%s", args, err, out, stderr.Bytes())
	}
	if got := cmd.ProcessState.ExitCode(); got != r.Exit {
		t.Fatalf("exit status %d, the report says %d\n%s", got, r.Exit, stderr.Bytes())
	}
	return r
}

// awsEnv points the tool, and the AWS CLI, at a server on this machine and at
// nothing else.
func awsEnv(t testing.TB, url string) []string {
	none := filepath.Join(t.TempDir(), "none")
	return []string{
		"AWS_ENDPOINT_URL=" + url, "AWS_ACCESS_KEY_ID=trailsealtest", "AWS_SECRET_ACCESS_KEY=trailsealtest",
		"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_CONFIG_FILE=" + none,
		"AWS_SHARED_CREDENTIALS_FILE=" + none, "AWS_EC2_METADATA_DISABLED=true", "AWS_PROFILE=", "NO_PROXY=127.0.0.1",
	}
}

func mintWorld(t testing.TB, change func(*verifytest.Spec)) *verifytest.World {
	t.Helper()
	spec := verifytest.DefaultSpec()
	spec.Hours, spec.LogsPerHour, spec.EventsPerLog = 6, 2, 2
	if change != nil {
		change(&spec)
	}
	w, err := verifytest.Mint(spec)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// window are the flags that ask for all of a world.
func window(w *verifytest.World) []string {
	const layout = "2006-01-02T15:04:05Z"
	return []string{"--start", w.Window().Start.Format(layout), "--end", w.Window().End.Format(layout)}
}

// freePort is a port of 127.0.0.1 that nothing listens on.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// keyFiles writes a world's public keys as `aws cloudtrail list-public-keys`
// prints them and returns the flags that name them.
func keyFiles(t testing.TB, w *verifytest.World) []string {
	t.Helper()
	var flags []string
	dir, seen := t.TempDir(), map[string]bool{}
	for _, c := range w.Chains() {
		if seen[c.Region] {
			continue
		}
		seen[c.Region] = true
		name := filepath.Join(dir, c.Region+".json")
		if err := os.WriteFile(name, w.ListPublicKeysJSON(c.Region), 0o600); err != nil {
			t.Fatal(err)
		}
		flags = append(flags, "--public-keys", name)
	}
	return flags
}
