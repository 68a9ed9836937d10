package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// sameLimit is how many files of one chain with the same verdict and reasons
// the text lists one by one.
const sameLimit = 100

// unreadableLimit is the same for files that could not be read, which are told
// by reason and key as well.
const unreadableLimit = 5

// textWriter spools what has to be said later than it is told: the lines of
// chains come first in the report, then files, gaps, findings.
type textWriter struct {
	w      *bufio.Writer
	all    bool
	paint  painter
	header verify.Header
	chains table
	files  spool
	gaps   spool
	others spool
	tally  tally
	same   map[alike]int // files of the chain at hand, by what they have in common
	order  []alike       // the keys of same, as they first came
	barred map[bar]*barred
	told   map[span]bool // times of the chain at hand that a finding told
	last   string        // why the file before is not kept
	names  naming
	failed bool  // a kept file was counted as tampering
	err    error // the first of writing to a spool
}

// alike is what files have in common that are told as one.
type alike struct {
	kind    string
	verdict verify.Verdict
	why     string
	key     string // the KMS key, where it is in the way
	class   verify.Class
}

type span struct{ start, end int64 }

func newText(w io.Writer, o Options) *textWriter {
	in := func() spool { return spool{dir: o.TempDir} }
	return &textWriter{
		w: bufio.NewWriterSize(w, 64<<10), all: o.All, paint: painter(o.Color),
		chains: table{rows: in()}, files: in(), gaps: in(), others: in(),
		tally: newTally(), same: map[alike]int{}, told: map[span]bool{},
		barred: map[bar]*barred{}, names: naming{},
	}
}

func (t *textWriter) Start(h verify.Header) error {
	t.header = h
	return nil
}

func (t *textWriter) File(f verify.File) error {
	t.tally.file(f)
	t.names.file(f)
	t.failed = t.failed || f.Verdict == verify.Kept && f.Class > verify.Good
	a := alike{kind: f.Kind, verdict: f.Verdict, why: Explain(f), class: f.Class}
	if f.Verdict == verify.Unreadable && len(t.same) < maxBars { // whoever writes to the bucket can name any number of keys
		a.key = f.Key
	}
	t.bar(f)
	if t.same[a]++; t.same[a] == 1 {
		t.order = append(t.order, a)
	}
	if t.all || f.Verdict != verify.Pending && t.same[a] <= a.limit() {
		t.fileLines(f, a)
	}
	return t.err
}

// limit is how many files like it are listed one by one.
func (a alike) limit() int {
	if a.verdict == verify.Unreadable {
		return unreadableLimit
	}
	return sameLimit
}

// fileLines is a file's line, and below it why, unless that is what was said
// of the file before: a digest that is not kept takes many logs with it.
func (t *textWriter) fileLines(f verify.File, a alike) {
	verdict := t.paint.class(f.Class, fmt.Sprintf("%-12s", f.Verdict))
	t.line(&t.files, "  "+verdict+"  "+Clean(f.URI)+"\n")
	why := t.why(f, a)
	if why != t.last {
		t.line(&t.files, why)
	}
	t.last = why
	if f.Recover == nil {
		return
	}
	t.line(&t.files, fmt.Sprintf("%16srecover: %s\n", "", recoverSaid(f.Recover)))
	if f.Recover.Command != "" {
		t.line(&t.files, fmt.Sprintf("%16s%s\n", "", CleanText(f.Recover.Command)))
	}
}

// why is why a file is not kept, and what it was compared with.
func (t *textWriter) why(f verify.File, a alike) string {
	if f.Verdict == verify.Kept && len(f.Reasons) == 0 && f.Class == verify.Good {
		return ""
	}
	why := a.why + judged(f.Class, ownClass(f))
	if f.Detail != "" {
		why += ": " + CleanText(f.Detail)
	}
	text := strings.Repeat(" ", 16) + f.Kind + ": " + why + "\n"
	if f.Expected != "" && f.Actual != "" && f.Expected != f.Actual {
		text += fmt.Sprintf("%16sexpected %s\n%16sfound    %s\n", "", Clean(f.Expected), "", Clean(f.Actual))
	}
	return text
}

// judged says that --accept or --fail-on moved something to another class.
func judged(after, before verify.Class) string {
	switch {
	case after == before:
		return ""
	case after == verify.Tampering:
		return " [counted as tampering by --fail-on]"
	}
	return " [accepted]"
}

func (t *textWriter) Finding(f verify.Finding) error {
	t.tally.finding(f)
	t.names.finding(f)
	line := "  " + t.paint.class(f.Class, fmt.Sprintf("%-12s", f.Kind)) + "  "
	if f.Start != nil && f.End != nil {
		line += between(*f.Start, *f.End) + "  "
	}
	if f.Chain != nil {
		line += chainName(*f.Chain) + ": "
	}
	line += CleanText(f.Message)
	if f.Message == "" {
		line += ExplainFinding(f.Kind)
	}
	if f.URI != "" && !strings.Contains(f.Message, f.URI) {
		line += "  " + Clean(f.URI)
	}
	line += judged(f.Class, ownFindingClass(f)) + "\n"
	switch f.Kind {
	case verify.Gap, verify.Stale, verify.NotStarted:
		t.line(&t.gaps, line)
		if f.Start != nil && f.End != nil {
			t.told[span{f.Start.Unix(), f.End.Unix()}] = true
		}
	default:
		t.line(&t.others, line)
	}
	return t.err
}

func (t *textWriter) Chain(c verify.Chain) error {
	ref := verify.ChainRef{Organization: c.Organization, Account: c.Account, Region: c.Region, Trail: c.Trail, Backfill: c.Backfill}
	for _, h := range c.Gaps {
		if !t.told[span{h.Start.Unix(), h.End.Unix()}] {
			t.line(&t.gaps, fmt.Sprintf("  %s  %s  %s: %s\n", t.paint.class(c.Class, "not covered "),
				between(h.Start, h.End), chainName(ref), CleanText(h.Reason)))
		}
	}
	t.rest(chainName(ref) + ": ")
	clear(t.told)
	t.tally.chains++
	if err := t.chains.add(chainCells(c)); t.err == nil {
		t.err = err
	}
	return t.err
}

// rest tells of the files at hand that were not listed one by one, and
// forgets them: the next file is another chain's.
func (t *textWriter) rest(where string) {
	for _, a := range t.order {
		n := t.same[a]
		switch {
		case t.all:
		case a.verdict == verify.Pending:
			t.line(&t.files, fmt.Sprintf("  %-12s  %s%s (pending)\n", a.verdict, where, waiting(n, a.kind)))
		case n > a.limit():
			t.line(&t.files, fmt.Sprintf("  %s  %s%s more like this (%s): --all lists them\n",
				t.paint.class(a.class, fmt.Sprintf("%-12s", a.verdict)), where, files(n-a.limit(), a.kind), a.why+also(", key ", Clean(a.key))))
		}
	}
	clear(t.same)
	t.order, t.last = t.order[:0], ""
}

func waiting(n int, kind string) string {
	if n == 1 {
		return files(n, kind) + " waits for its digest"
	}
	return files(n, kind) + " wait for their digest"
}

func (t *textWriter) line(s *spool, text string) {
	if _, err := io.WriteString(s, text); t.err == nil {
		t.err = err
	}
}
