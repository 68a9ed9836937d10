package report

import (
	"bufio"
	_ "embed"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

//go:embed html/page.css
var htmlStyle string

//go:embed html/page.js
var htmlScript string

// What the page lists one by one. The worst comes first, and a line says how
// much is only in the JSON report.
const (
	maxHTMLFiles        = 20_000
	maxHTMLFileBytes    = 6 << 20
	maxHTMLFindings     = 2_000
	maxHTMLFindingBytes = 1 << 20
	maxHTMLKeys         = 1_000
)

// htmlWriter makes one page that needs nothing else: no request, no script to be
// read or printed. All that it shows was told as an event, so a saved report
// makes the same page.
type htmlWriter struct {
	w        *bufio.Writer
	header   verify.Header
	tally    tally
	chart    htmlChart
	files    htmlList
	findings htmlList
	kinds    map[verify.FindingKind]int
	names    naming
}

func newHTML(w io.Writer, o Options) *htmlWriter {
	return &htmlWriter{
		w: bufio.NewWriterSize(w, 64<<10), tally: newTally(), chart: newChart(o.TempDir),
		files:    newHTMLList(o.TempDir, maxHTMLFiles, maxHTMLFileBytes),
		findings: newHTMLList(o.TempDir, maxHTMLFindings, maxHTMLFindingBytes),
		kinds:    map[verify.FindingKind]int{}, names: naming{},
	}
}

func (h *htmlWriter) Start(header verify.Header) error {
	h.header = header
	h.chart.window = header.Window
	return nil
}

func (h *htmlWriter) File(f verify.File) error {
	h.names.file(f)
	h.tally.file(f)
	place := htmlPlaceOf(f)
	err := h.chart.file(f, place)
	return errors.Join(err, h.files.add(f.Class, func() markup { return htmlFileRow(f, place) }))
}

func (h *htmlWriter) Finding(f verify.Finding) error {
	h.names.finding(f)
	h.tally.finding(f)
	h.kinds[f.Kind]++
	err := h.chart.finding(f)
	return errors.Join(err, h.findings.add(f.Class, func() markup { return htmlFindingRow(f) }))
}

func (h *htmlWriter) Chain(c verify.Chain) error {
	h.tally.chains++
	return h.chart.chain(c)
}

func (h *htmlWriter) Close() error {
	return errors.Join(h.chart.rows.Close(), h.files.Close(), h.findings.Close())
}

// A htmlPlace is what the name of a file says of where it belongs.
type htmlPlace struct {
	chain digest.Chain // without a trail: of no chain
	at    time.Time    // end of a digest's hour, delivery of a log; zero where the name does not say
	day   bool         // only the day is known: the file lies in its folder
}

func htmlPlaceOf(f verify.File) htmlPlace {
	if n, err := digest.ParseName(htmlKey(f.URI)); err == nil {
		return htmlPlace{chain: n.Chain, at: n.End}
	}
	var p htmlPlace
	if n, err := digest.ParseLogName(htmlKey(f.URI)); err == nil {
		p = htmlPlace{chain: digest.Chain{Organization: n.Organization, Account: n.Account, Region: n.Region}, at: n.Delivered}
	} else if folder := placeOfURI(f.URI); folder.chain.Account != "" {
		p.chain = digest.Chain{Organization: folder.chain.Organization, Account: folder.chain.Account, Region: folder.chain.Region}
		p.at, err = time.Parse(dayForm, folder.day)
		p.day = err == nil
	}
	if n, err := digest.ParseName(htmlKey(f.Digest)); err == nil {
		p.chain = n.Chain
		if p.at.IsZero() || p.day {
			p.at, p.day = n.End, false
		}
	}
	return p
}

// htmlKey is the key in s3://BUCKET/KEY.
func htmlKey(uri string) string {
	_, key, _ := strings.Cut(strings.TrimPrefix(uri, "s3://"), "/")
	return key
}

// htmlFileRow is a file's row: one line, as a htmlList needs it.
func htmlFileRow(f verify.File, place htmlPlace) markup {
	account, region, at := "–", "–", "–"
	if place.chain.Account != "" {
		account, region = place.chain.Account, place.chain.Region
	}
	switch {
	case place.day:
		at = place.at.Format(dayForm)
	case !place.at.IsZero():
		at = moment(place.at)
	}
	return fillIn(`<tr class="c{}"><td><span class="v">{}</span></td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class="n"><code>{}</code>{}{}</td></tr>`,
		int(f.Class), htmlName(string(f.Verdict)), htmlName(f.Kind), htmlName(account), htmlName(region), at, htmlName(f.URI), htmlWhy(f), htmlHashes(f)+htmlRecover(f.Recover)) + "\n"
}

// htmlWhy is why a file is not kept.
func htmlWhy(f verify.File) markup {
	if f.Verdict == verify.Kept && len(f.Reasons) == 0 && f.Class == verify.Good {
		return ""
	}
	why := Explain(f) + judged(f.Class, ownClass(f))
	if f.Detail != "" {
		why += ": " + f.Detail
	}
	more := markup("")
	if f.Key != "" {
		more = fillIn(`<small>KMS key <code>{}</code></small>`, htmlName(f.Key))
	}
	if f.Version != "" {
		more += fillIn(`<small>version <code>{}</code></small>`, htmlName(f.Version))
	}
	return fillIn(`<p>{}</p>{}`, htmlText(why), more)
}

func htmlHashes(f verify.File) markup {
	if f.Expected == "" || f.Actual == "" || f.Expected == f.Actual {
		return ""
	}
	return fillIn(`<small>expected <code>{}</code></small><small>found <code>{}</code></small>`, htmlName(f.Expected), htmlName(f.Actual))
}

// htmlRecover is what the bucket's versions hold of a file.
func htmlRecover(r *verify.Recover) markup {
	if r == nil {
		return ""
	}
	said := fillIn(`<p>{}</p>`, htmlText(recoverSaid(r)))
	if r.Command != "" {
		said += fillIn(`<p>To restore it: <code>{}</code></p>`, htmlText(r.Command))
	}
	return said
}

// htmlFindingRow is a finding's row.
func htmlFindingRow(f verify.Finding) markup {
	chain, when := "–", markup("–")
	if f.Chain != nil {
		chain = chainName(*f.Chain)
	}
	if f.Start != nil && f.End != nil {
		when = fillIn(`<span class="t">{}</span> to <span class="t">{}</span> <small>{}</small>`, moment(*f.Start), moment(*f.End), length(f.End.Sub(*f.Start)))
	}
	message := f.Message
	if message == "" {
		message = ExplainFinding(f.Kind)
	}
	where := markup("")
	if f.URI != "" && !strings.Contains(f.Message, f.URI) {
		where = fillIn(`<code>{}</code>`, htmlName(f.URI))
	}
	if f.Key != "" && !strings.Contains(f.Message, f.Key) {
		where += fillIn(`<small>KMS key <code>{}</code></small>`, htmlName(f.Key))
	}
	return fillIn(`<tr class="c{}"><td><span class="v">{}</span></td><td>{}</td><td>{}</td><td class="n"><p>{}{}</p>{}</td></tr>`,
		int(f.Class), htmlName(string(f.Kind)), htmlCut(chain, maxShown), when, htmlText(message), judged(f.Class, ownFindingClass(f)), where) + "\n"
}
