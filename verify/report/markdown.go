package report

import (
	"bufio"
	"io"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// How much of each part a Markdown report has at most, in bytes. GitHub refuses
// a step summary of more than 1 MiB whole, so together they stay below 900 KiB
// with what is short by nature: the head and the advice.
const (
	markdownChains   = 200 << 10
	markdownFiles    = 400 << 10
	markdownFindings = 180 << 10
	markdownKeys     = 60 << 10
	markdownName     = 1500 // of one name
)

// markdownWriter writes CommonMark with the tables of GFM, as a GitHub step
// summary or a comment has them: the verdict, then tables in which the worst
// comes first. What does not fit is counted.
type markdownWriter struct {
	w        *bufio.Writer
	header   verify.Header
	tally    tally
	chains   rows
	files    rows
	findings rows
	names    naming
}

func newMarkdown(w io.Writer) *markdownWriter {
	return &markdownWriter{
		w: bufio.NewWriterSize(w, 64<<10), tally: newTally(), names: naming{},
		chains: rows{room: markdownChains}, files: rows{room: markdownFiles}, findings: rows{room: markdownFindings},
	}
}

func (m *markdownWriter) Start(h verify.Header) error {
	m.header = h
	return nil
}

func (m *markdownWriter) File(f verify.File) error {
	m.names.file(f)
	m.tally.file(f)
	if f.Class == verify.Good || m.files.full(f.Class) {
		return nil // the counts tell of it
	}
	why := sentence(Explain(f)) + judged(f.Class, ownClass(f))
	if f.Detail != "" {
		why += ": " + codeText(f.Detail)
	}
	if f.Recover != nil {
		why += ": " + codeText(recoverSaid(f.Recover))
	}
	m.files.add(f.Class, sign(f.Class)+" "+string(f.Verdict), f.Kind, code(f.URI), why)
	return nil
}

func (m *markdownWriter) Finding(f verify.Finding) error {
	m.names.finding(f)
	m.tally.finding(f)
	if m.findings.full(f.Class) {
		return nil
	}
	var where []string
	if f.Chain != nil {
		where = append(where, codeText(chainName(*f.Chain)))
	}
	if f.URI != "" {
		where = append(where, code(f.URI))
	}
	span := ""
	if f.Start != nil && f.End != nil {
		span = between(*f.Start, *f.End)
	}
	what := sentence(ExplainFinding(f.Kind)) + judged(f.Class, ownFindingClass(f))
	if f.Message != "" {
		what += ": " + codeText(f.Message)
	}
	m.findings.add(f.Class, sign(f.Class)+" "+string(f.Kind), strings.Join(where, " "), span, what)
	return nil
}

func (m *markdownWriter) Chain(c verify.Chain) error {
	if m.chains.full(c.Class) {
		return nil
	}
	r := chainCells(c).cells
	m.chains.add(c.Class, sign(c.Class)+" "+r[0], codeText(r[1]), codeText(r[2]), codeText(r[3]), r[4], r[5], r[6], r[7])
	return nil
}

func (m *markdownWriter) Close() error { return nil }

// sign is a class for the eye, beside its word.
func sign(c verify.Class) string {
	switch c {
	case verify.Tampering:
		return "❌"
	case verify.ClassUnproven:
		return "⚠"
	case verify.Remark:
		return "ℹ"
	}
	return "✅"
}

// sentence makes running text of ours safe: it names flags and globs.
func sentence(text string) string { return ofSentences.Replace(text) }

var (
	ofSentences = strings.NewReplacer("*", `\*`, "_", `\_`, "<", `\<`, "|", `\|`)
	ofSpans     = strings.NewReplacer("`", `\x60`, "|", `\x7c`)
)

// code is a name in a code span, in which Markdown has no other markup: no
// links, no mentions, no HTML. The two characters that would end the span or
// the table's cell are escapes, as hidden ones are; see [Clean].
func code(name string) string { return inSpan(Clean(name)) }

// codeText is code for text that quotes names, or that is clean already.
func codeText(text string) string { return inSpan(CleanText(text)) }
