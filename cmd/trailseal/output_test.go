package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// holds lists what a directory holds.
func holds(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestOutputIsWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "report.json")
	if err := os.WriteFile(name, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := openOutput(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(out, "half of it"); err != nil {
		t.Fatal(err)
	}
	out.Discard()
	if got, _ := os.ReadFile(name); string(got) != "old" || holds(t, dir) != "report.json" {
		t.Errorf("after Discard: %q in %s", got, holds(t, dir))
	}
	out, err = openOutput(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(out, "new")
	if err := errors.Join(err, out.Commit()); err != nil {
		t.Fatal(err)
	}
	out.Discard() // has nothing to do
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(name); string(got) != "new" || holds(t, dir) != "report.json" || info.Mode().Perm() != 0o600 {
		t.Errorf("after Commit: %q, %v in %s", got, info.Mode(), holds(t, dir))
	}
}

func TestOutputElsewhere(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink("target", link); err != nil {
		t.Skip(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "target"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	out, err := openOutput(link, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := out.Commit(); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(link); err != nil || to != "target" {
		t.Errorf("the link was replaced: %v", err)
	}
	if _, err := openOutput(dir, nil); err == nil || exitCode(err) != exitUsage {
		t.Errorf("a directory: %v", err)
	}
	if _, err := openOutput(filepath.Join(dir, "no", "such"), nil); err == nil || exitCode(err) != exitUsage {
		t.Errorf("no such directory: %v", err)
	}
	out, err = openOutput(os.DevNull, nil)
	if err != nil || out.name != "" || out.Commit() != nil {
		t.Errorf("the null device: %v", err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Error("the null device was replaced")
	}
	stream := new(strings.Builder)
	for _, name := range []string{"", "-"} {
		if out, err := openOutput(name, stream); err != nil || out.Writer != stream || out.Commit() != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// A guarded buffer may be written and read at once.
type guarded struct {
	mu sync.Mutex
	b  strings.Builder
}

func (g *guarded) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.b.Write(p)
}

func (g *guarded) String() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.b.String()
}

func TestPlainLines(t *testing.T) {
	var out guarded
	m := meter{p: new(verify.Progress), begun: noon, now: func() time.Time { return noon }}
	stop := plainLines(&out, m, time.Millisecond, func() bool { return true })
	for range 1000 {
		if strings.Count(out.String(), "\n") >= 2 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	stop()
	said := out.String()
	if !strings.HasPrefix(said, "trailseal: 0/0 digests") || strings.Count(said, "\n") < 2 {
		t.Errorf("said %q", said)
	}
	time.Sleep(5 * time.Millisecond)
	if out.String() != said {
		t.Error("it goes on after stop")
	}
	var none guarded
	startProgress("none", &none, m.p)()
	startProgress("plain", &none, m.p)()
	startProgress("bars", &none, m.p)()
	if none.String() != "" {
		t.Errorf("a short run says %q", none.String())
	}
}
