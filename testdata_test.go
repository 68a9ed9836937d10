package trailseal_test

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata anew, as simulate makes it now")

// practice is how each trail in testdata was made. testdata/README.md says the
// same to people.
var practice = map[string]string{
	"whole":   "--hours 6 --logs-per-hour 2 --events 3 --signatures all --seed 1",
	"gap":     "--hours 6 --logs-per-hour 2 --events 3 --signatures all --seed 1 --damage gap",
	"damaged": "--hours 6 --logs-per-hour 2 --events 3 --signatures all --seed 1 --damage log-modified,log-deleted,forged-log",
}

// The trails in testdata are what simulate makes, byte for byte.
func TestTestdataIsWhatSimulateMakes(t *testing.T) {
	readme, err := os.ReadFile("testdata/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, flags := range practice {
		t.Run(name, func(t *testing.T) {
			kept := filepath.Join("testdata", name)
			if line := "trailseal simulate " + filepath.ToSlash(kept) + " " + flags; !strings.Contains(string(readme), line) {
				t.Errorf("testdata/README.md does not say %q", line)
			}
			made := filepath.Join(t.TempDir(), name)
			simulate := exec.Command(binary(t), append([]string{"simulate", made}, strings.Fields(flags)...)...)
			if out, err := simulate.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if *update {
				if err := os.RemoveAll(kept); err != nil {
					t.Fatal(err)
				}
				if err := os.CopyFS(kept, os.DirFS(made)); err != nil {
					t.Fatal(err)
				}
			}
			compareTrees(t, tree(t, made), tree(t, kept))
		})
	}
}

func compareTrees(t *testing.T, want, got map[string][]byte) {
	t.Helper()
	const remedy = "go test -run TestTestdata -update . writes testdata anew; say in the commit why it changed"
	size := 0
	for name, content := range want {
		size += len(content)
		switch found, ok := got[name]; {
		case !ok:
			t.Errorf("%s is not in testdata; %s", name, remedy)
		case !bytes.Equal(found, content):
			t.Errorf("%s is not what simulate makes; %s", name, remedy)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is in testdata and simulate does not make it", name)
		}
	}
	if len(want) < 20 || size > 100<<10 {
		t.Errorf("%d files with %d bytes: want a small trail", len(want), size)
	}
}

// tree reads all files below a directory.
func tree(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err == nil {
			files[filepath.ToSlash(name)], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
