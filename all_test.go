// Package trailseal_test tests the repository itself.
package trailseal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

const module = "github.com/trailseal/trailseal/"

// may says which rooms and modules each room imports (docs/format.md and
// CONTRIBUTING.md tell why). A room that is not named here is an error, so
// that a new one is thought about.
var may = map[string][]string{
	"digest":            {"github.com/klauspost/compress"},
	"verify":            {module + "digest", "golang.org/x/sync"},
	"verify/source":     {module + "verify", module + "digest", module + "kms", "github.com/aws/", "golang.org/x/sync"},
	"verify/bundle":     {module + "verify", module + "digest", "github.com/klauspost/compress"},
	"verify/report":     {module + "verify", module + "digest"},
	"verify/verifytest": {module + "verify", module + "digest", "github.com/klauspost/compress"},
	"kms":               {"github.com/aws/"},
	"cmd/trailseal":     {module, "github.com/spf13/cobra", "go.yaml.in/yaml/v3", "github.com/vbauerster/mpb", "golang.org/x/sync", "github.com/spf13/pflag"},
}

// never names what the standard library offers and a room may not have.
var never = map[string][]string{
	"digest":        {"context", "net", "os"},
	"verify":        {"net", "os"},
	"verify/report": {"net", "sync"},
}

type pkg struct {
	ImportPath  string
	Imports     []string
	TestImports []string
	Module      *struct{ GoVersion string }
}

func list(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestRoomsImportOnlyWhatTheyMay(t *testing.T) {
	for _, p := range list(t) {
		room := strings.TrimPrefix(p.ImportPath, module)
		if p.ImportPath == strings.TrimSuffix(module, "/") {
			continue // only this test
		}
		base := room
		if parent, _, ok := strings.Cut(room, "/internal/"); ok {
			base = parent
		}
		allowed, known := may[base]
		if !known {
			t.Errorf("%s is not a room of the table", room)
		}
		for _, imported := range p.Imports {
			if !permitted(base, imported, allowed) {
				t.Errorf("%s imports %s", room, imported)
			}
		}
	}
}

func permitted(room, imported string, allowed []string) bool {
	for _, n := range never[room] {
		if imported == n || strings.HasPrefix(imported, n+"/") {
			return false
		}
	}
	if !strings.Contains(strings.Split(imported, "/")[0], ".") {
		return true // the standard library
	}
	if strings.HasPrefix(imported, module+room+"/internal/") {
		return true
	}
	for _, a := range allowed {
		exact := strings.HasPrefix(a, module) && a != module
		if imported == a || !exact && strings.HasPrefix(imported, a) {
			return true
		}
	}
	return false
}

// The engine decides, main exits: no room but the command may end the process
// or write to the standard streams.
func TestOnlyTheCommandTouchesTheProcess(t *testing.T) {
	forbidden := regexp.MustCompile(`\bos\.(Exit|Stdout|Stderr|Stdin)\b|\blog\.Fatal|\bfmt\.Print`)
	out, err := exec.Command("git", "ls-files", "digest", "verify", "kms").Output()
	if err != nil {
		t.Skip("not a git checkout")
	}
	for _, name := range strings.Fields(string(out)) {
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if found := forbidden.Find(text); found != nil {
			t.Errorf("%s uses %s", name, found)
		}
	}
}

// Ten direct dependencies at most, each with a line in the README that says
// what it is for. The modules of the AWS SDK come from one hand and count as one.
func TestDirectDependenciesAreFewAndExplained(t *testing.T) {
	text, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	direct := regexp.MustCompile(`(?m)^\s+(\S+) v\S+$`).FindAllStringSubmatch(string(text), -1)
	from := map[string]bool{}
	for _, d := range direct {
		hand := d[1]
		if strings.HasPrefix(hand, "github.com/aws/aws-sdk-go-v2/") {
			hand = "github.com/aws/aws-sdk-go-v2"
		}
		from[hand] = true
		if !strings.Contains(string(readme), "`"+d[1]+"`") {
			t.Errorf("the README does not say what %s is for", d[1])
		}
	}
	if len(from) == 0 || len(from) > 10 {
		t.Errorf("%d direct dependencies, want 1 to 10", len(from))
	}
}
