//go:build linux

package trailseal_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify/verifytest"
)

// BenchmarkCollect holds collecting from the loopback server, in each form,
// against verifying from it, whole processes. The issue asks for 0.8 of its speed.
func BenchmarkCollect(b *testing.B) {
	b.Run("3KB", func(b *testing.B) { benchmarkCollect(b, bulk(b, 100, 160, 25)) })
	b.Run("18KB", func(b *testing.B) { benchmarkCollect(b, bulk(b, 100, 80, 150)) })
}

func benchmarkCollect(b *testing.B, w *verifytest.World) {
	s := serveWorld(b, w, verifytest.ServerOptions{})
	for b.Loop() {
		for _, form := range forms {
			var ratios, work []float64
			for range 7 {
				plain := runTool(b, s, w, 0)
				c := collectTool(b, s, w, filepath.Join(inMemory(b), form))
				ratios = append(ratios, plain.wall.Seconds()/c.wall.Seconds())
				work = append(work, plain.cpu.Seconds()/c.cpu.Seconds())
			}
			b.ReportMetric(median(ratios), "of-verify-"+form)
			b.ReportMetric(median(work), "of-verify-by-CPU-"+form)
		}
	}
}

// inMemory is a directory in memory, where there is one: the disk is not what is
// measured, and some take many times as long for a new file while many were deleted
// not long ago.
func inMemory(b *testing.B) string {
	b.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "trailseal-bench-")
	if err != nil {
		return b.TempDir()
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// BenchmarkCollectMemory is the peak of collect, and of verify over the bundle,
// over ten times as many logs.
func BenchmarkCollectMemory(b *testing.B) {
	for b.Loop() {
		var collect, replay []float64
		for _, hours := range []int{100, 1000} {
			w := bulk(b, hours, 200, 3)
			path := filepath.Join(b.TempDir(), "bundle.tar")
			collect = append(collect, collectTool(b, serveWorld(b, w, verifytest.ServerOptions{}), w, path).peak)
			replay = append(replay, costOf(b, exec.Command(binary(b), "verify", path, "--quiet"), 0).peak)
		}
		b.ReportMetric(collect[0], "MB-collect-20k")
		b.ReportMetric(collect[1], "MB-collect-200k")
		b.ReportMetric(replay[0], "MB-verify-20k")
		b.ReportMetric(replay[1], "MB-verify-200k")
	}
}

func collectTool(b *testing.B, s *verifytest.Server, w *verifytest.World, path string) cost {
	b.Helper()
	cmd := exec.Command(binary(b), append([]string{"collect", "s3://" + w.Buckets()[0], "--quiet", "-o", path}, window(w)...)...)
	cmd.Env = append(s.Env(), "AWS_REGION=us-east-1")
	return costOf(b, cmd, 0)
}

func costOf(b *testing.B, cmd *exec.Cmd, want int) cost {
	b.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	peak := make(chan float64)
	go func() { peak <- highWater(cmd.Process.Pid) }()
	cmd.Wait()
	wall := time.Since(began)
	state := cmd.ProcessState
	if state.ExitCode() != want {
		b.Fatalf("exit %d, want %d\n%s", state.ExitCode(), want, out.Bytes())
	}
	return cost{wall, state.UserTime() + state.SystemTime(), <-peak}
}
