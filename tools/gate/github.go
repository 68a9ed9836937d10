package main

import (
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"

	"github.com/nektos/act/pkg/schema"
	"github.com/rhysd/actionlint"
	"gopkg.in/yaml.v3"
)

// workflow lints with actionlint, which also asks shellcheck about scripts
// where it is installed, and holds local actions against their action.yml.
func workflow(file string, text []byte) []string {
	shellcheck, _ := exec.LookPath("shellcheck")
	l, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{Shellcheck: shellcheck})
	if err != nil {
		return []string{err.Error()}
	}
	project, err := actionlint.NewProject(".")
	if err != nil {
		return []string{err.Error()}
	}
	found, err := l.Lint(file, text, project)
	if err != nil {
		return []string{err.Error()}
	}
	var mistakes []string
	for _, e := range found {
		mistakes = append(mistakes, fmt.Sprintf("%d:%d: %s [%s]", e.Line, e.Column, e.Message, e.Kind))
	}
	return mistakes
}

// action holds action.yml against the schema of GitHub's runner, and its
// scripts against the rule that no expression is pasted into one.
func action(_ string, text []byte) []string {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return []string{err.Error()}
	}
	var mistakes []string
	node := &schema.Node{Definition: "action-root", Schema: schema.GetActionSchema()}
	if err := node.UnmarshalYAML(root.Content[0]); err != nil {
		mistakes = append(mistakes, err.Error())
	}
	// The runner's schema lets unknown words pass: these are what it has.
	var a struct {
		Name, Description, Author string
		Branding                  struct{ Icon, Color string }
		Inputs                    map[string]struct {
			Description, Default string
			Required             bool
			Deprecation          string `yaml:"deprecationMessage"`
		}
		Outputs map[string]struct{ Description, Value string }
		Runs    struct {
			Using string
			Steps []struct {
				ID, Name, If, Run, Shell, Uses string
				Env, With                      map[string]string
			}
		}
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&a); err != nil {
		return append(mistakes, err.Error())
	}
	if a.Runs.Using != "composite" {
		mistakes = append(mistakes, fmt.Sprintf("runs.using is %q", a.Runs.Using))
	}
	for name, input := range a.Inputs {
		if input.Description == "" {
			mistakes = append(mistakes, "input "+name+" is not described")
		}
	}
	for name, output := range a.Outputs {
		if output.Description == "" || output.Value == "" {
			mistakes = append(mistakes, "output "+name+" has no description or no value")
		}
	}
	for _, step := range a.Runs.Steps {
		if strings.Contains(step.Run, "${{") {
			mistakes = append(mistakes, "step "+step.ID+" pastes an expression into its script")
		}
		if step.Run != "" && step.Shell != "bash" {
			mistakes = append(mistakes, "step "+step.ID+" needs a shell")
		}
	}
	return mistakes
}

var uses = regexp.MustCompile(`^\s*(?:- )?uses:\s*(\S+)\s*(?:#\s*(.*))?$`)

// pinned wants foreign actions by commit hash, with the version as a comment
// that ci/pins.sh can hold it against.
func pinned(file string, text []byte) []string {
	hash := regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40}$`)
	version := regexp.MustCompile(`^v\d+(\.\d+)*$`)
	var mistakes []string
	for i, line := range strings.Split(string(text), "\n") {
		m := uses.FindStringSubmatch(line)
		switch {
		case m == nil, strings.HasPrefix(m[1], "./"):
		case m[1] == "trailseal/trailseal@v1.2.3": // the example's own, a version that users replace
		case m[2] == "tag, not hash": // said openly: .github/workflows/ci.yml
		case !hash.MatchString(m[1]) || !version.MatchString(m[2]):
			mistakes = append(mistakes, fmt.Sprintf("%d: %s is not pinned by hash, with its version as a comment", i+1, m[1]))
		}
	}
	return mistakes
}
