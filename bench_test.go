//go:build linux

package trailseal_test

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/source"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// Each benchmark prints the figure that docs/performance.md quotes. They take
// from seconds to minutes; run them one at a time on a machine that does
// nothing else:
//
//	go test -run '^$' -bench Directory -benchtime 1x .

// bulk mints a world of one region with so many logs of about 30 KB. Their
// contents repeat, so that the world is small; their names and hours do not.
func bulk(b *testing.B, hours, logsPerHour, events int) *verifytest.World {
	return mintWorld(b, func(s *verifytest.Spec) {
		s.Hours, s.LogsPerHour, s.EventsPerLog, s.QuietEvery = hours, logsPerHour, events, 0
		s.Contents, s.Regions, s.Backfill = 100, []string{"us-east-1"}, false
	})
}

type discard struct{}

func (discard) Start(verify.Header) error    { return nil }
func (discard) File(verify.File) error       { return nil }
func (discard) Finding(verify.Finding) error { return nil }
func (discard) Chain(verify.Chain) error     { return nil }
func (discard) End(verify.Summary) error     { return nil }

// BenchmarkDirectory holds a whole verification of a copy against the bare
// loop "read the file, inflate, hash" over the same logs with the same
// inflater on the same cores. The issue asks for 0.85 of its speed.
func BenchmarkDirectory(b *testing.B) {
	b.Run("30KB", func(b *testing.B) { benchmarkDirectory(b, bulk(b, 100, 160, 25)) })
	b.Run("220KB", func(b *testing.B) { benchmarkDirectory(b, bulk(b, 100, 40, 150)) })
}

func benchmarkDirectory(b *testing.B, w *verifytest.World) {
	dir := b.TempDir()
	if err := w.WriteDir(dir, verifytest.DirOptions{PublicKeys: true}); err != nil {
		b.Fatal(err)
	}
	var logs []string
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.Contains(path, "/CloudTrail/") {
			logs = append(logs, path)
		}
		return err
	})
	var ratios, work, speeds []float64
	for b.Loop() {
		for range 7 {
			start := cpuTime()
			bare, size := bareLoop(b, logs)
			middle := cpuTime()
			ours := verifyDirectory(b, dir, size)
			ratios = append(ratios, bare.Seconds()/ours.Seconds())
			work = append(work, (middle-start).Seconds()/(cpuTime()-middle).Seconds())
			speeds = append(speeds, float64(size)/1e6/ours.Seconds())
		}
	}
	b.ReportMetric(median(ratios), "of-bare-loop")
	b.ReportMetric(median(work), "of-bare-loop-by-CPU")
	b.ReportMetric(median(speeds), "MB/s-inflated")
}

// BenchmarkExplain holds a verification that looks for events against one that
// does not, over the same copy. None of the events is in its logs.
func BenchmarkExplain(b *testing.B) {
	b.Run("30KB", func(b *testing.B) { benchmarkExplain(b, bulk(b, 100, 160, 25)) })
	b.Run("220KB", func(b *testing.B) { benchmarkExplain(b, bulk(b, 100, 40, 150)) })
}

func benchmarkExplain(b *testing.B, w *verifytest.World) {
	dir := b.TempDir()
	if err := w.WriteDir(dir, verifytest.DirOptions{PublicKeys: true}); err != nil {
		b.Fatal(err)
	}
	run := func(explain bool) time.Duration {
		d, err := source.OpenDirectory(dir)
		if err != nil {
			b.Fatal(err)
		}
		defer d.Close()
		keys, err := d.KeyFiles()
		if err != nil {
			b.Fatal(err)
		}
		began := cpuTime()
		s, err := verify.Run(context.Background(), verify.Request{Store: d, Keys: keys, Now: time.Now(), Explain: explain}, discard{})
		if err != nil || s.Exit != 0 || len(s.Explained) != 0 {
			b.Fatalf("exit %d, %d events, %v", s.Exit, len(s.Explained), err)
		}
		return cpuTime() - began
	}
	var ratios []float64
	for b.Loop() {
		for range 9 {
			without := run(false)
			ratios = append(ratios, without.Seconds()/run(true).Seconds())
		}
	}
	b.ReportMetric(median(ratios), "of-the-speed-without-by-CPU")
}

// cpuTime is what this process has used of the processors so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func bareLoop(b *testing.B, logs []string) (time.Duration, int64) {
	began := time.Now()
	work := make(chan string, 64)
	var workers sync.WaitGroup
	sizes := make([]int64, runtime.GOMAXPROCS(0))
	for i := range sizes {
		workers.Go(func() {
			var buf bytes.Buffer
			for path := range work {
				f, err := os.Open(path)
				if err != nil {
					b.Error(err)
					return
				}
				buf.Reset()
				io.Copy(&buf, f)
				f.Close()
				c, err := digest.HashGzip(bytes.NewReader(buf.Bytes()), verify.DefaultLogLimit)
				if err != nil || c.Form != digest.Exact {
					b.Errorf("%s: %v %v", path, c.Form, err)
				}
				sizes[i] += c.Size
			}
		})
	}
	for _, path := range logs {
		work <- path
	}
	close(work)
	workers.Wait()
	total := int64(0)
	for _, n := range sizes {
		total += n
	}
	return time.Since(began), total
}

func verifyDirectory(b *testing.B, dir string, size int64) time.Duration {
	began := time.Now()
	d, err := source.OpenDirectory(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	keys, err := d.KeyFiles()
	if err != nil {
		b.Fatal(err)
	}
	s, err := verify.Run(context.Background(), verify.Request{Store: d, Keys: keys, Now: time.Now()}, discard{})
	if err != nil || s.Exit != 0 || s.Bytes.Hashed != size {
		b.Fatalf("exit %d, %d of %d bytes hashed, %v", s.Exit, s.Bytes.Hashed, size, err)
	}
	return time.Since(began)
}

// cost is what a whole process took.
type cost struct {
	wall, cpu time.Duration
	peak      float64 // resident, MB
}

// runTool runs the built tool over a served world as a process of its own.
func runTool(b *testing.B, s *verifytest.Server, w *verifytest.World, want int, more ...string) cost {
	b.Helper()
	args := append(append([]string{"verify", "s3://" + w.Buckets()[0], "--quiet"}, window(w)...), more...)
	cmd := exec.Command(binary(b), args...)
	cmd.Env = append(s.Env(), "AWS_REGION=us-east-1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	var out bytes.Buffer
	cmd.Stdout = &out
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	peak := make(chan float64)
	go func() { peak <- highWater(cmd.Process.Pid) }()
	cmd.Wait()
	wall := time.Since(began)
	if cmd.ProcessState.ExitCode() != want {
		b.Fatalf("exit %d, want %d\n%s%s", cmd.ProcessState.ExitCode(), want, out.Bytes(), stderr.Bytes())
	}
	state := cmd.ProcessState
	return cost{wall, state.UserTime() + state.SystemTime(), <-peak}
}

func serveWorld(b *testing.B, w *verifytest.World, o verifytest.ServerOptions) *verifytest.Server {
	b.Helper()
	o.AllKeys = true
	s, err := verifytest.NewServer(w, o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

// BenchmarkReference holds the tool against aws cloudtrail validate-logs over
// 2,000 logs of about 30 KB, whole processes: wall time with 20 ms added to
// each answer, CPU time without. The issue asks for 60 times and 0.15.
func BenchmarkReference(b *testing.B) {
	if _, err := exec.LookPath("aws"); err != nil {
		b.Skip("SKIPPED: aws is not on the PATH")
	}
	w := bulk(b, 25, 80, 25)
	slow := serveWorld(b, w, verifytest.ServerOptions{Latency: 20 * time.Millisecond})
	quick := serveWorld(b, w, verifytest.ServerOptions{})
	trail := w.Trails()[0]
	for b.Loop() {
		ref, err := slow.ValidateLogs(b.Context(), trail, trail.Account, "us-east-1", w.Window())
		if err != nil || ref.Exit != 0 {
			b.Fatal(err, ref)
		}
		var ours, cpu []float64
		for range 5 {
			ours = append(ours, runTool(b, slow, w, 0).wall.Seconds())
		}
		near, err := quick.ValidateLogs(b.Context(), trail, trail.Account, "us-east-1", w.Window())
		if err != nil {
			b.Fatal(err)
		}
		for range 5 {
			cpu = append(cpu, runTool(b, quick, w, 0).cpu.Seconds())
		}
		b.ReportMetric(ref.Elapsed.Seconds(), "s-reference")
		b.ReportMetric(median(ours), "s-ours")
		b.ReportMetric(ref.Elapsed.Seconds()/median(ours), "times-faster")
		b.ReportMetric(median(cpu)/near.CPU.Seconds(), "of-its-CPU")
	}
}

// BenchmarkMemory is the peak of the process over ten times as many logs. The
// issue asks for at most 1.3 times as much, and under 200 MB.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		few := bulk(b, 100, 200, 3)
		small := runTool(b, serveWorld(b, few, verifytest.ServerOptions{}), few, 0)
		many := bulk(b, 1000, 200, 3)
		large := runTool(b, serveWorld(b, many, verifytest.ServerOptions{}), many, 0)
		b.ReportMetric(small.peak, "MB-20k-logs")
		b.ReportMetric(large.peak, "MB-200k-logs")
		b.ReportMetric(large.peak/small.peak, "times-as-much")
	}
}

// BenchmarkSlowDown is how much of a server's cap is used that answers only
// 1,500 requests a second and SlowDown to the rest. The issue asks for 0.95,
// and not one file called anything but what it is (exit 0 says so).
func BenchmarkSlowDown(b *testing.B) {
	const rate = 1500
	w := bulk(b, 200, 200, 1)
	for b.Loop() {
		s := serveWorld(b, w, verifytest.ServerOptions{Rate: rate, Latency: 20 * time.Millisecond})
		c := runTool(b, s, w, 0, "--concurrency", "256")
		objects, _ := w.Size()
		b.ReportMetric(float64(objects)/c.wall.Seconds()/rate, "of-cap")
		b.ReportMetric(float64(s.Requests()["SlowDown"])/float64(objects), "SlowDown-per-object")
	}
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}
