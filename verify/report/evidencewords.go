package report

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// recoverLines say what versions hold of a file, nothing hidden in them: the
// facts first, then the command on a line of its own, to be copied.
func recoverLines(r *verify.Recover) []string {
	if r == nil {
		return nil
	}
	lines := []string{"recover: " + recovered(r) + removed(r)}
	if r.Version != "" && r.Problem != "" {
		lines = append(lines, "problem: "+CleanText(r.Problem))
	}
	if r.Saved != "" {
		lines = append(lines, "saved to "+Clean(r.Saved))
	}
	if r.Command != "" {
		lines = append(lines, CleanText(r.Command))
	}
	return lines
}

// recovered is what was found among the versions.
func recovered(r *verify.Recover) string {
	switch {
	case r.Version != "":
		text := "version " + Clean(r.Version) + " of " + timeOf(r.Modified)
		if r.Size > 0 {
			text += ", " + size(r.Size)
		}
		return text
	case r.Problem != "":
		return CleanText(r.Problem)
	case r.Looked == 0:
		return "there is no version of it"
	case r.Looked == 1:
		return "the one version is not what was vouched for"
	}
	return "none of " + thousands(r.Looked) + " versions is what was vouched for"
}

// removed is when the file was deleted or overwritten, and by whom.
func removed(r *verify.Recover) string {
	var parts []string
	if r.Removed != nil {
		parts = append(parts, moment(*r.Removed))
	}
	if r.RemovedBy != "" {
		parts = append(parts, "by "+Clean(r.RemovedBy))
	}
	if r.Marker != "" {
		parts = append(parts, "delete marker "+Clean(r.Marker))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (removed " + strings.Join(parts, " ") + ")"
}

// recoverText is recoverLines in one.
func recoverText(r *verify.Recover) string { return strings.Join(recoverLines(r), "; ") }

// bundleText names a bundle in a line.
func bundleText(b *verify.Bundle) string {
	return "collected " + timeOf(&b.Collected) + " by trailseal " + CleanText(b.Tool) + ", seal " + Clean(b.Seal)
}

// byReason is a finding's reason, as it follows its message.
func byReason(f verify.Finding) string {
	if f.Reason == "" {
		return ""
	}
	return " (" + Clean(string(f.Reason)) + ")"
}

// maxShort is how many files and findings are remembered by a short name.
const maxShort = 10_000

// short names of files and findings by their places, for the events that explain
// them: the first, as the engine explains no more.
type shortNames map[int64]string

func (n shortNames) file(f verify.File) {
	if f.Class > verify.Good && f.Verdict != verify.Pending {
		n.add(f.Seq, string(f.Verdict)+" "+f.Kind+" "+path.Base(f.URI))
	}
}

func (n shortNames) finding(f verify.Finding) {
	name := string(f.Kind)
	switch {
	case f.Start != nil && f.End != nil:
		name += " " + moment(*f.Start) + " to " + moment(*f.End)
	case f.Key != "":
		name += " " + f.Key
	case f.URI != "":
		name += " " + path.Base(f.URI)
	}
	n.add(f.Seq, name)
}

func (n shortNames) add(seq int64, name string) {
	if len(n) < maxShort {
		n[seq] = clipped(Clean(name), 200)
	}
}

// maxExplained is how many names stand beside one event.
const maxExplained = 5

// of names what an event explains.
func (n shortNames) of(e verify.Explanation) string {
	var parts []string
	for _, seq := range e.Explains[:min(len(e.Explains), maxExplained)] {
		parts = append(parts, orElse(n[seq], "no. "+strconv.FormatInt(seq, 10)))
	}
	if more := len(e.Explains) - len(parts); more > 0 {
		parts = append(parts, thousands(more)+" more")
	}
	return strings.Join(parts, ", ")
}

// A fact is one thing that is known of an event.
type fact struct{ name, text string }

// factsOf are what is known of an event, in the order in which it is asked, none
// of them empty and nothing hidden in them.
func factsOf(e verify.Explanation, names shortNames) []fact {
	all := []fact{
		{"refused", Clean(e.Error)},
		{"may explain", names.of(e)},
		{"who", Clean(e.Who)},
		{"access key", Clean(e.AccessKey)},
		{"from", Clean(e.From)},
		{"user agent", Clean(e.Agent)},
		{"target", Clean(e.Target)},
		{"detail", CleanText(e.Detail)},
		{"in", strings.TrimSpace(Clean(e.Account) + " " + Clean(e.Region))},
		{"event", strings.TrimSpace(Clean(e.Service) + " " + Clean(e.ID))},
		{"log", Clean(e.Log)},
	}
	return slices.DeleteFunc(all, func(f fact) bool { return strings.TrimSpace(f.text) == "" })
}

// eventText is an event in one line.
func eventText(e verify.Explanation, names shortNames) string {
	text := moment(e.Time) + "  " + Clean(e.Event)
	for _, f := range factsOf(e, names) {
		text += "; " + f.name + ": " + f.text
	}
	return text
}

// explaining splits events into those that explain something and the others.
func explaining(all []verify.Explanation) (some, others []verify.Explanation) {
	for _, e := range all {
		if len(e.Explains) > 0 {
			some = append(some, e)
		} else {
			others = append(others, e)
		}
	}
	return some, others
}

// maxOthers is how many events that explain nothing are told to people.
const maxOthers = 50

// notTold says how many events are left out, of those that a report has and of
// those over its bounds; empty where none are.
func notTold(left int, unlisted int64) string {
	var parts []string
	if left > 0 {
		parts = append(parts, fmt.Sprintf("%s more %s in the JSON report", thousands(left), plural(left, "is", "are")))
	}
	if unlisted > 0 {
		parts = append(parts, fmt.Sprintf("%s more events touched the trail, or may have, and are not listed", thousands(int(unlisted))))
	}
	return strings.Join(parts, "; ")
}

const (
	headExplains = "Events that may explain it"
	headTouched  = "Other events that touched the trail"
)
