package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/trailseal/trailseal/verify"
)

// jsonWriter streams the files and keeps the chains and findings, which come
// between them, in spools until the files are over.
type jsonWriter struct {
	w        *bufio.Writer
	header   verify.Header
	files    int
	chains   spool
	findings spool
	encoder  *json.Encoder // into encoded
	encoded  bytes.Buffer
	line     []byte
}

func newJSON(w io.Writer, o Options) *jsonWriter {
	j := &jsonWriter{
		w:        bufio.NewWriterSize(w, 64<<10),
		chains:   spool{dir: o.TempDir},
		findings: spool{dir: o.TempDir},
	}
	j.encoder = json.NewEncoder(&j.encoded)
	j.encoder.SetEscapeHTML(false)
	return j
}

// encode gives the value as one line of JSON with nothing hidden in it. The
// line is valid until the next call.
func (j *jsonWriter) encode(v any) ([]byte, error) {
	j.encoded.Reset()
	if err := j.encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("encoding the report: %w", err)
	}
	j.line = appendEscaped(j.line[:0], bytes.TrimRight(j.encoded.Bytes(), "\n"))
	return j.line, nil
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
	tool := struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}{"trailseal", validUTF8(h.Version)}
	_, err := io.WriteString(j.w, "{\n")
	return errors.Join(err,
		j.member("schema", verify.Schema),
		j.member("tool", tool),
		j.member("started", second(h.Started)),
		j.member("source", validUTF8(h.Source)),
		j.window(h.Window),
		j.raw(`  "files": [`),
	)
}

func (j *jsonWriter) raw(s string) error {
	_, err := j.w.WriteString(s)
	return err
}

func (j *jsonWriter) File(f verify.File) error {
	f.URI, f.Digest = validUTF8(f.URI), validUTF8(f.Digest)
	f.Detail, f.Version = validUTF8(f.Detail), validUTF8(f.Version)
	f.Key, f.Envelope = validUTF8(f.Key), validUTF8(f.Envelope)
	f.Start, f.End = second(deref(f.Start)), second(deref(f.End))
	line, err := j.encode(f)
	if err != nil {
		return err
	}
	j.files++
	return writeElement(j.w, j.files == 1, line)
}

func (j *jsonWriter) Finding(f verify.Finding) error {
	f.URI, f.Message, f.Key = validUTF8(f.URI), validUTF8(f.Message), validUTF8(f.Key)
	f.Start, f.End = second(deref(f.Start)), second(deref(f.End))
	if f.Chain != nil {
		ref := *f.Chain
		ref.Organization, ref.Account = validUTF8(ref.Organization), validUTF8(ref.Account)
		ref.Region, ref.Trail = validUTF8(ref.Region), validUTF8(ref.Trail)
		f.Chain = &ref
	}
	return j.spooled(&j.findings, f)
}

func (j *jsonWriter) Chain(c verify.Chain) error {
	c.Organization, c.Account = validUTF8(c.Organization), validUTF8(c.Account)
	c.Region, c.HomeRegion, c.Trail = validUTF8(c.Region), validUTF8(c.HomeRegion), validUTF8(c.Trail)
	c.First, c.Last = second(deref(c.First)), second(deref(c.Last))
	c.Digests, c.Logs = counts(c.Digests), counts(c.Logs)
	if c.Coverage == nil {
		c.Coverage = []verify.Share{}
	}
	holes := make([]verify.Hole, 0, len(c.Gaps))
	for _, h := range c.Gaps {
		start, end := second(h.Start), second(h.End)
		holes = append(holes, verify.Hole{Start: deref(start), End: deref(end), Reason: validUTF8(h.Reason)})
	}
	c.Gaps = holes
	return j.spooled(&j.chains, c)
}

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
