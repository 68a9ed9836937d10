package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// An alert is one result as the tools of security teams take it, whatever
// their format: what is wrong, with what, and how bad that is. All its texts
// are valid UTF-8; those for people have nothing hidden in them.
type alert struct {
	uid     string // the same in every run that finds the same, whenever that is
	word    string // the verdict, or the kind of the finding
	reasons []verify.Reason
	class   verify.Class
	rank    severity
	title   string
	text    string
	advice  string
	chain   verify.ChainRef // what is known of it
	start   *time.Time
	end     *time.Time
	seq     int64
	uri     string // of the object or folder; empty where there is none
	kmsKey  string
	file    *verify.File  // nil where it is about no single file
	whole   *verify.Chain // nil where it is not about a chain as a whole
	events  []string      // that may explain what was found
}

// A severity is how bad an alert is.
type severity int

const (
	informational severity = iota // good, or a remark
	medium                        // unproven: nothing says that it is wrong, or right
	high                          // tampering by policy, and chains with tampering
	critical                      // the store contradicts what was signed
)

func rank(after verify.Class, own verify.Class) severity {
	switch {
	case after < verify.ClassUnproven:
		return informational
	case after == verify.ClassUnproven:
		return medium
	case own == verify.Tampering:
		return critical
	}
	return high
}

func alertOfFile(f verify.File) alert {
	of := placeOf(f)
	uid := stableID("file", f.Kind, f.URI, f.Digest, string(f.Verdict))
	f = jsonFile(f).File
	words := map[string]bool{string(f.Verdict): true}
	for _, r := range f.Reasons {
		words[string(r)] = true
	}
	return alert{
		uid: uid, word: string(f.Verdict), reasons: f.Reasons, class: f.Class, rank: rank(f.Class, f.Verdict.Class()),
		title: "CloudTrail " + f.Kind + " file " + string(f.Verdict),
		text:  about(sentences(Explain(f), CleanText(f.Detail), recoverSaid(f.Recover)), f.URI),
		chain: of.chain, start: f.Start, end: f.End, seq: f.Seq, uri: f.URI, kmsKey: f.Key, file: &f,
		advice: strings.Join(Advice(words), " "),
	}
}

func alertOfFinding(f verify.Finding) alert {
	of, uid := placeOfFinding(f), findingID(f)
	f = jsonFinding(f).Finding
	if f.Chain != nil {
		of.chain = *f.Chain
	}
	return alert{
		uid: uid, word: string(f.Kind), class: f.Class, rank: rank(f.Class, ownFindingClass(f)),
		title: "CloudTrail logs: " + ExplainFinding(f.Kind), text: about(sentences(CleanText(f.Message)), f.URI),
		chain: of.chain, start: f.Start, end: f.End, seq: f.Seq, uri: f.URI, kmsKey: f.Key,
		advice: strings.Join(Advice(map[string]bool{string(f.Kind): true}), " "),
	}
}

// findingID leaves out where a stretch of time ends, for that moves while a
// trail is silent, and the message, unless nothing else tells it apart.
func findingID(f verify.Finding) string {
	parts := []string{"finding", string(f.Kind), f.URI, validUTF8(f.Key)}
	if f.Chain != nil {
		parts = append(parts, chainPath(*f.Chain))
	}
	switch {
	case f.Start != nil:
		parts = append(parts, moment(*f.Start))
	case f.URI == "" && f.Key == "":
		parts = append(parts, validUTF8(f.Message))
	}
	return stableID(parts...)
}

func alertOfChain(c verify.Chain) alert {
	c = jsonChain(c)
	of := verify.ChainRef{Organization: c.Organization, Account: c.Account, Region: c.Region, Trail: c.Trail, Backfill: c.Backfill}
	title := "CloudTrail log file integrity of trail " + Clean(c.Trail) + " in " + Clean(c.Region)
	if c.Backfill {
		title += " (backfill)"
	}
	text := sentences("digests: "+verdictCounts(c.Digests), "logs: "+verdictCounts(c.Logs))
	if len(c.Coverage) > 0 {
		text += " " + sentences("time: "+shares(c.Coverage))
	}
	return alert{
		uid: stableID("chain", chainPath(of), c.HomeRegion), word: c.Class.String(), class: c.Class, rank: rank(c.Class, verify.Good),
		title: title, text: text, chain: of, start: c.First, end: c.Last, seq: c.Seq, whole: &c,
	}
}

// chainPath names a chain in one word, as far as it is known.
func chainPath(c verify.ChainRef) string {
	path := validUTF8(strings.Join([]string{c.Organization, c.Account, c.Region, c.Trail}, "/"))
	if c.Backfill {
		path += "/backfill"
	}
	return strings.TrimPrefix(path, "/")
}

// stableID is one word for these parts, whatever they hold.
func stableID(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s,", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
