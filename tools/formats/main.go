// Command formats reads reports with code and schemas that are not this
// project's, and says what is wrong with them.
//
//	formats KIND FILE…
package main

import (
	"fmt"
	"log"
	"maps"
	"os"
	"slices"
	"strings"
)

// validators say what is wrong with a file, by the format it should have. Each
// is in a file of its own.
var validators = map[string]func(path string) error{
	"asff":        asff,
	"junit":       junitReport,
	"markdown":    markdownReport,
	"sarif":       sarifReport,
	"ocsf":        ocsf,
	"openmetrics": openMetrics,
	"schema":      schema,
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("formats: ")
	if len(os.Args) < 3 || validators[os.Args[1]] == nil {
		log.Fatalf("usage: formats KIND FILE…, with KIND one of %s", strings.Join(slices.Sorted(maps.Keys(validators)), ", "))
	}
	failed := false
	for _, path := range os.Args[2:] {
		if err := validators[os.Args[1]](path); err != nil {
			failed = true
			fmt.Fprintf(os.Stderr, "%s: %v\n", path, err)
		}
	}
	if failed {
		os.Exit(1)
	}
}
