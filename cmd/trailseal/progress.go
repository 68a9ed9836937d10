package main

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/trailseal/trailseal/verify"
)

// plainEvery is how often progress is told where there is no terminal.
const plainEvery = 30 * time.Second

// startProgress tells how a run goes, until stop is called. What it wrote on
// a terminal is gone then.
func startProgress(mode string, w io.Writer, p *verify.Progress) (stop func()) {
	m := meter{p: p, begun: time.Now(), now: time.Now}
	switch mode {
	case "none":
		return func() {}
	case "bars":
		return bars(w, m)
	}
	return plainLines(w, m, plainEvery, func() bool { return true })
}

// progressMode is what --progress and --quiet come to. A bar and a report that
// streams would spoil each other on one terminal.
func progressMode(asked string, quiet, streams bool, stderr, stdout io.Writer, getenv func(string) string) string {
	switch {
	case quiet || asked == "none":
		return "none"
	case asked == "plain" || !isTerminal(stderr) || getenv("TERM") == "dumb":
		return "plain"
	case streams && isTerminal(stdout):
		return "plain"
	}
	return "bars"
}

// plainLines writes one line now and then, unless told that it is not needed.
func plainLines(w io.Writer, m meter, every time.Duration, needed func() bool) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if needed() {
					fmt.Fprintln(w, "trailseal:", m.line())
				}
			case <-done:
				return
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}

// bars draws a bar for digests and one for logs. They read the counters when
// they are drawn, so nothing has to be told to them. Some build servers have a
// terminal without a width, on which nothing is drawn: those get plain lines.
func bars(w io.Writer, m meter) (stop func()) {
	var drawn atomic.Bool
	box := mpb.New(mpb.WithOutput(w), mpb.WithWidth(24))
	after := func(text func() string) mpb.BarOption {
		return mpb.AppendDecorators(decor.Any(func(s decor.Statistics) string {
			if s.AvailableWidth > 0 {
				drawn.Store(true)
			}
			return " " + text()
		}))
	}
	digests, err := box.Add(0, live(&m.p.DigestsDone, &m.p.Digests), before("digests", &m.p.DigestsDone, &m.p.Digests), after(m.regions))
	if err != nil {
		return func() {}
	}
	logs, err := box.Add(0, live(&m.p.LogsDone, &m.p.Logs), before("logs", &m.p.LogsDone, &m.p.Logs), after(m.rates))
	if err != nil {
		return func() {}
	}
	stopLines := plainLines(w, m, plainEvery, func() bool { return !drawn.Load() })
	return func() {
		stopLines()
		digests.Abort(true)
		logs.Abort(true)
		box.Wait()
	}
}

// A counter is one of the run's atomics.
type counter interface{ Load() int64 }

// live fills a bar from counters.
func live(done, all counter) mpb.BarFiller {
	style := mpb.BarStyle().Build()
	return mpb.BarFillerFunc(func(w io.Writer, s decor.Statistics) error {
		s.Current, s.Total = done.Load(), all.Load()
		return style.Fill(w, s)
	})
}

func before(name string, done, all counter) mpb.BarOption {
	return mpb.PrependDecorators(
		decor.Name(name, decor.WCSyncSpaceR),
		decor.Any(func(decor.Statistics) string { return fmt.Sprintf("%d/%d ", done.Load(), all.Load()) }, decor.WCSyncSpace),
	)
}
