package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/bundle"
	"github.com/trailseal/trailseal/verify/report"
	"github.com/trailseal/trailseal/verify/source"
)

// A taker takes into the bundle what the run reports and does not read: logs that
// no digest names are evidence too.
type taker struct {
	verify.Sink
	ctx  context.Context
	rec  *bundle.Recorder
	work errgroup.Group
}

// takenAtOnce is how many of those are read at a time.
const takenAtOnce = 16

func newTaker(ctx context.Context, to verify.Sink, rec *bundle.Recorder) *taker {
	t := &taker{Sink: to, ctx: ctx, rec: rec}
	t.work.SetLimit(takenAtOnce)
	return t
}

func (t *taker) File(f verify.File) error {
	if f.Verdict == verify.Unreferenced || f.Verdict == verify.Pending {
		if bucket, key, ok := strings.Cut(strings.TrimPrefix(f.URI, "s3://"), "/"); ok {
			t.work.Go(func() error { return t.rec.Take(t.ctx, verify.Ref{Bucket: bucket, Key: key}) })
		}
	}
	return t.Sink.File(f)
}

func (t *taker) wait() error { return t.work.Wait() }

// reportName is the entry that holds the report of the collection.
const reportName = "report.json"

// mostReport is how large a report goes into the bundle, in bytes.
const mostReport = 64 << 20

// A reportCopy is the JSON report on its way into the bundle.
type reportCopy struct {
	report.Writer
	file *os.File
	over limited
}

// newReportCopy spools beside the bundle, where there is space for it.
func newReportCopy(to string, all bool) (*reportCopy, error) {
	f, err := os.CreateTemp(filepath.Dir(to), ".trailseal-report-*")
	if err != nil {
		return nil, err
	}
	c := &reportCopy{file: f, over: limited{to: f, left: mostReport}}
	if c.Writer, err = report.New("json", &c.over, report.Options{All: all}); err != nil {
		c.drop()
		return nil, err
	}
	return c, nil
}

func (c *reportCopy) drop() {
	_ = c.file.Close()
	_ = os.Remove(c.file.Name())
}

// Close drops the spool.
func (c *reportCopy) Close() error {
	defer c.drop()
	return c.Writer.Close()
}

// A limited writer writes so much and drops the rest.
type limited struct {
	to   io.Writer
	left int64
}

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= int64(len(p)); l.left < 0 {
		return len(p), nil
	}
	return l.to.Write(p)
}

// more puts the report and the settings into the bundle. It gives notes on what is
// not in it.
func (c *collection) more(ctx context.Context, copied *reportCopy) (notes []string, err error) {
	if copied.over.left < 0 {
		notes = append(notes, fmt.Sprintf("the report of the collection is larger than %d MiB and is not in it", mostReport>>20))
	} else if text, err := os.ReadFile(copied.file.Name()); err != nil {
		return nil, err
	} else if err := c.w.File(reportName, text); err != nil {
		return nil, err
	}
	if n := c.rec.Passing(); n > 0 {
		notes = append(notes, fmt.Sprintf("%d objects, listings or keys could not be had when it was collected, for trouble that may have passed", n))
	}
	return notes, c.settings(ctx)
}

// bucketFile is a bucket's name that can be a part of a file's.
var bucketFile = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// mostBuckets bounds the buckets whose settings are asked for.
const mostBuckets = 20

// settings asks for the trail's and the buckets' settings. What cannot be had is
// written down as such, and is no reason to fail.
func (c *collection) settings(ctx context.Context) error {
	if c.from.bucket == nil {
		return nil
	}
	roots, err := c.from.bucket.Roots(ctx)
	if err != nil {
		return err
	}
	buckets := []string{roots[0].Bucket}
	for _, b := range c.rec.Buckets() {
		if b != buckets[0] && bucketFile.MatchString(b) && len(buckets) < mostBuckets && c.copyOf == "" {
			buckets = append(buckets, b)
		}
	}
	if !c.aws.noSign {
		text, err := source.TrailSettings(ctx, c.arnOrName(), buckets[0], c.aws.options())
		if err := c.setting(ctx, "trail.json", text, err); err != nil {
			return err
		}
	}
	for _, b := range buckets {
		text, err := c.from.bucket.BucketSettings(ctx, b)
		if err := c.setting(ctx, "bucket-"+b+".json", text, err); err != nil {
			return err
		}
	}
	return nil
}

func (c *collection) arnOrName() string {
	if c.from.arn != "" {
		return c.from.arn
	}
	return c.trail
}

func (c *collection) setting(ctx context.Context, name string, text []byte, err error) error {
	if ctx.Err() != nil {
		return errors.New("it was interrupted")
	}
	if err != nil {
		text = fmt.Appendf(nil, "{\"error\": %q}", err.Error())
	}
	return c.w.File("settings/"+name, append(text, '\n'))
}
