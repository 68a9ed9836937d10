package report

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/trailseal/trailseal/verify"
)

func (h *htmlWriter) End(s verify.Summary) error {
	if err := h.chart.flush(); err != nil {
		return err
	}
	if h.chart.window = h.window(s); h.chart.window.IsZero() && h.chart.count > 0 {
		if err := h.chart.stretchWindow(); err != nil {
			return err
		}
	}
	page := &htmlPage{w: h.w}
	h.top(page, s)
	h.verdict(page, s)
	h.timeline(page, s)
	h.findingTable(page)
	h.eventTable(page, s)
	h.keyTable(page, s.Keys)
	h.fileTable(page, s)
	h.next(page, s)
	h.method(page, s)
	page.put("</main>\n<script>")
	page.put("{}", markup(htmlScript)) // the program's own, and its hash is in the policy
	page.put("</script>\n</body>\n</html>\n")
	return errors.Join(page.err, h.w.Flush())
}

// window is the run's.
func (h *htmlWriter) window(s verify.Summary) verify.Window {
	if s.Window.IsZero() {
		return h.header.Window
	}
	return s.Window
}

// stretchWindow makes a window of what the rows span, where none was told.
func (c *htmlChart) stretchWindow() error {
	var from, to int64
	for r, err := range c.each() {
		if err != nil {
			return err
		}
		for _, s := range append(r.Spans, htmlSpan{From: r.First, To: r.Last, Mark: markVerified}) {
			if s.To > s.From && (from == to || s.From < from) {
				from = s.From
			}
			if s.To > s.From {
				to = max(to, s.To)
			}
		}
	}
	c.window = verify.Window{Start: time.Unix(from*3600, 0).UTC(), End: time.Unix(to*3600, 0).UTC()}
	return nil
}

// top is all before the first section.
func (h *htmlWriter) top(page *htmlPage, s verify.Summary) {
	_, headline := h.headline(s)
	page.put(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<meta name="referrer" content="no-referrer"/>
<meta name="robots" content="noindex"/>
<meta name="generator" content="trailseal {}"/>
<link rel="icon" href="data:,"/>
<title>{}: {} – trailseal</title>
<style>`, markup(cspSource(htmlStyle)), markup(cspSource(htmlScript)), htmlText(h.header.Version), headline, htmlName(h.header.Source))
	page.put("{}", markup(htmlStyle)) // the program's own, and its hash is in the policy
	page.put(`</style>
</head>
<body>
<svg width="0" height="0" class="defs" aria-hidden="true"><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0v5"/></pattern></svg>
<a class="skip" href="#verdict">To the verdict</a>
<header><p class="brand">trailseal</p><p>CloudTrail log file validation report</p></header>
<nav aria-label="Sections"><ul>
<li><a href="#verdict">Verdict</a></li><li><a href="#time">Timeline</a></li><li><a href="#findings">Findings <span>{}</span></a></li>
<li><a href="#keys">KMS keys <span>{}</span></a></li><li><a href="#files">Files <span>{}</span></a></li><li><a href="#next">What to do next</a></li><li><a href="#method">Method</a></li>
</ul></nav>
<main>
`, thousands(h.findings.told()), thousands(len(s.Keys)), thousands(h.files.told()))
}

// headline is the verdict in words, and its class.
func (h *htmlWriter) headline(s verify.Summary) (verify.Class, string) {
	switch {
	case s.Exit == 1:
		return verify.Tampering, "Tampering found"
	case s.Exit != 0 && s.Interrupted:
		return verify.ClassUnproven, "Not proven: interrupted before the end"
	case s.Exit != 0:
		return verify.ClassUnproven, "Not proven"
	case len(h.tally.accepted) > 0:
		return verify.Remark, "Nothing found but what was accepted"
	}
	return verify.Good, "All kept"
}

var htmlSigns = [...]markup{verify.Good: "✓", verify.Remark: "✓", verify.ClassUnproven: "?", verify.Tampering: "✕"}

var htmlExits = map[int]string{
	0: "all that was in the window is proven",
	1: "tampering: something was modified or deleted",
	3: "something in the window is not proven",
}

// verdict is the verdict and what it covers.
func (h *htmlWriter) verdict(page *htmlPage, s verify.Summary) {
	class, headline := h.headline(s)
	page.put(`<section id="verdict" class="verdict c{}">
<h1><span class="sign" aria-hidden="true">{}</span> {}</h1>
<dl class="why">
`, int(class), htmlSigns[class], headline)
	for _, part := range []struct {
		name markup
		text string
	}{
		{"Tampering", list(h.tally.counts[verify.Tampering])},
		{"Not proven", list(h.tally.counts[verify.ClassUnproven])},
		{"Kept", files(s.Digests[verify.Kept], "digest") + " and " + files(s.Logs[verify.Kept], "log")},
		{"Accepted", list(h.tally.accepted)},
		{"Remarks", list(h.tally.counts[verify.Remark])},
	} {
		if part.text != "" {
			page.put("<div><dt>{}</dt><dd>{}</dd></div>\n", part.name, part.text)
		}
	}
	page.put("</dl>\n<dl class=\"facts\">\n")
	h.facts(page, s)
	page.put("</dl>\n</section>\n")
}

func (h *htmlWriter) facts(page *htmlPage, s verify.Summary) {
	fact := func(wide markup, name markup, value any) {
		page.put("<div{}><dt>{}</dt><dd>{}</dd></div>\n", wide, name, value)
	}
	const wide = ` class="w"`
	fact(wide, "Source", fillIn("<code>{}</code>", htmlName(h.header.Source)))
	if b := h.header.Bundle; b != nil {
		fact(wide, "Bundle", fillIn("<code>{}</code> <small>its seal; collected {} by trailseal {}</small>", htmlName(b.Seal), moment(b.Collected), htmlText(b.Tool)))
	}
	fact(wide, "Window", h.windowSaid(s))
	fact("", "Covered", fillIn("{} <small>of the time that is due, by digests that are kept</small>", coveredBy(h.chart.shares)))
	fact("", "Chains", thousands(s.Chains))
	fact("", "Digests kept", ofAll(s.Digests[verify.Kept], totalOf(s.Digests)))
	fact("", "Log files kept", ofAll(s.Logs[verify.Kept], totalOf(s.Logs)))
	fact("", "Read", fillIn("{} <small>{} after decompression, hashed</small>", size(s.Bytes.Fetched), size(s.Bytes.Hashed)))
	fact("", "Verified", fillIn("{} <small>in {}</small>", moment(h.header.Started), length(time.Duration(s.Seconds*float64(time.Second)))))
	fact(wide, "Exit status", fillIn("{} <small>{}</small>", s.Exit, htmlExits[s.Exit]))
}

func (h *htmlWriter) windowSaid(s verify.Summary) markup {
	w, more := h.window(s), markup("")
	if w.IsZero() {
		return "everything it holds"
	}
	if w.End.After(h.header.Started) {
		more = ", not over yet when the run began"
	}
	return fillIn("{} to {} <small>{}{}</small>", moment(w.Start), moment(w.End), length(w.End.Sub(w.Start)), more)
}

func coveredBy(sums map[verify.State]int64) string {
	var shares []verify.Share
	for _, state := range verify.States {
		shares = append(shares, verify.Share{State: state, Seconds: sums[state]})
	}
	return covered(shares)
}

func totalOf(counts map[verify.Verdict]int) int {
	n := 0
	for _, count := range counts {
		n += count
	}
	return n
}

// timeline is the chart, its legend, and where all the time went.
func (h *htmlWriter) timeline(page *htmlPage, s verify.Summary) {
	page.put("<section id=\"time\">\n<h2>Timeline</h2>\n")
	if h.chart.count == 0 {
		page.put("<p>No chain of digests was found.</p>\n</section>\n")
		return
	}
	m := &htmlMap{htmlChart: &h.chart, grid: newGrid(h.chart.window), interrupted: s.Interrupted}
	if h.chart.count > manyRows {
		page.put("<p>{} chains, {} of them not proven or tampered with. An account’s row shows the worst of its chains; the rows of those that are kept are folded away<span class=\"screen\"> until its box is ticked</span>.</p>\n",
			thousands(h.chart.count), thousands(h.chart.bad))
	}
	m.print(page)
	m.legend(page)
	m.closer(page)
	h.accounting(page)
	page.put("</section>\n")
}

// legend explains the marks that were used.
func (m *htmlMap) legend(page *htmlPage) {
	page.put(`<ul class="legend" aria-label="Legend">`)
	one := htmlGrid{n: 1, px: 18, step: 1}
	for i, used := range m.marks {
		if used && i > 0 {
			page.put(`<li><svg class="s" aria-hidden="true" width="18" height="16" viewBox="0 0 18 16"><path class="{}" d="{}"/>{}</svg> <b>{}</b> <span>{}</span></li>`,
				htmlMarks[i].class, one.shape(htmlRun{0, 1, mark(i)}), one.letters([]htmlRun{{0, 1, mark(i)}}), htmlMarks[i].word, htmlMarks[i].meaning)
		}
	}
	page.put("</ul>\n")
}

var stateSayings = map[verify.State]markup{
	verify.Verified:      "a digest that is kept lists log files",
	verify.VerifiedEmpty: "a digest that is kept says that there were none",
	verify.InGap:         "no digest",
	verify.DigestDeleted: "the next digest names one that is gone",
	verify.Unproven:      "a digest that is not kept",
	verify.BeforeStart:   "before the chain’s first digest",
	verify.NotYetDue:     "its digest need not have been delivered yet",
}

// accounting says in which state all the time is.
func (h *htmlWriter) accounting(page *htmlPage) {
	var all int64
	for _, seconds := range h.chart.shares {
		all += seconds
	}
	if all == 0 {
		return
	}
	page.put(`<table class="states"><caption>Every second of the window, of each chain, is in one state</caption><thead><tr><th scope="col">State</th><th scope="col" class="r">Share</th><th scope="col" class="r">Chain time</th><th scope="col">Which means</th></tr></thead><tbody>`)
	for _, state := range verify.States {
		if n := h.chart.shares[state]; n > 0 {
			page.put(`<tr><th scope="row">{}</th><td class="r">{}</td><td class="r">{}</td><td>{}</td></tr>`,
				string(state), percentOf(n, all), chainTime(n), stateSayings[state])
		}
	}
	page.put("</tbody></table>\n")
}

// chainTime is a sum of seconds over chains, which is too long for a duration.
func chainTime(seconds int64) string {
	if seconds >= 24*3600 {
		text := thousands(int(seconds/86400)) + " d"
		return text + strings.TrimSuffix(fmt.Sprintf(" %d h", seconds%86400/3600), " 0 h")
	}
	return length(time.Duration(seconds) * time.Second)
}

// percentOf never says that a part is nothing or all.
func percentOf(n, all int64) string {
	if n == all {
		return "100%"
	}
	if tenths := n * 1000 / all; tenths > 0 {
		return fmt.Sprintf("%d.%d%%", tenths/10, tenths%10)
	}
	return "<0.1%"
}
