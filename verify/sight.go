package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// A signature is one of these.
type sigState int

const (
	sigNone  sigState = iota // none at hand, or no key to check it with
	sigHolds                 // checked, and it holds
	sigWrong                 // checked, and it does not
)

// A sight is what was seen of one digest file, and what its neighbours add.
type sight struct {
	ref      Ref         // where CloudTrail wrote it, as far as known
	found    Ref         // where the store has it
	name     digest.Name // what its key says
	modified time.Time   // when it was stored; zero where not known
	inside   bool        // it is to be judged: its span touches the window

	err     error          // it could not be read
	late    bool           // its hour ended so lately that it need not have been delivered
	content digest.Content // what inflating it found
	record  *digest.Record // nil where it is not a digest
	meta    map[string]string
	version string
	altered *Altered
	sealing sealing

	fault     ruling            // what is wrong with it by itself: place, algorithm, key
	key       *digest.PublicKey // the key its fingerprint names, where valid then
	own       sigState          // of the signature in its own metadata
	recovered sigState          // of the signature that the next digest names
	rescue    *sight            // the version that was recovered, where it is not kept itself
	recover   *Recover          // what was found among its versions; nil: not looked
	nexts     []*sight          // the digests that name this one as the one before: one, where nobody planted others
}

// authentic reports whether a signature by CloudTrail's key holds over the
// digest's bytes and place. Where the signature came from does not matter: it
// proves itself.
func (d *sight) authentic() bool {
	return d.record != nil && d.key != nil && d.fault.verdict == "" &&
		d.content.Form == digest.Exact && (d.own == sigHolds || d.recovered == sigHolds)
}

// next is the trusted digest that names this one, or nil. A forged one that
// names it as well must not stand in its way.
func (d *sight) next() *sight {
	for _, n := range d.nexts {
		if n.authentic() {
			return n
		}
	}
	return nil
}

// vouched reports whether a trusted digest names this one.
func (d *sight) vouched() bool { return d.next() != nil }

// previous is what the trusted digest that names this one says of it.
func (d *sight) previous() *digest.Previous { return d.next().record.Previous }

func (d *sight) signature() string { return d.meta["signature"] }

// start and end are the digest's span: its own words where it can be read,
// else an hour up to the time in its name.
func (d *sight) start() time.Time {
	if d.record != nil {
		return d.record.Start
	}
	return d.end().Add(-time.Hour)
}

func (d *sight) end() time.Time {
	if d.record != nil {
		return d.record.End
	}
	return d.name.End
}

// look reads one digest file and checks it by itself. The error is for what
// stops the run.
func (r *run) look(ctx context.Context, e Entry, name digest.Name) (*sight, error) {
	d := &sight{ref: e.Ref, found: e.Ref, name: name, modified: e.Modified}
	err := r.Store.Read(ctx, e.Ref, func(o Object) error { return d.read(ctx, r, o) })
	if err != nil {
		if !isData(err) {
			return nil, err
		}
		d.err, d.sealing = err, refusedBy(err)
		d.late = name.End.Add(DigestDue).After(r.Now)
		return d, nil
	}
	r.Progress.Fetched.Add(max(e.Size, 0))
	return d, r.check(ctx, d)
}

// smallDigest is how large a digest may be, inflated, to be read beside
// others: room for some thousands of logs. Larger ones are read one at a time,
// or a few planted kilobytes in each region would take all memory.
const smallDigest = 1 << 20

func (d *sight) read(ctx context.Context, r *run, o Object) error {
	d.meta, d.version, d.record, d.altered, d.sealing = o.Metadata, o.Version, nil, o.Altered, sealingOf(o)
	if o.Altered != nil {
		return nil
	}
	raw, content, err := r.inflate(ctx, o)
	if err != nil {
		return err
	}
	if len(raw) > smallDigest {
		defer r.large.Release(1)
	}
	d.content = content
	if content.Form != digest.Exact {
		return nil
	}
	record, err := digest.Parse(raw)
	if err != nil {
		d.fault = rule(Modified, err.Error(), Malformed)
		return nil
	}
	d.record = record
	return nil
}

// inflate reads a digest's content. What is larger than smallDigest comes with
// the slot for large ones, which the caller gives back.
func (r *run) inflate(ctx context.Context, o Object) ([]byte, digest.Content, error) {
	first := min(smallDigest, r.DigestLimit)
	again, ok := o.Body.(io.Seeker)
	if ok {
		raw, content, err := digest.ReadGzip(o.Body, first)
		if err != nil || content.Form != digest.TooLarge || first == r.DigestLimit {
			return raw[:min(len(raw), smallDigest)], content, err
		}
	}
	if err := r.large.Acquire(ctx, 1); err != nil {
		return nil, digest.Content{}, err
	}
	if ok { // what is no digest for its form alone is not held to find that out
		content, err := rewound(again, o.Body, r.DigestLimit)
		if err != nil || content.Form != digest.Exact {
			r.large.Release(1)
			return nil, content, err
		}
	}
	raw, content, err := digest.ReadGzip(o.Body, r.DigestLimit)
	if len(raw) <= smallDigest || err != nil {
		r.large.Release(1)
		return raw[:min(len(raw), smallDigest)], content, err
	}
	return raw, content, nil
}

// rewound hashes a body from its start and leaves it at its start.
func rewound(s io.Seeker, body io.Reader, limit int64) (digest.Content, error) {
	if _, err := s.Seek(0, io.SeekStart); err != nil {
		return digest.Content{}, err
	}
	content, err := digest.HashGzip(body, limit)
	if err != nil {
		return digest.Content{}, err
	}
	_, err = s.Seek(0, io.SeekStart)
	return content, err
}

// isData reports whether an error is about one object, and so a result.
func isData(err error) bool {
	var missing *NotFoundError
	var unreadable *UnreadableError
	return errors.As(err, &missing) || errors.As(err, &unreadable)
}

// check fills in what a digest's own words, place and key say of it.
func (r *run) check(ctx context.Context, d *sight) error {
	if d.record == nil {
		return nil
	}
	stated := Ref{d.record.Bucket, d.record.Object}
	if !r.Store.Holds(d.found, stated) {
		d.fault = rule(Modified, fmt.Sprintf("it was written to %.1200q", stated.URI()), WrongLocation)
		return nil
	}
	d.ref = stated
	if err := d.name.Stated(d.record); err != nil {
		d.fault = rule(Modified, err.Error()+", which its name does not", WrongLocation)
		return nil
	}
	if d.record.SignatureAlgorithm != digest.SignatureAlgorithm {
		d.fault = rule(Unverified, fmt.Sprintf("it is signed with %.40q", d.record.SignatureAlgorithm), AlgorithmUnsupported)
		return nil
	}
	keys, err := r.regionKeys(ctx, d.name.Chain.Region)
	if err != nil && !isData(err) {
		return err
	}
	d.key, d.fault = chooseKey(keys, err, d)
	if d.key != nil && d.signature() != "" {
		d.own = d.checkSignature(d.signature())
	}
	return nil
}

func (d *sight) checkSignature(signature string) sigState {
	if d.key.Verify(d.record, signature) != nil {
		return sigWrong
	}
	return sigHolds
}

// link tells a digest which one names it, and tries the signature it is
// given there where its own does not hold.
func (d *sight) link(next *sight) {
	if len(d.nexts) >= maxForged && next.own != sigHolds {
		return
	}
	d.nexts = append(d.nexts, next)
	if d.key != nil && d.own != sigHolds && d.record != nil && d.recovered != sigHolds {
		d.recovered = d.checkSignature(next.record.Previous.Signature)
	}
}

// signedWithin is how long after its end a digest is signed at most. It is
// delivered about half an hour after it, and by then a new key may be in use.
const signedWithin = 2 * time.Hour

// chooseKey finds the key that a digest names by fingerprint, among those of
// its region, valid when it was signed.
func chooseKey(keys []digest.PublicKey, err error, d *sight) (*digest.PublicKey, ruling) {
	if err != nil {
		return nil, rule(Unverified, briefly(err), KeysUnavailable)
	}
	at, dated := d.signedAt()
	var elsewhere, then string
	for i, k := range keys {
		switch {
		case k.Fingerprint != d.record.Fingerprint:
		case k.Region != "" && k.Region != d.name.Chain.Region:
			elsewhere = k.Region
		case validWhenSigned(k, at, dated):
			return &keys[i], ruling{}
		default:
			then = k.Start.Format(time.RFC3339) + " to " + k.End.Format(time.RFC3339)
		}
	}
	switch {
	case then != "":
		return nil, rule(Unverified, "its key was valid from "+then, KeyNotValidThen)
	case elsewhere != "":
		return nil, rule(Unverified, "its key is one of "+elsewhere, KeyNotFound)
	default:
		return nil, rule(Unverified, fmt.Sprintf("fingerprint %.64q", d.record.Fingerprint), KeyNotFound)
	}
}

// validWhenSigned reports whether a key may have signed at a time, or soon after
// it; where that is not dated, at any time from then on.
func validWhenSigned(k digest.PublicKey, at time.Time, dated bool) bool {
	return k.ValidAt(at) || k.ValidAt(at.Add(signedWithin)) || !dated && !k.End.Before(at)
}

// briefly says why keys could not be asked for: it stands beside every digest
// of the region, so the hint alone will do.
func briefly(err error) string {
	var unreadable *UnreadableError
	if errors.As(err, &unreadable) && unreadable.Hint != "" {
		return unreadable.Hint
	}
	return err.Error()
}

// signedAt is the time at which the digest's key must be valid: its end, or
// for a backfill digest the time it was made. Where a copy lost that time,
// dated is false: all that is known is that it was not before the end.
func (d *sight) signedAt() (at time.Time, dated bool) {
	text, known := d.meta[generatedAt]
	return signedAt(d.record.End, d.name.Chain.Backfill, text, known)
}

// generatedAt is the metadata of a backfill digest that says when it was made.
const generatedAt = "backfill-generation-timestamp"

func signedAt(end time.Time, backfill bool, generated string, known bool) (at time.Time, dated bool) {
	if !backfill {
		return end, true
	}
	if at, err := time.Parse(time.RFC3339, generated); err == nil && !at.Before(end) {
		return at, true
	}
	// A time that cannot be right is as good as a lie: hold it to the end.
	return end, known
}

// hash reads and hashes one log file, whose content the tee is given as well,
// where there is one.
func (r *run) hash(ctx context.Context, ref Ref, tee digest.Tee) (logSight, error) {
	var s logSight
	err := r.Store.Read(ctx, ref, func(o Object) error {
		s = logSight{version: o.Version, altered: o.Altered, sealing: sealingOf(o)}
		if o.Altered != nil {
			return nil
		}
		count := &counter{r: o.Body}
		content, found, err := r.readLog(count, tee)
		if err != nil {
			return err
		}
		s.content, s.leads = content, found
		r.Progress.Fetched.Add(count.n)
		r.Progress.Hashed.Add(content.Size)
		return nil
	})
	if err != nil && isData(err) {
		return logSight{err: err, sealing: refusedBy(err)}, nil
	}
	return s, err
}

func hashTo(body io.Reader, limit int64, tee digest.Tee) (digest.Content, error) {
	if tee == nil {
		return digest.HashGzip(body, limit)
	}
	return digest.HashGzipTo(body, limit, tee)
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// names reports whether a digest names what the store has at d as the digest
// before it.
func (r *run) names(next *sight, d *sight) bool {
	if next.record == nil || next.record.Previous == nil {
		return false
	}
	p := next.record.Previous
	return strings.HasSuffix(p.Object, suffixOf(d.found.Key)) && r.Store.Holds(d.found, Ref{p.Bucket, p.Object})
}

// suffixOf is a key's last element, which a cheap comparison starts with.
func suffixOf(key string) string { return key[strings.LastIndexByte(key, '/')+1:] }
