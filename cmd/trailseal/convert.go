package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/report"
)

const convertLong = `Write a saved report (JSON or NDJSON) down once more, in other formats: the bytes are those that
verify would have written at once. REPORT is a file, or - for standard input.

The exit status is the one that the report ends in; a report that is not whole, is of another
version's words, or contradicts itself is refused with 2.`

const convertExample = `  trailseal convert report.json
  trailseal convert report.json --report html=report.html --report junit=junit.xml --format markdown
  trailseal verify s3://my-trail-bucket --format ndjson | tee run.ndjson | trailseal convert -`

const mergeLong = `Make one report of several (JSON or NDJSON): of windows that follow each other, of other accounts
or regions, or of other buckets. Chains of the same name are joined, and their counts and seconds add up.

Time that two reports cover is named (overlap), and time of a chain that none covers is not
proven (not-checked). The exit status is that of the whole: 1 wins over 3, and 3 over 0.`

const mergeExample = `  trailseal merge march.json april.json --format json -o spring.json
  trailseal merge accounts/*.json --report html=organization.html`

func newConvert(s streams) *cobra.Command {
	o := reportOptions{}
	cmd := &cobra.Command{
		Use:     "convert REPORT",
		Short:   "Write a saved report in other formats",
		Long:    convertLong,
		Example: convertExample,
		Args:    func(_ *cobra.Command, args []string) error { return oneArg("convert", "a saved report", args) },
		PreRunE: func(*cobra.Command, []string) error { return o.checkSaved() },
		RunE:    func(cmd *cobra.Command, args []string) error { return o.convert(cmd.Context(), s, args[0]) },
	}
	cmd.Flags().SortFlags = false
	o.flags(cmd.Flags())
	cmd.Flags().StringVar(&o.color, "color", "auto", "auto, always or never")
	return cmd
}

func newMerge(s streams) *cobra.Command {
	o := reportOptions{}
	cmd := &cobra.Command{
		Use:     "merge REPORT…",
		Short:   "Make one report of several saved ones",
		Long:    mergeLong,
		Example: mergeExample,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("merge wants the reports to merge")
			}
			return nil
		},
		PreRunE: func(*cobra.Command, []string) error { return o.checkSaved() },
		RunE:    func(cmd *cobra.Command, args []string) error { return o.merge(s, args) },
	}
	cmd.Flags().SortFlags = false
	o.flags(cmd.Flags())
	cmd.Flags().StringVar(&o.color, "color", "auto", "auto, always or never")
	return cmd
}

func (r *reportOptions) checkSaved() error {
	if err := oneOf("--color", r.color, "auto", "always", "never"); err != nil {
		return err
	}
	return r.check()
}

func (r *reportOptions) convert(_ context.Context, s streams, name string) error {
	saved, done, err := openSaved(name, s.in)
	if err != nil {
		return err
	}
	defer done()
	return r.write(s, saved.Header.All, func(w report.Writer) (verify.Summary, error) { return saved.Summary, saved.Play(w) })
}

func (r *reportOptions) merge(s streams, names []string) error {
	var all []*report.Saved
	every := true
	for _, name := range names {
		saved, done, err := openSaved(name, s.in)
		if err != nil {
			return err
		}
		defer done()
		all = append(all, saved)
		every = every && saved.Header.All
	}
	return r.write(s, every, func(w report.Writer) (verify.Summary, error) {
		return report.Merge(readBuild().Version, all, w)
	})
}

// write lets a report be told into all its writers, and ends in its exit status.
func (r *reportOptions) write(s streams, all bool, tell func(report.Writer) (verify.Summary, error)) error {
	out, err := r.open(s.out, all)
	if err != nil {
		return err
	}
	defer out.Discard()
	summary, err := tell(out)
	if err == nil {
		err = out.Commit()
	}
	if err != nil {
		return &exitError{failedExit(summary), fmt.Errorf("writing the report: %w", err)}
	}
	if summary.Exit != exitKept {
		return &exitError{code: summary.Exit}
	}
	return nil
}

// openSaved opens a saved report. Standard input is kept in a file until it is
// read, since a report is read more than once.
func openSaved(name string, stdin io.Reader) (*report.Saved, func(), error) {
	var f *os.File
	var err error
	if name == "-" {
		f, err = spooled(stdin)
	} else if info, statErr := os.Stat(name); statErr == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%q is not a regular file: give - and the report on standard input", name) // a named pipe would hold us
	} else {
		f, err = os.Open(name)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("opening a report: %w", err)
	}
	done := func() { _ = f.Close() }
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file: give - and the report on standard input")
	}
	var saved *report.Saved
	if err == nil {
		saved, err = report.OpenSaved(f, info.Size())
	}
	if err != nil {
		done()
		return nil, nil, &hintedError{fmt.Errorf("%q: %w", name, err), []string{"trailseal verify --format json -o FILE saves one"}}
	}
	return saved, done, nil
}

// spooled is a stream in a file that no name leads to.
func spooled(r io.Reader) (*os.File, error) {
	f, err := os.CreateTemp("", "trailseal-report-*")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(f.Name())
	if _, err = io.Copy(f, r); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
