package main

import (
	"fmt"
	"strings"
)

func (p page) markdownName() string { return p.name() + ".md" }

// markdown is the page for docs/commands.
func (p page) markdown() string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "<!-- Made by trailseal docs. Do not edit. -->\n\n# %s\n\n%s.\n", p.title(), markdownText(p.short))
	if p.usage != "" {
		use := p.usage
		if len(p.options) > 0 {
			words := strings.Join(p.words, " ")
			use = words + " [flags]" + strings.TrimPrefix(use, words)
		}
		fmt.Fprintf(b, "\n```text\n%s\n```\n", use)
	}
	if p.long != p.short+"." {
		markdownBlocks(b, blocks(p.long), "text")
	}
	if len(p.options) > 0 {
		b.WriteString("\n## Flags\n\n| flag | says |\n|---|---|\n")
		for _, o := range p.options {
			fmt.Fprintf(b, "| `%s` | %s |\n", strings.ReplaceAll(o.plain(), "|", `\|`), markdownText(o.says()))
		}
	}
	commands, topics := p.parts()
	markdownList(b, "Commands", commands)
	markdownList(b, "Topics", topics)
	if p.example != "" {
		b.WriteString("\n## Examples\n")
		markdownBlocks(b, []block{{strings.Split(strings.Trim(p.example, "\n"), "\n"), true}}, "sh")
	}
	if len(p.above) > 0 {
		fmt.Fprintf(b, "\nBelongs to [%s](%s.md).\n", strings.Join(p.above, " "), strings.Join(p.above, "-"))
	}
	return b.String()
}

// title is what a page is called.
func (p page) title() string {
	if p.usage == "" {
		return p.words[len(p.words)-1]
	}
	return strings.Join(p.words, " ")
}

// parts are the commands below, and the topics.
func (p page) parts() (commands, topics []page) {
	for _, sub := range p.below {
		if sub.usage == "" {
			topics = append(topics, sub)
		} else {
			commands = append(commands, sub)
		}
	}
	return commands, topics
}

// plain is an option as it is typed.
func (o option) plain() string {
	text := "--" + o.name
	if o.short != "" {
		text = "-" + o.short + ", " + text
	}
	if o.value != "" {
		text += " " + o.value
	}
	return text
}

func markdownList(b *strings.Builder, title string, all []page) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n", title)
	for _, p := range all {
		fmt.Fprintf(b, "- [%s](%s): %s\n", p.title(), p.markdownName(), markdownText(p.short))
	}
}

func markdownBlocks(b *strings.Builder, all []block, language string) {
	for _, block := range all {
		if block.plain {
			fmt.Fprintf(b, "\n```%s\n%s\n```\n", language, strings.Join(unindent(block.lines), "\n"))
			continue
		}
		b.WriteByte('\n')
		for _, l := range block.lines {
			b.WriteString(markdownText(l) + "\n")
		}
	}
}

// markdownText escapes what Markdown would take for its own, anywhere in a
// line.
func markdownText(text string) string {
	text = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", `\<`, ">", `\>`, "|", `\|`, "&", `\&`, "~", `\~`).Replace(text)
	if strings.HasPrefix(text, "#") || strings.HasPrefix(text, "- ") || strings.HasPrefix(text, "+ ") {
		return `\` + text
	}
	return text
}
