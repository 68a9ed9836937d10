package source

import (
	"context"
	"errors"
	"hash/maphash"
	"io"
	"maps"
	"strings"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/kms"
	"github.com/trailseal/trailseal/verify"
)

const (
	instructionSuffix   = ".instruction"
	maxInstructionBytes = 64 << 10
	openingBytes        = 320 << 20 // of large sealed objects that are held at once
)

// Opening is the layer between a store and the engine that opens what a client
// sealed with KMS before it was stored. What nobody sealed passes as it is, at
// the cost of a look at its first bytes. It needs one GET an object, as the
// store does, and two more only where the envelope is in an instruction file.
type Opening struct {
	verify.Store
	kms    *KMS
	opener *kms.Opener
	off    bool // nothing is opened
	large  *semaphore.Weighted
	seed   maphash.Seed
	mu     sync.Mutex
	used   map[uint64]struct{} // instruction files that opened their objects
}

// NewOpening wraps a store. With a nil opener nothing is opened: what can be seen
// to be sealed is then unreadable. k counts what KMS is asked.
func NewOpening(store verify.Store, k *KMS, opener *kms.Opener) *Opening {
	off := opener == nil
	if off {
		opener = &kms.Opener{} // which no key is allowed
	}
	return &Opening{Store: store, kms: k, opener: opener, off: off, large: semaphore.NewWeighted(openingBytes),
		seed: maphash.MakeSeed(), used: map[uint64]struct{}{}}
}

// Requests counts the store's requests, and KMS's.
func (s *Opening) Requests() map[string]int64 {
	counts := s.Store.Requests()
	maps.Copy(counts, s.kms.Requests())
	return counts
}

// What must be found out before an object can be opened, and cannot be while it
// is held: both wait for the same few slots. The two never leave the package.
var (
	errInstruction = errors.New("an instruction file is wanted")
	errWhole       = errors.New("whether it is a whole gzip member is wanted")
)

// known is what was found out about an object before it is read once more.
type known struct {
	instruction *[]byte
	whole       *bool // its stored bytes are a whole gzip member
}

// Read opens the object, and what is sealed in it.
func (s *Opening) Read(ctx context.Context, ref verify.Ref, use func(verify.Object) error) error {
	return s.read(ctx, ref, false, func(use func(verify.Object) error) error { return s.Store.Read(ctx, ref, use) }, use)
}

// read opens what another read gives; of a former version the instruction file may
// be a former one as well.
func (s *Opening) read(ctx context.Context, ref verify.Ref, former bool, from func(func(verify.Object) error) error, use func(verify.Object) error) error {
	var k known
	for {
		err := from(func(o verify.Object) error { return s.open(ctx, ref, o, k, use) })
		switch {
		case err == errInstruction && k.instruction == nil:
			text, err := s.instruction(ctx, verify.Ref{Bucket: ref.Bucket, Key: ref.Key + instructionSuffix})
			if err == nil && text == nil && former {
				text, err = s.formerInstruction(ctx, verify.Ref{Bucket: ref.Bucket, Key: ref.Key + instructionSuffix})
			}
			if err != nil {
				return err
			}
			k.instruction = &text
		case err == errWhole && k.whole == nil:
			whole := false
			if err := from(func(o verify.Object) (err error) {
				whole, err = isWhole(o.Body)
				return err
			}); err != nil {
				return err
			}
			k.whole = &whole
		default:
			return err
		}
	}
}

// isWhole reports whether a body begins with a whole gzip member, which no
// ciphertext does: its checksum holds.
func isWhole(body io.Reader) (bool, error) {
	c, err := digest.HashGzip(body, verify.DefaultLogLimit)
	return c.Form == digest.Exact || c.Form == digest.TrailingData || c.Form == digest.TooLarge, err
}

// disagree looks closer at an object whose metadata has an envelope and whose
// bytes begin as a log's do. Whoever may write metadata must not have an intact
// log called altered, nor a forged one that everybody can read unreadable: where
// the bytes are a whole gzip member they are what they are.
func (k known) disagree(o *verify.Object) (whole bool, err error) {
	if k.whole != nil {
		return *k.whole, nil
	}
	body, ok := o.Body.(io.Seeker)
	if !ok {
		return false, errWhole
	}
	if whole, err = isWhole(o.Body); err == nil {
		_, err = body.Seek(0, io.SeekStart)
	}
	return whole, err
}

// open gives an object to use as it was before it was sealed.
func (s *Opening) open(ctx context.Context, ref verify.Ref, o verify.Object, k known, use func(verify.Object) error) error {
	scheme, gzip, err := s.look(&o)
	var altered *kms.AlteredError
	if gzip && (scheme != kms.Plain || errors.As(err, &altered)) {
		whole, odd := k.disagree(&o)
		if odd != nil {
			return odd
		}
		if whole {
			o.Envelope = verify.Envelope{Planted: true}
			return use(o)
		}
	}
	switch {
	case scheme == kms.Plain && err == nil:
		return use(o)
	case err != nil:
		return s.fail(ref, o, scheme, err, use)
	case s.off && scheme == kms.Unknown:
		return use(o)
	case s.off:
		return s.fail(ref, o, scheme, errOff, use)
	case k.instruction == nil && s.opener.NeedsInstruction(o.Metadata, scheme):
		return errInstruction
	}
	return s.unseal(ctx, ref, o, scheme, k.instruction, use)
}

// unseal opens an object of which all that is needed is at hand.
func (s *Opening) unseal(ctx context.Context, ref verify.Ref, o verify.Object, scheme kms.Scheme, instruction *[]byte, use func(verify.Object) error) error {
	if instruction != nil && scheme == kms.Unknown {
		scheme = kms.InstructionScheme(*instruction)
	}
	sealed := kms.Sealed{Metadata: o.Metadata, Body: o.Body, Size: o.Size}
	if instruction != nil {
		sealed.Instruction = *instruction
	}
	if o.Size > wholeBytes || o.Size < 0 {
		weight := min(o.Size, openingBytes)
		if o.Size < 0 { // it may be as large as it likes
			weight = openingBytes
		}
		if err := s.large.Acquire(ctx, weight); err != nil {
			return err
		}
		defer s.large.Release(weight)
	}
	opened, err := s.opener.Open(ctx, sealed)
	if err != nil {
		return s.fail(ref, o, scheme, err, use)
	}
	if opened.Scheme == kms.Plain {
		o.Body = opened.Body
		return use(o)
	}
	if sealed.Instruction != nil {
		s.remember(verify.Ref{Bucket: ref.Bucket, Key: ref.Key + instructionSuffix})
	}
	inner := o
	inner.Body = opened.Body
	inner.Envelope = verify.Envelope{Scheme: string(opened.Scheme), Key: opened.Key, Loose: !opened.Authenticated}
	return s.fail(ref, o, opened.Scheme, use(inner), use)
}

var errOff = &kms.RefusedError{Reason: kms.KeyNotAllowed, Hint: "--decrypt auto opens it", Err: errors.New("a client encrypted it, and --decrypt is off")}

// fail turns an error of opening into the store's kinds: a refusal is
// unreadable, and what was altered is shown to use, which judges it. Any other
// error, and none, passes.
func (s *Opening) fail(ref verify.Ref, o verify.Object, scheme kms.Scheme, err error, use func(verify.Object) error) error {
	var altered *kms.AlteredError
	var refused *kms.RefusedError
	switch {
	case errors.As(err, &altered):
		o.Body, o.Envelope = strings.NewReader(""), verify.Envelope{Scheme: string(scheme)}
		o.Altered = &verify.Altered{Reason: verify.Reason(altered.Reason), Detail: altered.Detail}
		return use(o)
	case errors.As(err, &refused):
		return &verify.UnreadableError{What: object(ref), Reason: verify.Reason(refused.Reason), Key: refused.Key, Scheme: string(scheme), Hint: refused.Hint, Err: refused.Err}
	}
	return err
}

// look finds out how an object is sealed, and whether it begins as gzip does,
// and leaves its body at its start.
func (s *Opening) look(o *verify.Object) (scheme kms.Scheme, gzip bool, err error) {
	var head [kms.HeadBytes]byte
	n, err := io.ReadFull(o.Body, head[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return kms.Plain, false, err
	}
	if b, ok := o.Body.(io.Seeker); ok {
		if _, err := b.Seek(-int64(n), io.SeekCurrent); err != nil {
			return kms.Plain, false, err
		}
	} else {
		o.Body = io.MultiReader(strings.NewReader(string(head[:n])), o.Body)
	}
	scheme, err = kms.Look(o.Metadata, head[:n])
	return scheme, n > 2 && string(head[:3]) == "\x1f\x8b\x08", err
}

// instruction reads an instruction file; nil where there is none. A refusal tells
// nothing of whether there is one, so that the listing is asked: an object that is
// plain noise must not pass for one that could not be opened.
func (s *Opening) instruction(ctx context.Context, ref verify.Ref) ([]byte, error) {
	var text []byte
	err := s.Store.Read(ctx, ref, func(o verify.Object) (err error) {
		text, err = io.ReadAll(io.LimitReader(o.Body, maxInstructionBytes+1))
		return err
	})
	var missing *verify.NotFoundError
	var unread *verify.UnreadableError
	switch {
	case errors.As(err, &missing) || len(text) > maxInstructionBytes:
		return nil, nil
	case !errors.As(err, &unread):
		return text, err
	case unread.Reason == verify.NotCopied: // the object is in the copy, and beside it nothing
		return nil, nil
	case unread.Reason == verify.AccessDenied && !s.listed(ctx, ref):
		return nil, nil
	}
	about := *unread
	about.Hint = strings.TrimPrefix(about.Hint+"; it is its instruction file that could not be read, "+object(ref), "; ")
	return nil, &about
}

// listed reports whether an object is there, as far as the listing tells: one
// that is refused tells nothing, so that it may be.
func (s *Opening) listed(ctx context.Context, ref verify.Ref) bool {
	for e, err := range s.Store.List(ctx, ref, "", "") {
		return err != nil || e.Ref == ref
	}
	return false
}

// Companion reports whether an object is the instruction file of another, which
// is the reason why no digest names it.
func (s *Opening) Companion(ctx context.Context, ref verify.Ref) bool {
	if !strings.HasSuffix(ref.Key, instructionSuffix) {
		return false
	}
	s.mu.Lock()
	_, known := s.used[s.hash(ref)]
	s.mu.Unlock()
	if known {
		return true
	}
	text, err := s.instruction(ctx, ref)
	return err == nil && kms.IsInstruction(text)
}

func (s *Opening) remember(ref verify.Ref) {
	s.mu.Lock()
	s.used[s.hash(ref)] = struct{}{}
	s.mu.Unlock()
}

func (s *Opening) hash(ref verify.Ref) uint64 { return maphash.String(s.seed, ref.URI()) }
