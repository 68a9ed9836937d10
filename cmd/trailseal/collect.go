package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/trailseal/trailseal/verify"
)

// collectOptions are collect's flags: verify's, and where to.
type collectOptions struct {
	verifyOptions
	to     string
	finish bool
}

func newCollect(s streams) *cobra.Command {
	o := collectOptions{verifyOptions: newVerifyOptions()}
	cmd := &cobra.Command{
		Use:     "collect SOURCE -o BUNDLE",
		Short:   "Collect and verify a trail into an evidence bundle",
		Long:    collectLong + windowHelp,
		Example: collectExample,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("collect takes one SOURCE, got %d: %q", len(args), args)
			}
			return o.checkSource(args)
		},
		PreRunE: func(_ *cobra.Command, args []string) error { return o.checkCollect(strings.Join(args, "")) },
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.collect(cmd.Context(), s, strings.Join(args, ""))
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.to, "output", "o", "", "the `bundle`: a directory, or one file where the name ends in .tar.zst or .tar (required)")
	o.sourceFlags(cmd)
	f.StringVar(&o.reports.format, "format", "text", formatHelp())
	f.StringArrayVar(&o.reports.more, "report", nil, "one more report of the verification, as `FORMAT=FILE` (repeatable)")
	f.BoolVar(&o.all, "all", false, "report kept files too, and every file one by one")
	f.BoolVar(&o.finish, "finish", false, "make a whole bundle also where something could not be read for trouble that may pass")
	o.runFlags(cmd)
	return cmd
}

// checkCollect refuses what makes no sense, before anything is opened.
func (o *collectOptions) checkCollect(name string) error {
	switch {
	case o.to == "":
		return usagef("collect needs --output, the bundle that it makes").hint("-o evidence.tar.zst makes one file, -o evidence a directory")
	case o.to == "-":
		return usagef("a bundle cannot be written to standard output").hint("it is gone on with after an interruption, so that it needs a place")
	case isBundle(name):
		return usagef("%q is a bundle already", name).hint("copy it as it is: trailseal verify checks that it is whole")
	case name != "" && !isS3(name) && liesIn(name, o.to):
		return usagef("--output %q lies in the evidence %q, which is never written to", o.to, name)
	case o.logLimit > mostLogLimit || o.digestLimit > mostDigestLimit:
		return usagef("a bundle may not ask for more than %s of a log and %s of a digest", mebi(mostLogLimit), mebi(mostDigestLimit))
	}
	return o.check()
}

// liesIn reports whether a place is a directory or in it.
func liesIn(dir, place string) bool {
	relative, err := filepath.Rel(placeOf(filepath.Join(dir, ".")), placeOf(place))
	return err == nil && relative != ".." && !strings.HasPrefix(relative, ".."+string(filepath.Separator))
}

// An asking is what tells one collection from another: what was asked for, as the
// user put it. How it is asked (credentials, how many at once) may change.
type asking struct {
	Source      string        `json:"source,omitempty"`
	Trail       string        `json:"trail,omitempty"`
	CopyOf      string        `json:"copyOf,omitempty"`
	Start       string        `json:"start,omitempty"`
	End         string        `json:"end,omitempty"`
	Lookback    string        `json:"lookback"`
	Filter      verify.Filter `json:"filter"`
	KeyFiles    []string      `json:"publicKeys,omitempty"`
	LogLimit    int64         `json:"maxLogSize"`
	DigestLimit int64         `json:"maxDigestSize"`
	KMSKeys     []string      `json:"kmsKeys,omitempty"`
	Context     []string      `json:"encryptionContext,omitempty"`
	Decrypt     string        `json:"decrypt"`
}

// A settlement is what an asking came to when it was begun: --start 7d must not
// come to another window when it is gone on with.
type settlement struct {
	Window verify.Window `json:"window"`
	Begun  time.Time     `json:"begun"`
}

func (o *collectOptions) asking(name string) json.RawMessage {
	raw, err := json.Marshal(asking{
		Source: name, Trail: o.trail, CopyOf: o.copyOf, Start: o.start, End: o.end, Lookback: o.lookback.String(), Filter: o.filter,
		KeyFiles: o.keyFiles, LogLimit: int64(o.logLimit), DigestLimit: int64(o.digestLimit),
		KMSKeys: o.kms.keys, Context: o.kms.context, Decrypt: o.kms.decrypt,
	})
	if err != nil {
		panic(err) // texts and numbers
	}
	return raw
}
