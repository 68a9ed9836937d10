package report

import (
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
)

// What no run writes of evidence is refused.
func TestBrokenEvidence(t *testing.T) {
	r := evidenceRun()
	r.end.UnlistedEvents = 12
	r.events = append(r.events, aFinding(verify.Finding{Kind: verify.Gap, Reason: verify.Expired, Message: "old"}))
	for _, c := range []struct{ old, new, want string }{
		{`"seal":"5e5e`, `"seal":"`, "SHA-256"},
		{`"explains":[1]`, `"explains":[0]`, "the place 0"},
		{`"explains":[`, `"explains":null,"x":[`, "without its event"},
		{`"eventSource":`, `"event":"","eventSource":`, "without its event"},
		{`"time":"2026`, `"time":"0001-01-01T00:00:00Z","x":"2026`, "its time"},
		{`"looked":`, `"looked":-3,"x":`, "-3 versions"},
		{`"reason":"expired"`, `"reason":"old"`, "is not known"},
		{`"unlistedEvents": 12`, `"unlistedEvents": -1`, "-1 events"},
		{`"unlistedEvents":12`, `"unlistedEvents":-1`, "-1 events"},
	} {
		changed := 0
		for _, format := range []string{"json", "ndjson"} {
			whole := play(t, format, r)
			raw := strings.Replace(whole, c.old, c.new, 1)
			if raw == whole {
				continue
			}
			changed++
			if _, err := OpenSaved(strings.NewReader(raw), int64(len(raw))); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s %s -> %s: %v, want %s", format, c.old, c.new, err, c.want)
			}
		}
		if changed == 0 {
			t.Errorf("nothing to change: %s", c.old)
		}
	}
}

func openText(t *testing.T, raw string) *Saved {
	t.Helper()
	s, err := OpenSaved(strings.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatalf("%v\n%.2000s", err, raw)
	}
	return s
}

// A file that two reports tell alike is told once, and the events of both explain
// that one.
func TestMergeKeepsWhatExplainsAFileToldOnce(t *testing.T) {
	orphan := func(id string) string {
		r := keptRun()
		r.events = append([]event{aFile(verify.File{Kind: "log", URI: aLog, Verdict: verify.Unreferenced, Reasons: []verify.Reason{verify.NoDigest}})}, r.events...)
		r.end.Verdict, r.end.Exit = "unproven", 3
		r.end.Explained = []verify.Explanation{{Event: "PutObject", ID: id, Time: *at("2026-03-10T11:30:00Z"), Account: "1", Region: "r", Log: aLog, Explains: []int64{1}}}
		return play(t, "json", r)
	}
	var out strings.Builder
	w, _ := New("json", &out, Options{})
	defer w.Close()
	if _, err := Merge("v1", []*Saved{openText(t, orphan("one")), openText(t, orphan("two"))}, w); err != nil {
		t.Fatal(err)
	}
	m := openText(t, out.String())
	for _, e := range m.Summary.Explained {
		if len(e.Explains) != 1 || e.Explains[0] != 1 {
			t.Errorf("the event %s explains %v", e.ID, e.Explains)
		}
	}
	if len(m.Summary.Explained) != 2 {
		t.Errorf("%d events", len(m.Summary.Explained))
	}
}

// However many events there are and whatever they say, what people read stays
// small, and a saved report opens.
func TestManyEvents(t *testing.T) {
	r := evidenceRun()
	one := r.end.Explained[0]
	one.Agent, one.Who, one.Target = strings.Repeat("<", 512), strings.Repeat("\"", 512), strings.Repeat("\x1b", 1200)
	one.Explains = nil
	for i := range 1_000 {
		one.Explains = append(one.Explains, int64(1_000_000+i))
	}
	for range 3_000 {
		r.end.Explained = append(r.end.Explained, one)
	}
	for format, most := range map[string]int{"html": 10 << 20, "markdown": 900 << 10} {
		if out := play(t, format, r); len(out) > most {
			t.Errorf("%s has %d bytes", format, len(out))
		}
	}
	for i := range r.end.Explained {
		r.end.Explained[i].Explains = r.end.Explained[i].Explains[:min(300, len(r.end.Explained[i].Explains))]
	}
	for _, format := range []string{"json", "ndjson"} {
		raw := play(t, format, r)
		if again := openText(t, raw); len(again.Summary.Explained) != len(r.end.Explained) {
			t.Errorf("%s: %d events come back", format, len(again.Summary.Explained))
		}
	}
}

// A command is there to be copied: what the shell needs in it stays as it is.
func TestCommandIsToldAsItIs(t *testing.T) {
	const command = `aws s3api delete-object --bucket b --key 'it'\''s' --version-id m`
	r := keptRun()
	r.events = []event{aFile(verify.File{Kind: "log", URI: aLog, Verdict: verify.Deleted, Recover: &verify.Recover{Version: "v", Looked: 1, Command: command}})}
	for _, format := range []string{"text", "csv"} {
		if out := play(t, format, r); !strings.Contains(out, command) {
			t.Errorf("%s has another command:\n%s", format, out)
		}
	}
}
