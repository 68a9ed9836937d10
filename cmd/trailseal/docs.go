package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

const docsLong = `Write a man page and a page in Markdown for each command and topic, made from the commands
themselves.`

// newDocs writes the pages that the repository holds.
func newDocs() *cobra.Command {
	var man, markdown string
	cmd := &cobra.Command{
		Use:     "docs",
		Hidden:  true,
		Short:   "Write the man pages and docs/commands",
		Long:    docsLong,
		Example: "  trailseal docs --man docs/man --markdown docs/commands",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if man == "" && markdown == "" {
				return usagef("docs wants --man, --markdown, or both")
			}
			all := pages(cmd.Root())
			if err := writePages(man, all, page.manName, page.man); err != nil {
				return err
			}
			return writePages(markdown, all, page.markdownName, page.markdown)
		},
	}
	cmd.Flags().StringVar(&man, "man", "", "write man pages into this `directory`")
	cmd.Flags().StringVar(&markdown, "markdown", "", "write Markdown into this `directory`")
	_ = cmd.MarkFlagDirname("man")
	_ = cmd.MarkFlagDirname("markdown")
	return cmd
}

func writePages(dir string, all []page, name, text func(page) string) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("writing pages: %w", err)
	}
	for _, p := range all {
		if err := os.WriteFile(filepath.Join(dir, name(p)), []byte(text(p)), 0o666); err != nil {
			return fmt.Errorf("writing pages: %w", err)
		}
	}
	return nil
}

// A page is what there is to say of a command, or of a topic.
type page struct {
	words   []string // trailseal, kms, check
	short   string
	usage   string // empty: a topic
	long    string
	example string
	options []option
	below   []page
	above   []string // words of the command that it belongs to
}

// An option is a flag as help shows it.
type option struct {
	name, short, value, usage, initial string
}

// pages are the pages of a command and of all below it.
func pages(cmd *cobra.Command) []page {
	p := pageOf(cmd)
	all := []page{}
	for _, sub := range cmd.Commands() {
		if sub.Hidden || sub.Name() == "help" {
			continue
		}
		p.below = append(p.below, pageOf(sub))
		all = append(all, pages(sub)...)
	}
	return append([]page{p}, all...)
}

func pageOf(cmd *cobra.Command) page {
	p := page{words: strings.Fields(cmd.CommandPath()), short: cmd.Short, long: cmd.Long, example: cmd.Example}
	if p.long == "" {
		p.long = cmd.Short + "."
	}
	if cmd.HasParent() {
		p.above = strings.Fields(cmd.Parent().CommandPath())
	}
	if !cmd.Runnable() {
		return p
	}
	p.options = options(cmd)
	p.usage = strings.TrimSuffix(cmd.UseLine(), " [flags]")
	if cmd.HasSubCommands() {
		p.usage += " COMMAND"
	}
	return p
}

// options are the flags of a command, but for --help.
func options(cmd *cobra.Command) []option {
	var all []option
	for _, f := range each(cmd.Flags().VisitAll) {
		if f.Hidden || f.Name == "help" {
			continue
		}
		o := option{name: f.Name, short: f.Shorthand, usage: f.Usage, value: f.Value.Type()}
		if before, rest, ok := strings.Cut(f.Usage, "`"); ok {
			name, after, _ := strings.Cut(rest, "`")
			o.value, o.usage = name, before+name+after
		}
		switch f.Value.Type() {
		case "bool":
			o.value = ""
		case "stringArray", "stringSlice":
			o.value = strings.TrimSuffix(strings.Replace(o.value, "stringArray", "string", 1), "Slice")
		}
		if zero := []string{"", "0", "false", "[]"}; !slices.Contains(zero, f.DefValue) {
			o.initial = f.DefValue
		}
		all = append(all, o)
	}
	return all
}

// A block is a paragraph, or lines that are to stay as they are.
type block struct {
	lines []string
	plain bool
}

// blocks takes a text of help apart. Lines that begin with two spaces stay as
// they are, and so do the lines of a list of commands.
func blocks(text string) []block {
	var all []block
	for line := range strings.SplitSeq(strings.Trim(text, "\n"), "\n") {
		plain := strings.HasPrefix(line, "  ") || listed(line)
		last := len(all) - 1
		switch {
		case strings.TrimSpace(line) == "":
			all = append(all, block{})
		case last >= 0 && (all[last].plain == plain && len(all[last].lines) > 0):
			all[last].lines = append(all[last].lines, line)
		default:
			all = append(all, block{[]string{line}, plain})
		}
	}
	all = slices.DeleteFunc(all, func(b block) bool { return len(b.lines) == 0 })
	var joined []block // plain ones that only an empty line parts
	for _, b := range all {
		if last := len(joined) - 1; last >= 0 && b.plain && joined[last].plain {
			joined[last].lines = append(append(joined[last].lines, ""), b.lines...)
			continue
		}
		joined = append(joined, b)
	}
	return joined
}

// listed reports whether a line is one of a table: words, a wide gap, words.
func listed(line string) bool {
	return strings.Contains(strings.TrimSpace(line), "  ")
}

// unindent takes away what all lines are indented by.
func unindent(lines []string) []string {
	least := -1
	for _, l := range lines {
		if n := len(l) - len(strings.TrimLeft(l, " ")); strings.TrimSpace(l) != "" && (least < 0 || n < least) {
			least = n
		}
	}
	cut := make([]string, len(lines))
	for i, l := range lines {
		cut[i] = strings.TrimRight(l[min(max(least, 0), len(l)):], " ")
	}
	return cut
}
