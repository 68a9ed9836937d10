package main

import (
	"path"
	"strings"

	"github.com/spf13/cobra"

	"github.com/trailseal/trailseal/verify"
)

// verifyOptions are verify's flags.
type verifyOptions struct {
	start, end  string
	lookback    lookback
	filter      verify.Filter // Accounts, Regions and Trails
	trail       string
	copyOf      string
	keyFiles    []string
	concurrency int
	reports     reportOptions
	all         bool
	explain     bool
	policy      verify.Policy
	logLimit    byteSize
	digestLimit byteSize
	aws         awsOptions
	kms         kmsOptions
	quiet       bool
	progress    string
}

func newVerify(s streams) *cobra.Command {
	o := verifyOptions{lookback: lookback(verify.DefaultLookback), logLimit: verify.DefaultLogLimit, digestLimit: verify.DefaultDigestLimit}
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
	f.StringVar(&o.copyOf, "copy-of", "", "SOURCE is a bucket with a copy of this `s3://BUCKET[/PREFIX]`: files are judged as if they lay there")
	f.StringVar(&o.start, "start", "", "begin of the window, a `time`: RFC 3339, a date, or an age such as 7d")
	f.StringVar(&o.end, "end", "", "end of the window, a `time` in the same forms (default now; of a directory its end)")
	f.Var(&o.lookback, "lookback", "how far before the window to look for trails that stopped before it, or all")
	f.StringArrayVar(&o.filter.Accounts, "account", nil, "only accounts that match this shell `pattern` (repeatable)")
	f.StringArrayVar(&o.filter.Regions, "region", nil, "only logs of regions that match this shell `pattern` (repeatable)")
	f.StringArrayVar(&o.filter.Trails, "trail-name", nil, "only trails whose name matches this shell `pattern` (repeatable)")
	f.StringArrayVar(&o.keyFiles, "public-keys", nil, "`file` that aws cloudtrail list-public-keys printed (repeatable)")
	o.reports.flags(f)
	f.BoolVar(&o.all, "all", false, "report kept files too, and every file one by one")
	f.BoolVar(&o.explain, "explain", false, "tell events of kept logs that may explain what is found: who, when, from where")
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
	case o.copyOf != "" && (o.trail != "" || !isS3(args[0])):
		return usagef("--copy-of goes with a SOURCE that is a bucket").hint("of a copy on disk it is found out what it was taken from")
	}
	return nil
}

// checkPatterns refuses filters that are no shell patterns.
func (o *verifyOptions) checkPatterns() error {
	for flag, patterns := range map[string][]string{
		"--account": o.filter.Accounts, "--region": o.filter.Regions, "--trail-name": o.filter.Trails} {
		for _, p := range patterns {
			if _, err := path.Match(p, ""); err != nil || p == "" {
				return usagef("%s %q is not a shell pattern", flag, p)
			}
		}
	}
	return nil
}

// check refuses flags that make no sense, before anything is opened.
func (o *verifyOptions) check() error {
	if err := o.checkPatterns(); err != nil {
		return err
	}
	if o.trail != "" && o.filter.Trails != nil {
		return usagef("--trail names the trail: --trail-name has nothing to choose from")
	}
	if o.concurrency < 0 {
		return usagef("--concurrency %d is less than nothing", o.concurrency)
	}
	for _, err := range []error{
		o.kms.check(),
		o.reports.check(),
		oneOf("--progress", o.progress, "auto", "plain", "none"),
		oneOf("--color", o.reports.color, "auto", "always", "never"),
		checkPolicy(o.policy),
		checkWindow(o.start, o.end),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}
