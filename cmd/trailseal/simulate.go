package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/trailseal/trailseal/verify/verifytest"
)

// simulateOptions are simulate's flags.
type simulateOptions struct {
	spec   verifytest.Spec
	start  string
	damage []string
	dir    verifytest.DirOptions
}

func newSimulate(s streams) *cobra.Command {
	o := simulateOptions{spec: verifytest.DefaultSpec(), dir: verifytest.DirOptions{PublicKeys: true}}
	cmd := &cobra.Command{
		Use:     "simulate DIR",
		Short:   "Write a small trail to practise with, whole or damaged",
		Long:    simulateLong,
		Example: simulateExample,
		Args:    o.checkArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if o.lists() {
				return listDamages(s.out)
			}
			return o.run(args[0])
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringSliceVar(&o.damage, "damage", nil, "break the trail by `name` (repeatable); list prints the names")
	f.StringSliceVar(&o.spec.Accounts, "accounts", o.spec.Accounts, "account `numbers`; the first owns the trail")
	f.StringSliceVar(&o.spec.Regions, "regions", o.spec.Regions, "`names` of regions; the first is the trail's home")
	f.IntVar(&o.spec.Hours, "hours", o.spec.Hours, "digests after the starting digest")
	f.IntVar(&o.spec.LogsPerHour, "logs-per-hour", o.spec.LogsPerHour, "log files a region and hour")
	f.IntVar(&o.spec.EventsPerLog, "events", o.spec.EventsPerLog, "events a log file")
	f.StringVar(&o.start, "start", o.spec.Start.Format("2006-01-02"), "when logging starts, in the forms that verify takes")
	f.StringVar(&o.spec.Trail, "trail-name", o.spec.Trail, "`name` of the trail")
	f.StringVar(&o.spec.Bucket, "bucket", o.spec.Bucket, "`name` of the bucket it was delivered to")
	f.StringVar(&o.spec.Prefix, "prefix", o.spec.Prefix, "`prefix` in the bucket")
	f.StringVar(&o.spec.Organization, "organization", o.spec.Organization, "`id` (o-...) of an organization whose trail it is")
	f.BoolVar(&o.spec.Backfill, "backfill", o.spec.Backfill, "some logs come late, in backfill digests")
	f.StringVar(&o.dir.Signatures, "signatures", "all", "which digests keep their S3 metadata in a side file: all, newest (of each chain) or none")
	f.Int64Var(&o.spec.Seed, "seed", o.spec.Seed, "the same seed makes the same trail")
	return cmd
}

// lists reports whether only the names of damages are asked for.
func (o *simulateOptions) lists() bool { return len(o.damage) == 1 && o.damage[0] == "list" }

func (o *simulateOptions) checkArgs(_ *cobra.Command, args []string) error {
	if len(args) == 0 && o.lists() {
		return nil
	}
	if len(args) != 1 || args[0] == "" {
		return usagef("simulate takes one directory, got %d", len(args))
	}
	if err := oneOf("--signatures", o.dir.Signatures, "newest", "all", "none"); err != nil {
		return err
	}
	return o.checkDamage()
}

// checkDamage refuses names of damages that do not exist, before a trail is
// made for them.
func (o *simulateOptions) checkDamage() error {
	known := map[string]bool{}
	var names []string
	for _, d := range verifytest.Damages() {
		known[d.Name] = true
		names = append(names, d.Name)
	}
	for _, name := range o.damage {
		if !known[name] && !o.lists() {
			return suggest(usagef("no damage %q", name), name, names).hint("trailseal simulate --damage list prints the names")
		}
	}
	return nil
}

// run mints a trail, breaks it, and writes it where nothing is yet.
func (o *simulateOptions) run(dir string) error {
	start, wrong := parseMoment(o.start, o.spec.Start)
	if wrong != nil {
		return wrong.hint("give --start as %s", momentExample)
	}
	o.spec.Start = start
	if err := wantEmpty(dir); err != nil {
		return err
	}
	world, err := verifytest.Mint(o.spec)
	if err != nil {
		return &usageError{err: fmt.Errorf("making the trail: %w", err)}
	}
	if err := world.Damage(o.damage...); err != nil {
		return &usageError{err: fmt.Errorf("damaging the trail: %w", err)}
	}
	// Several buckets side by side need a folder each.
	o.dir.Buckets = len(world.Buckets()) > 1
	if err := world.WriteDir(dir, o.dir); err != nil {
		empty(dir)
		err = fmt.Errorf("writing the trail: %w", err)
		if slices.Contains(o.damage, "hostile-path") {
			err = &hintedError{err, []string{"the damage hostile-path can only be done to a bucket: no directory holds such names"}}
		}
		return err
	}
	return nil
}

// wantEmpty refuses a directory that holds something: what lies beside a
// trail would be taken for a part of it.
func wantEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("looking at the directory: %w", err)
	case len(entries) > 0:
		return usagef("the directory %q is not empty: it holds %q", dir, entries[0].Name()).
			hint("give a new directory")
	}
	return nil
}

// empty takes away what was written of a trail that could not be finished: in
// a directory that held nothing before, all there is.
func empty(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		_ = os.RemoveAll(filepath.Join(dir, e.Name()))
	}
}

// listDamages prints each damage with what is done and what verify then says.
func listDamages(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, d := range verifytest.Damages() {
		fmt.Fprintf(table, "%s\t%s\n\tverify says: %s\n", d.Name, d.Says, d.Expect)
	}
	return table.Flush()
}
