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

// errInstruction says that the object's instruction file must be read before
// the object is read again. It never leaves the package.
var errInstruction = errors.New("an instruction file is wanted")

// Read opens the object, and what is sealed in it.
func (s *Opening) Read(ctx context.Context, ref verify.Ref, use func(verify.Object) error) error {
	err := s.Store.Read(ctx, ref, func(o verify.Object) error { return s.open(ctx, ref, o, nil, use) })
	if err != errInstruction {
		return err
	}
	// Not read while the object is held: both wait for the same few slots.
	instruction, err := s.instruction(ctx, verify.Ref{Bucket: ref.Bucket, Key: ref.Key + instructionSuffix})
	if err != nil {
		return err
	}
	return s.Store.Read(ctx, ref, func(o verify.Object) error { return s.open(ctx, ref, o, &instruction, use) })
}

// open gives an object to use as it was before it was sealed.
func (s *Opening) open(ctx context.Context, ref verify.Ref, o verify.Object, instruction *[]byte, use func(verify.Object) error) error {
	scheme, err := s.look(&o)
	switch {
	case scheme == kms.Plain && err == nil:
		return use(o)
	case err != nil:
		return s.fail(ref, o, scheme, err, use)
	case s.off && scheme == kms.Unknown:
		return use(o)
	case s.off:
		return s.fail(ref, o, scheme, errOff, use)
	case instruction == nil && s.opener.NeedsInstruction(o.Metadata, scheme):
		return errInstruction
	}
	if instruction != nil && scheme == kms.Unknown {
		scheme = kms.InstructionScheme(*instruction)
	}
	sealed := kms.Sealed{Metadata: o.Metadata, Body: o.Body, Size: o.Size}
	if instruction != nil {
		sealed.Instruction = *instruction
	}
	if o.Size > wholeBytes {
		weight := min(o.Size, openingBytes)
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

// look finds out how an object is sealed and leaves its body at its start.
func (s *Opening) look(o *verify.Object) (kms.Scheme, error) {
	var head [kms.HeadBytes]byte
	n, err := io.ReadFull(o.Body, head[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return kms.Plain, err
	}
	if b, ok := o.Body.(io.Seeker); ok {
		if _, err := b.Seek(-int64(n), io.SeekCurrent); err != nil {
			return kms.Plain, err
		}
	} else {
		o.Body = io.MultiReader(strings.NewReader(string(head[:n])), o.Body)
	}
	return kms.Look(o.Metadata, head[:n])
}

// instruction reads an instruction file; nil where there is none.
func (s *Opening) instruction(ctx context.Context, ref verify.Ref) ([]byte, error) {
	var text []byte
	err := s.Store.Read(ctx, ref, func(o verify.Object) (err error) {
		text, err = io.ReadAll(io.LimitReader(o.Body, maxInstructionBytes+1))
		return err
	})
	var missing *verify.NotFoundError
	if errors.As(err, &missing) || len(text) > maxInstructionBytes {
		return nil, nil
	}
	return text, err
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
