package main

import (
	"cmp"
	"os"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schema reads a JSON report by the schema in the file that TRAILSEAL_SCHEMA
// names. The schema itself is held against its own, of draft 2020-12.
func schema(path string) error {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	compiled, err := compiler.Compile(cmp.Or(os.Getenv("TRAILSEAL_SCHEMA"), "schema.json"))
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	report, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		return err
	}
	return compiled.Validate(report)
}
