package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/trailseal/trailseal/verify/report"
)

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// warner prints warnings to standard error, unless they are not wanted.
func (s streams) warner(quiet bool) func(string, ...any) {
	return func(format string, args ...any) {
		if !quiet {
			fmt.Fprintln(s.err, "trailseal: warning:", report.CleanText(fmt.Sprintf(format, args...)))
		}
	}
}

// run is the whole command: arguments and streams in, exit status out.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot(streams{stdin, stdout, stderr})
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil {
		printError(stderr, cmd, err)
	}
	return exitCode(err)
}

func newRoot(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:     "trailseal",
		Short:   "Verify AWS CloudTrail logs against their digest files",
		Long:    rootLong,
		Example: rootExample,
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.SetFlagErrorFunc(flagError)
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(withConfig(s, newVerify), newConfig(s, newVerify), newCollect(s), newRecover(s), newDocs(), newConvert(s), newMerge(s), newInspect(s), newProve(s), newDecrypt(s), newKMS(s), newKeys(s), newSimulate(s), newSchema(), newVersion(), newCompletion())
	root.AddCommand(topics()...)
	root.SetHelpCommand(newHelp())
	return root
}

// printError prints an error once: the message, then each hint on a line of
// its own. Messages may quote hostile names and the error texts of servers.
func printError(w io.Writer, cmd *cobra.Command, err error) {
	if err.Error() == "" {
		return
	}
	for i, line := range strings.Split(strings.TrimSpace(err.Error()), "\n") {
		if i == 0 {
			line = "trailseal: " + line
		}
		fmt.Fprintln(w, report.CleanText(line))
	}
	var usage *usageError
	var hinted *hintedError
	if errors.As(err, &hinted) {
		printHints(w, hinted.hints)
	}
	if errors.As(err, &usage) {
		printHints(w, append(usage.hints, fmt.Sprintf("%s --help shows the flags and examples", cmd.CommandPath())))
	}
}

func printHints(w io.Writer, hints []string) {
	for _, hint := range hints {
		fmt.Fprintln(w, "  hint:", report.CleanText(hint))
	}
}

// usagef is a usageError with a message.
func usagef(format string, args ...any) *usageError {
	return &usageError{err: fmt.Errorf(format, args...)}
}

// hint adds what to do about a usage error.
func (e *usageError) hint(format string, args ...any) *usageError {
	e.hints = append(e.hints, fmt.Sprintf(format, args...))
	return e
}

// flagError makes pflag's errors usage errors, and suggests the nearest flag.
func flagError(cmd *cobra.Command, err error) error {
	e := &usageError{err: err}
	if name, ok := strings.CutPrefix(err.Error(), "unknown flag: --"); ok {
		if near := nearest(name, flagNames(cmd)); near != "" {
			e = e.hint("did you mean --%s?", near)
		}
	}
	return e
}

// flagNames reads the names from the flags' help, for pflag, which would tell
// them better, is cobra's dependency and not ours.
func flagNames(cmd *cobra.Command) []string {
	var names []string
	for line := range strings.Lines(cmd.Flags().FlagUsages()) {
		if _, after, ok := strings.Cut(line, "--"); ok {
			name, _, _ := strings.Cut(after, " ")
			names = append(names, strings.TrimSpace(name))
		}
	}
	return names
}

// noArgs refuses arguments. For a command with commands below it, an argument
// is one that does not exist.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasSubCommands() {
		return usagef("%s takes no arguments, got %q", cmd.Name(), args[0])
	}
	var names []string
	for _, sub := range cmd.Commands() {
		names = append(names, sub.Name())
	}
	return suggest(usagef("no command %q", args[0]), args[0], names)
}

// suggest adds the nearest of the words to a usage error.
func suggest(e *usageError, word string, words []string) *usageError {
	if near := nearest(word, words); near != "" {
		return e.hint("did you mean %q?", near)
	}
	return e
}
