//go:build unix

package trailseal_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/trailseal/trailseal/verify/verifytest"
)

// Names that want to do something to the reader do nothing: text shows them
// escaped, and JSON gives them back as they are.
func TestHostileNamesInReports(t *testing.T) {
	t.Parallel()
	for _, damage := range []string{"hostile-name", "hostile-path"} {
		t.Run(damage, func(t *testing.T) {
			t.Parallel()
			w := mintWorld(t, nil)
			if err := w.Damage(damage); err != nil {
				t.Fatal(err)
			}
			s := serveHTTP(t, w, verifytest.ServerOptions{PageSize: 3})
			args := append([]string{"s3://" + w.Buckets()[0]}, window(w)...)
			r := verifyJSON(t, awsEnv(t, s.URL), args...)
			if r.Exit != 3 || len(r.Files) != len(w.Victims[damage]) || len(r.Findings) > 0 {
				t.Errorf("%+v", r)
			}
			for _, ref := range w.Victims[damage] {
				if v := r.verdict(percent(ref.URI())); v != "unreferenced" {
					t.Errorf("%q: %q", ref.URI(), v)
				}
			}
			for _, more := range [][]string{nil, {"--all"}, {"--color", "always"}} {
				var stdout bytes.Buffer
				cmd, stderr := start(t, awsEnv(t, s.URL), &stdout, append(args, more...)...)
				cmd.Wait()
				if cmd.ProcessState.ExitCode() != 3 || stderr.Len() > 0 {
					t.Errorf("%v: %s, %s", more, cmd.ProcessState, stderr)
				}
				checkHarmless(t, stdout.String(), len(more) > 1)
			}
		})
	}
}

// percent is a name as JSON has it: a byte that is not UTF-8 is %NN.
func percent(name string) string {
	var b strings.Builder
	for i, r := range name {
		if _, size := utf8.DecodeRuneInString(name[i:]); r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&b, "%%%02X", name[i])
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// checkHarmless: nothing but lines of printing characters, and with colour
// the tool's own colours.
func checkHarmless(t *testing.T, text string, colour bool) {
	t.Helper()
	if colour {
		for _, escape := range colours(text) {
			text = strings.ReplaceAll(text, escape, "")
		}
	}
	if !utf8.ValidString(text) {
		t.Error("the text is not UTF-8")
	}
	for i, r := range text {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Errorf("%U in %q", r, text[max(0, i-40):min(len(text), i+10)])
		}
	}
	for _, harm := range []string{"all kept\x1b", "two\nlines"} {
		if strings.Contains(text, harm) {
			t.Errorf("the text holds %q", harm)
		}
	}
}

// colours are the sequences that only change how text looks: ESC [ NUMBERS m.
func colours(text string) []string {
	var found []string
	for _, part := range strings.Split(text, "\x1b[")[1:] {
		if end := strings.IndexFunc(part, func(r rune) bool { return r != ';' && (r < '0' || r > '9') }); end >= 0 && part[end] == 'm' {
			found = append(found, "\x1b["+part[:end+1])
		}
	}
	return found
}
