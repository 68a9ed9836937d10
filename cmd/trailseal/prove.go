package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/report"
)

const proveLong = `Find one event in logs that verify, and write a proof of it: the event, its log, the digest that
lists the log, the signature over the digest, CloudTrail's key, and every step in words. The proof
is one file that needs nothing beside itself; prove --check FILE checks it anywhere, without network
and credentials, and so do openssl, jq and sha256sum with the commands that it holds.

An event in a log that is not kept, or that only a digest vouches for that is not kept, gives no
proof, and it is said why. Where several logs hold the event, the first is taken.

The window is of delivery time: an event is delivered within about 15 minutes after it happened, in
rare cases hours later. --account and --region are those of the logs, and narrow what is read.

`

const proveCheckHelp = `

--check recomputes every step from the bytes in the file. A proof carries its own key, and proves as
much as that key is CloudTrail's: give its public keys, from elsewhere, with --public-keys. Without
them, and without --trust-key, the exit status is 3 though every step holds.

Exit status of prove: 0 a proof was made; 1 the event's log was tampered with; 2 wrong usage; 3 the
event was not found, or nothing proves its log. Of prove --check: 0 every step holds and the key is
one of --public-keys; 1 a step fails; 2 it is no proof; 3 the key is not confirmed.`

const proveExample = `  trailseal prove 1f9b2c3d-0000-4000-8000-5a6b7c8d9e0f s3://my-trail-bucket \
      --start 2026-03-10 --end 2026-03-11 --region eu-west-1 -o event.proof.json
  trailseal prove 1f9b2c3d-0000-4000-8000-5a6b7c8d9e0f ./copy -o event.proof.json
  trailseal prove --check event.proof.json --public-keys public-keys-eu-west-1.json`

// proveOptions are prove's flags.
type proveOptions struct {
	verifyOptions
	format, to, check string
	trust             bool
}

func newProve(s streams) *cobra.Command {
	o := proveOptions{verifyOptions: verifyOptions{lookback: lookback(verify.DefaultLookback), logLimit: verify.DefaultLogLimit, digestLimit: verify.DefaultDigestLimit}}
	cmd := &cobra.Command{
		Use:     "prove EVENT-ID SOURCE",
		Short:   "Write a proof of one event, or check one",
		Long:    proveLong + windowHelp + proveCheckHelp,
		Example: proveExample,
		Args:    func(_ *cobra.Command, args []string) error { return o.checkArgs(args) },
		PreRunE: func(*cobra.Command, []string) error { return o.checkFlags() },
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.check != "" {
				return o.runCheck(s)
			}
			return o.prove(cmd.Context(), s, args)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.to, "output", "o", "", "write the proof to this `file`, whole or not at all (default and -: standard output)")
	f.StringVar(&o.check, "check", "", "check the proof in this `file`, in place of EVENT-ID and SOURCE")
	f.BoolVar(&o.trust, "trust-key", false, "with --check: take the proof's own word for its key")
	f.StringArrayVar(&o.keyFiles, "public-keys", nil, "`file` that aws cloudtrail list-public-keys printed (repeatable)")
	f.StringVar(&o.format, "format", "text", "text or json: what was found, not the proof itself")
	f.StringVar(&o.trail, "trail", "", "`ARN` or name of a trail, in place of SOURCE")
	f.StringVar(&o.copyOf, "copy-of", "", "SOURCE is a bucket with a copy of this `s3://BUCKET[/PREFIX]`: files are judged as if they lay there")
	f.StringVar(&o.start, "start", "", "begin of the window, a `time`: RFC 3339, a date, or an age such as 7d")
	f.StringVar(&o.end, "end", "", "end of the window, a `time` in the same forms (default now; of a directory its end)")
	f.StringArrayVar(&o.filter.Accounts, "account", nil, "only accounts that match this shell `pattern` (repeatable)")
	f.StringArrayVar(&o.filter.Regions, "region", nil, "only logs of regions that match this shell `pattern` (repeatable)")
	f.StringArrayVar(&o.filter.Trails, "trail-name", nil, "only trails whose name matches this shell `pattern` (repeatable)")
	f.IntVar(&o.concurrency, "concurrency", 0, "most `requests` at once (default: found by itself)")
	f.Var(&o.logLimit, "max-log-size", "a log file that inflates past this is modified, too-large")
	f.Var(&o.digestLimit, "max-digest-size", "the same for a digest file")
	o.aws.flags(f)
	o.kms.flags(f)
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no progress, no warnings, nothing but the proof")
	f.StringVar(&o.progress, "progress", "auto", "auto, plain (a line every 30 s) or none")
	f.StringVar(&o.reports.color, "color", "auto", "auto, always or never")
	return cmd
}

// eventIDs are the forms of an event's id: CloudTrail makes UUIDs.
var eventIDs = regexp.MustCompile(`^[0-9A-Za-z-]{8,64}$`)

// checkArgs wants an event and where to look for it, or a proof to check.
func (o *proveOptions) checkArgs(args []string) error {
	switch {
	case o.check != "" && len(args) > 0:
		return usagef("prove --check takes no EVENT-ID and no SOURCE, got %q", args[0])
	case o.check != "":
		return nil
	case len(args) == 0:
		return usagef("prove wants an EVENT-ID and a SOURCE, or --check FILE")
	case !eventIDs.MatchString(args[0]):
		return usagef("%q is not the form of an event's id, such as 1f9b2c3d-0000-4000-8000-5a6b7c8d9e0f", args[0])
	case len(args) > 2:
		return usagef("prove takes one EVENT-ID and one SOURCE, got %q as well", args[2])
	case o.trust:
		return usagef("--trust-key goes with --check")
	}
	return o.checkSource(args[1:])
}

// checkFlags refuses what makes no sense, before anything is opened.
func (o *proveOptions) checkFlags() error {
	o.reports.format = "text"
	if o.check != "" && o.trust && o.keyFiles != nil {
		return usagef("--trust-key and --public-keys: with the keys there is nothing to take on trust")
	}
	if o.check != "" && o.to != "" {
		return usagef("--output is where a proof is written, and --check writes none")
	}
	if o.check == "" && o.format == "json" && (o.to == "" || o.to == "-") {
		return usagef("--format json is about what was found: the proof must go to a file (--output)")
	}
	return firstOf(oneOf("--format", o.format, report.ProofFormats...), o.verifyOptions.check())
}

// prove looks for the event, and writes the proof.
func (o *proveOptions) prove(ctx context.Context, s streams, args []string) error {
	name := ""
	if len(args) > 1 {
		name = args[1]
	}
	if err := keepEvidence(o.to, name); err != nil {
		return err
	}
	now := time.Now().UTC()
	from, err := o.open(ctx, name, s.warner(o.quiet))
	if err != nil {
		return err
	}
	window, err := parseWindow(o.start, o.end, from.clock(now), o.trail == "" && !isS3(name))
	if err != nil {
		return err
	}
	request := o.request(from, window, now, name)
	if err := from.asCollected(&request, &o.verifyOptions); err != nil {
		return err
	}
	request.KeyStates = nil                        // nobody is told of keys here
	out, err := openOutputMode(o.to, s.out, 0o600) // what is in a log is not for everybody
	if err != nil {
		return err
	}
	defer out.Discard()
	found, err := o.search(ctx, s, request, args[0])
	if err == nil {
		err = o.tell(s, out, found)
	}
	switch {
	case err != nil:
		return &exitError{exitUnproven, fmt.Errorf("looking for the event in %s: %w", from.name, err)}
	case found.Exit != exitKept:
		return &exitError{code: found.Exit}
	}
	return nil
}

// search runs the engine, with its progress.
func (o *proveOptions) search(ctx context.Context, s streams, request verify.Request, id string) (verify.Search, error) {
	mode := progressMode(o.progress, o.quiet, false, s.err, s.out, os.Getenv)
	defer startProgress(mode, s.err, request.Progress)()
	return verify.Prove(ctx, request, id)
}

// tell writes the proof, and says what was found: on standard output, unless the
// proof is there.
func (o *proveOptions) tell(s streams, out *output, found verify.Search) error {
	if found.Proof != nil {
		text, err := found.Proof.Encode()
		if err == nil {
			_, err = out.Write(text)
		}
		if err == nil {
			err = out.Commit()
		}
		if err != nil {
			return fmt.Errorf("writing the proof: %w", err)
		}
	}
	to := s.out
	if o.to == "" || o.to == "-" {
		to = s.err
	}
	if o.quiet && (to == s.err || found.Proof != nil && o.format == "text") {
		return nil
	}
	return report.WriteSearch(to, o.format, found, o.colors(to))
}

func (o *proveOptions) colors(w io.Writer) report.Options {
	return report.Options{Color: useColor(o.reports.color, w, os.Getenv)}
}
