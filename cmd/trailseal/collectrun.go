package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/bundle"
	"github.com/trailseal/trailseal/verify/report"
)

// A collection is one under way.
type collection struct {
	*collectOptions
	s       streams
	from    opened
	w       *bundle.Writer
	now     time.Time
	request verify.Request
	rec     *bundle.Recorder
	summary verify.Summary
}

// collect is one collection: open what it needs, see that it fits, let the engine
// judge what is taken, and make the bundle whole.
func (o *collectOptions) collect(ctx context.Context, s streams, name string) error {
	c := &collection{collectOptions: o, s: s, now: time.Now().UTC()}
	var err error
	if c.from, err = o.open(ctx, name, s.warner(o.quiet)); err != nil {
		return err
	}
	window, err := parseWindow(o.start, o.end, c.now, o.trail == "" && !isS3(name))
	if err != nil {
		return err
	}
	if window, err = c.create(ctx, name, window); err != nil {
		return err
	}
	defer c.w.Close()
	c.request = o.request(c.from, window, c.now, name)
	out, err := o.reports.open(s.out, o.all)
	if err != nil {
		return errors.Join(err, c.w.Abandon())
	}
	defer out.Discard()
	err = c.run(ctx, out)
	var no *noRoomError
	if errors.As(err, &no) {
		return errors.Join(no.error, c.w.Abandon())
	}
	if closed := c.w.Close(); err != nil && closed != nil && !strings.Contains(err.Error(), closed.Error()) {
		err = errors.Join(err, closed) // what was taken last may not be there
	}
	return c.end(err)
}

// create begins the bundle, or goes on with it in the window that it was begun with.
func (c *collection) create(ctx context.Context, name string, window verify.Window) (verify.Window, error) {
	settled, err := json.Marshal(settlement{window, c.now})
	if err != nil {
		return window, err
	}
	c.w, err = bundle.Create(ctx, c.to, bundle.Identity{Tool: readBuild().Version, Asked: c.asking(name), Settled: settled})
	var other *bundle.ResumeError
	switch {
	case errors.As(err, &other):
		return window, usagef("%w", err).hint("it was asked for as %s", other.Other.Asked).hint("give the same flags to go on with it, or another --output")
	case errors.Is(err, bundle.ErrExists):
		return window, usagef("--output %w", err).hint("evidence is never written over: give another name")
	case ctx.Err() != nil:
		return window, &exitError{exitUnproven, fmt.Errorf("interrupted before %q was gone on with: run the same command again", c.to)}
	case err != nil:
		return window, err
	}
	id, taken, resumed := c.w.Resumed()
	if !resumed {
		return window, nil
	}
	var was settlement
	if err := json.Unmarshal(id.Settled, &was); err != nil {
		return window, errors.Join(fmt.Errorf("what was begun in %q cannot be gone on with: %w", c.to, err), c.w.Close())
	}
	if !c.quiet {
		fmt.Fprintf(c.s.err, "trailseal: going on with what was begun at %s: %d objects are there, %s\n", was.Begun.Format(time.RFC3339), taken, mebi(float64(c.w.Bytes())))
	}
	return was.Window, nil
}

// run is the verification that the bundle is made by. It gives what made the
// collection end early, or nil.
func (c *collection) run(ctx context.Context, out *reports) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	space := c.measure(ctx, stop)
	defer func() {
		stop(nil)
		_ = space.wait()
	}()
	c.rec = bundle.NewRecorder(c.w, bundle.RecorderOptions{Store: c.from.store, Keys: c.from.keys, KeyStates: c.from.states, Most: int64(c.logLimit), Stop: stop, Ready: space.ready})
	req := c.request
	req.Store, req.Keys, req.KeyStates = c.rec, c.rec, c.rec
	copied, err := newReportCopy(c.to, c.all)
	if err != nil {
		return err
	}
	defer copied.Close()
	mode := progressMode(c.progress, c.quiet, c.reports.format != "text", c.s.err, out.main.terminal(), os.Getenv)
	last := &lastWord{Sink: report.Tee(out.Writer, copied), before: startProgress(mode, c.s.err, req.Progress)}
	defer last.quiet()
	patient := &unhurried{Sink: last, ready: space.wait}
	sink := newTaker(ctx, patient, c.rec)
	c.summary, err = verify.Run(ctx, req, sink)
	taken := sink.wait()
	last.quiet()
	stopped := c.rec.Err()
	if stopped != nil {
		stop(stopped)
	}
	no := space.wait()
	if stopped == nil && no != nil {
		return &noRoomError{no}
	}
	whole := err == nil // the report, also of a run that was stopped
	if stopped != nil {
		err = stopped
	}
	if space.failed > 0 {
		c.s.warner(c.quiet)("%d listings failed, so that how much is to be collected was not known for sure", space.failed)
	}
	if whole {
		if written := out.Commit(); err == nil {
			err = written
		}
	}
	switch {
	case err != nil:
		return err
	case c.summary.Interrupted || ctx.Err() != nil:
		return errors.New("it was interrupted")
	case taken != nil:
		return taken
	case c.rec.Passing() > 0 && !c.finish:
		return &hintedError{fmt.Errorf("%d objects, listings or keys could not be had, for trouble that may pass", c.rec.Passing()),
			[]string{"--finish makes the bundle whole without them, and says so in it"}}
	}
	return c.commit(ctx, copied)
}

// commit makes the bundle whole.
func (c *collection) commit(ctx context.Context, copied *reportCopy) error {
	notes, err := c.more(ctx, copied)
	if err == nil {
		err = c.rec.Finish(ctx)
	}
	if err != nil {
		return err
	}
	req := c.request
	run, err := json.Marshal(collected{
		Window: req.Window, Filter: req.Filter, Lookback: req.Lookback, LogLimit: req.LogLimit, DigestLimit: req.DigestLimit,
		OwnKeys: req.OwnKeys, HasTrailKey: req.HasTrailKey, Copied: req.Copied, KeysInCopy: req.KeysInCopy, Delivery: req.Delivery, Notes: notes,
	})
	if err != nil {
		return err
	}
	head := bundle.Head{Tool: req.Version, Collected: c.now, Source: req.Source, Window: c.summary.Window, Run: run}
	seal, err := c.w.Commit(head)
	if err != nil {
		return err
	}
	size := c.w.Bytes()
	fmt.Fprintf(c.s.err, "trailseal: %s; collected %s in %s\n", c.summary.Verdict, mebi(float64(size)), report.CleanText(c.to))
	fmt.Fprintf(c.s.err, "trailseal: seal %s\n", seal)
	return nil
}

// end is the exit status: the verification's, and of what could not be collected
// to its end never that of success.
func (c *collection) end(err error) error {
	if err == nil {
		if c.summary.Exit != exitKept {
			return &exitError{code: c.summary.Exit}
		}
		return nil
	}
	hints := []string{fmt.Sprintf("what was collected so far is kept (%s): run the same command again to go on", mebi(float64(c.w.Bytes())))}
	var hinted *hintedError
	if errors.As(err, &hinted) {
		hints = append(hints, hinted.hints...)
	}
	var space *fs.PathError
	if errors.As(err, &space) && noSpace(err) {
		hints = append([]string{"free some space first"}, hints...)
	}
	return &exitError{failedExit(c.summary), &hintedError{fmt.Errorf("the bundle %q is not finished: %w", c.to, err), hints}}
}
