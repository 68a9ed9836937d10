package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/trailseal/trailseal/verify/report"
)

const schemaLong = `Prints the JSON Schema (draft 2020-12) of the JSON report, trailseal.report/v1.

The schema is frozen: optional fields and new words may be added, and nothing is
taken away or changes its meaning.`

const schemaExample = `  trailseal schema > report.schema.json
  trailseal schema report | jq '."$defs".file.properties | keys'`

func newSchema() *cobra.Command {
	schemas := map[string]string{"report": report.Schema}
	return &cobra.Command{
		Use:                   "schema [report]",
		Short:                 "Print the JSON Schema of the JSON report",
		Long:                  schemaLong,
		Example:               schemaExample,
		DisableFlagsInUseLine: true,
		ValidArgs:             []string{"report"},
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("schema takes one name, got %d: %q", len(args), args)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			name := "report"
			if len(args) == 1 {
				name = args[0]
			}
			schema, ok := schemas[name]
			if !ok {
				return suggest(usagef("no schema of %q: there is one of the report", name), name, []string{"report"})
			}
			_, err := io.WriteString(cmd.OutOrStdout(), schema)
			return err
		},
	}
}
