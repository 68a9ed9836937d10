package report

import _ "embed"

// Schema is the JSON Schema (draft 2020-12) of the JSON report. It is frozen:
// optional fields and words may be added, and nothing else ever changes.
//
//go:embed schema.json
var Schema string
