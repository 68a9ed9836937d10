package report

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"io"
	"strconv"
	"strings"
)

// The HTML report does without html/template. That package makes the linker keep
// every method of every AWS client (7 MB more, half the size of the tool), and
// what it is needed for can be had from the compiler: markup is a type of its
// own, a constant of the program becomes one by itself, and a string that came
// from a bucket does not. All else goes through the holes of a form and is
// htmlEscape there, whatever it is. So that one escaping fits all, forms have holes
// in text and in double-quoted attributes that hold no address, script or style;
// a test reads the forms for that, and another parses what hostile names make.

// markup is HTML that needs no escaping any more.
type markup string

// hole is where a form takes an argument.
const hole = "{}"

// fillIn puts the arguments into the holes of a form, escaped. What does not show
// becomes visible, as by CleanText; a name should have been through Clean.
func fillIn(form markup, args ...any) markup {
	var b strings.Builder
	rest := string(form)
	for _, arg := range args {
		before, after, _ := strings.Cut(rest, hole)
		b.WriteString(before)
		b.WriteString(string(htmlEscape(arg)))
		rest = after
	}
	b.WriteString(rest)
	return markup(b.String())
}

func htmlEscape(arg any) markup {
	switch arg := arg.(type) {
	case markup:
		return arg
	case int:
		return markup(strconv.Itoa(arg))
	case int64:
		return markup(strconv.FormatInt(arg, 10))
	case string:
		return markup(html.EscapeString(CleanText(arg)))
	}
	return "" // no other type is given: a test fills every form
}

// maxShown bounds what the page shows of one name or message. S3's names are
// shorter; the JSON has the whole of it.
const maxShown = 2000

// htmlName is a name as the page has it.
func htmlName(name string) string { return htmlCut(Clean(name), maxShown) }

// htmlText is running text as the page has it.
func htmlText(text string) string { return htmlCut(CleanText(text), maxShown) }

// htmlCut cuts a text that has been cleaned, and says how much is missing.
func htmlCut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	end := most
	for end > 0 && text[end]&0xc0 == 0x80 { // not amid a rune
		end--
	}
	return text[:end] + "… (" + thousands(len(text)-end) + " bytes more: see the JSON report)"
}

// A htmlPage is the page under way. It remembers the first error.
type htmlPage struct {
	w   io.Writer
	err error
}

func (p *htmlPage) put(form markup, args ...any) {
	if p.err == nil {
		_, p.err = io.WriteString(p.w, string(fillIn(form, args...)))
	}
}

// cspSource is how a content security policy names an inline script or style.
func cspSource(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
