package report

import (
	"time"

	"github.com/trailseal/trailseal/verify"
)

// normal stands before every writer and gives it what a saved report could have
// kept: times in whole seconds, UTC, and none that RFC 3339 cannot write; and of
// texts that are not UTF-8 only the names of files as they are. So a report that
// is converted later has the bytes that it would have had at once.
type normal struct{ Writer }

func (n normal) Start(h verify.Header) error {
	h.Started, h.Window = seconds(h.Started), whole(h.Window)
	h.Version, h.Source, h.Bundle = validUTF8(h.Version), validUTF8(h.Source), jsonBundle(h.Bundle)
	return n.Writer.Start(h)
}

func (n normal) File(f verify.File) error {
	f.Start, f.End = second(deref(f.Start)), second(deref(f.End))
	uri, digest := f.URI, f.Digest
	f = jsonFile(f).File
	f.URI, f.Digest = uri, digest
	return n.Writer.File(f)
}

func (n normal) Finding(f verify.Finding) error {
	f.Start, f.End = second(deref(f.Start)), second(deref(f.End))
	uri := f.URI
	f = jsonFinding(f).Finding
	f.URI = uri
	return n.Writer.Finding(f)
}

func (n normal) Chain(c verify.Chain) error {
	c.First, c.Last = second(deref(c.First)), second(deref(c.Last))
	gaps := make([]verify.Hole, len(c.Gaps))
	for i, g := range c.Gaps {
		gaps[i] = verify.Hole{Start: seconds(g.Start), End: seconds(g.End), Reason: g.Reason}
	}
	c.Gaps, c.Digests, c.Logs = gaps, counts(c.Digests), counts(c.Logs)
	if c.Edge != nil {
		edge := *c.Edge
		edge.End, edge.Logs = seconds(edge.End), counts(edge.Logs)
		c.Edge = &edge
	}
	return n.Writer.Chain(jsonChain(c))
}

func (n normal) End(s verify.Summary) error {
	s.Finished, s.Window = seconds(s.Finished), whole(s.Window)
	s.Digests, s.Logs = counts(s.Digests), counts(s.Logs)
	keys := make([]verify.KeyUse, len(s.Keys))
	for i, k := range s.Keys {
		for _, at := range []**time.Time{&k.First, &k.Last, &k.Deletion, &k.Expires, &k.EndsAt} {
			*at = second(deref(*at))
		}
		keys[i] = jsonKey(k)
	}
	s.Keys, s.Explained = keys, jsonExplanations(s.Explained)
	return n.Writer.End(s)
}

func seconds(t time.Time) time.Time { return deref(second(t)) }

func whole(w verify.Window) verify.Window {
	return verify.Window{Start: seconds(w.Start), End: seconds(w.End)}
}
