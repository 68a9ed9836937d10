package source

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/kms"
	"github.com/trailseal/trailseal/verify"
)

// A Preflight is what came of asking whether files can be read at all.
type Preflight struct {
	Keys     []KeyCheck // by ARN; first what no KMS key encrypted
	Refusals []Refusal  // of files whose key could not be learned
	Files    int        // asked about
	root     verify.Ref // what was asked for

	partition string // that the bucket is in
}

// A KeyCheck is one KMS key's digests, or its logs: the key's state, and what came
// of really reading one of them. What a client sealed cannot always be told
// without, so that a digest that can be read says nothing of the logs.
type KeyCheck struct {
	ARN        string
	Encryption string // "aws:kms", …, or a client's scheme
	Kind       string // of its files: "digest" or "log"
	Files      int    // of the sample
	State      verify.KeyState
	Read       verify.Ref
	Err        *verify.UnreadableError // why that could not be read; nil where it could
	last       verify.Ref              // read as well: what lies first may be a decoy
}

// A Refusal is why a file could not be asked about.
type Refusal struct {
	Ref verify.Ref
	Err *verify.UnreadableError
}

// checksAtOnce is how many files are asked about at a time.
const checksAtOnce = 32

// Check asks about each of the files, and reads one digest and one log a key: a
// HEAD tells the key, but whether the caller may use it only a real GET does. The
// error is the context's. A bucket alone can be asked so.
func Check(ctx context.Context, bucket *S3, store *Opening, refs []verify.Ref) (Preflight, error) {
	p := Preflight{Files: len(refs), root: bucket.root}
	var mu sync.Mutex
	seen := map[[3]string]*KeyCheck{}
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
	for _, name := range slices.SortedFunc(maps.Keys(seen), func(a, b [3]string) int { return slices.Compare(a[:], b[:]) }) {
		p.Keys = append(p.Keys, *seen[name])
	}
	p.partition = "aws"
	if place, err := bucket.places.of(ctx, bucket.root.Bucket); err == nil {
		p.partition = kms.Partition(place.region)
	}
	slices.SortFunc(p.Refusals, func(a, b Refusal) int { return strings.Compare(a.Ref.URI(), b.Ref.URI()) })
	return p, p.try(ctx, store)
}

// sort notes what a HEAD told. A file that is gone is for verify to judge.
func (p *Preflight) sort(seen map[[3]string]*KeyCheck, ref verify.Ref, o verify.Object, err error) error {
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
	kind := "log"
	if strings.Contains(ref.Key, "/"+digest.DigestFolder+"/") {
		kind = "digest"
	}
	c := seen[[3]string{key, how, kind}]
	if c == nil {
		c = &KeyCheck{ARN: key, Encryption: how, Kind: kind, Read: ref, last: ref}
		seen[[3]string{key, how, kind}] = c
	}
	c.Files++
	if ref.Key < c.Read.Key {
		c.Read = ref
	}
	if ref.Key > c.last.Key {
		c.last = ref
	}
	return nil
}

// try reads the first and the last file of each key, and asks for the keys'
// states.
func (p *Preflight) try(ctx context.Context, store *Opening) error {
	for i := range p.Keys {
		k := &p.Keys[i]
		if err := k.read(ctx, store); err != nil {
			return err
		}
		switch {
		case k.ARN == "":
		case k.Err != nil && k.Err.Scheme != "" && !aboutKey(k.Err.Reason): // the object alone names it
			k.State.Problem = "KMS was not asked: --kms-key does not name it"
		default:
			k.State = store.kms.KeyState(ctx, k.ARN)
		}
	}
	return nil
}

// read reads one or two files to their ends. The error is the context's.
func (k *KeyCheck) read(ctx context.Context, store *Opening) error {
	for _, ref := range slices.Compact([]verify.Ref{k.Read, k.last}) {
		opened, err := readThrough(ctx, store, ref)
		var u *verify.UnreadableError
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &u):
			k.Err, k.Read = u, ref
			if u.Scheme != "" && u.Key != "" {
				k.ARN = u.Key
			}
			return nil
		case err != nil: // between HEAD and GET it was deleted
			k.Err, k.Read = &verify.UnreadableError{What: object(ref), Reason: verify.NotFound, Err: err}, ref
			return nil
		}
		if opened != "" {
			k.ARN = opened
		}
	}
	return nil
}

// readThrough reads a file to its end, and gives the key of its envelope. One
// that was altered could not be read.
func readThrough(ctx context.Context, store *Opening, ref verify.Ref) (key string, err error) {
	var altered *verify.Altered
	err = store.Read(ctx, ref, func(o verify.Object) error {
		key, altered = o.Envelope.Key, o.Altered
		_, err := io.Copy(io.Discard, o.Body)
		return err
	})
	if err == nil && altered != nil {
		err = &verify.UnreadableError{What: object(ref), Reason: altered.Reason, Err: errors.New(altered.Detail)}
	}
	return key, err
}
