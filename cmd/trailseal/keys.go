package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify/source"
)

const keysLong = `Fetch CloudTrail's public keys, which its digests are verified with, to keep them: what aws
cloudtrail list-public-keys prints, for many regions at once and with the Region in every entry.
trailseal verify --public-keys reads it back, and then needs no network.

With SOURCE, of all regions that it holds files of, and for as long as it does; --region narrows
them by a shell pattern. Without SOURCE, of each --region, for the last 30 days. Keys are asked
for from a week before --start until now, which is what verifying that window takes.

Exit status: 0 all regions were asked, 3 one could not be or there is no key, 2 wrong usage.`

const keysExample = `  trailseal keys s3://my-trail-bucket -o public-keys.json
  trailseal keys --region eu-west-1 --region us-east-1 --start 2026-01-01 -o public-keys.json
  trailseal keys ./copy --start 90d | jq '.PublicKeyList[].Fingerprint'`

// keysSpan is how long keys are asked for where neither a source nor --start says it.
const keysSpan = "30d"

// keysOptions are the flags of keys.
type keysOptions struct {
	verifyOptions
	to string
}

func newKeys(s streams) *cobra.Command {
	o := keysOptions{}
	cmd := &cobra.Command{
		Use:     "keys [SOURCE]",
		Short:   "Fetch CloudTrail's public keys, to keep them",
		Long:    keysLong,
		Example: keysExample,
		Args:    func(_ *cobra.Command, args []string) error { return o.checkArgs(args) },
		PreRunE: func(*cobra.Command, []string) error {
			return firstOf(o.checkPatterns(), checkWindow(o.start, o.end))
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), s, strings.Join(args, ""))
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringArrayVar(&o.filter.Regions, "region", nil, "a `region`; of a SOURCE, only those that match this shell pattern (repeatable)")
	f.StringVar(&o.start, "start", "", "begin of the window, a `time`: RFC 3339, a date, or an age such as 7d (default: all that SOURCE holds, else 30d)")
	f.StringVar(&o.end, "end", "", "end of the window, a `time` in the same forms")
	f.StringVarP(&o.to, "output", "o", "", "write to this `file`, whole or not at all")
	f.StringVar(&o.trail, "trail", "", "`ARN` or name of a trail, in place of SOURCE")
	f.IntVar(&o.concurrency, "concurrency", 0, "most `requests` at once (default: found by itself)")
	o.aws.flags(f)
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no warnings")
	return cmd
}

// checkArgs wants a source, or regions to ask without one.
func (o *keysOptions) checkArgs(args []string) error {
	switch {
	case len(args) > 1:
		return usagef("keys takes one SOURCE, got %d: %q", len(args), args)
	case len(args) == 0 && o.trail == "" && len(o.filter.Regions) == 0:
		return usagef("keys wants a SOURCE, or each --region to ask")
	case len(args) == 0 && o.trail == "":
		return nil
	}
	return o.checkSource(args)
}

func (o *keysOptions) run(ctx context.Context, s streams, name string) error {
	if err := keepEvidence(o.to, name); err != nil {
		return err
	}
	ask, err := o.request(ctx, s, name)
	if err != nil {
		return err
	}
	out, err := openOutput(o.to, s.out)
	if err != nil {
		return err
	}
	defer out.Discard()
	keys, whole := ask.fetch(ctx, s.err)
	if ctx.Err() != nil {
		return &exitError{exitUnproven, fmt.Errorf("asking for the keys: %w", ctx.Err())}
	}
	if c, ok := ask.keys.(*source.CloudTrail); ok {
		for _, w := range c.Warnings() {
			s.warner(o.quiet)("%v", w)
		}
	}
	if len(keys) > 0 {
		if _, err := out.Write(digest.FormatPublicKeys(keys)); err != nil {
			return &exitError{exitUnproven, fmt.Errorf("writing the keys: %w", err)}
		}
		if err := out.Commit(); err != nil {
			return &exitError{exitUnproven, err}
		}
	}
	if len(keys) == 0 {
		return &exitError{exitUnproven, errors.New("there is no public key to write")}
	}
	if !whole {
		return &exitError{code: exitUnproven}
	}
	return nil
}
