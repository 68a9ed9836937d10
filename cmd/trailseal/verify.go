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
	versions    bool
	through     func(verify.Store, verify.Sink) verify.Sink // of a command that wants to see the results
	seal        string
	within      string // inspect: the bundle or directory that holds the object
	policy      verify.Policy
	logLimit    byteSize
	digestLimit byteSize
	aws         awsOptions
	kms         kmsOptions
	quiet       bool
	progress    string
}

func newVerify(s streams) *cobra.Command {
	o := newVerifyOptions()
	cmd := &cobra.Command{
		Use:     "verify SOURCE",
		Short:   "Verify a trail in a bucket or in a directory",
		Long:    verifyLong + windowHelp,
		Example: verifyExample,
		Args: func(_ *cobra.Command, args []string) error {
			if err := o.checkSource(args); err != nil {
				return err
			}
			return o.checkSeal(args)
		},
		PreRunE: func(*cobra.Command, []string) error { return o.check() },
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), s, strings.Join(args, ""))
		},
	}
	o.sourceFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.seal, "seal", "", "the seal that a bundle must have: 64 hexadecimal `digits`, as collect printed them")
	o.reports.flags(f)
	f.BoolVar(&o.all, "all", false, "report kept files too, and every file one by one")
	f.BoolVar(&o.explain, "explain", false, "tell events of kept logs that may explain what is found: who, when, from where")
	f.BoolVar(&o.versions, "versions", false, "look for what is modified or deleted among the bucket's object versions")
	o.runFlags(cmd)
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
	case o.versions && o.trail == "" && !isS3(args[0]):
		return usagef("versions are looked for in a bucket, and %q is none", args[0]).hint("give the bucket: s3://BUCKET[/PREFIX]")
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
	return firstOf(
		o.kms.check(),
		o.reports.check(),
		oneOf("--progress", o.progress, "auto", "plain", "none"),
		oneOf("--color", o.reports.color, "auto", "always", "never"),
		checkPolicy(o.policy),
		checkWindow(o.start, o.end),
	)
}
