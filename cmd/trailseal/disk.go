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

// fits measures what is to be collected, and refuses to begin what the disk has no
// room for.
func (c *collection) fits(ctx context.Context) error {
	m := verify.Measure(ctx, c.request)
	if ctx.Err() != nil {
		return &exitError{exitUnproven, errors.New("interrupted before anything was collected in this run: run the same command again")}
	}
	c.request.Progress.Total.Store(m.Bytes)
	place := standing(c.to)
	free, known := freeSpace(place)
	_, taken, _ := c.w.Resumed()
	need := needed(m, verify.Measurement{Objects: taken, Bytes: c.w.Bytes()})
	if known && need > free {
		return &hintedError{fmt.Errorf("the window holds %d files, which take about %s, and %q has %s free", m.Objects, mebi(float64(need)), place, mebi(float64(free))),
			[]string{"nothing was collected in this run; give another --output, or a shorter window"}}
	}
	if m.Failed > 0 {
		c.s.warner(c.quiet)("%d listings failed, so that how much is to be collected is not known for sure", m.Failed)
	}
	return nil
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
