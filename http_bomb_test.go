//go:build linux

package trailseal_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify/verifytest"
)

// highWater is the peak of a process's resident memory in MB, read until it
// ends. What the system says of it afterwards (ru_maxrss) counts in the memory
// of this process, which it shared before it became the tool.
func highWater(pid int) float64 {
	peak := 0.0
	for {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return peak
		}
		_, rest, found := strings.Cut(string(text), "VmHWM:")
		if !found { // it has ended and was not waited for yet
			return peak
		}
		if kb, err := strconv.Atoi(strings.Fields(rest)[0]); err == nil {
			peak = max(peak, float64(kb)/1024)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// A log of 4 GiB in 4 MB and a digest of 512 MiB in half a MB are modified,
// and cost no memory.
func TestBombsCostNoMemory(t *testing.T) {
	for _, name := range []string{"log-bomb", "digest-bomb"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := mintWorld(t, nil)
			if err := w.Damage(name); err != nil {
				t.Fatal(err)
			}
			s := serveHTTP(t, w, verifytest.ServerOptions{})
			var stdout bytes.Buffer
			cmd, stderr := start(t, awsEnv(t, s.URL), &stdout, append([]string{"s3://" + w.Buckets()[0], "--format", "json"}, window(w)...)...)
			peak := make(chan float64)
			go func() { peak <- highWater(cmd.Process.Pid) }()
			cmd.Wait()
			var r report
			if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
				t.Fatalf("%v: %s", err, stderr)
			}
			for _, f := range r.Files {
				got := f.Verdict + " " + f.Reason
				if victim := f.URI == w.Victims[name][0].URI(); victim != (got == "modified too-large") || !victim && got != "unreferenced no-digest" {
					t.Errorf("%s: %s", f.URI, got)
				}
			}
			if r.verdict(w.Victims[name][0].URI()) == "" || cmd.ProcessState.ExitCode() != 1 {
				t.Errorf("%s: %+v", cmd.ProcessState, r)
			}
			if used := <-peak; used > 250 {
				t.Errorf("%.0f MB of memory were used, want 250 at the most", used)
			}
		})
	}
}
