package trailseal_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
	reports "github.com/trailseal/trailseal/verify/report"
)

// What a real browser makes of the HTML report. tools/browser drives it.

// A visit is what came of opening a page.
type visit struct {
	Console, Requests, Dialogs []string
	Opened                     float64
	Results                    []json.RawMessage
}

// browse opens a page in Chromium and does the steps.
func browse(t *testing.T, page []byte, steps ...string) visit {
	t.Helper()
	const without = "no browser has looked at the HTML report"
	chromium := ""
	for _, name := range []string{os.Getenv("TRAILSEAL_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil && name != "" {
			chromium = path
			break
		}
	}
	if chromium == "" {
		t.Skip("SKIPPED: there is no chromium here, so " + without)
	}
	tool := toolBinary(t, "browser", without)
	file := filepath.Join(t.TempDir(), "report.html")
	must(t, os.WriteFile(file, page, 0o666))
	var stderr bytes.Buffer
	cmd := exec.Command(tool, append([]string{"-chromium", chromium, "file://" + file}, steps...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.Bytes())
	}
	var v visit
	must(t, json.Unmarshal(out, &v))
	if len(v.Console)+len(v.Requests)+len(v.Dialogs) > 0 {
		t.Errorf("the page wrote %q to the console, asked for %q and said %q", v.Console, v.Requests, v.Dialogs)
	}
	return v
}

// want compares the results of steps, by place; those of steps that have none are null.
func (v visit) want(t *testing.T, want ...any) {
	t.Helper()
	for i, w := range want {
		encoded, err := json.Marshal(w)
		must(t, err)
		if i >= len(v.Results) || w != nil && !bytes.Equal(v.Results[i], encoded) {
			t.Errorf("step %d gives %s, want %s", i, v.Results[i], encoded)
		}
	}
}

func golden(t *testing.T, name string) []byte {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("verify", "report", "testdata", name+".html"))
	must(t, err)
	return page
}

// visible counts the rows of a section's lists that show.
func visible(section string) string {
	return fmt.Sprintf(`eval [...document.querySelectorAll("#%s .list tbody tr")].filter((e) => e.checkVisibility()).length`, section)
}

func TestBrowserFilters(t *testing.T) {
	page := (&fleet{accounts: 20, regions: 17, days: 30}).tell(t, "s3://org-trail-logs")
	all := strings.Count(string(page), `<td>log</td>`)
	deleted := strings.Count(string(page), `<td><span class="v">deleted</span></td><td>log</td>`)
	modified := strings.Count(string(page), `<td><span class="v">modified</span></td><td>log</td>`)
	if deleted == 0 || modified == 0 || deleted+modified == all {
		t.Fatalf("%d deleted and %d modified of %d files: nothing to filter", deleted, modified, all)
	}
	pick := `eval document.querySelector("#files select[name=verdict]").focus()`
	says := func(n int) string {
		return fmt.Sprintf(`until document.querySelector("#files output").textContent === "%d of %d files"`, n, all)
	}
	browse(t, page,
		visible("files"),
		"type #files input << DELETED  not-found", says(deleted), visible("files"),
		"click #files button", says(all), visible("files"),
		pick, "key m", says(modified), visible("files"), "wait 0",
		"type #files input << no such thing", says(0), visible("files"),
		"click #files button", says(all), visible("files"), `eval document.querySelector("#files input").value`,
	).want(t, all, nil, nil, deleted, nil, nil, all, nil, nil, nil, modified, nil,
		nil, nil, 0, nil, nil, all, "")
}

// TestBrowserKeyboard: an account is opened and a link followed without a mouse, and
// everything that takes words has a name.
func TestBrowserKeyboard(t *testing.T) {
	page := (&fleet{accounts: 20, regions: 17, days: 30}).tell(t, "s3://org-trail-logs")
	rows := `eval [...document.querySelectorAll(".map tbody:first-of-type tr")].filter((e) => e.checkVisibility()).length`
	visit := browse(t, page,
		"key Tab", `eval document.activeElement.className`, "key Enter", `eval location.hash`,
		`eval document.querySelector(".map input").focus()`, "key Space", rows, "key Space", `eval document.querySelector(".map input").checked`,
		`eval [...document.querySelectorAll("input, select")].filter((e) => !e.labels.length || !e.labels[0].textContent.trim()).length`,
		`eval [...document.querySelectorAll("svg[role=img]")].filter((e) => !e.getAttribute("aria-label")).length`,
		`eval document.documentElement.lang`,
	)
	visit.want(t, nil, "skip", nil, "#verdict", nil, nil, 18, nil, false, 0, 0, "en")
}

// TestBrowserWithoutScript: all is there and folds open where no script may run.
func TestBrowserWithoutScript(t *testing.T) {
	page := (&fleet{accounts: 20, regions: 17, days: 30}).tell(t, "s3://org-trail-logs")
	rows := `eval [...document.querySelectorAll(".map tbody:first-of-type tr")].filter((e) => e.checkVisibility()).length`
	browse(t, page, "noscript", visible("files"), `eval document.querySelectorAll(".filter").length`, "click .map input", rows).
		want(t, nil, strings.Count(string(page), `<td>log</td>`), 0, nil, 18)
}

// TestBrowserNarrowAndPaper: a small window shows all without scrolling sideways, and
// the page prints.
func TestBrowserNarrowAndPaper(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.pdf")
	browse(t, golden(t, "tampered"),
		"size 400 800", `eval document.documentElement.scrollWidth`, "size 1440 900", `eval document.documentElement.scrollWidth`,
		"pdf "+file, "media print", `eval [...document.querySelectorAll("nav, .filter")].filter((e) => e.checkVisibility()).length`,
	).want(t, nil, 400, nil, 1440, nil, nil, 0)
	pdf, err := os.ReadFile(file)
	must(t, err)
	if !bytes.HasPrefix(pdf, []byte("%PDF-")) || len(pdf) < 10_000 {
		t.Errorf("%d bytes of PDF", len(pdf))
	}
}

// contrast finds text whose colour is too near what is behind it, as WCAG counts.
const contrast = `eval (() => {
	const rgb = (text) => { const n = text.match(/[\d.]+/g).map(Number); return { r: n[0], g: n[1], b: n[2], a: n.length > 3 ? n[3] : 1 }; };
	const light = (c) => { const [r, g, b] = [c.r, c.g, c.b].map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
	const behind = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.a === 1) { return c; } } return rgb(getComputedStyle(document.documentElement).backgroundColor); };
	const poor = new Map(); let seen = 0;
	const note = (r, e, text) => { seen++; if (r < 4.5) { poor.set(e.tagName + "." + (e.getAttribute("class") || "") + " in " + e.parentElement.tagName, text.trim().slice(0, 30) + ": " + r.toFixed(2)); } };
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walk.nextNode()) {
		const e = walk.currentNode.parentElement;
		if (!walk.currentNode.data.trim() || e.closest("svg, script, style, option, .hid") || !e.checkVisibility()) { continue; }
		note(ratio(rgb(getComputedStyle(e).color), behind(e)), e, walk.currentNode.data);
	}
	for (const e of document.querySelectorAll("svg text")) {
		const cell = e.parentElement.querySelector("path." + (e.getAttribute("class") || "none"));
		note(ratio(rgb(getComputedStyle(e).fill), cell ? rgb(getComputedStyle(cell).fill) : behind(e)), e, e.textContent);
	}
	return [seen > 100, [...poor]];
})()`

// TestBrowserContrast: every text can be read, in light, in dark and on paper.
func TestBrowserContrast(t *testing.T) {
	pages := map[string][]byte{"fleet": (&fleet{accounts: 4, regions: 17, days: 30}).tell(t, "s3://org-trail-logs"), "kept": golden(t, "kept"), "accepted": golden(t, "accepted")}
	for name, page := range pages {
		visit := browse(t, page, "media prefers-color-scheme=light", contrast, "media prefers-color-scheme=dark", contrast, "media print", contrast,
			"media prefers-color-scheme=dark", `eval getComputedStyle(document.documentElement).backgroundColor`)
		fine := []any{true, []any{}}
		if name != "fleet" {
			fine[0] = true
		}
		visit.want(t, nil, fine, nil, fine, nil, fine, nil, "rgb(15, 19, 24)")
	}
}

// hostileNames try to become more than text.
var hostileNames = []string{
	"</script><script>window.__pwned=1</script>", `"><img src=x onerror="window.__pwned=1">`, `' onmouseover='window.__pwned=1' x='`, "<svg onload=window.__pwned=1>",
	"javascript:window.__pwned=1", "</style><script>window.__pwned=1</script>", "<iframe src=javascript:parent.__pwned=1>", "<!--", "]]>", "\u202egnp.exe", "a\x00b", "<a href=https://example.com/x>x</a>",
	"</table></section><form action=https://example.com/><button>", "<base href=https://example.com/>", "<link rel=stylesheet href=https://example.com/x.css>", "<meta http-equiv=refresh content=0;url=https://example.com/>",
	"{{constructor.constructor('window.__pwned=1')()}}", "${window.__pwned=1}", "<img src=https://example.com/x.png>", "<object data=x>",
}

// hostilePage has hostile names wherever one can come.
func hostilePage(t *testing.T, names []string) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := reports.New("html", &out, reports.Options{})
	must(t, err)
	defer w.Close()
	at := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	window := verify.Window{Start: at, End: at.AddDate(0, 0, 10)}
	must(t, w.Start(verify.Header{Version: names[0], Source: strings.Join(names, " "), Started: at, Window: window}))
	for _, name := range names {
		ref := &verify.ChainRef{Organization: name, Account: name, Region: name, Trail: name}
		must(t, w.File(verify.File{Kind: "log", URI: name, Verdict: verify.Modified, Reason: verify.HashMismatch, Reasons: []verify.Reason{verify.HashMismatch}, Detail: name, Digest: name,
			Expected: name, Actual: name + "x", Version: name, Key: name, Envelope: name, Class: verify.Tampering}))
		must(t, w.File(verify.File{Kind: "log", URI: "s3://b/AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/10/" + name, Verdict: verify.Unreadable, Reasons: []verify.Reason{verify.Reason(name)}, Class: verify.ClassUnproven}))
		must(t, w.Finding(verify.Finding{Kind: verify.Junk, URI: name, Chain: ref, Start: &at, End: &window.End, Key: name, Message: name, Class: verify.Remark}))
		must(t, w.Chain(verify.Chain{Organization: name, Account: name, Region: name, Trail: name, HomeRegion: name + "x", First: &at, Last: &window.End, Class: verify.Tampering,
			Gaps: []verify.Hole{{Start: at, End: window.End, Reason: name}}}))
	}
	keys := []verify.KeyUse{{ARN: names[0], State: names[1], Detail: names[2], Remedy: names[3], Account: names[1], Encryption: names, Files: 1}}
	must(t, w.End(verify.Summary{Finished: at, Window: window, Verdict: "tampered", Exit: 1, Keys: keys}))
	return out.Bytes()
}

// TestBrowserHostileNames: nothing in a name runs, is fetched, or changes the page.
func TestBrowserHostileNames(t *testing.T) {
	count := `eval Object.entries([...document.querySelectorAll("*")].reduce((n, e) => { n[e.tagName] = (n[e.tagName] || 0) + 1; return n; }, {})).sort().filter(([name]) => name !== "OPTION")`
	plain := make([]string, len(hostileNames))
	for i := range plain {
		plain[i] = fmt.Sprintf("name-%02d", i)
	}
	want := browse(t, hostilePage(t, plain), "wait 100", count)
	steps := []string{"wait 100", count, `eval window.__pwned === undefined`}
	for _, e := range []string{"#files td code", "#findings td p", "#keys td code", ".map tbody th"} {
		steps = append(steps, "click "+e)
	}
	steps = append(steps, "type #files input << </script><img src=x onerror=window.__pwned=1>", "wait 500",
		`eval [...document.querySelectorAll("select")].forEach((s) => { s.selectedIndex = s.options.length - 1; s.form.dispatchEvent(new Event("change")); })`,
		"wait 200", `eval window.__pwned === undefined && document.title.includes("<script>") && document.body.textContent.includes("<img src=x onerror=") && !/[\u202e\0]/.test(document.body.textContent)`)
	got := browse(t, hostilePage(t, hostileNames), steps...)
	if len(got.Results) != len(steps) || !bytes.Equal(got.Results[1], want.Results[1]) {
		t.Errorf("hostile names make the elements\n%s\nplain ones\n%s", got.Results[1], want.Results[1])
	}
	if !slices.ContainsFunc(got.Results, func(r json.RawMessage) bool { return string(r) == "true" }) || string(got.Results[2]) != "true" || string(got.Results[len(steps)-1]) != "true" {
		t.Errorf("something ran: %s", got.Results)
	}
}

// TestBrowserOpensAFleet tells how long the page of the largest fleet takes to open.
func TestBrowserOpensAFleet(t *testing.T) {
	for _, f := range []*fleet{{accounts: 100, regions: 17, days: 90}, {accounts: 100, regions: 17, days: 90, worst: true}} {
		page := f.tell(t, "s3://org-trail-logs")
		visit := browse(t, page, `eval document.querySelectorAll(".map tbody tr").length`, `eval [...document.querySelectorAll(".map tbody")].length`)
		t.Logf("%.1f MB open in %.0f ms", float64(len(page))/1e6, visit.Opened)
		visit.want(t, 1800, 100)
	}
}
