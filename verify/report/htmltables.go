package report

import (
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// findingTable lists what belongs to no single file.
func (h *htmlWriter) findingTable(page *htmlPage) {
	page.put("<section id=\"findings\" data-filter=\"findings\">\n<h2>Findings</h2>\n")
	if h.findings.told() == 0 {
		page.put("<p>None: nothing is wrong that belongs to no single file.</p>\n</section>\n")
		return
	}
	page.put(`<div class="x" role="region" aria-label="Findings" tabindex="0">`)
	table := openTable("finds", `<col class="d1"/><col class="d2"/><col class="d3"/><col/>`,
		`<th scope="col" data-f="kind">Kind</th><th scope="col" data-f="chain">Chain</th><th scope="col">Time</th><th scope="col">What</th>`)
	page.put(`{}`, table("What is wrong and belongs to no single file, the worst first (times in UTC)"))
	left := h.findings.print(page, closeTable+table("More findings"))
	page.put(closeTable + "</div>\n")
	leftOut(page, left, "findings")
	page.put("</section>\n")
}

// fileTable lists the files that are not kept.
func (h *htmlWriter) fileTable(page *htmlPage, s verify.Summary) {
	page.put("<section id=\"files\" data-filter=\"files\">\n<h2>{}</h2>\n", h.fileHeading())
	if h.files.told() == 0 {
		page.put("<p>{}</p>\n</section>\n", noFiles(s))
		return
	}
	page.put(`<div class="x" role="region" aria-label="Files" tabindex="0">`)
	table := openTable("files", `<col class="f1"/><col class="f2"/><col class="f3"/><col class="f4"/><col class="f5"/><col/>`,
		`<th scope="col" data-f="verdict">Verdict</th><th scope="col" data-f="kind">Kind</th><th scope="col" data-f="account">Account</th><th scope="col" data-f="region">Region</th><th scope="col">Time</th><th scope="col">File, and why</th>`)
	page.put(`{}`, table("The worst first, and then in the order of time. Time is the end of a digest’s hour, or when a log file was delivered (UTC)."))
	left := h.files.print(page, closeTable+table("More files"))
	page.put(closeTable + "</div>\n")
	leftOut(page, left, "files")
	page.put("</section>\n")
}

// noFiles says why no file is listed. Nothing found is never success.
func noFiles(s verify.Summary) markup {
	if totalOf(s.Digests)+totalOf(s.Logs) == 0 {
		return "No file was judged."
	}
	return "None: every file that was judged is kept."
}

const closeTable markup = "</tbody></table></div>\n"

// openTable makes the beginnings of a list's tables, which differ by caption.
func openTable(class, columns, heads markup) func(caption markup) markup {
	return func(caption markup) markup {
		return fillIn(`<div class="chunk"><table class="list {}"><caption>{}</caption><colgroup>{}</colgroup><thead><tr>{}</tr></thead><tbody>`+"\n",
			class, caption, columns, heads)
	}
}

func (h *htmlWriter) fileHeading() markup {
	if h.header.All {
		return "Files"
	}
	return "Files not kept"
}

func leftOut(page *htmlPage, left int, what markup) {
	if left > 0 {
		page.put("<p class=\"more\">{} more {} are not shown here: see the JSON report.</p>\n", thousands(left), what)
	}
}

// keyTable lists the KMS keys.
func (h *htmlWriter) keyTable(page *htmlPage, keys []verify.KeyUse) {
	page.put("<section id=\"keys\">\n<h2>KMS keys</h2>\n")
	if len(keys) == 0 {
		page.put("<p>No KMS key was seen on the files that were judged.</p>\n</section>\n")
		return
	}
	page.put(`<div class="x" role="region" aria-label="KMS keys" tabindex="0"><table class="list"><caption>The keys that files in the window are encrypted with, and their state when the run ended</caption><thead><tr><th scope="col">State</th><th scope="col">Key</th><th scope="col" class="r">Files</th><th scope="col" class="r">Unreadable</th></tr></thead><tbody>
`)
	for _, k := range keys[:min(len(keys), maxHTMLKeys)] {
		page.put(`<tr class="c{}"><td><span class="v">{}</span></td><td class="n"><code>{}</code><p>{}</p>{}</td><td class="r">{}</td><td class="r">{}</td></tr>`+"\n",
			int(keyClass(k)), htmlName(k.State), htmlName(k.ARN), htmlText(aboutKey(k)), remedyOf(k), thousands(k.Files), thousands(k.Unreadable))
	}
	page.put("</tbody></table></div>\n")
	leftOut(page, len(keys)-maxHTMLKeys, "keys")
	page.put("</section>\n")
}

func remedyOf(k verify.KeyUse) markup {
	if k.Remedy == "" {
		return ""
	}
	return fillIn(`<p>To undo it: <code>{}</code></p>`, htmlText(k.Remedy))
}

// next is what to do about what was found.
func (h *htmlWriter) next(page *htmlPage, s verify.Summary) {
	h.tally.words["tampering"] = s.Exit == 1
	page.put("<section id=\"next\">\n<h2>What to do next</h2>\n")
	advice := Advice(h.tally.words)
	if len(advice) == 0 {
		page.put("<p>Nothing: keep this report, and the JSON report beside it.</p>\n</section>\n")
		return
	}
	page.put("<ul class=\"advice\">\n")
	for _, text := range advice {
		if lead, rest, ok := strings.Cut(text, ": "); ok && len(lead) < 60 {
			page.put("<li><b>{}:</b> {}</li>\n", lead, rest)
			continue
		}
		page.put("<li>{}</li>\n", text)
	}
	page.put("</ul>\n</section>\n")
}
