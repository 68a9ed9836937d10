package report

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
)

func savedOf(t testing.TB, r aRun) *Saved {
	t.Helper()
	raw := saveAs(t, "json", r)
	s, err := OpenSaved(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A heard is a sink that keeps what files and findings are called.
type heard struct {
	names map[int64]string
	end   verify.Summary
}

func (h *heard) Start(verify.Header) error { h.names = map[int64]string{}; return nil }
func (h *heard) Chain(verify.Chain) error  { return nil }
func (h *heard) End(s verify.Summary) error {
	h.end = s
	return nil
}
func (h *heard) File(f verify.File) error {
	h.names[f.Seq] = f.URI
	return nil
}
func (h *heard) Finding(f verify.Finding) error {
	h.names[f.Seq] = string(f.Kind)
	return nil
}

// explains are the events of a merged report, with what each is beside.
func (h *heard) explains() (all []string) {
	for _, e := range h.end.Explained {
		line := e.Event + ":"
		for _, seq := range e.Explains {
			line += " " + h.names[seq]
		}
		all = append(all, line)
	}
	return all
}

// earlier is a run of the day before.
func earlier(r aRun) aRun {
	w := r.end.Window
	w = verify.Window{Start: w.Start.Add(-24 * time.Hour), End: w.End.Add(-24 * time.Hour)}
	r.end.Window, r.header.Window = w, w
	return r
}

// What events are beside does not depend on the order in which reports are given.
func TestMergedEventsInAnyOrder(t *testing.T) {
	late, early := savedOf(t, evidenceRun()), savedOf(t, earlier(keptRun()))
	var want []string
	for _, reports := range [][]*Saved{{early, late}, {late, early}} {
		h := &heard{}
		if _, err := Merge("test", reports, h); err != nil {
			t.Fatal(err)
		}
		got := h.explains()
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) || len(got) != 3 || !strings.Contains(got[0], "gone.json.gz") || !strings.Contains(got[1], " gap") {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// An event stays beside a file that another report told first.
func TestMergedEventsOfAFileToldTwice(t *testing.T) {
	orphan := verify.File{Kind: "log", URI: logs + "eu-west-1/2026/03/10/planted.json.gz", Verdict: verify.Unreferenced, Reasons: []verify.Reason{verify.NoDigest}}
	one, two := keptRun(), keptRun()
	for i, r := range []*aRun{&one, &two} {
		r.events = append([]event{aFile(orphan)}, r.events...)
		r.end.Verdict, r.end.Exit = verify.Unreferenced.Class().Outcome()
		if i == 1 {
			r.end.Explained = []verify.Explanation{{Event: "PutObject", ID: "e", Time: *at("2026-03-10T02:00:00Z"), Explains: []int64{1}}}
		}
	}
	for _, reports := range [][]*Saved{{savedOf(t, earlier(one)), savedOf(t, two)}, {savedOf(t, two), savedOf(t, one)}} {
		h := &heard{}
		if _, err := Merge("test", reports, h); err != nil {
			t.Fatal(err)
		}
		if got := h.explains(); len(got) != 1 || !strings.HasSuffix(got[0], "planted.json.gz") {
			t.Errorf("%q", got)
		}
	}
}

// A merged report tells as many events as a run does, and how many it leaves out.
func TestMergedEventsAreBounded(t *testing.T) {
	var reports []*Saved
	for i := range 3 {
		r := keptRun()
		for n := range 700 {
			r.end.Explained = append(r.end.Explained, verify.Explanation{Event: "StopLogging", ID: fmt.Sprint(i, "-", n), Time: *at("2026-03-10T02:00:00Z")})
		}
		reports = append(reports, savedOf(t, r))
	}
	h := &heard{}
	if _, err := Merge("test", reports, h); err != nil {
		t.Fatal(err)
	}
	if len(h.end.Explained) != 1000 || h.end.UnlistedEvents != 1100 {
		t.Errorf("%d events, %d not listed", len(h.end.Explained), h.end.UnlistedEvents)
	}
}

// A small report that would take gigabytes is refused.
func TestSavedManyObjects(t *testing.T) {
	many := "[" + strings.Repeat("{},", 3_000_000) + "{}]"
	for _, format := range []string{"json", "ndjson"} {
		raw := play(t, format, keptRun())
		for _, member := range []string{`"keys":`, `"explanations":`} {
			i := strings.Index(raw, member)
			if i < 0 {
				t.Fatalf("%s has no %s", format, member)
			}
			i += len(member)
			j := i + strings.Index(raw[i:], "]") + 1
			text := raw[:i] + many + raw[j:]
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := OpenSaved(strings.NewReader(text), int64(len(text)))
			runtime.ReadMemStats(&after)
			if got := after.TotalAlloc - before.TotalAlloc; err == nil || got > 20*uint64(len(text)) {
				t.Errorf("%s %s: %d bytes take %d: %v", format, member, len(text), got, err)
			}
		}
	}
	if err := errors.Join(small([]byte(`{"a":"{\"{{"}`)), small([]byte(many))); err == nil || strings.Contains(err.Error(), "\n") {
		t.Error(err)
	}
}
