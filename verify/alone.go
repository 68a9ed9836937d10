package verify

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/trailseal/trailseal/digest"
)

// InspectAlone is Inspect for a file that lies in no copy, so that its place says
// nothing. A digest says itself where it was written, and its signature covers
// that: it is judged as if it lay there, and nothing else were known.
func InspectAlone(ctx context.Context, req Request, ref Ref) (Inspection, error) {
	in, err := Inspect(ctx, req, ref, nil)
	if err != nil || in.File != nil || in.Object == nil || in.Object.Form != digest.Exact.String() || in.Log != nil {
		return in, err
	}
	var d describer
	if _, _, err := readTo(ctx, req.Store, ref, maxWhole, &headless{&d}); err != nil {
		return in, ctx.Err()
	}
	r := d.record()
	if r == nil {
		return in, nil
	}
	stated := Ref{r.Bucket, r.Object}
	if _, err := digest.ParseName(stated.Key); err != nil {
		return in, nil
	}
	req.Store = &relocated{Store: req.Store, from: ref, to: stated}
	judged, err := Inspect(ctx, req, stated, nil)
	if err != nil || judged.File == nil {
		return in, err
	}
	judged.Says = "it lies alone, and is judged by what it says of itself: the digests before and after it, and the logs that it lists, are not known"
	return judged, nil
}

// A headless tee gives a describer the content alone.
type headless struct{ d *describer }

func (h *headless) Reset() { h.d.whole, h.d.long = h.d.whole[:0], false }

func (h *headless) Write(p []byte) (int, error) {
	if h.d.long = h.d.long || len(h.d.whole)+len(p) > maxWhole; !h.d.long {
		h.d.whole = append(h.d.whole, p...)
	}
	return len(p), nil
}

// A relocated store holds one object, as if it lay at another place.
type relocated struct {
	Store
	from, to Ref
}

func (s *relocated) Roots(ctx context.Context) ([]Ref, error) {
	tail, _ := digest.FromAWSLogs(s.to.Key)
	return []Ref{{s.to.Bucket, strings.TrimSuffix(s.to.Key, tail)}}, ctx.Err()
}

func (s *relocated) Dirs(ctx context.Context, at Ref) ([]string, error) {
	rest, ok := strings.CutPrefix(s.to.Key, at.Key)
	name, _, below := strings.Cut(rest, "/")
	if at.Bucket != s.to.Bucket || !ok || !below {
		return nil, ctx.Err()
	}
	return []string{name + "/"}, ctx.Err()
}

func (s *relocated) List(_ context.Context, at Ref, after, until string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		key := s.to.Key
		if at.Bucket == s.to.Bucket && strings.HasPrefix(key, at.Key) && key > after && (until == "" || key < until) {
			yield(Entry{Ref: s.to}, nil)
		}
	}
}

func (s *relocated) Read(ctx context.Context, ref Ref, use func(Object) error) error {
	if ref != s.to {
		return &UnreadableError{What: fmt.Sprintf("%q", ref.URI()), Reason: NotCopied, Err: errors.New("only the one file is at hand")}
	}
	return s.Store.Read(ctx, s.from, use)
}

func (s *relocated) Holds(found, stated Ref) bool { return found == stated }
