package report

import (
	"fmt"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// recoverLines are what stands below a file of which versions were looked at. The
// command is never broken.
func (t *textWriter) recoverLines(r *verify.Recover) {
	for _, line := range recoverLines(r) {
		t.line(&t.files, strings.Repeat(" ", 16)+line+"\n")
	}
}

// events are the last section: who did it, as far as the logs that are kept say.
func (t *textWriter) events(s verify.Summary) {
	some, others := explaining(s.Explained)
	if len(some) > 0 {
		fmt.Fprintf(t.w, "\n%s\n", t.paint.bold(headExplains))
		for _, e := range some {
			t.event(e)
		}
	}
	if len(others) > 0 {
		fmt.Fprintf(t.w, "\n%s\n", t.paint.bold(headTouched))
	}
	told := min(len(others), maxOthers)
	for _, e := range others[:told] {
		t.event(e)
	}
	if text := notTold(len(others)-told, s.UnlistedEvents); text != "" {
		fmt.Fprintf(t.w, "  %s\n", text)
	}
}

func (t *textWriter) event(e verify.Explanation) {
	fmt.Fprintf(t.w, "  %s  %s\n", moment(e.Time), t.paint.bold(Clean(e.Event)))
	for _, f := range factsOf(e, t.names) {
		text := f.text
		if f.name == "detail" || f.name == "may explain" {
			text = wrap(text, 36)
		}
		fmt.Fprintf(t.w, "%24s%-12s%s\n", "", f.name, text)
	}
}
