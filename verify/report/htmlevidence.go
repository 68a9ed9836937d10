package report

import "github.com/trailseal/trailseal/verify"

// maxHTMLEvents is how many events the page lists, those that may explain something
// first.
const (
	maxHTMLEvents     = 1_000
	maxHTMLEventBytes = 1 << 20
)

// htmlRecover is what versions hold of a file; the command stands alone.
func htmlRecover(r *verify.Recover) markup {
	text := markup("")
	for _, line := range recoverLines(r) {
		if r.Command != "" && line == CleanText(r.Command) {
			text += fillIn(`<small><code>{}</code></small>`, htmlCut(line, 2*maxShown))
			continue
		}
		text += fillIn(`<small>{}</small>`, htmlCut(line, maxShown))
	}
	return text
}

// eventTable lists the events that touched the trail.
func (h *htmlWriter) eventTable(page *htmlPage, s verify.Summary) {
	page.put("<section id=\"events\">\n<h2>Events that touched the trail</h2>\n")
	if len(s.Explained) == 0 {
		page.put("<p>None is known: they are looked for with --explain.</p>\n")
	} else {
		page.put(`<div class="x" role="region" aria-label="Events" tabindex="0"><table class="list events"><caption>From logs that are kept; those that may explain what was found come first (times in UTC)</caption><colgroup><col class="e1"/><col class="e2"/><col/></colgroup><thead><tr><th scope="col">Time</th><th scope="col">Event</th><th scope="col">What is known of it</th></tr></thead><tbody>` + "\n")
		told := h.eventRows(page, s.Explained)
		page.put("</tbody></table></div>\n")
		leftOut(page, len(s.Explained)-told, "events")
	}
	if text := notTold(0, s.UnlistedEvents); text != "" {
		page.put("<p class=\"more\">{}.</p>\n", text)
	}
	page.put("</section>\n")
}

// eventRows writes as many rows as the page bears, and gives how many.
func (h *htmlWriter) eventRows(page *htmlPage, all []verify.Explanation) int {
	size := 0
	for i, e := range all {
		if i >= maxHTMLEvents || size >= maxHTMLEventBytes {
			return i
		}
		row := fillIn(`<tr class="c{}"><td>{}</td><td><b>{}</b></td><td class="n">{}</td></tr>`,
			int(eventClass(e)), moment(e.Time), htmlName(e.Event), htmlFacts(e, h.names)) + "\n"
		size += len(row)
		page.put("{}", row)
	}
	return len(all)
}

// eventClass colours an event that may explain something; it decides nothing.
func eventClass(e verify.Explanation) verify.Class {
	if len(e.Explains) > 0 {
		return verify.ClassUnproven
	}
	return verify.Remark
}

func htmlFacts(e verify.Explanation, names shortNames) markup {
	text := markup("")
	for _, f := range factsOf(e, names) {
		text += fillIn(`<small>{}: <code>{}</code></small>`, f.name, htmlCut(f.text, maxShown))
	}
	return text
}
