package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/trailseal/trailseal/digest"
	"golang.org/x/sync/semaphore"
)

// A Search is what looking for an event came to.
type Search struct {
	Event       string          `json:"event"`          // the eventID
	Proof       *Proof          `json:"-"`              // nil: there is none, and Why says why
	Why         string          `json:"why,omitempty"`  // in plain words; may quote hostile names
	File        *File           `json:"file,omitempty"` // the log that holds the event, as it was judged; nil: none was found
	Others      []string        `json:"others"`         // URIs of other kept logs that hold it as well, at most maxOthers
	More        int             `json:"moreOthers"`     // how many more there are
	Window      Window          `json:"window"`         // of delivery time
	Logs        map[Verdict]int `json:"logs"`           // searched or not, by verdict
	Searched    int             `json:"searched"`       // logs that were read to their end
	Doubts      []string        `json:"doubts"`         // what may have hidden the event, at most maxDoubts
	MoreDoubts  int             `json:"moreDoubts"`     //
	Interrupted bool            `json:"interrupted,omitempty"`
	Exit        int             `json:"exit"` // 0: there is a proof; 1: the event's log was tampered with; 3 otherwise
}

const (
	maxOthers = 100
	maxDoubts = 20
	maxSecond = 10_000 // logs that nothing vouches for that are looked into, where the event is in no other
)

// Prove looks for an event in the logs of the request's window and filters, and
// makes a proof of the first kept log that holds it, in the order of a report. The
// error is for what stopped the run.
func Prove(ctx context.Context, req Request, id string) (Search, error) {
	s := &search{id: id, finds: map[string]find{}, found: Search{Event: id, Others: []string{}, Doubts: []string{}, Exit: 3}}
	req.All, req.Only = true, nil
	req.watch = &watch{newTee: s.newTee, onLog: s.onLog}
	sum, err := Run(ctx, req, s)
	if err != nil {
		return s.found, err
	}
	f := &s.found
	f.Window, f.Logs, f.Interrupted = sum.Window, sum.Logs, sum.Interrupted
	switch {
	case s.kept != nil:
		f.File = s.kept
		err = s.prove(ctx, req)
	case s.bad != nil:
		f.File = s.bad
	case ctx.Err() == nil:
		err = s.lookAgain(ctx, req)
	}
	if f.Proof == nil && f.Why == "" {
		f.Why = s.why()
	}
	return *f, err
}

// A search is the sink of a run that looks for an event.
type search struct {
	id    string
	found Search
	kept  *File // the first kept log that holds it
	at    find
	bad   *File  // the first that is not kept
	again []File // logs that the run did not read, for nothing vouches for them

	mu       sync.Mutex
	finds    map[string]find // by log and digest, until the sink is told of the log
	searched int
	pool     sync.Pool
}

// A find is where the event is in a log.
type find struct{ offset, length int64 }

// A finder looks for an event in a log while it is read.
type finder struct {
	digest.EventScanner
	id, quoted []byte
	find       *find
}

func newFinder(id string) *finder {
	f := &finder{id: []byte(id), quoted: []byte(`"` + id + `"`)}
	f.Event = func(raw []byte) {
		if f.find != nil || !bytes.Contains(raw, f.quoted) {
			return
		}
		if id, ok := eventID(raw); ok && id == string(f.id) {
			f.find = &find{f.At, int64(len(raw))}
		}
	}
	return f
}

// Reset begins anew.
func (f *finder) Reset() {
	f.EventScanner.Reset()
	f.find = nil
}

func (s *search) newTee() digest.Tee {
	if f, ok := s.pool.Get().(*finder); ok {
		f.Reset()
		return f
	}
	return newFinder(s.id)
}

// onLog notes whether the event is in a log that was read.
func (s *search) onLog(file *File, seen logSight, tee digest.Tee) {
	f := tee.(*finder)
	s.mu.Lock()
	if seen.err == nil && seen.altered == nil && file.Verdict != Unattested {
		s.searched++
		if f.find != nil {
			s.finds[findKey(*file)] = *f.find
		}
	}
	s.mu.Unlock()
	s.pool.Put(f)
}

func findKey(f File) string { return f.URI + "\n" + f.Digest }

// File is told each file in order.
func (s *search) File(f File) error {
	if f.Kind != "log" {
		if f.Verdict != Kept {
			s.doubt(fmt.Sprintf("the digest %q is %s", f.URI, f.Verdict))
		}
		return nil
	}
	s.mu.Lock()
	at, found := s.finds[findKey(f)]
	delete(s.finds, findKey(f))
	s.mu.Unlock()
	switch {
	case found && f.Verdict == Kept && s.kept == nil:
		s.kept, s.at = &f, at
	case found && f.Verdict == Kept && f.URI != s.kept.URI:
		s.other(f.URI)
	case found && f.Verdict != Kept && s.bad == nil:
		s.bad = &f
	case f.Verdict == Unattested || f.Verdict == Unreferenced || f.Verdict == Pending:
		if len(s.again) < maxSecond {
			s.again = append(s.again, f)
		}
	}
	if f.Verdict == Unreadable || f.Verdict == Deleted {
		s.doubt(fmt.Sprintf("the log %q is %s", f.URI, f.Verdict))
	}
	return nil
}

func (s *search) other(uri string) {
	if len(s.found.Others) < maxOthers {
		s.found.Others = append(s.found.Others, uri)
	} else {
		s.found.More++
	}
}

func (s *search) doubt(text string) {
	if len(s.found.Doubts) < maxDoubts {
		s.found.Doubts = append(s.found.Doubts, text)
	} else {
		s.found.MoreDoubts++
	}
}

// Finding is told what is wrong beside files.
func (s *search) Finding(f Finding) error {
	if f.Kind.Class() > Remark {
		s.doubt(fmt.Sprintf("%s: %s", f.Kind, f.Message))
	}
	return nil
}

func (s *search) Start(Header) error { return nil }
func (s *search) Chain(Chain) error  { return nil }

// End is told that the run is over.
func (s *search) End(Summary) error {
	s.found.Searched = s.searched
	return nil
}

// why says why there is no proof.
func (s *search) why() string {
	f := s.found.File
	switch {
	case s.found.Interrupted:
		return "the run was interrupted"
	case f == nil:
		return "no log that was read holds the event"
	}
	_, s.found.Exit = max(f.Verdict.Class(), ClassUnproven).Outcome()
	return fmt.Sprintf("the event is in a log that is %s, so that nothing proves it: %q", f.Verdict, f.URI)
}

// lookAgain looks into the logs that nothing vouches for, to say that the event is
// there, if it is. There is no proof of it then.
func (s *search) lookAgain(ctx context.Context, req Request) error {
	type answer struct {
		file  File
		found bool
		err   error
	}
	look := func(ctx context.Context, f File) answer {
		tee := newFinder(s.id)
		_, _, err := readTo(ctx, req.Store, refOf(f.URI), cmpOr(req.LogLimit, DefaultLogLimit), tee)
		return answer{f, err == nil && tee.find != nil, err}
	}
	const atOnce = 16
	for a := range ordered(ctx, semaphore.NewWeighted(atOnce), atOnce, values(s.again), look) {
		switch {
		case a.err != nil && !isData(a.err):
			return a.err
		case a.err != nil:
			s.doubt(fmt.Sprintf("the log %q could not be read", a.file.URI))
		case a.found && s.found.File == nil:
			s.found.File = &a.file
		}
		if a.err == nil {
			s.found.Searched++
		}
	}
	return ctx.Err()
}

func cmpOr(n, other int64) int64 {
	if n == 0 {
		return other
	}
	return n
}

// refOf is the place that a URI names.
func refOf(uri string) Ref {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(uri, "s3://"), "/")
	return Ref{bucket, key}
}

// A refusal is why no proof is made of a log that holds the event.
type refusal string

func (r refusal) Error() string { return string(r) }

const changed = refusal("it changed while it was read")

// prove makes the proof.
func (s *search) prove(ctx context.Context, req Request) error {
	p, err := s.build(ctx, req)
	var no refusal
	switch {
	case errors.As(err, &no):
		s.found.Why = string(no)
	case err != nil && isData(err):
		s.found.Why = briefly(err)
	case err != nil:
		return err
	default:
		s.found.Proof, s.found.Exit = p, 0
	}
	return nil
}

// build reads the log and its digest once more, whole, and holds the proof that it
// makes of them against CheckProof.
func (s *search) build(ctx context.Context, req Request) (*Proof, error) {
	p := &Proof{Schema: ProofSchema, Tool: req.Version, Collected: req.Now.UTC()}
	if err := p.addLog(ctx, req, s); err != nil {
		return nil, err
	}
	key, err := p.addDigest(ctx, req, refOf(s.kept.Digest))
	if err != nil {
		return nil, err
	}
	if err := p.finish(); err != nil {
		return nil, refusal(err.Error())
	}
	result := CheckProof(p, true, []digest.PublicKey{key}, cmpOr(req.LogLimit, DefaultLogLimit))
	if !result.Holds || !result.Confirmed {
		for _, c := range result.Checks {
			if c.Outcome != CheckHolds {
				return nil, refusal(fmt.Sprintf("what was read does not make a proof: %s: %s", c.Name, c.Detail))
			}
		}
	}
	return p, nil
}

// addLog reads the log, and cuts the event from it.
func (p *Proof) addLog(ctx context.Context, req Request, s *search) error {
	limit := cmpOr(req.LogLimit, DefaultLogLimit)
	var stored []byte
	err := req.Store.Read(ctx, refOf(s.kept.URI), func(o Object) error {
		if o.Altered != nil {
			return changed
		}
		var err error
		stored, err = readAtMost(o, MaxProofLog)
		return err
	})
	if err != nil {
		return err
	}
	cut := &cutter{at: s.at}
	content, err := digest.HashGzipTo(bytes.NewReader(stored), limit, cut)
	if err != nil || content.Form != digest.Exact || content.Hash.String() != s.kept.Expected {
		return changed
	}
	p.Event = ProofEvent{ID: s.id, Offset: s.at.offset, Length: s.at.length, JSON: string(cut.event)}
	p.Log = ProofLog{URI: s.kept.URI, SHA256: content.Hash.String(), Size: content.Size, Gzip: stored}
	return nil
}

// A cutter keeps one stretch of a content.
type cutter struct {
	at    find
	seen  int64
	event []byte
}

func (c *cutter) Reset() { c.seen, c.event = 0, c.event[:0] }

func (c *cutter) Write(p []byte) (int, error) {
	from := max(c.at.offset-c.seen, 0)
	to := min(c.at.offset+c.at.length-c.seen, int64(len(p)))
	if from < to {
		c.event = append(c.event, p[from:to]...)
	}
	c.seen += int64(len(p))
	return len(p), nil
}

// addDigest judges the digest once more, alone, and adds it with the signature that
// holds and its key, which it returns.
func (p *Proof) addDigest(ctx context.Context, req Request, ref Ref) (digest.PublicKey, error) {
	none := digest.PublicKey{}
	in := Inspection{}
	c, err := in.look(ctx, req, ref, nil)
	switch {
	case err != nil:
		return none, err
	case in.File == nil || in.File.Verdict != Kept || c.whole == nil || !c.whole.authentic():
		return none, changed
	}
	raw, err := readDigest(ctx, req, ref)
	if err != nil {
		return none, err
	}
	d := c.whole
	if digest.Sum(raw) != d.record.Hash {
		return none, changed
	}
	key := *d.key
	key.Region = d.name.Chain.Region
	p.Digest = ProofDigest{
		URI: d.ref.URI(), SHA256: d.record.Hash.String(), End: d.record.EndText, JSON: raw,
		StringToSign: d.record.StringToSign(), From: "metadata",
	}
	signature, carrier := d.proven()
	if p.Digest.Signature = signature; carrier != nil {
		p.Digest.From, p.Digest.Carrier = "next-digest", carrier.ref.URI()
	}
	if d.name.Chain.Backfill {
		p.Digest.Generated = d.meta[generatedAt]
	}
	p.Key = ProofKey{Value: key.Value, Fingerprint: key.Fingerprint, Region: key.Region, Start: key.Start, End: key.End, From: keysFrom(req)}
	return key, nil
}

// keysFrom says where the keys of a run are from.
func keysFrom(req Request) string {
	if req.KeysInCopy != "" {
		return "the copy that it vouches for (" + strings.ToValidUTF8(req.KeysInCopy, "?") + ")"
	}
	return "CloudTrail, or a file that was given with --public-keys"
}

// readDigest reads a digest's uncompressed bytes.
func readDigest(ctx context.Context, req Request, ref Ref) (raw []byte, err error) {
	err = req.Store.Read(ctx, ref, func(o Object) error {
		if o.Altered != nil {
			return changed
		}
		var content digest.Content
		var err error
		raw, content, err = digest.ReadGzip(o.Body, MaxProofDigest)
		switch {
		case err != nil:
			return err
		case content.Form == digest.TooLarge:
			return refusal(fmt.Sprintf("the digest has more than %d bytes, which is too much for a proof", MaxProofDigest))
		case content.Form != digest.Exact:
			return changed
		}
		return nil
	})
	return raw, err
}

// readAtMost reads a log that may not have more than most stored bytes.
func readAtMost(o Object, most int64) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(min(max(o.Size, 0), most)) + bytes.MinRead)
	n, err := b.ReadFrom(io.LimitReader(o.Body, most+1))
	if err == nil && n > most {
		err = refusal(fmt.Sprintf("the log that holds the event has more than %d stored bytes, which is too much for a proof", most))
	}
	return b.Bytes(), err
}
