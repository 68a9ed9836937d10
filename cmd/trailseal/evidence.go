package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/bundle"
	"github.com/trailseal/trailseal/verify/source"
)

// A collected is what a run over a bundle needs besides the bundle's store: how
// the run went that collected it. It is Head.Run.
type collected struct {
	Window      verify.Window    `json:"window"` // as it was asked for: an end that is zero is that of what the source held
	Filter      verify.Filter    `json:"filter"`
	Lookback    time.Duration    `json:"lookback"` // in nanoseconds
	LogLimit    int64            `json:"logLimit"`
	DigestLimit int64            `json:"digestLimit"`
	OwnKeys     []string         `json:"ownKeys,omitempty"`
	HasTrailKey bool             `json:"hasTrailKey,omitempty"`
	Copied      bool             `json:"copied,omitempty"`
	KeysInCopy  string           `json:"keysInCopy,omitempty"`
	Delivery    *verify.Delivery `json:"delivery,omitempty"`
	Notes       []string         `json:"notes,omitempty"` // what the collection left out, for people
}

// Bounds of what a bundle may ask of whoever verifies it.
const (
	mostLogLimit    = 64 << 30
	mostDigestLimit = 1 << 30
)

// An evidence is an open bundle.
type evidence struct {
	*bundle.Reader
	run collected
}

// isBundle reports whether a source is a bundle, not a bucket or a plain copy.
func isBundle(name string) bool { return name != "" && !isS3(name) && bundle.Is(name) }

// isWholeBundle reports whether a file can be opened as a bundle.
func isWholeBundle(name string) bool {
	r, err := bundle.Open(name)
	if err == nil {
		r.Close()
	}
	return err == nil
}

// openBundle opens a bundle. No AWS configuration is read and no network used.
func (o *verifyOptions) openBundle(ctx context.Context, from *opened, given verify.Keys, warn func(string, ...any)) error {
	if err := o.checkBundle(from.name); err != nil {
		return err
	}
	r, err := bundle.Open(from.name)
	if err != nil {
		return &hintedError{err, []string{"SOURCE is s3://BUCKET[/PREFIX], a directory, or a bundle that trailseal collect made"}}
	}
	e := &evidence{Reader: r}
	if err := e.read(); err != nil {
		r.Close()
		return fmt.Errorf("the bundle %q cannot be used: its manifest says nonsense: %w", from.name, err)
	}
	store := bundle.NewStore(r)
	if o.seal != "" {
		store.Expect(strings.ToLower(o.seal))
	}
	from.evidence, from.store, from.keys, from.states, from.keysIn = e, store, store, store, e.run.KeysInCopy
	if given != nil {
		from.keys, from.keysIn = given, ""
	}
	from.name, from.delivery = e.Head().Source, e.run.Delivery
	from.filter = narrowed(e.run.Filter, o.filter)
	from.kms = source.NewKMS(ctx, source.AWSOptions{}, "") // it is never asked
	for _, note := range e.run.Notes {
		warn("the bundle: %s", note)
	}
	return nil
}

// checkBundle refuses flags that make no sense: a bundle's answers are given.
func (o *verifyOptions) checkBundle(name string) error {
	for flag, set := range map[string]bool{
		"--copy-of": o.copyOf != "", "--kms-key": o.kms.keys != nil, "--encryption-context": o.kms.context != nil,
		"--decrypt off": o.kms.decrypt == "off", "--kms-endpoint-url": o.kms.endpoint != "", "--endpoint-url": o.aws.endpoint != "",
		"--no-sign-request": o.aws.noSign, "--request-payer": o.aws.requestPayer,
	} {
		if set {
			return usagef("%s does not go with a bundle, and %q is one", flag, name).hint("it was asked for when the bundle was collected, and nothing is asked again")
		}
	}
	return nil
}

// read reads and checks what the manifest says of the run.
func (e *evidence) read() error {
	h := e.Head()
	if err := json.Unmarshal(h.Run, &e.run); err != nil {
		return err
	}
	for _, t := range []time.Time{h.Collected, h.Window.Start, h.Window.End, e.run.Window.Start, e.run.Window.End} {
		if !t.IsZero() {
			if wrong := sane(t.Format(time.RFC3339), t); wrong != nil {
				return wrong
			}
		}
	}
	switch w := e.run.Window; {
	case h.Collected.IsZero():
		return errors.New("it does not tell when it was collected")
	case !w.Start.IsZero() && !w.End.IsZero() && !w.Start.Before(w.End):
		return errors.New("its window ends before it begins")
	case e.run.LogLimit < 0, e.run.LogLimit > mostLogLimit, e.run.DigestLimit < 0, e.run.DigestLimit > mostDigestLimit, e.run.Lookback < 0:
		return errors.New("its limits are none")
	}
	return nil
}

// narrowed is a recorded filter with what is asked for anew in place of its own.
func narrowed(was, now verify.Filter) verify.Filter {
	take := func(was *[]string, now []string) {
		if now != nil {
			*was = now
		}
	}
	take(&was.Organizations, now.Organizations)
	take(&was.Accounts, now.Accounts)
	take(&was.Regions, now.Regions)
	take(&was.Trails, now.Trails)
	take(&was.HomeRegions, now.HomeRegions)
	return was
}

// clock is the time from which ages are counted back: now, and for a bundle the
// time as of which it is judged.
func (from *opened) clock(now time.Time) time.Time {
	if from.evidence != nil {
		return from.evidence.Head().Collected
	}
	return now
}

// asCollected makes a request one over a bundle, where the source is one: judged
// as of the time it was collected, and as it was asked for then, but for what the
// user asks for anew.
func (from *opened) asCollected(req *verify.Request, o *verifyOptions) error {
	e := from.evidence
	if e == nil {
		return nil
	}
	h := e.Head()
	req.Source, req.Started, req.Now = h.Source, time.Now().UTC(), h.Collected
	req.Bundle = &verify.Bundle{Seal: e.Seal(), Collected: h.Collected, Tool: h.Tool}
	req.KeyStates = from.states
	if o.start == "" {
		req.Window.Start = e.run.Window.Start
	}
	if o.end == "" {
		req.Window.End = e.run.Window.End
	}
	if w := req.Window; !w.Start.IsZero() && !w.End.IsZero() && !w.Start.Before(w.End) {
		return usagef("the window from %s to %s is none: the bundle holds %s to %s", w.Start.Format(time.RFC3339), w.End.Format(time.RFC3339),
			h.Window.Start.Format(time.RFC3339), h.Window.End.Format(time.RFC3339))
	}
	if o.lookback == lookback(verify.DefaultLookback) {
		req.Lookback = e.run.Lookback
	}
	if o.logLimit == verify.DefaultLogLimit {
		req.LogLimit = e.run.LogLimit
	}
	if o.digestLimit == verify.DefaultDigestLimit {
		req.DigestLimit = e.run.DigestLimit
	}
	req.OwnKeys, req.HasTrailKey, req.Copied = e.run.OwnKeys, e.run.HasTrailKey, e.run.Copied
	if req.InFlight == 0 {
		req.InFlight = 2 * runtime.GOMAXPROCS(0) // nothing to wait for, as with a copy on disk
	}
	return nil
}

var sealForm = regexp.MustCompile(`^[0-9A-Fa-f]{64}$`)

// checkSeal refuses --seal where it can be of no bundle.
func (o *verifyOptions) checkSeal(args []string) error {
	switch {
	case o.seal == "":
		return nil
	case !sealForm.MatchString(o.seal):
		return usagef("--seal %q is none: it has 64 hexadecimal digits", o.seal)
	case len(args) != 1 || isS3(args[0]):
		return usagef("--seal goes with a SOURCE that is a bundle")
	}
	if _, err := os.Stat(args[0]); err == nil && !isBundle(args[0]) {
		return usagef("--seal goes with a SOURCE that is a bundle, and %q is none", args[0])
	}
	return nil
}
