package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// run is one verification: open what it needs, let the engine judge, put the
// report in its place.
func (o *verifyOptions) run(ctx context.Context, s streams, source string) error {
	now := time.Now().UTC()
	from, err := o.open(ctx, source, s.warner(o.quiet))
	if err != nil {
		return err
	}
	window, err := parseWindow(o.start, o.end, from.clock(now), o.trail == "" && !isS3(source))
	if err != nil {
		return err
	}
	request := o.request(from, window, now, source)
	if err := from.asCollected(&request, o); err != nil {
		return err
	}
	if from.evidence != nil && o.seal == "" && !o.quiet {
		fmt.Fprintf(s.err, "trailseal: the bundle was collected at %s; seal %s\n  hint: compare it with the one that collect printed (--seal): the keys are the bundle's own, unless --public-keys gives them\n", request.Now.Format(time.RFC3339), request.Bundle.Seal)
	}
	out, err := o.reports.open(s.out, o.all)
	if err != nil {
		return err
	}
	defer out.Discard()
	return o.judge(ctx, request, s, out)
}

// request is what the engine is asked.
func (o *verifyOptions) request(from opened, window verify.Window, now time.Time, source string) verify.Request {
	return verify.Request{
		Version: readBuild().Version, Source: from.name, Store: from.store, Keys: from.keys,
		Window: window, Now: now, Lookback: time.Duration(o.lookback), Filter: from.filter, Policy: o.policy, All: o.all, Delivery: from.delivery, KeysInCopy: from.keysIn,
		KeyStates: from.states, OwnKeys: o.kms.own(from.trailKey), HasTrailKey: from.trailKey != "", Copied: o.copyOf != "",
		Explain: o.explain, Versions: o.versions, LogLimit: int64(o.logLimit), DigestLimit: int64(o.digestLimit),
		InFlight: o.inFlight(source), Progress: new(verify.Progress),
	}
}

// inFlight is how much work may be begun at once; 0 lets the engine choose. A
// copy on disk needs little of it, unless KMS is waited for.
func (o *verifyOptions) inFlight(source string) int {
	if o.concurrency == 0 && o.trail == "" && !isS3(source) && len(o.kms.keys) > 0 {
		return sealedCopyInFlight
	}
	return o.concurrency
}

const sealedCopyInFlight = 64

// judge runs the engine into the report. From here on something has been
// checked, so that what fails is not a matter of usage.
func (o *verifyOptions) judge(ctx context.Context, request verify.Request, s streams, out *reports) error {
	mode := progressMode(o.progress, o.quiet, o.reports.format != "text", s.err, out.main.terminal(), os.Getenv)
	stop := startProgress(mode, s.err, request.Progress)
	sink := &lastWord{Sink: out, before: stop}
	if o.through != nil {
		sink.Sink = o.through(request.Store, out)
	}
	defer sink.quiet()
	summary, err := verify.Run(ctx, request, sink)
	sink.quiet()
	if err == nil {
		err = out.Commit()
	}
	if err != nil {
		return &exitError{failedExit(summary), fmt.Errorf("verifying %s: %w", request.Source, err)}
	}
	if where := out.places(); where != "" && !o.quiet {
		fmt.Fprintf(s.err, "trailseal: %s, %s\n", summary.Verdict, where)
	}
	if summary.Exit != exitKept {
		return &exitError{code: summary.Exit}
	}
	return nil
}

// failedExit is what a run ends in whose report could not be written: tampering
// that was found by then is found.
func failedExit(s verify.Summary) int {
	if s.Exit == exitTampered {
		return exitTampered
	}
	return exitUnproven
}

// A lastWord ends the progress before the report's end is printed, for both
// may go to one terminal.
type lastWord struct {
	verify.Sink
	before func()
}

func (l *lastWord) quiet() {
	if l.before != nil {
		l.before()
		l.before = nil
	}
}

func (l *lastWord) End(s verify.Summary) error {
	l.quiet()
	return l.Sink.End(s)
}

// terminal is what to ask whether it is one.
func (o *output) terminal() io.Writer {
	if o.file != nil {
		return o.file
	}
	return o.Writer
}
