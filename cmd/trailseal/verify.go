package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/report"
)

// verifyOptions are verify's flags.
type verifyOptions struct {
	start, end  string
	filter      verify.Filter // Accounts, Regions and Trails
	trail       string
	keyFiles    []string
	concurrency int
	format      string
	output      string
	all         bool
	policy      verify.Policy
	logLimit    byteSize
	digestLimit byteSize
	aws         awsOptions
	quiet       bool
	progress    string
	color       string
}

func newVerify(s streams) *cobra.Command {
	o := verifyOptions{logLimit: verify.DefaultLogLimit, digestLimit: verify.DefaultDigestLimit}
	cmd := &cobra.Command{
		Use:     "verify SOURCE",
		Short:   "Verify a trail in a bucket or in a directory",
		Long:    verifyLong + windowHelp,
		Example: verifyExample,
		Args:    func(_ *cobra.Command, args []string) error { return o.checkSource(args) },
		PreRunE: func(*cobra.Command, []string) error { return o.check() },
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), s, strings.Join(args, ""))
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.trail, "trail", "", "`ARN` or name of a trail, in place of SOURCE")
	f.StringVar(&o.start, "start", "", "begin of the window, a `time`: RFC 3339, a date, or an age such as 7d")
	f.StringVar(&o.end, "end", "", "end of the window, a `time` in the same forms (default now)")
	f.StringArrayVar(&o.filter.Accounts, "account", nil, "only accounts that match this shell `pattern` (repeatable)")
	f.StringArrayVar(&o.filter.Regions, "region", nil, "only logs of regions that match this shell `pattern` (repeatable)")
	f.StringArrayVar(&o.filter.Trails, "trail-name", nil, "only trails whose name matches this shell `pattern` (repeatable)")
	f.StringArrayVar(&o.keyFiles, "public-keys", nil, "`file` that aws cloudtrail list-public-keys printed (repeatable)")
	f.StringVar(&o.format, "format", "text", formatHelp())
	f.StringVarP(&o.output, "output", "o", "", "write the report to this `file`, whole or not at all")
	f.BoolVar(&o.all, "all", false, "report kept files too, and every file one by one")
	f.StringSliceVar(&o.policy.Accept, "accept", nil, "`words` (verdicts, reasons, findings) to turn into remarks")
	f.StringSliceVar(&o.policy.FailOn, "fail-on", nil, "`words` to turn into tampering")
	f.IntVar(&o.concurrency, "concurrency", 0, "most `requests` at once (default: found by itself)")
	f.Var(&o.logLimit, "max-log-size", "a log file that inflates past this is modified, too-large")
	f.Var(&o.digestLimit, "max-digest-size", "the same for a digest file")
	o.aws.flags(f)
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no progress, no warnings")
	f.StringVar(&o.progress, "progress", "auto", "auto, plain (a line every 30 s) or none")
	f.StringVar(&o.color, "color", "auto", "auto, always or never")
	return cmd
}

// checkSource wants either one SOURCE or --trail.
func (o *verifyOptions) checkSource(args []string) error {
	switch {
	case len(args) > 1:
		return usagef("verify takes one SOURCE, got %d: %q", len(args), args)
	case len(args) == 1 && o.trail != "":
		return usagef("both the SOURCE %q and --trail %q are given: give one", args[0], o.trail)
	case len(args) == 0 && o.trail == "":
		return usagef("no SOURCE: give s3://BUCKET[/PREFIX] or a directory, or --trail")
	case len(args) == 1 && args[0] == "":
		return usagef("SOURCE is empty")
	}
	return nil
}

// check refuses flags that make no sense, before anything is opened.
func (o *verifyOptions) check() error {
	for flag, patterns := range map[string][]string{
		"--account": o.filter.Accounts, "--region": o.filter.Regions, "--trail-name": o.filter.Trails} {
		for _, p := range patterns {
			if _, err := path.Match(p, ""); err != nil || p == "" {
				return usagef("%s %q is not a shell pattern", flag, p)
			}
		}
	}
	if o.trail != "" && o.filter.Trails != nil {
		return usagef("--trail names the trail: --trail-name has nothing to choose from")
	}
	if o.concurrency < 0 {
		return usagef("--concurrency %d is less than nothing", o.concurrency)
	}
	for _, err := range []error{
		oneOf("--format", o.format, report.Formats()...),
		oneOf("--progress", o.progress, "auto", "plain", "none"),
		oneOf("--color", o.color, "auto", "always", "never"),
		checkPolicy(o.policy),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// run is one verification: open what it needs, let the engine judge, put the
// report in its place.
func (o *verifyOptions) run(ctx context.Context, s streams, source string) error {
	now := time.Now().UTC()
	window, err := parseWindow(o.start, o.end, now, o.trail == "" && !isS3(source))
	if err != nil {
		return err
	}
	warn := func(format string, args ...any) {
		if !o.quiet {
			fmt.Fprintln(s.err, "trailseal: warning:", report.CleanText(fmt.Sprintf(format, args...)))
		}
	}
	from, err := o.open(ctx, source, warn)
	if err != nil {
		return err
	}
	out, err := openOutput(o.output, s.out)
	if err != nil {
		return err
	}
	defer out.Discard()
	request := verify.Request{
		Version: readBuild().Version, Source: from.name, Store: from.store, Keys: from.keys,
		Window: window, Now: now, Filter: from.filter, Policy: o.policy, All: o.all, Delivery: from.delivery,
		LogLimit: int64(o.logLimit), DigestLimit: int64(o.digestLimit),
		InFlight: o.concurrency, Progress: new(verify.Progress),
	}
	return o.judge(ctx, request, s, out)
}

// judge runs the engine into the report. From here on something has been
// checked, so that what fails is not a matter of usage.
func (o *verifyOptions) judge(ctx context.Context, request verify.Request, s streams, out *output) error {
	where := out.terminal()
	writer, err := report.New(o.format, out, report.Options{Color: useColor(o.color, where, os.Getenv), All: o.all})
	if err != nil {
		return err
	}
	defer writer.Close()
	mode := progressMode(o.progress, o.quiet, o.format != "text", s.err, where, os.Getenv)
	stop := startProgress(mode, s.err, request.Progress)
	sink := &lastWord{Sink: writer, before: stop}
	defer sink.quiet()
	summary, err := verify.Run(ctx, request, sink)
	sink.quiet()
	if err == nil {
		err = out.Commit()
	}
	if err != nil {
		return &exitError{exitUnproven, fmt.Errorf("verifying %s: %w", request.Source, err)}
	}
	if out.name != "" && !o.quiet {
		fmt.Fprintf(s.err, "trailseal: %s, the report is in %s\n", summary.Verdict, report.CleanText(out.name))
	}
	if summary.Exit != exitKept {
		return &exitError{code: summary.Exit}
	}
	return nil
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
