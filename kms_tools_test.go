package trailseal_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// The tests in kms_*_test.go run the built tool against a KMS that is not this
// project's, and on objects that other people's libraries encrypted.

// keyID is the key of localKMS that seals, otherKeyID one that does not.
const (
	keyID      = "00000000-0000-4000-8000-000000000001"
	otherKeyID = "00000000-0000-4000-8000-000000000002"
	keyBytes   = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	otherBytes = "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
)

func keyARN(id string) string { return "arn:aws:kms:us-east-1:111122223333:key/" + id }

var toolBuilds sync.Map // module -> func() error

// toolPackages are the commands of modules that have no code of their own.
var toolPackages = map[string]string{"versitygw": "github.com/versity/versitygw/cmd/versitygw"}

// toolBinary builds the command of a module below tools/ once for all tests.
// Where it cannot be built the test is skipped, and says what is not known then.
func toolBinary(t *testing.T, module, without string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED in short mode: " + without)
	}
	binary(t) // makes the directory, which goes when all tests are over
	path := filepath.Join(built.dir, module)
	build, _ := toolBuilds.LoadOrStore(module, sync.OnceValue(func() error {
		cmd := exec.Command("go", "build", "-o", path, cmp.Or(toolPackages[module], "."))
		cmd.Dir = filepath.Join("tools", module)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}))
	if err := build.(func() error)(); err != nil {
		t.Skipf("SKIPPED: tools/%s does not build here, so %s: %v", module, without, err)
	}
	return path
}

// launch runs a server until the test ends, or until the function it gives is
// called, and waits until it accepts connections.
func launch(t *testing.T, address string, env []string, name string, args ...string) (stop func()) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(append(os.Environ(), "TMPDIR="+t.TempDir()), env...) // what it leaves when it is killed goes with the test
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() { cmd.Process.Kill(); cmd.Wait() })
	t.Cleanup(stop)
	for range 400 {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return stop
		}
		time.Sleep(25 * time.Millisecond)
	}
	stop()
	t.Fatalf("%s does not answer: %s", filepath.Base(name), log.Bytes())
	return nil
}

// localKMS starts local-kms with these keys (ID=HEX) and gives its address.
func localKMS(t *testing.T, keys ...string) string {
	t.Helper()
	server := toolBinary(t, "localkms", "no other KMS is asked than this project's own stand-in")
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	args := []string{"-address", address}
	for _, key := range keys {
		args = append(args, "-key", key)
	}
	launch(t, address, nil, server, args...)
	return "http://" + address
}

func kmsClient(url string) *kms.Client {
	return kms.New(kms.Options{
		BaseEndpoint: &url, Region: "us-east-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "trailsealtest", SecretAccessKey: "trailsealtest"}, nil
		}),
	})
}

// A keyReport is what these tests read of the JSON report.
type keyReport struct {
	Files []struct {
		Kind, URI, Verdict, Reason string
		KMSKey                     string `json:"kmsKey"`
		Envelope, Detail           string
	}
	Findings []struct{ Kind, KMSKey, Message string }
	Keys     []struct {
		ARN, State                 string
		Encryption                 []string
		Files, Digests, Unreadable int
	}
	Summary struct {
		Digests, Logs map[string]int
		Requests      map[string]int64
	}
	Exit int
}

// verifyKeys runs the tool and reads what its JSON report says, kept files
// included.
func verifyKeys(t *testing.T, env []string, args ...string) keyReport {
	t.Helper()
	var r keyReport
	out, exit := trailseal(t, env, append([]string{"verify", "--format", "json", "--quiet", "--all"}, args...)...)
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	if exit != r.Exit {
		t.Fatalf("exit status %d, the report says %d", exit, r.Exit)
	}
	return r
}

// trailseal runs the tool: what it wrote to standard output, and its exit status.
func trailseal(t *testing.T, env []string, args ...string) ([]byte, int) {
	t.Helper()
	cmd := exec.Command(binary(t), args...)
	cmd.Env = append(append(os.Environ(), "TMPDIR="+t.TempDir()), env...) // what it leaves when it is killed goes with the test
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if code := cmd.ProcessState.ExitCode(); code >= 0 && !strings.Contains(stderr.String(), "panic:") {
		return out, code
	}
	t.Fatalf("%v ended in %v\n%s", args, cmd.ProcessState, stderr.Bytes())
	return nil, 0
}

// outcomes counts the files of a kind by verdict, reason and envelope:
// "unreadable kms-key-disabled s3ec".
func (r keyReport) outcomes(kind string) map[string]int {
	counts := map[string]int{}
	for _, f := range r.Files {
		if f.Kind == kind {
			counts[strings.Join([]string{f.Verdict, dash(f.Reason), dash(family(f.Envelope))}, " ")]++
		}
	}
	return counts
}

// keysOf are the keys that files of a kind name, in byte order, the last part
// of each.
func (r keyReport) keysOf(kind string) []string {
	keys := map[string]bool{}
	for _, f := range r.Files {
		if f.Kind == kind {
			keys[dash(f.KMSKey[strings.LastIndexAny(f.KMSKey, ":/")+1:])] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// family is an envelope without its version, which is not known of all that
// cannot be opened: "s3ec" of "s3ec-v2".
func family(envelope string) string {
	name, _, _ := strings.Cut(envelope, "-v")
	return name
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// judged are how many digests of a world a run over its window speaks of: the
// starting digest ends where the window begins.
func judged(w *verifytest.World) (digests int) {
	for _, c := range w.Chains() {
		for _, d := range c.Digests {
			if d.End.After(w.Window().Start) {
				digests++
			}
		}
	}
	return digests
}
