package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/trailseal/trailseal/verify"
)

// What a bundle takes besides its objects' bytes: records and their sorting, the
// blocks of a file system that are not filled, and headers.
const (
	perObject   = 3 << 10
	perBundle   = 1 << 20
	morePercent = 5
)

// needed is how much more a bundle of so much takes, in bytes, where some of it is
// there.
func needed(all, there verify.Measurement) int64 {
	left, objects := max(all.Bytes-there.Bytes, 0), max(all.Objects-there.Objects, 0)
	return left + left/100*morePercent + objects*perObject + perBundle
}

// A space is whether what is to be collected has room. That is found out while the
// run looks around; nothing is asked for until it is known.
type space struct {
	known  chan struct{}
	no     error // why it has none
	failed int64 // listings that failed, so that it is not known for sure
}

// measure finds it out, and stops the run where there is none.
func (c *collection) measure(ctx context.Context, stop func(error)) *space {
	s := &space{known: make(chan struct{})}
	go func() {
		defer close(s.known)
		if s.failed, s.no = c.fits(ctx); s.no != nil {
			stop(s.no)
		}
	}()
	return s
}

// wait gives why there is no room, as soon as that is known.
func (s *space) wait() error {
	<-s.known
	return s.no
}

// ready is wait for what may be interrupted.
func (s *space) ready(ctx context.Context) error {
	select {
	case <-s.known: // nearly always, and then cheap
		return s.no
	default:
	}
	select {
	case <-s.known:
		return s.no
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A noRoomError ends a collection before it began.
type noRoomError struct{ error }

func (e *noRoomError) Unwrap() error { return e.error }

// An unhurried sink lets the report begin once it is known that there is room.
type unhurried struct {
	verify.Sink
	ready func() error
	head  *verify.Header // of a report that did not begin yet
}

func (u *unhurried) begun() error {
	if u.head == nil {
		return nil
	}
	if err := u.ready(); err != nil {
		return err
	}
	head := *u.head
	u.head = nil
	return u.Sink.Start(head)
}

func (u *unhurried) Start(h verify.Header) error {
	u.head = &h
	return nil
}

func (u *unhurried) File(f verify.File) error {
	if err := u.begun(); err != nil {
		return err
	}
	return u.Sink.File(f)
}

func (u *unhurried) Finding(f verify.Finding) error {
	if err := u.begun(); err != nil {
		return err
	}
	return u.Sink.Finding(f)
}

func (u *unhurried) Chain(c verify.Chain) error {
	if err := u.begun(); err != nil {
		return err
	}
	return u.Sink.Chain(c)
}

func (u *unhurried) End(s verify.Summary) error {
	if err := u.begun(); err != nil {
		return err
	}
	return u.Sink.End(s)
}

// fits measures what is to be collected, and refuses to begin what the disk has no
// room for.
func (c *collection) fits(ctx context.Context) (failed int64, err error) {
	m := verify.Measure(ctx, c.request)
	if ctx.Err() != nil {
		return 0, &exitError{exitUnproven, errors.New("interrupted before anything was collected in this run: run the same command again")}
	}
	c.request.Progress.Total.Store(m.Bytes)
	place := standing(c.to)
	free, known := freeSpace(place)
	_, taken, _ := c.w.Resumed()
	need := needed(m, verify.Measurement{Objects: taken, Bytes: c.w.Bytes()})
	if known && need > free {
		return 0, &hintedError{fmt.Errorf("the window holds %d files, which take about %s, and %q has %s free", m.Objects, mebi(float64(need)), place, mebi(float64(free))),
			[]string{"nothing was collected in this run; give another --output, or a shorter window"}}
	}
	return m.Failed, nil
}

// standing is the part of a path that is there.
func standing(path string) string {
	path = placeOf(path)
	for {
		if _, err := os.Stat(path); err == nil || filepath.Dir(path) == path {
			return path
		}
		path = filepath.Dir(path)
	}
}

// noSpace reports whether an error is for want of space.
func noSpace(err error) bool { return errors.Is(err, syscall.ENOSPC) }
