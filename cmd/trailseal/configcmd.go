package main

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/trailseal/trailseal/verify/report"
)

const configLong = `Look at the configuration of trailseal verify: a file in YAML, and the environment.
trailseal help configuration says how they are written.`

const configCheckLong = `Read a configuration file and say everything that is wrong with it, a line each:
FILE:LINE:COLUMN: what. Nothing is verified, and AWS is not asked.

FILE is by default what trailseal verify would read: $TRAILSEAL_CONFIG, else trailseal.yaml in the
working directory.

Exit status: 0 nothing is wrong, 2 something is, or there is no file.`

const configShowLong = `Print what trailseal verify would be run with, and where each setting comes from: a
flag, a variable of the environment, a line of the file, or the default. It takes verify's
arguments and flags. What it prints is a configuration file itself.`

func newConfig(s streams, fresh func(streams) *cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config",
		Short:   "Configuration: check it, show what holds",
		Long:    configLong,
		Example: "  trailseal config check\n  trailseal config show",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	make := func() *configured {
		return &configured{s: s, fresh: func() *cobra.Command { return fresh(s) }}
	}
	cmd.AddCommand(newConfigCheck(make()), newConfigShow(make()))
	return cmd
}

func newConfigCheck(c *configured) *cobra.Command {
	return &cobra.Command{
		Use:     "check [FILE]",
		Short:   "Say what is wrong with a configuration file",
		Long:    configCheckLong,
		Example: "  trailseal config check\n  trailseal config check /etc/trailseal.yaml",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("config check takes one FILE, got %d: %q", len(args), args)
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(_ *cobra.Command, args []string) error {
			c.path = strings.Join(args, "")
			return c.check()
		},
	}
}

// check is config check.
func (c *configured) check() error {
	path, _ := c.find()
	if path == "" {
		return usagef("there is no configuration file: name one, or set %s, or have %s here", envName("config"), configName)
	}
	known := settingsOf(c.fresh())
	text, err := readConfig(path)
	if err != nil {
		return err
	}
	file, wrong := parseConfig(path, text, known)
	p := &planner{fresh: c.fresh, known: known, file: file}
	jobs := []*job{p.job(section{at: place{1, 1}}, nil, file.top.values)}
	for _, s := range file.trails {
		jobs = append(jobs, p.job(s, nil, s.values, file.top.values))
	}
	if err := p.checkInto(wrong, jobs, false); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.s.out, "%s is in order: %s\n", report.CleanText(path), file.summary())
	return err
}

// summary says what a file has.
func (f *configFile) summary() string {
	text := counted(len(f.top.values), "setting")
	if !f.hasTrails {
		return text + ", no trails"
	}
	var names []string
	for _, s := range f.trails {
		names = append(names, s.name)
	}
	return text + " for all, " + counted(len(names), "trail") + ": " + strings.Join(names, ", ")
}

func newConfigShow(c *configured) *cobra.Command {
	cmd := c.command()
	cmd.Use = "show [SOURCE]"
	cmd.Short = "Show what verify would be run with, and from where"
	cmd.Long = configShowLong
	cmd.Example = "  trailseal config show\n  TRAILSEAL_START=7d trailseal config show --only payments --format json"
	cmd.RunE = c.show
	return cmd
}

// show is config show.
func (c *configured) show(cmd *cobra.Command, args []string) error {
	p, err := c.plan(cmd, args)
	if err != nil {
		return err
	}
	jobs, err := p.jobs(c.only)
	if err == nil {
		err = p.check(jobs, false)
	}
	if err == nil && len(args) == 0 {
		err = p.trusted(jobs)
	}
	if err != nil {
		return err
	}
	return p.print(c.s.out, jobs)
}

// print writes the settings of each job as a configuration.
func (p *planner) print(w io.Writer, jobs []*job) error {
	var b strings.Builder
	name := "no configuration file"
	if p.file != nil {
		name = p.file.path
	}
	fmt.Fprintf(&b, "# %s\n", report.CleanText(name))
	indent := ""
	for i, j := range jobs {
		if j.name != "" {
			if i == 0 {
				b.WriteString("trails:\n")
			}
			line(&b, "  - ", "name: "+j.name, fmt.Sprintf("%s:%d:%d", p.file.path, j.at.line, j.at.column))
			indent = "    "
		}
		p.printJob(&b, indent, j)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (p *planner) printJob(b *strings.Builder, indent string, j *job) {
	if len(j.args) > 0 {
		from := "argument"
		if v, ok := j.values[sourceSetting]; ok && v.texts[0] == j.args[0] {
			from = v.origin()
		}
		line(b, indent, sourceSetting+": "+scalar(j.args[0]), from)
	}
	for _, s := range p.known {
		v, ok := j.values[s.name]
		if !ok {
			v = value{from: origin{kind: fromDefault}, texts: texts(j.cmd.Flags().Lookup(s.name).Value)}
		}
		if s.name == "trail" && (len(j.args) > 0 || strings.Join(v.texts, "") == "") {
			continue // it would stand beside the source
		}
		line(b, indent, s.name+": "+s.written(v.texts), v.origin())
	}
}

// line writes a setting with its origin beside it.
func line(b *strings.Builder, indent, text, from string) {
	fmt.Fprintf(b, "%-50s # %s\n", indent+text, report.CleanText(from))
}

// origin says where a value is from.
func (v value) origin() string {
	switch v.from.kind {
	case fromFile:
		return fmt.Sprintf("%s:%d:%d", v.from.name, v.key.line, v.key.column)
	case fromDefault:
		return "default"
	}
	return v.from.name
}

// written is a value as a configuration file has it.
func (s setting) written(texts []string) string {
	if s.list {
		var all []string
		for _, t := range texts {
			all = append(all, scalar(t))
		}
		return "[" + strings.Join(all, ", ") + "]"
	}
	if s.kind == "bool" {
		return strings.Join(texts, "")
	}
	return scalar(strings.Join(texts, ""))
}

var (
	bare    = regexp.MustCompile(`^[A-Za-z0-9/.][A-Za-z0-9/._:+=@-]*$`)
	special = regexp.MustCompile(`(?i)^(null|true|false|~)$|:$`)
)

// scalar writes a text so that YAML reads the same.
func scalar(text string) string {
	if bare.MatchString(text) && !special.MatchString(text) {
		return text
	}
	return strconv.Quote(text)
}

const configurationLong = `trailseal verify takes its settings from flags, else from the environment, else from a file,
else from defaults. A list replaces the list of what it wins over.

The file is the one that --config names, else $TRAILSEAL_CONFIG, else trailseal.yaml in the working
directory where there is one, which is said on standard error. --config none reads no file. A
trailseal.yaml that lies in the copy to be verified is refused unless it is named, for whoever
changed the copy could have written it.

The file is YAML. Its keys are the names of verify's flags, source (for SOURCE), and trails: a list
of what to verify, each with a name, a source or a trail, and settings of its own.

  format: json
  accept: [gap]
  trails:
    - name: payments
      source: s3://payments-trail-bucket
      start: 25h
      output: payments.json
    - name: everyone
      trail: arn:aws:cloudtrail:eu-west-1:111122223333:trail/everyone
      fail-on: [unreferenced]
      output: everyone.json

trailseal verify without SOURCE verifies them one after the other, --only NAME some of them, and
with a SOURCE only that. The exit status is the worst: 1 wins over 3 over 0; one that could not
begin counts as 3 beside others. It is 2 where the configuration is wrong: then nothing is run.

trailseal config check says what is wrong, with line and column; trailseal config show prints what
holds, and where it comes from.`
