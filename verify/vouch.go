package verify

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// Vouch verifies one file: the digests of its time, and of the logs that one
// alone. The request's window and filters do not count; its All does not either.
// The file is what a run says of it, and found is false where no digest names
// it. Findings on the chains are not for Vouch: it proves a file, not a time.
func Vouch(ctx context.Context, req Request, ref Ref) (file File, found bool, err error) {
	account, region, at, err := placeInTime(ref.Key)
	if err != nil {
		return File{}, false, err
	}
	req.Only, req.All, req.KeyStates = &ref, true, nil
	req.Filter = Filter{Accounts: []string{account}, Regions: []string{region}}
	// A log is named by the digest of the hour in which it was delivered, but for
	// the minutes that names are off by, or by a later one where that was late.
	req.Window = Window{Start: at.Add(-time.Hour), End: at.Add(2 * time.Hour)}
	for range 2 {
		single := &spotlight{want: ref, store: req.Store}
		if _, err := Run(ctx, req, single); err != nil || single.file != nil {
			return single.result(err)
		}
		req.Window.End = at.Add(PendingAge)
	}
	return File{}, false, ctx.Err()
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
}

func (s *spotlight) result(err error) (File, bool, error) {
	if s.file == nil {
		return File{}, false, err
	}
	return *s.file, true, err
}

func (s *spotlight) File(f File) error {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(f.URI, "s3://"), "/")
	if s.store.Holds(s.want, Ref{bucket, key}) && f.Verdict != Unreferenced && f.Verdict != Pending {
		s.file = &f
	}
	return nil
}

func (s *spotlight) Start(Header) error    { return nil }
func (s *spotlight) Finding(Finding) error { return nil }
func (s *spotlight) Chain(Chain) error     { return nil }
func (s *spotlight) End(Summary) error     { return nil }
