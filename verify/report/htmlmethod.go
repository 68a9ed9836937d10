package report

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// method says how it was verified, so that the page can be filed and understood by
// itself.
func (h *htmlWriter) method(page *htmlPage, s verify.Summary) {
	page.put(`<section id="method">
<h2>Method</h2>
<dl class="facts">
<div><dt>Tool</dt><dd>trailseal {}</dd></div>
<div class="w"><dt>Form of the results</dt><dd><code>{}</code> <small>this page shows no more than the JSON report says</small></dd></div>
<div><dt>Run</dt><dd>{} <small>to {}</small></dd></div>
<div class="w"><dt>Requests</dt><dd>{}</dd></div>
{}</dl>
<h3>What was checked</h3>
<ol>
<li><b>Signatures.</b> Each digest file that touches the window was read from its place. Its RSA signature (SHA256withRSA, PKCS #1 v1.5) was checked over its content, place and time, with CloudTrail’s public key for its region, and that key’s own time of validity.</li>
<li><b>Links.</b> Each digest names the hash and the signature of the digest before it. Both were compared with that one, so that one left out, put in or exchanged shows.</li>
<li><b>Hashes.</b> Each log file that a digest lists was read, decompressed strictly (one complete gzip member, nothing after it), and its SHA-256 compared with the digest’s.</li>
<li><b>Sweep.</b> What is stored among the logs and named by no digest was looked for.</li>
<li><b>Time.</b> Every second of the window was accounted for in each chain: a chain is the run of digests of one account, region and trail.</li>
</ol>
`, htmlText(h.header.Version), verify.Schema, moment(h.header.Started), moment(s.Finished), requestsMade(s), h.again(s))
	h.keysUsed(page, s)
	h.words(page, s)
	page.put("</section>\n")
}

// keysUsed says what the signatures rest on.
func (h *htmlWriter) keysUsed(page *htmlPage, s verify.Summary) {
	page.put(`<h3>Public keys</h3>
<p>A verdict rests on CloudTrail’s public keys, as <code>ListPublicKeys</code> gives them for each region, or as they were given to the run in a file. Each key’s fingerprint was computed anew. {}</p>
`, h.keyRemark(s))
}

func (h *htmlWriter) keyRemark(s verify.Summary) markup {
	switch {
	case s.Interrupted, totalOf(s.Digests) == 0: // it was not told, or none was used
		return ""
	case h.kinds[verify.KeysInCopy] > 0:
		return `<strong>In this run they came from the copy that they vouch for: whoever could change the copy could change them too.</strong>`
	}
	return "In this run none came from the copy that they vouch for."
}

// again is the command that verifies the same once more, where its words need no
// quoting.
func (h *htmlWriter) again(s verify.Summary) markup {
	w := h.window(s)
	plain := strings.Trim(h.header.Source, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:/_-") == ""
	if w.IsZero() || !plain || h.header.Source == "" || h.header.Source[0] == '-' {
		return ""
	}
	return fillIn("<div class=\"w\"><dt>To verify again</dt><dd><code>trailseal verify {} --start {} --end {}</code> <small>and the filters and policy that were given, which this page does not know</small></dd></div>\n",
		htmlName(h.header.Source), moment(w.Start), moment(w.End))
}

func requestsMade(s verify.Summary) string {
	var parts []string
	for _, name := range []string{"list", "get", "head", "keys", "decrypt", "describe", "retry"} {
		if n := s.Requests[name]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", thousands(int(n)), name))
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "none")
}

// words is how to read verdicts, with how many of each there are.
func (h *htmlWriter) words(page *htmlPage, s verify.Summary) {
	page.put(`<h3>How to read it</h3>
<table class="states"><caption>Verdicts on files</caption><thead><tr><th scope="col">Verdict</th><th scope="col">Counts as</th><th scope="col" class="r">Digests</th><th scope="col" class="r">Logs</th><th scope="col">Which means of a log file</th><th scope="col">And of a digest</th></tr></thead><tbody>
`)
	for _, v := range verify.Verdicts {
		page.put(`<tr class="c{}"><th scope="row"><span class="v">{}</span></th><td>{}</td><td class="r">{}</td><td class="r">{}</td><td>{}</td><td>{}</td></tr>`+"\n",
			int(v.Class()), string(v), v.Class().String(), thousands(s.Digests[v]), thousands(s.Logs[v]), verdictSayings[v].of("log"), verdictSayings[v].of("digest"))
	}
	page.put(`</tbody></table>
<p>The word in parentheses after a sentence is the reason, as <code>--accept</code> and <code>--fail-on</code> take it. What was accepted, or named by <code>--fail-on</code>, is marked so in the lists.</p>
<table class="states"><caption>Exit status</caption><thead><tr><th scope="col" class="r">Status</th><th scope="col">Which means</th></tr></thead><tbody>
`)
	for _, exit := range []int{0, 1, 3} {
		page.put(`<tr><th scope="row" class="r">{}</th><td>{}{}</td></tr>`+"\n", exit, htmlExits[exit], thisRun(exit == s.Exit))
	}
	page.put("</tbody></table>\n")
}

func thisRun(is bool) markup {
	if is {
		return " <strong>(this run)</strong>"
	}
	return ""
}
