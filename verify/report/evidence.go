package report

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// Bounds of what is told of events in formats that people read.
const (
	maxNames   = 10_000 // of what events may explain
	maxBeside  = 5      // named beside one event
	maxRelated = 50     // events that explain nothing
)

// recoverSaid is what a bucket's versions hold of a file, in words; empty where
// they were not looked at. Names are shown as Clean does.
func recoverSaid(r *verify.Recover) string {
	if r == nil {
		return ""
	}
	var said string
	switch {
	case r.Version != "":
		said = "can be recovered from its version " + Clean(r.Version)
		if r.Modified != nil {
			said += " of " + moment(*r.Modified)
		}
	case r.Looked > 0:
		said = fmt.Sprintf("none of %s other %s is what was vouched for", thousands(r.Looked), plural(r.Looked, "version", "versions"))
	default:
		said = "cannot be recovered from versions"
	}
	if r.Removed != nil {
		said += "; removed " + moment(*r.Removed)
		if r.RemovedBy != "" {
			said += " by the account with the canonical id " + Clean(r.RemovedBy)
		}
		if r.Marker != "" {
			said += ", delete marker " + Clean(r.Marker)
		}
	}
	if r.Problem != "" {
		said += "; " + CleanText(r.Problem)
	}
	if r.Saved != "" {
		said += "; saved in " + Clean(r.Saved)
	}
	return said
}

// eventSaid is an event that may explain something, in words.
func eventSaid(e verify.Explanation) string {
	said := moment(e.Time) + "  " + Clean(e.Event) + " (" + Clean(e.Service) + ")"
	for _, part := range []struct{ lead, text string }{
		{" on ", e.Target}, {" by ", e.Who}, {" with the access key ", e.AccessKey}, {" from ", e.From}, {" through ", e.Agent},
	} {
		if part.text != "" {
			said += part.lead + Clean(part.text)
		}
	}
	if e.Account != "" {
		said += ", in " + Clean(e.Account) + " " + Clean(e.Region)
	}
	if e.Error != "" {
		said += "; it was refused (" + Clean(e.Error) + ")"
	}
	if e.Detail != "" {
		said += ": " + CleanText(e.Detail)
	}
	return said
}

// A naming remembers what files and findings are called, by their places, so that
// an event can be set beside what it may explain.
type naming map[int64]string

func (n naming) file(f verify.File) {
	if f.Class > verify.Remark || f.Verdict != verify.Kept && f.Class == verify.Remark {
		n.add(f.Seq, string(f.Verdict)+" "+f.Kind+" "+Clean(path.Base(f.URI)))
	}
}

func (n naming) finding(f verify.Finding) {
	name := string(f.Kind)
	if f.Start != nil && f.End != nil {
		name += " " + between(*f.Start, *f.End)
	}
	if f.Chain != nil {
		name += " of " + chainName(*f.Chain)
	}
	if f.Key != "" {
		name += " of " + Clean(f.Key)
	}
	n.add(f.Seq, name)
}

func (n naming) add(seq int64, name string) {
	if len(n) < maxNames {
		n[seq] = name
	}
}

// beside names what an event may explain; empty where that is nothing.
func (n naming) beside(e verify.Explanation) string {
	var names []string
	for _, seq := range e.Explains {
		if name := n[seq]; name != "" && len(names) < maxBeside {
			names = append(names, name)
		}
	}
	if more := len(e.Explains) - len(names); more > 0 && len(names) > 0 {
		names = append(names, fmt.Sprintf("and %s more", thousands(more)))
	} else if more > 0 {
		names = append(names, fmt.Sprintf("%s %s", thousands(more), plural(more, "thing that was found", "things that were found")))
	}
	return strings.Join(names, "; ")
}

// bundleSaid is the bundle that was verified, in words.
func bundleSaid(b *verify.Bundle) string {
	return "evidence bundle, collected " + moment(b.Collected) + " by trailseal " + Clean(b.Tool) + ", seal " + Clean(b.Seal)
}

// unlistedSaid says that events were left out.
func unlistedSaid(n int64) string {
	return thousands(int(n)) + " more " + plural(int(n), "event is", "events are") + " not listed"
}

func jsonRecover(r *verify.Recover) *verify.Recover {
	if r == nil {
		return nil
	}
	c := *r
	for _, text := range []*string{&c.Version, &c.Command, &c.At, &c.RemovedBy, &c.Marker, &c.Saved, &c.Problem} {
		*text = validUTF8(*text)
	}
	c.Modified, c.Removed = second(deref(c.Modified)), second(deref(c.Removed))
	return &c
}

func jsonExplanation(e verify.Explanation) verify.Explanation {
	for _, text := range []*string{&e.Event, &e.Service, &e.ID, &e.Account, &e.Region, &e.Who, &e.AccessKey, &e.From, &e.Agent, &e.Error, &e.Target, &e.Detail, &e.Log} {
		*text = validUTF8(*text)
	}
	e.Time, e.Explains = seconds(e.Time), append([]int64{}, e.Explains...)
	return e
}

func jsonExplanations(all []verify.Explanation) []verify.Explanation {
	clean := make([]verify.Explanation, len(all))
	for i, e := range all {
		clean[i] = jsonExplanation(e)
	}
	return clean
}

func jsonBundle(b *verify.Bundle) *verify.Bundle {
	if b == nil {
		return nil
	}
	return &verify.Bundle{Seal: validUTF8(b.Seal), Collected: seconds(b.Collected), Tool: validUTF8(b.Tool)}
}

// withRecover is a detail with what versions hold after it.
func withRecover(detail string, r *verify.Recover) string {
	return strings.TrimPrefix(strings.TrimSuffix(detail+"; "+recoverSaid(r), "; "), "; ")
}

// explaining are the events that may explain something, and the others, at most so many.
func explaining(all []verify.Explanation, most int) (these, others []verify.Explanation, more int) {
	i := slices.IndexFunc(all, func(e verify.Explanation) bool { return len(e.Explains) == 0 })
	if i < 0 {
		i = len(all)
	}
	these, others = all[:i], all[i:]
	return these, others[:min(len(others), most)], max(len(others)-most, 0)
}
