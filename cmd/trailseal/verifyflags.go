package main

import (
	"github.com/spf13/cobra"

	"github.com/trailseal/trailseal/verify"
)

// newVerifyOptions are the options of a command that verifies, as they are where
// no flag says otherwise.
func newVerifyOptions() verifyOptions {
	return verifyOptions{lookback: lookback(verify.DefaultLookback), logLimit: verify.DefaultLogLimit, digestLimit: verify.DefaultDigestLimit}
}

// sourceFlags say what is verified.
func (o *verifyOptions) sourceFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.trail, "trail", "", "`ARN` or name of a trail, in place of SOURCE")
	f.StringVar(&o.copyOf, "copy-of", "", "SOURCE is a bucket with a copy of this `s3://BUCKET[/PREFIX]`: files are judged as if they lay there")
	f.StringVar(&o.start, "start", "", "begin of the window, a `time`: RFC 3339, a date, or an age such as 7d")
	f.StringVar(&o.end, "end", "", "end of the window, a `time` in the same forms (default now; of a directory its end)")
	f.Var(&o.lookback, "lookback", "how far before the window to look for trails that stopped before it, or all")
	f.StringArrayVar(&o.filter.Accounts, "account", nil, "only accounts that match this shell `pattern` (repeatable)")
	f.StringArrayVar(&o.filter.Regions, "region", nil, "only logs of regions that match this shell `pattern` (repeatable)")
	f.StringArrayVar(&o.filter.Trails, "trail-name", nil, "only trails whose name matches this shell `pattern` (repeatable)")
	f.StringArrayVar(&o.keyFiles, "public-keys", nil, "`file` that aws cloudtrail list-public-keys printed (repeatable)")
}

// runFlags say how it is judged, and how the run goes.
func (o *verifyOptions) runFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVar(&o.policy.Accept, "accept", nil, "`words` (verdicts, reasons, findings) to turn into remarks")
	f.StringSliceVar(&o.policy.FailOn, "fail-on", nil, "`words` to turn into tampering")
	f.IntVar(&o.concurrency, "concurrency", 0, "most `requests` at once (default: found by itself)")
	f.Var(&o.logLimit, "max-log-size", "a log file that inflates past this is modified, too-large")
	f.Var(&o.digestLimit, "max-digest-size", "the same for a digest file")
	o.aws.flags(f)
	o.kms.flags(f)
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no progress, no warnings")
	f.StringVar(&o.progress, "progress", "auto", "auto, plain (a line every 30 s) or none")
	f.StringVar(&o.reports.color, "color", "auto", "auto, always or never")
}
