package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/trailseal/trailseal/verify"
)

func fromTo(start, end *time.Time) string {
	if start == nil || end == nil {
		return ""
	}
	return between(*start, *end)
}

func kindOfDigest(d verify.DigestFacts) string {
	kind := "standard"
	if d.Backfill {
		kind = "backfill: of logs that came too late for their hour's digest"
	}
	if d.Starting {
		kind += ", the first of its chain"
	}
	return kind
}

func (t *inspectText) digest(d verify.DigestFacts) {
	t.head("Digest")
	t.row("organization", Clean(d.Organization))
	t.row("account", Clean(d.Account))
	t.row("region", Clean(d.Region))
	t.row("trail", Clean(d.Trail)+" (home region "+Clean(d.HomeRegion)+")")
	t.row("kind", kindOfDigest(d))
	t.row("span", fromTo(d.Start, d.End))
	t.row("made", CleanText(d.Generated))
	t.row("events", fromTo(d.Oldest, d.Newest))
	if d.Bucket != "" || d.Key != "" {
		t.row("bucket", Clean(d.Bucket))
		t.row("key", Clean(d.Key))
		t.row("lists", files(d.Lists, "log"))
	}
}

func (t *inspectText) log(l verify.LogFacts) {
	t.head("Log file")
	t.row("organization", Clean(l.Organization))
	t.row("account", Clean(l.Account))
	t.row("region", Clean(l.Region))
	t.row("folder", Clean(l.Folder))
	if !l.Delivered.IsZero() {
		t.row("delivered", moment(l.Delivered)+", by its name")
	}
	for i := range l.ListedBy {
		t.neighbour("listed by", &l.ListedBy[i])
	}
	t.row("expected", Clean(l.Expected))
	if l.Read {
		t.row("events", thousands(l.Events))
	}
	if l.TooLong > 0 {
		t.row("", thousands(l.TooLong)+" more are too long to be read")
	}
	t.row("event time", fromTo(l.First, l.Last))
	if l.Events > 0 {
		t.counts("Services", l.Services)
		t.counts("Principals", l.Principals)
		t.counts("Errors", l.Errors)
	}
}

func (t *inspectText) counts(name string, c verify.Counts) {
	if len(c.Top) == 0 {
		return
	}
	t.head(name)
	for _, n := range c.Top {
		fmt.Fprintf(t.w, "  %12s  %s\n", thousands(n.Events), Clean(n.Name))
	}
	if c.Others > 0 {
		more := fmt.Sprintf("others, of %s names", thousands(c.Distinct-len(c.Top)))
		if c.Full {
			more = "others; there are too many names to tell all apart"
		}
		fmt.Fprintf(t.w, "  %12s  %s\n", thousands(c.Others), more)
	}
}

func (t *inspectText) object(o verify.ObjectFacts) {
	t.head("Stored object")
	if o.Stored >= 0 {
		t.row("stored", thousands(int(o.Stored))+" B")
	}
	t.row("uncompressed", thousands(int(o.Size))+" B")
	t.row("gzip", Clean(o.Form))
	t.row("SHA-256", Clean(o.SHA256))
	t.row("version", Clean(o.Version))
	t.row("S3", strings.TrimSpace(Clean(o.SSE)+" "+Clean(o.SSEKey)))
	t.row("client", strings.TrimSpace(Clean(o.Client)+" "+Clean(o.ClientKey)))
}

func (t *inspectText) signature(d verify.DigestFacts) {
	t.head("Key and signature")
	t.row("fingerprint", Clean(d.Fingerprint))
	t.row("valid", fromTo(d.KeyStart, d.KeyEnd))
	t.row("signature", Clean(d.Signature))
	if d.SignatureFrom == "next-digest" {
		t.row("", "as the next digest names it")
	}
	if d.StringToSign == "" {
		return
	}
	t.head("String to sign (lines end in LF, the last does not)")
	for line := range strings.SplitSeq(d.StringToSign, "\n") {
		fmt.Fprintf(t.w, "  %s\n", Clean(line))
	}
}

// outcomes are the classes that an outcome is painted as.
var outcomes = map[verify.Outcome]verify.Class{verify.CheckHolds: verify.Good, verify.CheckFails: verify.Tampering, verify.CheckUnknown: verify.ClassUnproven}

func (t *inspectText) checks(checks []verify.Check) {
	t.head("Checks")
	for _, c := range checks {
		line := "  " + t.paint.class(outcomes[c.Outcome], fmt.Sprintf("%-7s", Clean(string(c.Outcome)))) + "  " + checkSayings[c.Name]
		if c.Detail != "" {
			line += ": " + CleanText(c.Detail)
		}
		fmt.Fprintln(t.w, line)
	}
}

// checkSayings are the checks in plain words.
var checkSayings = map[string]string{
	"read": "the object could be read", "gzip": "its gzip form", "json": "its JSON is a digest's",
	"place": "it lies where it says it was written", "name": "its name agrees with its content",
	"algorithms": "SHA-256 and SHA256withRSA", "key": "the key that it names is known", "key-validity": "the key was valid then",
	"signature": "the signature in its metadata", "next-hash": "its hash, as the next digest names it",
	"next-signature": "its signature, as the next digest names it", "previous": "the link to the digest before",
}

func (t *inspectText) neighbours(d *verify.DigestFacts) {
	if d.Previous == nil && d.Next == nil {
		return
	}
	t.head("Neighbours")
	t.neighbour("before", d.Previous)
	t.neighbour("after", d.Next)
}

func (t *inspectText) neighbour(name string, n *verify.Neighbour) {
	if n == nil {
		return
	}
	f := verify.File{Kind: "digest", Verdict: n.Verdict, Reasons: n.Reasons}
	verdict := t.paint.class(verify.ClassUnproven, "not judged")
	if n.Verdict != "" {
		verdict = t.paint.class(n.Verdict.Class(), Clean(string(n.Verdict)))
	}
	t.row(name, verdict+"  "+Clean(n.URI))
	if len(n.Reasons) > 0 {
		t.row("", wrap(Explain(f), 16))
	}
}

// listing are the logs that a digest lists.
func (t *inspectText) listing(in verify.Inspection) {
	if in.Logs == nil {
		return
	}
	t.head(fmt.Sprintf("Logs that it lists (%s kept)", share(in.Logs)))
	t.w.WriteString(t.logs.String())
	if more := t.listed - inspectedLogs; more > 0 {
		fmt.Fprintf(t.w, "  … and %s more: --format json lists all\n", thousands(more))
	}
}
