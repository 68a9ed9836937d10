package report

import (
	"cmp"

	"github.com/trailseal/trailseal/verify"
)

// maxHTMLEvents is how many events the page lists.
const maxHTMLEvents = 1_000

// eventTable lists the events that may explain what was found. Where none was
// looked for, or there are none, it is not there.
func (h *htmlWriter) eventTable(page *htmlPage, s verify.Summary) {
	if len(s.Explained) == 0 && s.UnlistedEvents == 0 {
		return
	}
	page.put("<section id=\"events\">\n<h2>Events that may explain it</h2>\n")
	page.put(`<div class="x" role="region" aria-label="Events" tabindex="0"><table class="list"><caption>From log files that are kept: what touched the trail, its bucket, its objects or its keys. An event beside a finding is a lead and no proof.</caption><thead><tr><th scope="col">Time (UTC)</th><th scope="col">Event</th><th scope="col">Who, and from where</th><th scope="col">What</th><th scope="col">Beside</th></tr></thead><tbody>
`)
	for _, e := range s.Explained[:min(len(s.Explained), maxHTMLEvents)] {
		page.put("{}", htmlEventRow(e, h.names.beside(e)))
	}
	page.put("</tbody></table></div>\n")
	leftOut(page, max(len(s.Explained)-maxHTMLEvents, 0)+int(s.UnlistedEvents), "events")
	page.put("</section>\n")
}

func htmlEventRow(e verify.Explanation, beside string) markup {
	class := verify.Remark
	if len(e.Explains) == 0 {
		class = verify.Good
	}
	refused := markup("")
	if e.Error != "" {
		refused = fillIn(`<small>refused: {}</small>`, htmlText(e.Error))
	}
	return fillIn(`<tr class="c{}"><td>{}</td><td><span class="v">{}</span><small>{}</small>{}</td><td class="n"><code>{}</code><small>access key <code>{}</code></small><small>from {}</small><small>{}</small></td><td class="n"><code>{}</code><p>{}</p><small>in {} {}</small></td><td class="n">{}</td></tr>`,
		int(class), moment(e.Time), htmlName(e.Event), htmlText(e.Service), refused, htmlName(cmp.Or(e.Who, "–")), htmlName(cmp.Or(e.AccessKey, "–")), htmlText(cmp.Or(e.From, "–")), htmlText(e.Agent),
		htmlName(cmp.Or(e.Target, "–")), htmlText(e.Detail), htmlName(e.Account), htmlName(e.Region), htmlText(cmp.Or(beside, "–"))) + "\n"
}
