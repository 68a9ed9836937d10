package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/trailseal/trailseal/verify/report"
)

// noConfig is the word of --config that leaves a configuration file out.
const noConfig = "none"

// A configured is a verify command whose flags also come from the environment
// and from a file.
type configured struct {
	s     streams
	fresh func() *cobra.Command
	path  string
	only  []string
}

// withConfig puts the environment and a configuration file behind the flags
// of a command. The command itself is made anew for each run, and knows
// nothing of them.
func withConfig(s streams, fresh func(streams) *cobra.Command) *cobra.Command {
	c := &configured{s: s, fresh: func() *cobra.Command { return fresh(s) }}
	cmd := c.command()
	cmd.Use = strings.Replace(cmd.Use, "SOURCE", "[SOURCE]", 1)
	cmd.RunE = c.verify
	return cmd
}

// command is a verify command that takes what comes, with the flags about the
// configuration.
func (c *configured) command() *cobra.Command {
	cmd := c.fresh()
	cmd.Args, cmd.PreRunE = cobra.ArbitraryArgs, nil
	f := cmd.Flags()
	f.StringVar(&c.path, "config", "", "configuration `file` (default: "+configName+" in the working directory, where there is one), or none")
	f.StringArrayVar(&c.only, "only", nil, "of the configuration's trails only the one of this `name` (repeatable)")
	_ = cmd.MarkFlagFilename("config", "yaml", "yml")
	_ = cmd.RegisterFlagCompletionFunc("only", c.completeOnly)
	return cmd
}

// find is the file to read, if any. One that nobody named is implicit.
func (c *configured) find() (path string, implicit bool) {
	if c.path == "" {
		c.path = os.Getenv(envName("config"))
	}
	if c.path == noConfig {
		return "", false
	}
	if c.path != "" {
		return c.path, false
	}
	if _, err := os.Lstat(configName); err == nil {
		return configName, true
	}
	return "", false
}

// plan reads flags, environment and file.
func (c *configured) plan(cmd *cobra.Command, args []string) (*planner, error) {
	p := &planner{fresh: c.fresh, known: settingsOf(c.fresh()), args: args, flags: without(given(cmd), "config", "only", "help")}
	env, strange := environment(p.known, os.Environ())
	p.env = env
	warn := c.s.warner(p.silent())
	for _, text := range strange {
		warn("%s", text)
	}
	path, implicit := c.find()
	if path == "" {
		if _, err := os.Stat("trailseal.yml"); err == nil && c.path == "" {
			warn("trailseal.yml is not read: its name must be %s, or say --config trailseal.yml", configName)
		}
		return p, nil
	}
	file, err := loadConfig(path, p.known)
	if err != nil {
		return p, err
	}
	file.implicit = implicit
	p.file = file
	return p, nil
}

// silent reports whether nothing is to be said besides errors. A file that
// nobody named does not decide about that: it could hide itself.
func (p *planner) silent() bool {
	quiet, _ := strconv.ParseBool(strings.Join(layered(p.flags, p.env)["quiet"].texts, ""))
	return quiet
}

func (c *configured) verify(cmd *cobra.Command, args []string) error {
	p, err := c.plan(cmd, args)
	if err != nil {
		return err
	}
	jobs, err := p.jobs(c.only)
	if err == nil {
		err = p.check(jobs, true)
	}
	if err == nil {
		err = p.trusted(jobs)
	}
	if err != nil {
		return err
	}
	if p.file != nil && p.file.implicit && !p.silent() {
		fmt.Fprintf(c.s.err, "trailseal: settings from %s\n", report.CleanText(p.file.path))
	}
	for _, j := range jobs {
		j.cmd.SetContext(cmd.Context())
	}
	if len(jobs) == 1 {
		return jobs[0].cmd.RunE(jobs[0].cmd, jobs[0].args)
	}
	return c.all(cmd, jobs)
}

// trusted refuses a file that nobody named and that lies in a copy which is to
// be verified: who could change the copy could have written it, to accept
// everything.
func (p *planner) trusted(jobs []*job) error {
	if p.file == nil || !p.file.implicit {
		return nil
	}
	where, err := places(p.file.path)
	if err != nil {
		return fmt.Errorf("looking for the configuration: %w", err)
	}
	for _, j := range jobs {
		for _, source := range j.args {
			if !isS3(source) && inside(where, source) {
				return &hintedError{
					fmt.Errorf("%s lies in the copy %q that is to be verified: whoever changed the copy could have written it", p.file.path, source),
					[]string{"--config " + p.file.path + " takes it all the same, --config " + noConfig + " leaves it out"},
				}
			}
		}
	}
	return nil
}

// places are where a file lies, and where what it leads to lies.
func places(path string) ([]string, error) {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	both := []string{target, filepath.Join(dir, filepath.Base(path))}
	for i := range both {
		if both[i], err = filepath.Abs(both[i]); err != nil {
			return nil, err
		}
		if real, err := filepath.EvalSymlinks(filepath.Dir(both[i])); err == nil {
			both[i] = filepath.Join(real, filepath.Base(both[i]))
		}
	}
	return both, nil
}

// inside reports whether one of the files lies below a directory.
func inside(files []string, dir string) bool {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	for _, file := range files {
		if rel, err := filepath.Rel(dir, file); err == nil && filepath.IsLocal(rel) {
			return true
		}
	}
	return false
}

// all runs one trail after the other. What one ends in does not keep the
// others from being run.
func (c *configured) all(cmd *cobra.Command, jobs []*job) error {
	var ends []string
	codes := map[int]int{}
	said, printed := false, false
	for i, j := range jobs {
		quiet := j.says("quiet") == "true"
		said = said || !quiet
		if cmd.Context().Err() != nil {
			codes[exitUnproven]++
			ends = append(ends, j.name+" not run")
			continue
		}
		if j.onStdout() && printed {
			fmt.Fprintln(c.s.out)
		}
		printed = printed || j.onStdout()
		if !quiet {
			fmt.Fprintf(c.s.err, "trailseal: trail %s (%d of %d)\n", j.name, i+1, len(jobs))
		}
		err := j.cmd.RunE(j.cmd, j.args)
		if err != nil && err.Error() != "" {
			printError(c.s.err, cmd, fmt.Errorf("%s: %w", j.name, err))
		}
		code := exitCode(err)
		codes[code]++
		ends = append(ends, j.name+" "+endWord(code))
	}
	if said {
		fmt.Fprintf(c.s.err, "trailseal: %s\n", strings.Join(ends, ", "))
	}
	if code := worst(codes); code != exitKept {
		return &exitError{code: code}
	}
	return nil
}

// onStdout reports whether a job prints its report as text for people.
func (j *job) onStdout() bool {
	output, format := j.says("output"), j.says("format")
	return (output == "" || output == "-") && format == "text"
}

func endWord(code int) string {
	switch code {
	case exitKept:
		return "kept"
	case exitTampered:
		return "tampered"
	case exitUsage:
		return "not checked"
	}
	return "unproven"
}

// worst is the exit status of several runs: 1 wins over 3 over 0. Where one
// could not begin, that is unproven beside others, and 2 where none could.
func worst(codes map[int]int) int {
	switch {
	case codes[exitTampered] > 0:
		return exitTampered
	case len(codes) == 1 && codes[exitUsage] > 0:
		return exitUsage
	case len(codes) == 1 && codes[exitKept] > 0:
		return exitKept
	}
	return exitUnproven
}

// completeOnly completes the names of the file's trails.
func (c *configured) completeOnly(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	path, _ := c.find()
	file, err := loadConfig(path, settingsOf(c.fresh()))
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, s := range file.trails {
		names = append(names, s.name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
