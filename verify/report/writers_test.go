package report

import (
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/trailseal/trailseal/verify"
)

// readers read a format again as somebody would who has never seen the writer.
// A format that is not here must at least have nothing hidden in it.
var readers = map[string]func(io.Reader) error{
	"json": readJSON, "ndjson": readJSON, "sarif": readJSON, "ocsf": readJSON, "asff": readJSON,
	"junit": readXML,
	"csv":   readCSV,
}

// readJSON reads JSON values, one after another.
func readJSON(r io.Reader) error {
	for d := json.NewDecoder(r); ; {
		var v any
		if err := d.Decode(&v); err != nil {
			return ended(err)
		}
	}
}

func readXML(r io.Reader) error {
	depth := 0
	for d := xml.NewDecoder(r); ; {
		token, err := d.Token()
		if err != nil {
			return ended(err)
		}
		switch token.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		case xml.Comment, xml.Directive:
			return errors.New("a name has become a comment or a directive")
		}
		if depth > 5 {
			return errors.New("a name has become an element")
		}
	}
}

func readCSV(r io.Reader) error {
	rows, err := csv.NewReader(r).ReadAll() // which wants equally many cells in each row
	if err != nil {
		return err
	}
	if !slices.Equal(rows[0], csvColumns) {
		return fmt.Errorf("the header is %q", rows[0])
	}
	for _, row := range rows[1:] {
		for _, cell := range row {
			for part := range strings.SplitSeq(cell, ";") {
				if begins := strings.TrimSpace(part); begins != "" && strings.ContainsRune(formulas, firstRune(begins)) {
					return fmt.Errorf("a cell may be computed: %q", cell)
				}
			}
		}
	}
	return nil
}

func ended(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// checkWriters puts a name everywhere in every format.
func checkWriters(t *testing.T, name string) {
	t.Helper()
	for _, format := range Formats() {
		out := play(t, format, hostileRun(name))
		if !utf8.ValidString(out) {
			t.Fatalf("%s: %q leaves bytes that are not UTF-8", format, name)
		}
		for _, r := range out {
			if hidden(r) && !strings.ContainsRune(ownHidden(t, format), r) {
				t.Fatalf("%s: %q leaves %U", format, name, r)
			}
		}
		if read := readers[format]; read != nil {
			if err := read(strings.NewReader(out)); err != nil {
				t.Fatalf("%s: %q: %v\n%s", format, name, err, out)
			}
		}
	}
}

var ownRunes = map[string]string{}

// ownHidden is what a format has that does not show, whatever the names are:
// its line ends, the tabs of a template.
func ownHidden(t *testing.T, format string) string {
	own, ok := ownRunes[format]
	if !ok {
		for _, r := range play(t, format, hostileRun("plain")) {
			if hidden(r) && !strings.ContainsRune(own, r) {
				own += string(r)
			}
		}
		ownRunes[format] = own
	}
	return own
}

var hostileMore = []string{
	"=1+1", " =cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "'=1", "＝1", "a;=1+1", `";"=1`, "a;\t=1", "\t=1", "\r=1", "\x00=1",
	"]]>", "<![CDATA[", "<!--", "<?x?>", "&#0;", "&lt;", "\ufffe\uffff", "</testsuites>",
	"`", "``` `", "|", `\|`, `\`, "[a](javascript:alert(1))", "![x](http://example.com)", "<img src=x onerror=alert(1)>",
	"@octocat", "#1", "http://example.com", "**b**", "$x$", "\n\n# h", "- [ ] x", "{0}", "{", "]", "[x](1)",
	"s3://b/../../etc", "s3://b/./a//b", "s3://b/%2e%2e/x", "s3:///", "s3://b", "//example.com/x", "c:\\x", "http://example.com/x",
}

func TestWritersStandHostileNames(t *testing.T) {
	for _, name := range slices.Concat(hostile, hostileMore) {
		checkWriters(t, name)
	}
}

func FuzzWriters(f *testing.F) {
	for _, name := range slices.Concat(hostile, hostileMore) {
		f.Add(name)
	}
	f.Fuzz(checkWriters)
}

// TestOrderBetweenKinds: a saved report without places has files first, then
// findings, then chains. These formats say the same of it.
func TestOrderBetweenKinds(t *testing.T) {
	for _, r := range append(runs(), trailRun()) {
		var files, findings, chains []event
		seq := int64(0)
		at := func(e event) event {
			seq++
			from := seq - 1
			return func(s verify.Sink) error { return e(&numbering{Sink: s, seq: from}) }
		}
		for i, e := range r.events {
			kind := new(kindOf)
			if e = at(e); e(kind) != nil {
				t.Fatal("no kind")
			}
			r.events[i] = e
			switch *kind {
			case "file":
				files = append(files, e)
			case "finding":
				findings = append(findings, e)
			default:
				chains = append(chains, e)
			}
		}
		sorted := r
		sorted.events = slices.Concat(files, findings, chains)
		for _, format := range []string{"csv", "junit", "markdown", "sarif"} {
			if a, b := playAsIs(t, format, r), playAsIs(t, format, sorted); a != b {
				t.Errorf("%s.%s differs by the order of kinds:\n%s\n%s", r.name, format, a, b)
			}
		}
	}
}

// A kindOf is a sink that notes what it was told last.
type kindOf string

func (k *kindOf) Start(verify.Header) error    { return nil }
func (k *kindOf) File(verify.File) error       { *k = "file"; return nil }
func (k *kindOf) Finding(verify.Finding) error { *k = "finding"; return nil }
func (k *kindOf) Chain(verify.Chain) error     { *k = "chain"; return nil }
func (k *kindOf) End(verify.Summary) error     { return nil }

func playAsIs(t *testing.T, format string, r aRun) string {
	t.Helper()
	var out strings.Builder
	w, err := New(format, &out, r.options)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	err = w.Start(r.header)
	for _, e := range r.events {
		err = errors.Join(err, e(w))
	}
	if err := errors.Join(err, w.End(r.end)); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestFlatMemoryOverManyChains: whoever can write to a bucket can make names of
// any number of accounts, regions and days.
func TestFlatMemoryOverManyChains(t *testing.T) {
	for _, format := range []string{"csv", "junit", "markdown", "sarif"} {
		w, err := New(format, io.Discard, Options{TempDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		before := heap()
		err = w.Start(aHeader())
		for i := range 30_000 {
			err = errors.Join(err, w.File(verify.File{Kind: "log", Verdict: verify.Unreadable, Class: verify.ClassUnproven,
				URI: fmt.Sprintf("s3://b/AWSLogs/%012d/CloudTrail/eu-west-1/2026/03/%02d/%s", i/20, 1+i%20, strings.Repeat("n", 1000))}))
		}
		if grown := int64(heap()) - int64(before); grown > 3*spoolMemory {
			t.Errorf("%s holds %d bytes after 30,000 files of 1,500 chains", format, grown)
		}
		if err := errors.Join(err, w.End(tamperedRun().end), w.Close()); err != nil {
			t.Fatal(err)
		}
	}
}
