package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/trailseal/trailseal/verify"
)

// jsonWriter streams the files and keeps the chains and findings, which come
// between them, in spools until the files are over.
type jsonWriter struct {
	lineEncoder
	w        *bufio.Writer
	header   verify.Header
	files    int
	chains   spool
	findings spool
}

func newJSON(w io.Writer, o Options) *jsonWriter {
	return &jsonWriter{
		w:        bufio.NewWriterSize(w, 64<<10),
		chains:   spool{dir: o.TempDir},
		findings: spool{dir: o.TempDir},
	}
}

// member writes one member of the report's object, and a comma after it.
func (j *jsonWriter) member(name string, v any) error {
	line, err := j.encode(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(j.w, "  %q: %s,\n", name, line)
	return err
}

func (j *jsonWriter) Start(h verify.Header) error {
	j.header = h
	_, err := io.WriteString(j.w, "{\n")
	return errors.Join(err,
		j.member("schema", verify.Schema),
		j.member("tool", toolOf(h)),
		j.member("started", second(h.Started)),
		j.member("source", validUTF8(h.Source)),
		j.bundle(h.Bundle),
		j.all(h.All),
		j.window(h.Window),
		j.raw(`  "files": [`),
	)
}

// bundle names the evidence bundle, where it is one.
func (j *jsonWriter) bundle(b *verify.Bundle) error {
	if b == nil {
		return nil
	}
	return j.member("bundle", jsonBundle(b))
}

// all says that kept files are listed too.
func (j *jsonWriter) all(all bool) error {
	if !all {
		return nil
	}
	return j.member("all", true)
}

func (j *jsonWriter) raw(s string) error {
	_, err := j.w.WriteString(s)
	return err
}

func (j *jsonWriter) File(f verify.File) error {
	line, err := j.encode(jsonFile(f))
	if err != nil {
		return err
	}
	j.files++
	return writeElement(j.w, j.files == 1, line)
}

func (j *jsonWriter) Finding(f verify.Finding) error { return j.spooled(&j.findings, jsonFinding(f)) }

func (j *jsonWriter) Chain(c verify.Chain) error { return j.spooled(&j.chains, jsonChain(c)) }

// spooled writes one element of a later array into its spool.
func (j *jsonWriter) spooled(s *spool, v any) error {
	line, err := j.encode(v)
	if err != nil {
		return err
	}
	first := s.empty()
	return writeElement(s, first, line)
}

// writeElement writes one element of an array on a line of its own.
func writeElement(w io.Writer, first bool, line []byte) error {
	lead := ",\n    "
	if first {
		lead = "\n    "
	}
	_, err := io.WriteString(w, lead)
	if err == nil {
		_, err = w.Write(line)
	}
	return err
}
