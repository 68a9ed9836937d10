package report

import (
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// csvColumns are the columns of the CSV report. New ones come last.
var csvColumns = []string{
	"kind", "verdict", "class", "reasons", "uri", "digest", "organization", "account", "region", "trail", "backfill",
	"start", "end", "expected", "actual", "size", "versionId", "kmsKey", "envelope", "message",
	"recoverVersionId", "recoverLastModified", "removed", "removedBy", "recoverCommand", "who", "accessKeyId", "sourceIp", "errorCode",
}

// csvWriter writes RFC 4180 with a header: a row a file as it comes, then a row
// a finding, whose kind is "finding" and whose verdict is what kind of finding
// it is. Account, region and trail are those of the finding's chain, or those
// that the names of the file and its digest tell. Then comes a row an event that
// may explain what was found: its kind is "event", its verdict the event's name, its
// uri the log's, its start the event's time.
//
// Names are written as [Clean] shows them. See cell for what keeps a
// spreadsheet from taking one for a formula.
type csvWriter struct {
	out      io.Writer
	w        *csv.Writer // to out
	findings spool
	later    *csv.Writer // into findings
	names    naming
}

func newCSV(w io.Writer, o Options) *csvWriter {
	c := &csvWriter{names: naming{}, out: w, w: csv.NewWriter(w), findings: spool{dir: o.TempDir}}
	c.later = csv.NewWriter(&c.findings)
	c.w.UseCRLF, c.later.UseCRLF = true, true
	return c
}

func (c *csvWriter) Start(verify.Header) error { return c.w.Write(csvColumns) }

func (c *csvWriter) File(f verify.File) error {
	size := ""
	if f.Size != 0 {
		size = strconv.FormatInt(f.Size, 10)
	}
	p := placeOf(f).chain
	c.names.file(f)
	return c.w.Write(withMore(recoverCells(f.Recover), f.Kind, string(f.Verdict), f.Class.String(), words(f.Reasons), Clean(f.URI), Clean(f.Digest),
		p.Organization, p.Account, p.Region, p.Trail, backfill(p), instant(f.Start), instant(f.End),
		Clean(f.Expected), Clean(f.Actual), size, Clean(f.Version), Clean(f.Key), Clean(f.Envelope), withRecover(CleanText(f.Detail), f.Recover)))
}

// recoverCells are the columns about a file's versions.
func recoverCells(r *verify.Recover) []string {
	if r == nil {
		r = &verify.Recover{}
	}
	return []string{Clean(r.Version), instant(r.Modified), instant(r.Removed), Clean(r.RemovedBy), CleanText(r.Command), "", "", "", ""}
}

func (c *csvWriter) event(e verify.Explanation) error {
	return c.later.Write(cells("event", Clean(e.Event), verify.Remark.String(), "", Clean(e.Log), "", "", Clean(e.Account), Clean(e.Region), "", "",
		moment(e.Time), "", "", "", "", "", "", "", eventSaid(e)+also("; beside: ", c.names.beside(e)),
		"", "", "", "", "", Clean(e.Who), Clean(e.AccessKey), Clean(e.From), Clean(e.Error)))
}

func (c *csvWriter) Finding(f verify.Finding) error {
	p := placeOfFinding(f).chain
	c.names.finding(f)
	return c.later.Write(withMore(recoverCells(nil), "finding", string(f.Kind), f.Class.String(), "", Clean(f.URI), "",
		Clean(p.Organization), Clean(p.Account), Clean(p.Region), Clean(p.Trail), backfill(p), instant(f.Start), instant(f.End),
		"", "", "", "", Clean(f.Key), "", CleanText(f.Message)))
}

func (c *csvWriter) Chain(verify.Chain) error { return nil }

func (c *csvWriter) End(s verify.Summary) error {
	for _, e := range s.Explained {
		if err := c.event(e); err != nil {
			return err
		}
	}
	c.later.Flush()
	c.w.Flush()
	if err := errors.Join(c.later.Error(), c.w.Error()); err != nil {
		return err
	}
	return c.findings.copyTo(c.out)
}

func (c *csvWriter) Close() error { return c.findings.Close() }

// backfill says of a chain that is known whether it is one of backfill digests.
func backfill(c verify.ChainRef) string {
	if c.Trail == "" {
		return ""
	}
	return strconv.FormatBool(c.Backfill)
}

// words are reasons with a space between.
func words(reasons []verify.Reason) string {
	texts := make([]string, len(reasons))
	for i, r := range reasons {
		texts[i] = string(r)
	}
	return strings.Join(texts, " ")
}

// instant is a time as all reports have it, or nothing.
func instant(t *time.Time) string {
	if t == nil {
		return ""
	}
	return moment(*t)
}

// withMore are cells with those of the columns that came later after them.
func withMore(more []string, texts ...string) []string { return cells(append(texts, more...)...) }

func cells(texts ...string) []string {
	for i, text := range texts {
		texts[i] = cell(text)
	}
	return texts
}

// formulas begin formulas in one spreadsheet or another, the wide forms in
// East Asian ones.
const formulas = "=+-@＝＋－＠"

// cell keeps a spreadsheet from computing what somebody chose as a name: a cell
// that begins like a formula, with or without spaces before it, gets an
// apostrophe in front. So does one that begins with an apostrophe: whoever
// wants the value takes one leading apostrophe away. TAB, CR and the like are
// escapes by now. Where the decimal sign is a comma, spreadsheets begin a new
// cell at a semicolon: before what begins like a formula it becomes \x3b.
func cell(text string) string {
	if text == "" {
		return ""
	}
	if begins := strings.TrimLeft(text, " "); begins != "" && strings.ContainsRune(formulas+"'", firstRune(begins)) {
		text = "'" + text
	}
	if !strings.Contains(text, ";") {
		return text
	}
	var b strings.Builder
	for i, part := range strings.Split(text, ";") {
		begins := strings.TrimLeft(part, ` "'`)
		switch {
		case i == 0:
		case begins != "" && strings.ContainsRune(formulas, firstRune(begins)):
			b.WriteString(`\x3b`)
		default:
			b.WriteByte(';')
		}
		b.WriteString(part)
	}
	return b.String()
}

func firstRune(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}
