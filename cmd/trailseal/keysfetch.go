package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/report"
	"github.com/trailseal/trailseal/verify/source"
)

// keyRequest is which regions are asked, whom, and for what time.
type keyRequest struct {
	keys     verify.Keys
	regions  []string
	span     verify.Window
	findings []verify.Finding
}

// request finds out what to ask.
func (o *keysOptions) request(ctx context.Context, s streams, name string) (keyRequest, error) {
	now := time.Now().UTC()
	if name == "" && o.trail == "" {
		start := cmp.Or(o.start, keysSpan)
		span, err := parseWindow(start, o.end, now, false)
		if err != nil {
			return keyRequest{}, err
		}
		keys, err := source.OpenCloudTrail(ctx, o.aws.options())
		return keyRequest{keys: keys, regions: o.filter.Regions, span: verify.KeySpan(span, now)}, usage(err)
	}
	from, err := o.open(ctx, name, s.warner(o.quiet))
	if err != nil {
		return keyRequest{}, err
	}
	window, err := parseWindow(o.start, o.end, from.clock(now), true)
	if err != nil {
		return keyRequest{}, err
	}
	if in := from.keysCarried(false); in != "" {
		s.warner(o.quiet)("the keys are those in the copy itself (%s): CloudTrail was not asked", in)
	}
	req := verify.Request{Store: from.store, Window: window, Now: now, Filter: from.filter, InFlight: o.concurrency}
	if err := from.asCollected(&req, &o.verifyOptions); err != nil {
		return keyRequest{}, err
	}
	ask := keyRequest{keys: from.keys}
	ask.regions, ask.span, ask.findings = verify.Regions(ctx, req)
	return ask, nil
}

// fetch asks region after region, and says on stderr what could not be had. The
// others' keys are good all the same.
func (ask keyRequest) fetch(ctx context.Context, stderr io.Writer) (keys []digest.PublicKey, whole bool) {
	whole = true
	tell := func(text, hint string) {
		whole = false
		fmt.Fprintln(stderr, "trailseal:", report.CleanText(text))
		if hint != "" {
			printHints(stderr, []string{hint})
		}
	}
	for _, f := range ask.findings {
		tell(strings.TrimSpace(f.URI+" "+f.Message)+" ("+string(f.Kind)+")", "")
	}
	for _, region := range slices.Compact(slices.Sorted(slices.Values(ask.regions))) {
		found, err := ask.keys.Keys(ctx, region, ask.span.Start, ask.span.End)
		var u *verify.UnreadableError
		switch {
		case ctx.Err() != nil:
			return nil, false
		case errors.As(err, &u):
			tell(err.Error(), u.Hint)
		case err != nil:
			tell(err.Error(), "")
		case len(found) == 0:
			tell(fmt.Sprintf("there is no public key of region %q for that time", region), "")
		}
		keys = append(keys, found...)
	}
	return tidy(keys), whole
}

// tidy sorts keys and drops those that are there twice.
func tidy(keys []digest.PublicKey) []digest.PublicKey {
	slices.SortFunc(keys, func(a, b digest.PublicKey) int {
		return cmp.Or(cmp.Compare(a.Region, b.Region), a.Start.Compare(b.Start), cmp.Compare(a.Fingerprint, b.Fingerprint), a.End.Compare(b.End), slices.Compare(a.Value, b.Value))
	})
	return slices.CompactFunc(keys, func(a, b digest.PublicKey) bool {
		return a.Region == b.Region && a.Start.Equal(b.Start) && a.End.Equal(b.End) && a.Fingerprint == b.Fingerprint && slices.Equal(a.Value, b.Value)
	})
}
