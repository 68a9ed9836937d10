package report

import (
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden plays the same events into each writer.
func TestGolden(t *testing.T) {
	for _, r := range runs() {
		for _, format := range Formats() {
			t.Run(r.name+"."+format, func(t *testing.T) {
				got := play(t, format, r)
				golden := filepath.Join("testdata", r.name+"."+format)
				if *update {
					if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if got != string(want) {
					t.Errorf("differs from %s (-update writes it anew):\n%s", golden, got)
				}
			})
		}
	}
}

func TestNewRefusesOtherFormats(t *testing.T) {
	if _, err := New("yaml", io.Discard, Options{}); err == nil || !strings.HasPrefix(err.Error(), `no report format "yaml": want text, json, `) {
		t.Errorf("got %v", err)
	}
}

// aReport is the JSON as a reader knows it.
type aReport struct {
	Schema      string
	Started     time.Time
	Source      string
	Window      verify.Window
	Files       []verify.File
	Chains      []verify.Chain
	Findings    []verify.Finding
	Summary     verify.Summary
	Finished    time.Time
	Interrupted bool
	Verdict     string
	Exit        int
}

func TestJSONRoundTrip(t *testing.T) {
	for _, r := range runs() {
		var got aReport
		if err := json.Unmarshal([]byte(play(t, "json", r)), &got); err != nil {
			t.Fatalf("%s: %v", r.name, err)
		}
		if got.Schema != verify.Schema || got.Exit != r.end.Exit || got.Verdict != r.end.Verdict ||
			got.Interrupted != r.end.Interrupted || !got.Window.Start.Equal(r.end.Window.Start) {
			t.Errorf("%s: got %+v", r.name, got)
		}
		if n := len(got.Files) + len(got.Chains) + len(got.Findings); n != len(r.events) {
			t.Errorf("%s: %d events in the report, want %d", r.name, n, len(r.events))
		}
	}
}
