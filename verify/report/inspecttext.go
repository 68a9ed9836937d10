package report

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// inspectText holds the lines of the first logs until all else is known.
type inspectText struct {
	w      *bufio.Writer
	paint  painter
	header verify.Header
	logs   strings.Builder
	listed int
}

// inspectedLogs is how many logs of a digest the text lists.
const inspectedLogs = 1000

func (t *inspectText) Log(f verify.File) error {
	if t.listed++; t.listed > inspectedLogs {
		return nil
	}
	t.logs.WriteString("  " + t.verdict(f.Verdict, f.Class) + Clean(f.URI) + "\n")
	t.logs.WriteString(t.why(f))
	return nil
}

// why is why a file is not simply kept, and what it was compared with.
func (t *inspectText) why(f verify.File) string {
	if f.Verdict == verify.Kept && len(f.Reasons) == 0 {
		return ""
	}
	text := Explain(f)
	if f.Detail != "" {
		text += ": " + CleanText(f.Detail)
	}
	text = strings.Repeat(" ", 16) + wrap(text, 16) + "\n"
	if f.Expected != "" && f.Actual != "" && f.Expected != f.Actual {
		text += fmt.Sprintf("%16sexpected %s\n%16sfound    %s\n", "", Clean(f.Expected), "", Clean(f.Actual))
	}
	return text
}

func (t *inspectText) verdict(v verify.Verdict, c verify.Class) string {
	return t.paint.class(c, fmt.Sprintf("%-12s", Clean(string(v)))) + "  "
}

func (t *inspectText) head(text string) { fmt.Fprintf(t.w, "\n%s\n", t.paint.bold(text)) }

// row writes one fact; an empty one is left out.
func (t *inspectText) row(name, value string) {
	if value != "" {
		fmt.Fprintf(t.w, "  %-12s  %s\n", name, value)
	}
}

func (t *inspectText) End(in verify.Inspection) error {
	fmt.Fprintf(t.w, "trailseal %s  %s\n", CleanText(t.header.Version), Clean(in.URI))
	t.headline(in)
	if in.Digest != nil {
		t.digest(*in.Digest)
	}
	if in.Log != nil {
		t.log(*in.Log)
	}
	if in.Object != nil {
		t.object(*in.Object)
	}
	if in.Digest != nil {
		t.signature(*in.Digest)
		t.checks(in.Digest.Checks)
		t.neighbours(in.Digest)
	}
	t.listing(in)
	return t.w.Flush()
}

// headline is the verdict, or why there is none.
func (t *inspectText) headline(in verify.Inspection) {
	t.w.WriteString("\n")
	if f := in.File; f != nil {
		fmt.Fprintf(t.w, "  %s%s\n", t.verdict(f.Verdict, f.Class), Clean(f.Kind))
		if why := t.why(*f); why != "" {
			t.w.WriteString(why)
		} else {
			fmt.Fprintf(t.w, "%16s%s\n", "", wrap(Explain(*f), 16))
		}
	} else {
		fmt.Fprintf(t.w, "  %s%s\n", t.verdict("no verdict", verify.ClassUnproven), Clean(in.Kind))
	}
	keys := ""
	if in.KeysIn != "" && in.Kind != "other" {
		keys = "the public keys are those in the copy itself (" + CleanText(in.KeysIn) + "): whoever could change the copy could change them too"
	}
	for _, text := range []string{in.Says, in.Doubt, keys} {
		if text != "" {
			fmt.Fprintf(t.w, "%16s%s\n", "", wrap(CleanText(text), 16))
		}
	}
}
