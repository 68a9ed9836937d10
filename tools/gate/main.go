// Command gate checks, without any network, what trailseal is released and run
// in CI with: workflows, the GitHub action, the GitLab template, shell scripts,
// the Dockerfile and goreleaser's configuration.
//
//	go run . [REPOSITORY]
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// A check returns what is wrong with a file, one mistake a string.
type check struct {
	name  string
	files []string // patterns, from the repository
	run   func(file string, text []byte) []string
}

var checks = []check{
	{"workflow", []string{".github/workflows/*.yml", "ci/github/*.yml"}, workflow},
	{"action", []string{"action.yml"}, action},
	{"gitlab", []string{"ci/gitlab/*.yml"}, gitlab},
	{"pinned", []string{".github/workflows/*.yml", "ci/github/*.yml", "action.yml"}, pinned},
	{"dockerfile", []string{"Dockerfile"}, dockerfile},
	{"goreleaser", []string{".goreleaser.yaml"}, goreleaser},
	{"shell", []string{".ci/*", "ci/*.sh"}, script},
}

func main() {
	if len(os.Args) > 1 {
		if err := os.Chdir(os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	bad := 0
	for _, c := range checks {
		for _, pattern := range c.files {
			files, err := filepath.Glob(pattern)
			if err != nil || len(files) == 0 {
				fmt.Printf("%s: %s: no such file\n", c.name, pattern)
				bad++
			}
			for _, file := range files {
				text, err := os.ReadFile(file)
				mistakes := []string{fmt.Sprint(err)}
				if err == nil {
					mistakes = c.run(file, text)
				}
				for _, m := range mistakes {
					fmt.Printf("%s: %s: %s\n", c.name, file, m)
				}
				bad += len(mistakes)
				if len(mistakes) == 0 {
					fmt.Printf("ok  %-10s %s\n", c.name, file)
				}
			}
		}
	}
	if bad > 0 {
		fmt.Printf("%d mistakes\n", bad)
		os.Exit(1)
	}
}
