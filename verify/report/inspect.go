package report

import (
	"bufio"
	"io"

	"github.com/trailseal/trailseal/verify"
)

// InspectFormats are the formats of an inspection.
var InspectFormats = []string{"text", "json"}

// An Inspector writes down what verify.Inspect says of one file. It is told the
// logs of a digest one by one, and holds none of them but the first of the text.
type Inspector interface {
	Log(verify.File) error
	End(verify.Inspection) error
}

// NewInspector writes an inspection to w, in one of InspectFormats.
func NewInspector(format string, w io.Writer, h verify.Header, o Options) Inspector {
	if format == "json" {
		return &inspectJSON{w: bufio.NewWriterSize(w, 64<<10), header: h}
	}
	return &inspectText{w: bufio.NewWriterSize(w, 64<<10), paint: painter(o.Color), header: h}
}
