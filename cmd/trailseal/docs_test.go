package main

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var updateDocs = flag.Bool("update", false, "write docs/commands and docs/man anew")

// docs/commands and docs/man are what the commands make.
func TestDocsAreCurrent(t *testing.T) {
	const remedy = "go test ./cmd/trailseal -run TestDocs -update writes it"
	all := pages(newRoot(streams{}))
	for _, kind := range []struct {
		dir        string
		name, text func(page) string
	}{{"../../docs/man", page.manName, page.man}, {"../../docs/commands", page.markdownName, page.markdown}} {
		if *updateDocs {
			if err := os.RemoveAll(kind.dir); err != nil {
				t.Fatal(err)
			}
			if err := writePages(kind.dir, all, kind.name, kind.text); err != nil {
				t.Fatal(err)
			}
		}
		wanted := map[string]bool{}
		for _, p := range all {
			path := filepath.Join(kind.dir, kind.name(p))
			wanted[filepath.Base(path)] = true
			text, err := os.ReadFile(path)
			if err != nil {
				t.Errorf("%v; %s", err, remedy)
			} else if strings.ReplaceAll(string(text), "\r\n", "\n") != kind.text(p) {
				t.Errorf("%s is not what the command says now; %s", path, remedy)
			}
		}
		entries, err := os.ReadDir(kind.dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if !wanted[e.Name()] {
				t.Errorf("%s is the page of no command; %s", filepath.Join(kind.dir, e.Name()), remedy)
			}
		}
	}
}

// Every flag of every command is on its pages, and the links lead to pages.
func TestPagesAreComplete(t *testing.T) {
	names := map[string]bool{}
	all := pages(newRoot(streams{}))
	for _, p := range all {
		names[p.markdownName()] = true
	}
	links := regexp.MustCompile(`\]\(([^)]+)\)`)
	for _, p := range all {
		for _, o := range p.options {
			if !strings.Contains(p.man(), "--"+o.name) && !strings.Contains(p.man(), `\-\-`+roff(o.name)) || !strings.Contains(p.markdown(), "--"+o.name) {
				t.Errorf("%s does not have --%s", p.name(), o.name)
			}
		}
		for _, l := range links.FindAllStringSubmatch(p.markdown(), -1) {
			if !names[l[1]] {
				t.Errorf("%s links to %s", p.name(), l[1])
			}
		}
	}
	if len(all) < 12 || names["trailseal-docs.md"] || names["trailseal-help.md"] || !names["trailseal-kms-check.md"] {
		t.Errorf("%d pages: %v", len(all), names)
	}
}

func TestRoff(t *testing.T) {
	for text, want := range map[string]string{
		".dot": `\&.dot`, "'quote": `\(aqquote`, `a\b`: `a\eb`, "--flag": `\-\-flag`, "…": `\[u2026]`, "a.b": "a.b", `"x"`: `\(dqx\(dq`, "~^`": `\(ti\(ha\(ga`, "": "",
	} {
		if got := roffLine(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	hostile := page{words: []string{"x"}, short: ".TH", usage: "x", long: ".SH evil\n\n  .so /etc/passwd\n  \\fBbold\n\n'so x\n...\nA line. .B two", example: "  .x\n\n  'y \\n"}
	for line := range strings.Lines(hostile.man()) {
		if strings.HasPrefix(line, "'") || regexp.MustCompile(`^\.(so|x|SH evil|B two|\.)`).MatchString(line) {
			t.Errorf("a line of the text became a request: %s", line)
		}
	}
	for _, want := range []string{`\&.so /etc/passwd`, `\efBbold`, `\&.x`, `\&.SH evil`} {
		if !strings.Contains(hostile.man(), want) {
			t.Errorf("no %q in\n%s", want, hostile.man())
		}
	}
}

// Programs that show man pages find nothing wrong with ours.
func TestManPagesAreWellFormed(t *testing.T) {
	dir := t.TempDir()
	if err := writePages(dir, pages(newRoot(streams{})), page.manName, page.man); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	checked := false
	for _, checker := range [][]string{{"mandoc", "-Tlint", "-Wstyle"}, {"groff", "-man", "-ww", "-z", "-Tutf8"}} {
		if _, err := exec.LookPath(checker[0]); err != nil {
			continue
		}
		checked = true
		for _, file := range files {
			if out, err := exec.Command(checker[0], append(checker[1:], file)...).CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%s: %v\n%s", checker[0], err, out)
			}
		}
	}
	if !checked {
		t.Skip("neither mandoc nor groff is here")
	}
}
