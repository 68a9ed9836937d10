package report

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/trailseal/trailseal/verify"
)

// htmlMay says which elements a page has, and which attributes each may bear. No
// attribute here is an address, a script or a style, but for the few that are named.
var htmlMay = map[string][]string{
	"html": {"lang"}, "head": nil, "meta": {"charset", "http-equiv", "content", "name"}, "link": {"rel", "href"}, "title": nil, "style": nil, "script": nil,
	"body": nil, "header": nil, "nav": {"aria-label"}, "main": nil, "section": {"id", "class", "data-filter"}, "div": {"class", "role", "aria-label", "tabindex"},
	"h1": nil, "h2": nil, "h3": {"id"}, "p": {"class"}, "a": {"href", "class"}, "ul": {"class", "aria-label"}, "ol": nil, "li": nil,
	"dl": {"class"}, "dt": nil, "dd": nil, "b": nil, "strong": nil, "small": nil, "code": nil, "span": {"class", "aria-hidden"},
	"label": nil, "input": {"type"}, "table": {"class"}, "caption": nil, "colgroup": nil, "col": {"class"}, "thead": nil, "tbody": {"class"}, "tr": {"class"},
	"th": {"scope", "class", "colspan", "data-f"}, "td": {"class"},
	"svg":     {"class", "role", "width", "height", "viewBox", "aria-label", "aria-hidden"},
	"pattern": {"id", "width", "height", "patternUnits", "patternTransform"},
	"path":    {"class", "d"}, "text": {"class", "x", "y"},
}

// A htmlSeen is what a strict reader saw of a page.
type htmlSeen struct {
	text     strings.Builder
	elements map[string]int
	ids      map[string]bool
	hrefs    []string
	labels   []string
}

// readHTML reads a page as strictly as XML: each element is closed, each attribute
// quoted, nothing is nested wrongly, and all of it is known.
func readHTML(t testing.TB, page string) *htmlSeen {
	t.Helper()
	for _, text := range []string{"<style>" + htmlStyle + "</style>", "<script>" + htmlScript + "</script>"} {
		if strings.Count(page, text) != 1 {
			t.Fatal("the style or the script is not there, or is not whole")
		}
		page = strings.Replace(page, text, "", 1)
	}
	s := &htmlSeen{elements: map[string]int{}, ids: map[string]bool{}}
	d := xml.NewDecoder(strings.NewReader(page))
	var open []string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return s
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			s.element(t, e, open)
			open = append(open, e.Name.Local)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			s.text.Write(e)
		case xml.Comment, xml.ProcInst:
			t.Fatalf("there is a %T", e)
		}
	}
}

func (s *htmlSeen) element(t testing.TB, e xml.StartElement, open []string) {
	t.Helper()
	name := e.Name.Local
	s.elements[name]++
	may, known := htmlMay[name]
	if name == "title" && slices.Contains(open, "path") {
		may = nil
	}
	if !known {
		t.Fatalf("an element <%s>", name)
	}
	for _, a := range e.Attr {
		switch attribute := a.Name.Local; {
		case !slices.Contains(may, attribute):
			t.Fatalf("<%s> has %s=%q", name, attribute, a.Value)
		case attribute == "id" && s.ids[a.Value]:
			t.Fatalf("two elements are #%s", a.Value)
		case attribute == "id":
			s.ids[a.Value] = true
		case attribute == "href":
			s.hrefs = append(s.hrefs, a.Value)
		case attribute == "aria-label":
			s.labels = append(s.labels, a.Value)
		}
	}
	if name == "th" && !slices.ContainsFunc(e.Attr, func(a xml.Attr) bool { return a.Name.Local == "scope" }) {
		t.Errorf("a <th> without scope")
	}
	if name == "svg" && !slices.ContainsFunc(e.Attr, func(a xml.Attr) bool {
		return a.Name.Local == "aria-hidden" || a.Name.Local == "aria-label" || a.Name.Local == "role" && a.Value == "presentation"
	}) {
		t.Errorf("an <svg> that says nothing")
	}
}

func (s *htmlSeen) check(t testing.TB) {
	t.Helper()
	for _, href := range s.hrefs {
		if href != "data:," && (!strings.HasPrefix(href, "#") || !s.ids[href[1:]]) {
			t.Errorf("a link to %q", href)
		}
	}
	if s.elements["h1"] != 1 || s.elements["main"] != 1 || s.elements["caption"] != s.elements["table"] {
		t.Errorf("%d h1, %d main, %d captions of %d tables", s.elements["h1"], s.elements["main"], s.elements["caption"], s.elements["table"])
	}
}

func TestHTMLIsWellFormed(t *testing.T) {
	for _, r := range append(runs(), gapRun()) {
		page := play(t, "html", r)
		s := readHTML(t, page)
		s.check(t)
		for _, text := range []string{fmt.Sprintf("Exit status%d", r.end.Exit), verify.Schema, r.header.Source, "trailseal v0.1.0"} {
			if !strings.Contains(s.text.String(), text) {
				t.Errorf("%s: the page does not say %q", r.name, text)
			}
		}
	}
}

// TestHTMLHostileNames: whatever a name is, the page has the same elements, and the
// name is in it as text.
func TestHTMLHostileNames(t *testing.T) {
	plain := readHTML(t, play(t, "html", hostileRun("s3://plain-name")))
	for _, name := range slices.Concat(hostile, htmlHostile) {
		checkHTML(t, plain, name)
	}
}

var htmlHostile = []string{
	"</script><script>window.__pwned=1</script>", `"><img src=x onerror="window.__pwned=1">`, `' onmouseover='window.__pwned=1`, "<!--", "--><svg onload=alert(1)>", "]]>",
	"javascript:window.__pwned=1", "</style><style>*{display:none}", "&lt;b&gt;", "&#60;script&#62;", "{}", "%s%!d", "</textarea></title></head>", "\x00<\x00script>",
	"＜script＞", "\u2028</td></tr></table>", "data:text/html,<script>alert(1)</script>", "`${window.__pwned=1}`", "s3://b/AWSLogs/111122223333/CloudTrail/<b>/2026/03/10/x",
}

func checkHTML(t testing.TB, plain *htmlSeen, name string) {
	t.Helper()
	page := play(t, "html", hostileRun(name))
	for _, r := range page {
		if r != '\n' && r != '\t' && (hidden(r) || r == utf8.RuneError && !strings.Contains(name, "\ufffd")) {
			t.Fatalf("%q leaves %U in the page", name, r)
		}
	}
	s := readHTML(t, page)
	s.check(t)
	for _, element := range []string{"script", "style", "svg", "path", "table", "tr", "th", "td", "section", "meta", "link", "input", "a"} {
		if s.elements[element] != plain.elements[element] {
			t.Fatalf("%q makes %d <%s>, want %d", name, s.elements[element], element, plain.elements[element])
		}
	}
	if !strings.Contains(s.text.String(), htmlName(name)) {
		t.Errorf("%q is not in the text", name)
	}
}

func FuzzHTMLNames(f *testing.F) {
	for _, name := range slices.Concat(hostile, htmlHostile) {
		f.Add(name)
	}
	plain := readHTML(f, play(f, "html", hostileRun("s3://plain-name")))
	f.Fuzz(func(t *testing.T, name string) { checkHTML(t, plain, name) })
}

// TestHTMLPolicy: the page allows its own style and script, and nothing else.
func TestHTMLPolicy(t *testing.T) {
	page := play(t, "html", tamperedRun())
	want := "default-src 'none'; style-src " + cspSource(htmlStyle) + "; script-src " + cspSource(htmlScript) + "; img-src data:; base-uri 'none'; form-action 'none'"
	if !strings.Contains(page, `content="`+want+`"`) || strings.Index(page, want) > strings.Index(page, "<style>") {
		t.Error("the policy is not there, or comes too late")
	}
	if found := regexp.MustCompile(`https?:|//|@import|url\(|\beval\b|innerHTML|document\.write`).FindString(strings.ReplaceAll(htmlStyle+htmlScript, "// ", "")); found != "" {
		t.Errorf("the style or the script has %q", found)
	}
	if strings.Contains(htmlScript, "</") || strings.Contains(htmlStyle, "</") {
		t.Error("the style or the script ends itself")
	}
}

// TestHTMLListsWhatItCan: a million files neither fill the page nor hide the worst.
func TestHTMLListsWhatItCan(t *testing.T) {
	r := tamperedRun()
	const unproven, deleted = 30_000, 30
	r.events = nil
	for i := range unproven + deleted {
		f := verify.File{Kind: "log", URI: fmt.Sprintf("%seu-west-1/2026/03/10/%d.json.gz", logs, i), Verdict: verify.Unattested, Reasons: []verify.Reason{verify.DigestNotTrusted}}
		if i >= unproven {
			f.Verdict, f.Reasons = verify.Deleted, []verify.Reason{verify.NotFound}
		}
		r.events = append(r.events, aFile(f))
	}
	page := play(t, "html", r)
	if len(page) > 10_000_000 {
		t.Errorf("the page has %d bytes", len(page))
	}
	listed := strings.Count(page, `<span class="v">unattested`) - 1 // and once in the method
	if n := strings.Count(page, `<span class="v">deleted`) - 1; n != deleted || listed+n > maxHTMLFiles || listed < 5_000 {
		t.Errorf("%d deleted and %d unattested files are listed", n, listed)
	}
	if want := thousands(unproven-listed) + " more files are not shown here"; !strings.Contains(page, want) {
		t.Errorf("the page does not say %q", want)
	}
	if strings.Index(page, `<span class="v">unattested`) < strings.Index(page, `<span class="v">deleted`) {
		t.Error("the worst does not come first")
	}
	readHTML(t, page).check(t)
}

// TestHTMLFormsEscape reads the source: arguments go where escaping makes them safe,
// and a string becomes markup only where this package made it.
func TestHTMLFormsEscape(t *testing.T) {
	forms := 0
	hole := regexp.MustCompile(`[\w-]+=(?:"[^"]*)?\{\}`)
	safe := regexp.MustCompile(`^(class|d|x|y|width|height|viewBox|aria-label)="|^content="(default-src|trailseal) `)
	conversion := regexp.MustCompile("[^.\\w]markup\\(([^\"`)][^\n]*)")
	made := regexp.MustCompile(`^(html(Style|Script)\)|cspSource\(html(Style|Script)\)|strconv\.|html\.EscapeString\(CleanText\(arg\)\)|b\.String\(\)|line\)|m\.held\.String\(\))`)
	for _, text := range goSources(t, "html*.go") {
		for _, c := range conversion.FindAllStringSubmatch(text, -1) {
			if !made.MatchString(c[1]) {
				t.Errorf("markup(%s is made of who knows what", c[1])
			}
		}
		for _, literal := range regexp.MustCompile("(?s)`[^`]*`|\"(?:[^\"\\\\\n]|\\\\.)*\"").FindAllString(text, -1) {
			for _, attribute := range hole.FindAllString(strings.ReplaceAll(literal, `\"`, `"`), -1) {
				if forms++; !safe.MatchString(attribute) {
					t.Errorf("a hole in %s", attribute)
				}
			}
		}
	}
	if forms < 20 {
		t.Errorf("only %d holes in attributes were found", forms)
	}
}
