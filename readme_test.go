package trailseal_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
)

// A session is one command of a fenced console block, and what the block shows
// after it.
type session struct {
	file, command string
	line          int
	shown         []string
}

// sessions reads the commands of all console blocks of a file.
func sessions(t *testing.T, file string) []session {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var found []session
	inside, fresh := false, false
	for i, line := range strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n") {
		switch command, isCommand := strings.CutPrefix(line, "$ "); {
		case strings.HasPrefix(line, "```"):
			inside, fresh = line == "```console", true
		case inside && isCommand:
			found, fresh = append(found, session{file: file, line: i + 1, command: command}), false
		case inside && fresh:
			t.Errorf("%s:%d: a console block begins with a command", file, i+1)
		case inside:
			last := &found[len(found)-1]
			last.shown = append(last.shown, line)
		}
	}
	return found
}

// What the papers show is what the tool prints: every command of a console
// block that runs trailseal is run, and "echo $?" after it is checked.
func TestSessionsInThePapersAreReal(t *testing.T) {
	docs, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var statuses []string
	for _, file := range append([]string{"README.md"}, docs...) {
		status := "" // of the command before; empty where it was not run
		for _, s := range sessions(t, file) {
			if s.command == "echo $?" {
				if shown := strings.Join(s.shown, "\n"); status != "" && shown != status {
					t.Errorf("%s:%d: it shows exit status %s, want %s", s.file, s.line, shown, status)
				}
				if file == "README.md" {
					statuses = append(statuses, status)
				}
				continue
			}
			status = s.run(t)
		}
	}
	for _, status := range []string{"0", "1", "3"} {
		if !slices.Contains(statuses, status) {
			t.Errorf("the README shows no run that ends in %s", status)
		}
	}
}

// run runs a command that is trailseal's, compares what it prints, and gives
// its exit status.
func (s session) run(t *testing.T) string {
	t.Helper()
	words := strings.Fields(s.command)
	switch {
	case strings.HasPrefix(s.command, "go run ./cmd/trailseal"):
	case words[0] == "trailseal":
		words[0] = binary(t)
	default:
		return ""
	}
	if strings.ContainsAny(s.command, `|<>&;$"'\`) {
		t.Errorf("%s:%d: this test runs no shell: show %q in a block of sh", s.file, s.line, s.command)
		return ""
	}
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Env = append(os.Environ(), "COLUMNS=100", "TERM=dumb")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	got := steady(strings.TrimRight(string(out), "\n"))
	if want := steady(strings.TrimRight(strings.Join(s.shown, "\n"), "\n")); got != want {
		t.Errorf("%s:%d: %s\nprints\n%s\n\nand the paper shows\n%s", s.file, s.line, s.command, got, want)
	}
	return strconv.Itoa(cmd.ProcessState.ExitCode())
}

var (
	version = regexp.MustCompile(`(?m)^trailseal \S+  `)
	took    = regexp.MustCompile(`(?m)( hashed), [0-9a-z ]+\.$`)
	fetched = regexp.MustCompile(`(?m)^go: (downloading|found) .*\n`)
)

// steady takes out what differs from run to run: the version and the time.
func steady(text string) string {
	text = fetched.ReplaceAllString(text, "")
	text = version.ReplaceAllString(text, "trailseal VERSION  ")
	return took.ReplaceAllString(text, "$1, TIME.")
}

// Every word that a report may hold has a row of its own.
func TestEveryWordIsExplained(t *testing.T) {
	text, err := os.ReadFile("docs/verdicts.md")
	if err != nil {
		t.Fatal(err)
	}
	words := verify.Words()
	for _, s := range verify.States {
		words = append(words, string(s))
	}
	for _, word := range words {
		if !strings.Contains(string(text), "\n| `"+word+"` |") {
			t.Errorf("docs/verdicts.md has no row for %s", word)
		}
	}
}

// Every field of the JSON report has a word in its paper.
func TestEveryFieldIsExplained(t *testing.T) {
	text, err := os.ReadFile("docs/scripting.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []any{verify.File{}, verify.Chain{}, verify.Hole{}, verify.Share{}, verify.ChainRef{}, verify.Finding{}, verify.Summary{}, verify.Bytes{}} {
		of := reflect.TypeOf(part)
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			if name != "-" && !strings.Contains(string(text), "`"+name+"`") {
				t.Errorf("docs/scripting.md does not explain %q of %s", name, of.Name())
			}
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)#:]*)(#[^)]*)?\)`)

// Links between the papers lead somewhere.
func TestLinksLeadSomewhere(t *testing.T) {
	papers, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(papers, "README.md", "CONTRIBUTING.md", "testdata/README.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range link.FindAllStringSubmatch(strings.ReplaceAll(string(text), "\n", " "), -1) {
			path := file
			if l[1] != "" {
				path = filepath.Join(filepath.Dir(file), l[1])
			}
			target, err := os.ReadFile(path)
			if err != nil {
				t.Errorf("%s: %v", file, err)
			} else if l[2] != "" && !slices.Contains(anchors(string(target)), l[2]) {
				t.Errorf("%s: %s has no heading %s", file, path, l[2])
			}
		}
	}
}

// anchors are what a paper's headings are linked by.
func anchors(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			kept := strings.Map(func(r rune) rune {
				switch {
				case r == ' ':
					return '-'
				case r == '-' || r == '_' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
					return r
				}
				return -1
			}, strings.ToLower(strings.TrimSpace(title)))
			all = append(all, "#"+kept)
		}
	}
	return all
}
