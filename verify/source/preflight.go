package source

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/trailseal/trailseal/kms"
	"github.com/trailseal/trailseal/verify"
)

// A Preflight is what came of asking whether files can be read at all.
type Preflight struct {
	Keys     []KeyCheck // by ARN; first what no KMS key encrypted
	Refusals []Refusal  // of files whose key could not be learned
	Files    int        // asked about
}

// A KeyCheck is one KMS key: its state, and what came of really reading one of
// its files.
type KeyCheck struct {
	ARN        string
	Encryption string // "aws:kms", …, or a client's scheme
	Files      int    // of the sample
	State      verify.KeyState
	Read       verify.Ref
	Err        *verify.UnreadableError // why that could not be read; nil where it could
}

// A Refusal is why a file could not be asked about.
type Refusal struct {
	Ref verify.Ref
	Err *verify.UnreadableError
}

// checksAtOnce is how many files are asked about at a time.
const checksAtOnce = 32

// Check asks about each of the files, and reads one file a key: a HEAD tells the
// key, but whether the caller may use it only a real GET does. The error is the
// context's. A bucket alone can be asked so.
func Check(ctx context.Context, bucket *S3, store *Opening, refs []verify.Ref) (Preflight, error) {
	p := Preflight{Files: len(refs)}
	var mu sync.Mutex
	seen := map[[2]string]*KeyCheck{}
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(checksAtOnce)
	for _, ref := range refs {
		g.Go(func() error {
			o, err := bucket.Head(inner, ref)
			mu.Lock()
			defer mu.Unlock()
			return p.sort(seen, ref, o, err)
		})
	}
	if err := g.Wait(); err != nil {
		return p, err
	}
	for _, name := range slices.SortedFunc(maps.Keys(seen), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		p.Keys = append(p.Keys, *seen[name])
	}
	slices.SortFunc(p.Refusals, func(a, b Refusal) int { return strings.Compare(a.Ref.URI(), b.Ref.URI()) })
	return p, p.try(ctx, store)
}

// sort notes what a HEAD told. A file that is gone is for verify to judge.
func (p *Preflight) sort(seen map[[2]string]*KeyCheck, ref verify.Ref, o verify.Object, err error) error {
	var u *verify.UnreadableError
	var missing *verify.NotFoundError
	switch {
	case errors.As(err, &missing):
		return nil
	case errors.As(err, &u):
		p.Refusals = append(p.Refusals, Refusal{ref, u})
		return nil
	case err != nil:
		return err
	}
	how, key := o.SSE.Algorithm, o.SSE.Key
	if scheme, _ := kms.Look(o.Metadata, []byte{0x1f, 0x8b}); scheme != kms.Plain {
		how = string(scheme) // one file of each scheme is opened, whatever it is stored under
	}
	c := seen[[2]string{key, how}]
	if c == nil {
		c = &KeyCheck{ARN: key, Encryption: how, Read: ref}
		seen[[2]string{key, how}] = c
	}
	c.Files++
	if ref.Key < c.Read.Key {
		c.Read = ref
	}
	return nil
}

// try reads one file of each key, and asks for the keys' states.
func (p *Preflight) try(ctx context.Context, store *Opening) error {
	for i := range p.Keys {
		k := &p.Keys[i]
		var u *verify.UnreadableError
		opened := ""
		err := store.Read(ctx, k.Read, func(o verify.Object) error { opened = o.Envelope.Key; return nil })
		switch {
		case errors.As(err, &u):
			k.Err = u
			if u.Scheme != "" && u.Key != "" {
				opened = u.Key
			}
		case ctx.Err() != nil:
			return ctx.Err()
		}
		if opened != "" {
			k.ARN = opened
		}
		switch {
		case k.ARN == "":
		case u != nil && u.Reason == verify.KeyNotAllowed:
			k.State.Problem = "KMS was not asked: --kms-key does not name it"
		default:
			k.State = store.kms.KeyState(ctx, k.ARN)
		}
	}
	return nil
}
