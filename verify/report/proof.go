package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// ProofFormats are the formats in which a search and a check are told.
var ProofFormats = []string{"text", "json"}

// WriteSearch tells what looking for an event came to.
func WriteSearch(w io.Writer, format string, s verify.Search, o Options) error {
	if format == "json" {
		return writeValue(w, cleanSearch(s))
	}
	return searchText(w, s, painter(o.Color))
}

// WriteProofResult tells what checking a proof found.
func WriteProofResult(w io.Writer, format string, r verify.ProofResult, exit int, o Options) error {
	if format == "json" {
		r.Checks = slices.Clone(r.Checks)
		textsOf(reflect.ValueOf(&r))
		return writeValue(w, struct {
			verify.ProofResult
			Exit int `json:"exit"`
		}{r, exit})
	}
	return resultText(w, r, exit, painter(o.Color))
}

func cleanSearch(s verify.Search) any {
	s.Event, s.Why, s.KeysIn, s.Others, s.Doubts = validUTF8(s.Event), validUTF8(s.Why), validUTF8(s.KeysIn), cleanAll(s.Others), cleanAll(s.Doubts)
	form := struct {
		verify.Search
		File   *fileForm   `json:"file,omitempty"`
		Window *windowForm `json:"window,omitempty"`
	}{Search: s, Window: jsonWindow(s.Window)}
	if s.File != nil {
		f := jsonFile(*s.File)
		form.File = &f
	}
	return form
}

// writeValue writes a value as JSON on several lines, with nothing hidden in it.
func writeValue(w io.Writer, v any) error {
	line, err := new(lineEncoder).encode(v)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, line, "", "  "); err != nil {
		return fmt.Errorf("encoding the report: %w", err)
	}
	b.WriteByte('\n')
	_, err = b.WriteTo(w)
	return err
}

func searchText(w io.Writer, s verify.Search, p painter) error {
	var b strings.Builder
	row := func(name, value string) { fmt.Fprintf(&b, "  %-10s  %s\n", name, value) }
	if s.Proof != nil {
		fmt.Fprintf(&b, "%s: a proof of the event %s\n", p.class(verify.Good, "Proven"), Clean(s.Event))
		row("log", Clean(s.Proof.Log.URI))
		row("event", fmt.Sprintf("%s bytes at byte %s", thousands(int(s.Proof.Event.Length)), thousands(int(s.Proof.Event.Offset))))
		row("digest", Clean(s.Proof.Digest.URI))
		row("key", Clean(s.Proof.Key.Fingerprint)+" of "+Clean(s.Proof.Key.Region))
		if s.KeysIn != "" {
			row("", wrap("as the evidence itself has it ("+CleanText(s.KeysIn)+"): whoever could change that could change it too", 14))
		}
	} else {
		class := verify.ClassUnproven
		if s.Exit == 1 {
			class = verify.Tampering
		}
		fmt.Fprintf(&b, "%s: %s\n", p.class(class, "No proof"), wrap(CleanText(s.Why), 0))
		if s.File != nil {
			row("verdict", p.class(s.File.Verdict.Class(), Clean(string(s.File.Verdict)))+": "+Explain(*s.File))
			row("digest", Clean(s.File.Digest))
		}
	}
	for _, uri := range s.Others {
		row("also in", Clean(uri))
	}
	if s.More > 0 {
		row("", "and in "+files(s.More, "log")+" more")
	}
	if !s.Window.IsZero() {
		row("window", between(s.Window.Start, s.Window.End)+", of delivery time")
	}
	row("searched", files(s.Searched, "log"))
	if s.Proof == nil {
		doubts(&b, s)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// doubts are what may have hidden the event.
func doubts(b *strings.Builder, s verify.Search) {
	if len(s.Doubts) == 0 {
		return
	}
	b.WriteString("What could not be searched, and may hold it:\n")
	for _, d := range s.Doubts {
		fmt.Fprintf(b, "  %s\n", CleanText(d))
	}
	if s.MoreDoubts > 0 {
		fmt.Fprintf(b, "  and %s more like these\n", thousands(s.MoreDoubts))
	}
}

func resultText(w io.Writer, r verify.ProofResult, exit int, p painter) error {
	var b strings.Builder
	fmt.Fprintf(&b, "event   %s\nlog     %s\ndigest  %s\n\n", Clean(r.Event), Clean(r.Log), Clean(r.Digest))
	for _, c := range r.Checks {
		fmt.Fprintf(&b, "  %s  %-14s  %s\n", p.class(outcomes[c.Outcome], fmt.Sprintf("%-7s", Clean(string(c.Outcome)))), Clean(c.Name), CleanText(c.Detail))
	}
	fmt.Fprintf(&b, "\nmade %s by trailseal %s; the key is from: %s (all as the maker says)\n\n", moment(r.Collected), Clean(r.Tool), CleanText(r.KeyFrom))
	b.WriteString(wrap(conclusion(r, exit, p), 0) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// conclusion is what the checks come to.
func conclusion(r verify.ProofResult, exit int, p painter) string {
	compare := fmt.Sprintf("Compare the fingerprint %s with what `aws cloudtrail list-public-keys --region %s` prints for that time, or give that as --public-keys.",
		Clean(r.Fingerprint), Clean(r.Region))
	switch {
	case !r.Holds:
		return p.class(verify.Tampering, "The proof does not hold.") + " It was altered, or never was one."
	case r.Confirmed:
		return p.class(verify.Good, "The proof holds.") + " The event is as CloudTrail signed it: the key is one of those that were given."
	case exit == 0:
		return p.class(verify.Good, "The proof holds") + ", as far as its key is CloudTrail's, which was taken on trust. " + compare
	}
	return p.class(verify.ClassUnproven, "Every step holds, and the key is not confirmed.") +
		" A proof that carries its own key proves as much as that key is CloudTrail's. " + compare
}
