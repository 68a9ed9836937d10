package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/trailseal/trailseal/digest"
)

// Inspect explains one file: what it is, what the digests of its time say of it,
// and each check with its outcome. The verdict is a run's, as Vouch finds it; the
// request's window and filters do not count. Of a digest, the logs that it lists
// are read and judged, and handed to each in their order; nil: they are passed
// over. An object that lies elsewhere than CloudTrail writes is only described.
func Inspect(ctx context.Context, req Request, ref Ref, each func(File) error) (Inspection, error) {
	in := Inspection{URI: ref.URI(), Kind: kindOf(ref.Key), KeysIn: req.KeysInCopy, Exit: 3}
	var err error
	switch in.Kind {
	case "digest":
		err = in.inspectDigest(ctx, req, ref, each)
	case "log":
		err = in.inspectLog(ctx, req, ref)
	default:
		err = in.describe(ctx, req, ref)
	}
	return in, err
}

func kindOf(key string) string {
	if _, err := digest.ParseName(key); err == nil {
		return "digest"
	}
	if _, err := digest.ParseLogName(key); err == nil {
		return "log"
	}
	return "other"
}

// A closeLook is a spotlight that keeps what else was seen of the file.
type closeLook struct {
	spotlight
	each   func(File) error // of a digest: its logs
	err    error            // of each
	counts map[Verdict]int
	worst  Class

	mu     sync.Mutex
	facts  *DigestFacts // of a digest
	object *ObjectFacts
	at     Class // of the digest that these are of
	whole  *sight
	near   []*nearby
	lists  []Neighbour // digests that list the log
	stats  *eventStats
}

// maxNear bounds how many digests beside a file are remembered: anyone can plant
// more that name it.
const maxNear = 64

// A nearby is a digest that names the one that is inspected, or is named by it.
type nearby struct {
	Neighbour
	found   Ref
	names   bool // it names the other as the one before it
	trusted bool
	missing bool
	hash    digest.Hash
	read    bool
}

func (c *closeLook) watch() *watch {
	return &watch{onDigest: c.digest, onLog: c.log, newTee: c.newTee, listsOf: c.listsOf()}
}

// listsOf chooses the logs of the digest, where it is one that is wanted.
func (c *closeLook) listsOf() func(*sight) bool {
	if kindOf(c.want.Key) != "digest" {
		return nil
	}
	return func(d *sight) bool { return c.each != nil && c.is(d) }
}

func (c *closeLook) is(d *sight) bool { return c.store.Holds(c.want, d.found) }

func (c *closeLook) newTee() digest.Tee {
	if kindOf(c.want.Key) == "log" {
		return newEventStats()
	}
	return nil
}

// File is told the results: the file's own, and those of the logs that it lists.
func (c *closeLook) File(f File) error {
	if err := c.spotlight.File(f); err != nil {
		return err
	}
	if f.Kind != "log" || c.each == nil {
		return nil
	}
	c.counts[f.Verdict]++
	c.worst = max(c.worst, f.Class)
	c.err = c.each(f)
	return c.err
}

// digest notes what was seen of the digest, and of those beside it.
func (c *closeLook) digest(d *sight, r ruling) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.is(d):
		if class := r.verdict.Class(); c.facts == nil || class > c.at {
			c.facts, c.object, c.at, c.whole = digestFacts(d, c.store), objectFacts(d.content, d.err, d.version, d.sealing), class, d
		}
	case kindOf(c.want.Key) == "log":
		if d.lists(c.store, c.want) && len(c.lists) < maxNear {
			c.lists = append(c.lists, neighbour(d, r))
		}
	case len(c.near) < maxNear:
		if n := c.beside(d, r); n != nil {
			c.near = append(c.near, n)
		}
	}
}

// lists reports whether a digest lists a log.
func (d *sight) lists(s Store, want Ref) bool {
	if d.record == nil {
		return false
	}
	suffix := suffixOf(want.Key)
	for _, l := range d.record.Logs {
		if strings.HasSuffix(l.Object, suffix) && s.Holds(want, Ref{l.Bucket, l.Object}) {
			return true
		}
	}
	return false
}

func neighbour(d *sight, r ruling) Neighbour {
	start, end := d.start(), d.end()
	return Neighbour{URI: d.ref.URI(), Verdict: r.verdict, Reasons: r.reasons, Start: &start, End: &end}
}

// beside is what is to be remembered of a digest that names the wanted one, or
// that it names; nil of another.
func (c *closeLook) beside(d *sight, r ruling) *nearby {
	n := &nearby{Neighbour: neighbour(d, r), found: d.found, trusted: d.authentic(), missing: isMissing(d.err)}
	if d.record != nil {
		n.hash, n.read = d.record.Hash, true
		if p := d.record.Previous; p != nil {
			n.names = c.store.Holds(c.want, Ref{p.Bucket, p.Object})
		}
	}
	if n.names {
		return n
	}
	for _, next := range d.nexts {
		if c.is(next) {
			return n
		}
	}
	return nil
}

// log notes what was read of the log.
func (c *closeLook) log(f *File, seen logSight, tee digest.Tee) {
	stats, _ := tee.(*eventStats)
	if stats == nil || f.Verdict == Unattested {
		return // it was not read
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.object = objectFacts(seen.content, seen.err, seen.version, seen.sealing)
	if seen.err == nil && seen.altered == nil {
		c.stats = stats
	}
}

func objectFacts(content digest.Content, err error, version string, s sealing) *ObjectFacts {
	o := &ObjectFacts{Stored: s.stored, Version: version, SSE: s.sse.Algorithm, SSEKey: s.sse.Key, Client: s.envelope.Scheme, ClientKey: s.envelope.Key}
	if err != nil {
		return nil
	}
	o.Form, o.Size = content.Form.String(), content.Size
	if content.Form == digest.Exact || content.Form == digest.TrailingData {
		o.SHA256 = content.Hash.String()
	}
	return o
}

// inspectDigest explains a digest file.
func (in *Inspection) inspectDigest(ctx context.Context, req Request, ref Ref, each func(File) error) error {
	c, err := in.look(ctx, req, ref, each)
	if err != nil {
		return err
	}
	in.Digest, in.Object = c.facts, c.object
	if c.facts == nil {
		return in.describe(ctx, req, ref)
	}
	c.neighbours()
	if each != nil {
		in.Logs = c.counts
	}
	return nil
}

// inspectLog explains a log file.
func (in *Inspection) inspectLog(ctx context.Context, req Request, ref Ref) error {
	c, err := in.look(ctx, req, ref, nil)
	if err != nil {
		return err
	}
	in.Object = c.object
	if in.File != nil {
		in.Log = &LogFacts{Expected: in.File.Expected}
	}
	if c.object == nil || c.stats == nil {
		if c.stats, err = in.readLog(ctx, req, ref); err != nil {
			return err
		}
	}
	in.logFacts(ref, c)
	return nil
}

func (in *Inspection) logFacts(ref Ref, c *closeLook) {
	if in.Log == nil {
		in.Log = &LogFacts{}
	}
	f := in.Log
	f.ListedBy = append([]Neighbour{}, c.lists...)
	if n, err := digest.ParseLogName(ref.Key); err == nil {
		f.Organization, f.Account, f.Region, f.Folder, f.Delivered = n.Organization, n.Account, n.Region, n.Kind, n.Delivered
	}
	read := c.stats != nil
	if !read {
		c.stats = newEventStats()
	}
	c.stats.facts(f)
	f.Read = read
}

// look runs the engine over the time of the file.
func (in *Inspection) look(ctx context.Context, req Request, ref Ref, each func(File) error) (*closeLook, error) {
	var last *closeLook
	_, err := vouch(ctx, req, ref, func() vouchSink {
		last = &closeLook{spotlight: spotlight{want: ref, store: req.Store}, each: each, counts: map[Verdict]int{}}
		return last
	})
	switch {
	case last != nil && last.err != nil:
		return nil, last.err
	case err != nil:
		return nil, err
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	in.File = last.file
	if in.File != nil {
		_, in.Exit = max(in.File.Class, last.worst).Outcome()
	} else {
		in.Doubt = last.doubt
	}
	return last, nil
}

// readLog reads a log that no digest had read, to say what is in it all the same.
func (in *Inspection) readLog(ctx context.Context, req Request, ref Ref) (*eventStats, error) {
	stats := newEventStats()
	content, o, err := readTo(ctx, req.Store, ref, cmp.Or(req.LogLimit, DefaultLogLimit), stats)
	switch {
	case err == nil:
		in.Object = objectFacts(content, nil, o.Version, sealingOf(o))
		if in.File == nil {
			in.Says = "no digest names it"
		}
		return stats, nil
	case !isData(err):
		return nil, err
	case in.File == nil:
		in.Says = notRead(err) + ", and no digest names it"
	}
	return nil, nil
}

func notRead(err error) string {
	if isMissing(err) {
		return "there is no such object"
	}
	return "it could not be read (" + briefly(err) + ")"
}

// readTo reads an object once, into a tee.
func readTo(ctx context.Context, s Store, ref Ref, limit int64, tee digest.Tee) (content digest.Content, seen Object, err error) {
	err = s.Read(ctx, ref, func(o Object) error {
		if seen = o; o.Altered != nil {
			return &UnreadableError{What: fmt.Sprintf("%q", ref.URI()), Reason: o.Altered.Reason, Err: errors.New(o.Altered.Detail)}
		}
		var err error
		content, err = digest.HashGzipTo(o.Body, limit, tee)
		return err
	})
	seen.Body = nil
	return content, seen, err
}
