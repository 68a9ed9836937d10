package report

import (
	"errors"
	"fmt"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// sarifEvents is how many events a run tells of: who reads SARIF takes a file of
// some megabytes.
const sarifEvents = 200

const (
	projectURL = "https://github.com/trailseal/trailseal"
	wordsURL   = projectURL + "/blob/main/docs/verdicts.md"
)

func (s *sarifWriter) End(sum verify.Summary) error {
	window := sum.Window
	if window.IsZero() {
		window = s.header.Window
	}
	properties := struct {
		Source  string               `json:"source"`
		Verdict string               `json:"verdict"`
		Window  *windowForm          `json:"window,omitempty"`
		Bundle  *verify.Bundle       `json:"bundle,omitempty"`
		Events  []verify.Explanation `json:"explanations,omitempty"`
		More    int64                `json:"unlistedEvents,omitempty"`
	}{validUTF8(s.header.Source), validUTF8(sum.Verdict), jsonWindow(window), jsonBundle(s.header.Bundle), nil, sum.UnlistedEvents}
	listed := min(len(sum.Explained), sarifEvents)
	properties.Events = jsonExplanations(sum.Explained[:listed])
	properties.More += int64(len(sum.Explained) - listed)
	return errors.Join(
		s.raw(`{
"$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
"version": "2.1.0",
"runs": [{
  "tool": {"driver": {`),
		s.driver(),
		s.raw("\n  ]}},\n"),
		s.member("automationDetails", sarifAutomation{s.category()}),
		s.member("invocations", []sarifInvocation{s.invocation(sum)}),
		s.member("columnKind", "utf16CodeUnits"),
		s.member("properties", properties),
		s.raw(`  "results": [`),
		s.results(),
		s.raw("\n  ]\n}]\n}\n"),
		s.w.Flush(),
	)
}

func (s *sarifWriter) raw(text string) error {
	_, err := s.w.WriteString(text)
	return err
}

func (s *sarifWriter) member(name string, v any) error {
	line, err := s.encode(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.w, "  %q: %s,\n", name, line)
	return err
}

// category keeps the results for one source apart from those for another,
// which are uploaded to the same repository.
func (s *sarifWriter) category() string {
	source := strings.Trim(relative(strings.Replace(s.header.Source, "://", "/", 1)), "/")
	return "trailseal/" + source + "/"
}

// invocation tells how the run went. It was successful when it came to its end,
// whatever it found.
func (s *sarifWriter) invocation(sum verify.Summary) sarifInvocation {
	i := sarifInvocation{
		Successful: !sum.Interrupted, ExitCode: sum.Exit, ExitText: Clean(sum.Verdict),
		Start: second(s.header.Started), End: second(sum.Finished),
	}
	if sum.Interrupted {
		i.Notifications = append(i.Notifications, sarifNotification{"error", sarifText{Text: "The run was interrupted before its end."}})
	}
	if n := s.leftOut(); n > 0 {
		i.Notifications = append(i.Notifications, sarifNotification{"warning", sarifText{Text: fmt.Sprintf(
			"%s results are left out, the least of all: a run has at most %s. The JSON report has them all.", thousands(n), thousands(sarifLimit))}})
	}
	return i
}

// driver writes the tool and its rules, one a line: every word that a report
// can say, so that a rule's place never changes within a version.
func (s *sarifWriter) driver() error {
	version, err := s.encode(strings.TrimPrefix(validUTF8(s.header.Version), "v")) // a number first
	if err != nil {
		return err
	}
	fmt.Fprintf(s.w, "\"name\": \"trailseal\", \"version\": %s, \"informationUri\": %q, \"rules\": [", version, projectURL)
	for i, word := range verify.Words() {
		line, err := s.encode(s.rule(word))
		if err != nil {
			return err
		}
		if err := writeElement(s.w, i == 0, line); err != nil {
			return err
		}
	}
	return nil
}
