package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/report"
	"github.com/trailseal/trailseal/verify/source"
)

const recoverLong = `Look through a bucket's object versions for the originals of what is modified or deleted.

A file is recovered where one of its versions is what a digest vouches for; a digest where one of
its versions is signed by CloudTrail for that place. A digest that is recovered speaks for the logs
that it lists, and names the digest before it, so that what was deleted with it is found as well.
The report names for each file the version, when and by whom it was removed as far as versions
tell, and the command that would restore it. Nothing is ever written to the bucket.

--to saves the originals, as they were stored, in a directory that trailseal verify reads. --commands writes the commands
of the AWS CLI into a file, to be read before anybody runs them.

Exit status: as verify's, and a file that can be recovered is still deleted: 1.
`

const recoverExample = `  trailseal recover s3://my-trail-bucket --start 2026-03-10 --end 2026-03-11
  trailseal recover --trail management-events --start 7d --to ./originals --commands restore.sh
  trailseal verify ./originals --public-keys keys.json`

// recoverOptions are recover's flags: verify's, and where to.
type recoverOptions struct {
	verifyOptions
	to       string
	commands string
}

func newRecover(s streams) *cobra.Command {
	o := recoverOptions{verifyOptions: newVerifyOptions()}
	o.versions = true
	cmd := &cobra.Command{
		Use:     "recover SOURCE",
		Short:   "Find originals among a bucket's versions",
		Long:    recoverLong + windowHelp,
		Example: recoverExample,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("recover takes one SOURCE, got %d: %q", len(args), args)
			}
			return o.checkSource(args)
		},
		PreRunE: func(*cobra.Command, []string) error { return errors.Join(o.check(), o.checkCommands()) },
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), s, strings.Join(args, ""))
		},
	}
	o.sourceFlags(cmd)
	f := cmd.Flags()
	o.reports.flags(f)
	f.StringVar(&o.to, "to", "", "save the originals in this new `directory`, as BUCKET/KEY below s3/")
	f.StringVar(&o.commands, "commands", "", "write the commands that would restore them into this `file`")
	f.BoolVar(&o.explain, "explain", false, "tell events of kept logs that may explain what is found: who, when, from where")
	o.runFlags(cmd)
	return cmd
}

// checkCommands keeps the commands apart from the report.
func (o *recoverOptions) checkCommands() error {
	switch {
	case o.commands == "-":
		return usagef("--commands %q: standard output is for the report, give a file", o.commands)
	case o.commands != "" && o.reports.output != "" && placeOf(o.commands) == placeOf(o.reports.output):
		return usagef("--commands %q: --output goes to the same file", o.commands)
	}
	return nil
}

// run is verify's run, with what is found saved on the way.
func (o *recoverOptions) run(ctx context.Context, s streams, name string) error {
	r := &recovery{ctx: ctx}
	out, err := openOutputMode(o.commands, io.Discard, 0o600)
	if err != nil {
		return err
	}
	defer out.Discard()
	r.commands = out
	if o.to != "" {
		if r.saver, err = newSaver(o.to); err != nil {
			return err
		}
		defer r.saver.Close()
	}
	o.through = func(store verify.Store, sink verify.Sink) verify.Sink {
		if layer, ok := store.(*source.Opening); ok {
			store = layer.Store // an original is what was stored, sealed or not
		}
		r.store, _ = store.(verify.Versioned)
		r.Sink = sink
		return r
	}
	err = o.verifyOptions.run(ctx, s, name)
	if !r.ended {
		return err
	}
	if committed := out.Commit(); committed != nil {
		code := exitUnproven
		if exitCode(err) == exitTampered {
			code = exitTampered
		}
		return &exitError{code, fmt.Errorf("writing --commands: %w", committed)}
	}
	if !o.quiet {
		fmt.Fprintf(s.err, "trailseal: %s\n", r.says(o))
	}
	return err
}

// A recovery passes a run's results on, and saves what was recovered.
type recovery struct {
	verify.Sink
	ctx      context.Context
	store    verify.Versioned
	commands io.Writer
	saver    *saver
	ended    bool

	gone, found, saved int
	without            int    // how many have no version to look at
	problem            string // of the first of them
}

func (r *recovery) Start(h verify.Header) error {
	fmt.Fprintf(r.commands, "# What trailseal %s found in %q at %s. Read it before you run it:\n# it writes to the bucket that is the evidence.\nset -eu\n",
		h.Version, h.Source, h.Started.UTC().Format("2006-01-02T15:04:05Z"))
	return r.Sink.Start(h)
}

// File counts and saves what can be recovered.
func (r *recovery) File(f verify.File) error {
	if f.Verdict == verify.Modified || f.Verdict == verify.Deleted {
		r.gone++
	}
	if f.Recover == nil || f.Recover.Version == "" {
		if got := f.Recover; got != nil && got.Looked == 0 && got.Problem != "" {
			if r.without++; r.without == 1 {
				r.problem = got.Problem
			}
		}
		return r.Sink.File(f)
	}
	r.found++
	if f.Recover.Command != "" {
		fmt.Fprintln(r.commands, f.Recover.Command)
	}
	if r.saver != nil {
		got := *f.Recover
		if err := r.saver.save(r.ctx, r.store, f, &got); err != nil {
			return err
		}
		if f.Recover = &got; got.Saved != "" {
			r.saved++
		}
	}
	return r.Sink.File(f)
}

func (r *recovery) End(s verify.Summary) error {
	r.ended = true
	return r.Sink.End(s)
}

// says is the run in one line.
func (r *recovery) says(o *recoverOptions) string {
	var b strings.Builder
	switch {
	case r.gone == 0 && r.found == 0:
		b.WriteString("nothing is modified or deleted")
	default:
		fmt.Fprintf(&b, "of %d files that are modified or deleted, %d can be recovered", max(r.gone, r.found), r.found)
	}
	if r.without > 0 {
		fmt.Fprintf(&b, ", of %d no version could be looked at (%s)", r.without, report.CleanText(r.problem))
	}
	if o.to != "" {
		fmt.Fprintf(&b, ", %d are saved in %q", r.saved, o.to)
	}
	if o.commands != "" && r.found > 0 {
		fmt.Fprintf(&b, ", the commands are in %q", o.commands)
	}
	return b.String()
}
