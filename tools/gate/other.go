package main

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/goreleaser/goreleaser/v2/pkg/config"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"gopkg.in/yaml.v3"
	"mvdan.cc/sh/v3/syntax"
)

// lintDockerfile asks BuildKit's linter; with the build tag full for all of its
// rules, otherwise for those that the parser has.
var lintDockerfile = func(_ string, text []byte) (mistakes []string) {
	rules := linter.New(&linter.Config{Warn: func(rule, _, _, message string, _ []parser.Range) {
		mistakes = append(mistakes, rule+": "+message)
	}})
	tree, err := parser.Parse(bytes.NewReader(text))
	if err == nil {
		_, _, err = instructions.Parse(tree.AST, rules)
	}
	if err != nil {
		mistakes = append(mistakes, err.Error())
	}
	return mistakes
}

// dockerfile lints with BuildKit's own rules, and wants the last stage to be
// what docs/ci.md says of the image: empty, without a shell, not root.
func dockerfile(file string, text []byte) []string {
	mistakes := lintDockerfile(file, text)
	tree, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return append(mistakes, err.Error())
	}
	stages, _, err := instructions.Parse(tree.AST, nil)
	if err != nil {
		return append(mistakes, err.Error())
	}
	last := stages[len(stages)-1]
	user, entry := "", false
	for _, c := range last.Commands {
		switch c := c.(type) {
		case *instructions.RunCommand:
			mistakes = append(mistakes, "the last stage runs something")
		case *instructions.UserCommand:
			user = c.User
		case *instructions.EntrypointCommand:
			entry = !c.PrependShell
		}
	}
	if last.BaseName != "scratch" {
		mistakes = append(mistakes, "the last stage is not on scratch but on "+last.BaseName)
	}
	if !regexp.MustCompile(`^[1-9][0-9]*:[1-9][0-9]*$`).MatchString(user) {
		mistakes = append(mistakes, fmt.Sprintf("the user is %q, not a number other than 0", user))
	}
	if !entry {
		mistakes = append(mistakes, "no entrypoint, or one that needs a shell")
	}
	return mistakes
}

// goreleaser reads the configuration as goreleaser does, strictly, and wants
// what makes a build reproducible. `goreleaser check` says more: .ci/gate full.
func goreleaser(_ string, text []byte) []string {
	project, err := config.LoadReader(bytes.NewReader(text))
	if err != nil {
		return []string{err.Error()}
	}
	var mistakes []string
	want := func(ok bool, what string) {
		if !ok {
			mistakes = append(mistakes, what)
		}
	}
	for _, b := range project.Builds {
		want(b.ModTimestamp != "", b.ID+": mod_timestamp is not set")
		want(len(b.Ldflags) > 0, b.ID+": ldflags are not set: the default has the date")
		want(!strings.Contains(fmt.Sprint(b.Ldflags), "Date"), b.ID+": ldflags have a date")
		want(slices.Contains(b.Flags, "-trimpath"), b.ID+": no -trimpath")
		want(slices.Contains(b.Flags, "-buildvcs=true"), b.ID+": no -buildvcs=true, which gives the version")
		want(slices.Contains(b.Env, "CGO_ENABLED=0"), b.ID+": cgo is on")
	}
	for _, a := range project.Archives {
		want(a.BuildsInfo.MTime != "", a.ID+": builds_info.mtime is not set")
		for _, f := range a.Files {
			want(f.Info.MTime != "", a.ID+": mtime of "+f.Source+" is not set")
		}
	}
	for _, p := range project.NFPMs {
		want(p.MTime != "", p.ID+": mtime is not set")
	}
	want(project.Release.Draft, "the release is not a draft: it would be public before it is attested")
	return mistakes
}

// gitlab reads the template's jobs and their scripts. GitLab's own schema is
// asked by gitlab-ci-local: .ci/gate full.
func gitlab(file string, text []byte) []string {
	type job struct {
		Stage, Image string
		Variables    map[string]string
		IDTokens     map[string]struct{ Aud string } `yaml:"id_tokens"`
		BeforeScript []string                        `yaml:"before_script"`
		Script       []string
		Artifacts    struct {
			When     string
			ExposeAs string `yaml:"expose_as"`
			Paths    []string
			Reports  map[string]string
			ExpireIn string `yaml:"expire_in"`
		}
	}
	var jobs map[string]job
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&jobs); err != nil {
		return []string{err.Error()}
	}
	var mistakes []string
	for name, j := range jobs {
		if j.Artifacts.When != "always" {
			mistakes = append(mistakes, name+": a job that fails leaves no report")
		}
		mistakes = append(mistakes, parse(name, strings.Join(append(j.BeforeScript, j.Script...), "\n"), syntax.LangPOSIX)...)
		for variable := range j.Variables {
			if !regexp.MustCompile(`\$\{?` + variable + `\b`).Match(text) {
				mistakes = append(mistakes, name+": nothing uses "+variable)
			}
		}
	}
	if len(jobs) == 0 {
		mistakes = append(mistakes, "no job")
	}
	return mistakes
}

// script reads a script of bash. shellcheck says more: .ci/gate full.
func script(file string, text []byte) []string {
	if !strings.HasPrefix(string(text), "#!/usr/bin/env bash\n") || !strings.Contains(string(text), "\nset -euo pipefail\n") {
		return []string{"no line of bash first, or no set -euo pipefail"}
	}
	return parse(file, string(text), syntax.LangBash)
}

func parse(name, text string, language syntax.LangVariant) []string {
	if _, err := syntax.NewParser(syntax.Variant(language)).Parse(strings.NewReader(text), name); err != nil {
		return []string{err.Error()}
	}
	return nil
}
