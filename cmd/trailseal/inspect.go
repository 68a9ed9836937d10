package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/report"
	"github.com/trailseal/trailseal/verify/source"
)

const inspectLong = `Explain one digest file or log file in human words. The digests of its time are verified,
so that its verdict is the one that trailseal verify gives it.

Of a digest: its place and span, its key, each check with its outcome, the string to sign, the
digests before and after it, and each log that it lists with its verdict. Of a log: which digest
vouches for it, the hash expected and found, and what its events are about at a glance.

A FILE within a copy of a bucket is judged by the digests of that copy. Of a FILE that lies alone
it is said what it is and what cannot be known.

Exit status: 0 kept, and so are all logs that it lists; 1 tampered; 2 wrong usage; 3 unproven, or
no digest speaks for it.`

const inspectExample = `  trailseal inspect s3://my-trail-bucket/AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/03/10/…_20260310T031231Z.json.gz
  trailseal inspect ./copy/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/10/…_20260310T0210Z_ZpOUha8gn2aqzdpt.json.gz
  trailseal inspect s3://my-trail-bucket/… --format json | jq '.digest.checks[] | select(.outcome != "ok")'`

// inspectOptions are inspect's flags.
type inspectOptions struct {
	verifyOptions
	format, to string
	noLogs     bool
}

func newInspect(s streams) *cobra.Command {
	o := inspectOptions{verifyOptions: verifyOptions{logLimit: verify.DefaultLogLimit, digestLimit: verify.DefaultDigestLimit}}
	cmd := &cobra.Command{
		Use:     "inspect URI|FILE",
		Short:   "Explain one digest file or log file",
		Long:    inspectLong,
		Example: inspectExample,
		Args: func(_ *cobra.Command, args []string) error {
			return oneArg("inspect", "s3://BUCKET/KEY or a file", args)
		},
		PreRunE: func(*cobra.Command, []string) error {
			return firstOf(o.kms.check(), oneOf("--format", o.format, report.InspectFormats...), oneOf("--color", o.reports.color, "auto", "always", "never"))
		},
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), s, args[0]) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.format, "format", "text", "text or json")
	f.StringVarP(&o.to, "output", "o", "", "write to this `file`, whole or not at all")
	f.StringVar(&o.within, "in", "", "look for the URI in this `bundle` or directory in place of S3")
	f.BoolVar(&o.noLogs, "no-logs", false, "do not read the logs that a digest lists")
	f.StringArrayVar(&o.keyFiles, "public-keys", nil, "`file` that aws cloudtrail list-public-keys printed (repeatable)")
	f.Var(&o.logLimit, "max-log-size", "a log file that inflates past this is modified, too-large")
	f.Var(&o.digestLimit, "max-digest-size", "the same for a digest file")
	o.aws.flags(f)
	o.kms.flags(f)
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no warnings")
	f.StringVar(&o.reports.color, "color", "auto", "auto, always or never")
	return cmd
}

func (o *inspectOptions) run(ctx context.Context, s streams, name string) error {
	if err := keepEvidence(o.to, name); err != nil {
		return err
	}
	t, err := o.target(ctx, name, s.warner(o.quiet), source.OpenPlace)
	if err != nil {
		return err
	}
	out, err := openOutput(o.to, s.out)
	if err != nil {
		return err
	}
	defer out.Discard()
	now := time.Now().UTC()
	req := verify.Request{
		Version: readBuild().Version, Source: t.name, Store: t.store, Keys: t.keys, Now: now, KeysInCopy: t.keysIn,
		LogLimit: int64(o.logLimit), DigestLimit: int64(o.digestLimit),
	}
	if err := t.asCollected(&req, &o.verifyOptions); err != nil {
		return err
	}
	w := report.NewInspector(o.format, out, verify.Header{Version: req.Version, Started: now, Source: t.name},
		report.Options{Color: useColor(o.reports.color, out.terminal(), os.Getenv)})
	each := w.Log
	if o.noLogs {
		each = nil
	}
	in, err := o.ask(ctx, req, t, each)
	if err == nil {
		err = w.End(in)
	}
	if err == nil {
		err = out.Commit()
	}
	switch {
	case err != nil:
		return &exitError{exitUnproven, fmt.Errorf("inspecting %q: %w", name, err)}
	case in.Exit != exitKept:
		return &exitError{code: in.Exit}
	}
	return nil
}

// firstOf is the first of some errors.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// ask inspects the file in its place, or, where it lies in none, by itself.
func (o *inspectOptions) ask(ctx context.Context, req verify.Request, t target, each func(verify.File) error) (verify.Inspection, error) {
	if t.placed || isS3(t.name) {
		return verify.Inspect(ctx, req, t.ref, each)
	}
	in, err := verify.InspectAlone(ctx, req, t.ref)
	if in.URI == t.ref.URI() {
		in.URI = t.name // it is a file's name and no object's
		in.Says = strings.TrimPrefix(in.Says+"; the file lies in no copy of a bucket (no AWSLogs folder), so that no digest could be asked", "; ")
	}
	return in, err
}
