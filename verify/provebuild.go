package verify

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/trailseal/trailseal/digest"
)

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
	p := &Proof{Schema: ProofSchema, Tool: req.Version, Collected: made(req)}
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
	result := CheckProof(p, true, []digest.PublicKey{key}, cmp.Or(req.LogLimit, DefaultLogLimit))
	if !result.Holds || !result.Confirmed {
		for _, c := range result.Checks {
			if c.Outcome != CheckHolds {
				return nil, refusal(fmt.Sprintf("what was read does not make a proof: %s: %s", c.Name, c.Detail))
			}
		}
	}
	return p, nil
}

// made is when a proof is made. What is judged as of an earlier time, as a bundle
// is, has its own beginning.
func made(req Request) time.Time {
	if req.Started.IsZero() {
		return req.Now.UTC()
	}
	return req.Started.UTC()
}

// addLog reads the log, and cuts the event from it.
func (p *Proof) addLog(ctx context.Context, req Request, s *search) error {
	limit := cmp.Or(req.LogLimit, DefaultLogLimit)
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
	case in.File != nil && in.File.Verdict != Kept:
		return none, refusal(fmt.Sprintf("its digest, judged once more and alone, is %s: %q", in.File.Verdict, in.File.URI))
	case in.File == nil || c.whole == nil || !c.whole.authentic():
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
