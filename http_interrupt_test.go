//go:build unix

package trailseal_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// patience is how long a test waits for what must come, on any machine.
const patience = time.Minute

// start starts the tool and gives what it prints and how it ends.
func start(t *testing.T, env []string, stdout io.Writer, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	cmd := exec.Command(binary(t), append([]string{"verify"}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return cmd, &stderr
}

// until waits for something to become true.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// Ctrl-C in the middle of a run: what was found stands in a whole report, and
// what was not looked at is named.
func TestInterruptInTheMiddle(t *testing.T) {
	t.Parallel()
	w := mintWorld(t, func(s *verifytest.Spec) { s.Hours, s.LogsPerHour, s.Contents = 12, 10, 4 })
	s := serveHTTP(t, w, verifytest.ServerOptions{Latency: 20 * time.Millisecond})
	for _, gets := range []int64{0, 1, 60} {
		var stdout bytes.Buffer
		before := s.Requests()["GetObject"]
		args := append([]string{"s3://" + w.Buckets()[0], "--format", "json", "--quiet", "--concurrency", "2"}, window(w)...)
		cmd, stderr := start(t, awsEnv(t, s.URL), &stdout, args...)
		lists := s.Requests()["ListObjectsV2"]
		until(t, "the run has begun", func() bool {
			return s.Requests()["ListObjectsV2"] > lists && s.Requests()["GetObject"] >= before+gets
		})
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
		var r report
		if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
			t.Fatalf("after %d reads: %v\n%s%s", gets, err, stdout.Bytes(), stderr)
		}
		if code := cmd.ProcessState.ExitCode(); code != 3 || r.Exit != 3 || !r.Interrupted || len(r.Files) > 0 {
			t.Errorf("after %d reads: exit status %d, %+v\n%s", gets, code, r, stderr)
		}
		if !slices.Contains(kinds(r), string(verify.NotChecked)) || stderr.Len() > 0 {
			t.Errorf("after %d reads: findings %v; %s", gets, kinds(r), stderr)
		}
		if n := r.Summary.Digests["kept"]; gets == 60 && n == 0 {
			t.Errorf("after %d reads nothing is reported: %+v", gets, r)
		}
	}
}

// Ctrl-C where the server never answers ends the run too.
func TestInterruptWhileTheServerHangs(t *testing.T) {
	t.Parallel()
	w := mintWorld(t, nil)
	s := serveHTTP(t, w, verifytest.ServerOptions{Latency: time.Hour})
	asked := make(chan bool, 1)
	g := newGate(t, s)
	go func() {
		for g.count() == 0 {
			time.Sleep(time.Millisecond)
		}
		asked <- true
	}()
	var stdout bytes.Buffer
	cmd, stderr := start(t, awsEnv(t, g.URL), &stdout, append([]string{"s3://" + w.Buckets()[0], "--format", "json"}, window(w)...)...)
	<-asked
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait()
	var r report
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil || !r.Interrupted || cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("%v: %s, %+v\n%s", err, cmd.ProcessState, r, stderr)
	}
}

// Where nobody takes the report a first Ctrl-C cannot end the run; the second
// does, at once.
func TestSecondInterruptEndsAtOnce(t *testing.T) {
	t.Parallel()
	w := mintWorld(t, nil)
	s := serveHTTP(t, w, verifytest.ServerOptions{Latency: 10 * time.Millisecond})
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close()
	fill(t, write)
	cmd, _ := start(t, awsEnv(t, s.URL), write, append([]string{"s3://" + w.Buckets()[0]}, window(w)...)...)
	until(t, "the run has begun", func() bool { return s.Requests()["GetObject"] > 0 })
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for end := time.After(patience); ; {
		cmd.Process.Signal(os.Interrupt)
		select {
		case <-ended:
			status := cmd.ProcessState.Sys().(syscall.WaitStatus)
			if !status.Signaled() || status.Signal() != syscall.SIGINT {
				t.Errorf("it ended with %s, want by the signal", cmd.ProcessState)
			}
			return
		case <-time.After(100 * time.Millisecond):
		case <-end:
			t.Fatal("it does not end")
		}
	}
}

// fill fills a pipe, so that the next byte has to wait.
func fill(t *testing.T, pipe *os.File) {
	t.Helper()
	if err := pipe.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Skipf("this system's pipes cannot be filled: %v", err)
	}
	chunk := make([]byte, 4096)
	for {
		if _, err := pipe.Write(chunk); err != nil {
			break
		}
	}
	for {
		if _, err := pipe.Write(chunk[:1]); err != nil {
			return
		}
	}
}
