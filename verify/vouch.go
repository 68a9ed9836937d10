package verify

import (
	"context"
	"fmt"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// Vouch verifies one file: the digests of its time, and of the logs that one
// alone. The request's window and filters do not count; its All does not either.
// The file is what a run says of it, and found is false where no digest names
// it. Then doubt says what stood in the way of knowing: it is empty where the
// digests of that time could be listed and are kept.
func Vouch(ctx context.Context, req Request, ref Ref) (file File, found bool, doubt string, err error) {
	single, err := vouch(ctx, req, ref, func() vouchSink { return &spotlight{want: ref, store: req.Store} })
	if err != nil {
		return File{}, false, "", err
	}
	if s := single.spot(); s.file != nil {
		return *s.file, true, "", nil
	}
	return File{}, false, single.spot().doubt, ctx.Err()
}

// A vouchSink is a sink with a spotlight, and may watch the run as well.
type vouchSink interface {
	Sink
	spot() *spotlight
	watch() *watch
}

// vouch runs the engine over the time of one file, into a sink that is made for
// each run, and returns the last of them.
func vouch(ctx context.Context, req Request, ref Ref, sink func() vouchSink) (vouchSink, error) {
	account, region, at, err := placeInTime(ref.Key)
	if err != nil {
		return nil, err
	}
	req.Only, req.All, req.KeyStates = &ref, true, nil
	req.Filter = Filter{Accounts: []string{account}, Regions: []string{region}}
	// A log is named by the digest of the hour in which it was delivered, but for
	// the minutes that names are off by, or by a later one where that was late.
	req.Window = Window{Start: at.Add(-time.Hour), End: at.Add(2 * time.Hour)}
	if _, err := digest.ParseName(ref.Key); err == nil {
		req.Window.Start = at.Add(-2 * time.Hour) // with the digest before it
	}
	var single vouchSink
	for range 2 {
		single = sink()
		req.watch = single.watch()
		if _, err := Run(ctx, req, single); err != nil {
			return nil, err
		}
		if single.spot().file != nil {
			break
		}
		req.Window.End = at.Add(PendingAge)
	}
	return single, nil
}

// placeInTime is what the name of a log or digest file says of it.
func placeInTime(key string) (account, region string, at time.Time, err error) {
	if n, err := digest.ParseName(key); err == nil {
		return n.Chain.Account, n.Chain.Region, n.End, nil
	}
	n, err := digest.ParseLogName(key)
	if err != nil {
		return "", "", time.Time{}, fmt.Errorf("it is not named like a log or digest file: %w", err)
	}
	return n.Account, n.Region, n.Delivered, nil
}

// A spotlight is the sink that waits for one file.
type spotlight struct {
	want  Ref
	store Store
	file  *File
	doubt string // the first thing that may have hidden it
}

func (s *spotlight) File(f File) error {
	switch {
	case f.Kind == "digest" && f.Verdict != Kept:
		s.doubts(fmt.Sprintf("the digest %q is %s", f.URI, f.Verdict))
	case f.Verdict == Unreferenced || f.Verdict == Pending:
		return nil
	}
	if s.store.Holds(s.want, refOf(f.URI)) && (s.file == nil || s.file.Verdict.Class() < f.Verdict.Class()) {
		s.file = &f
	}
	return nil
}

func (s *spotlight) Finding(f Finding) error {
	if f.Kind.Class() > Remark {
		s.doubts(fmt.Sprintf("%s: %s", f.Kind, f.Message))
	}
	return nil
}

func (s *spotlight) spot() *spotlight { return s }
func (s *spotlight) watch() *watch    { return nil }

func (s *spotlight) doubts(text string) {
	if s.doubt == "" {
		s.doubt = text
	}
}

func (s *spotlight) Start(Header) error { return nil }
func (s *spotlight) Chain(Chain) error  { return nil }
func (s *spotlight) End(Summary) error  { return nil }
