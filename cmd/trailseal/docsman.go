package main

import (
	"fmt"
	"strings"
)

// manSection is 1 for commands and 7 for topics.
func (p page) manSection() string {
	if p.usage == "" {
		return "7"
	}
	return "1"
}

func (p page) name() string    { return strings.Join(p.words, "-") }
func (p page) manName() string { return p.name() + "." + p.manSection() }

// manDate is when the pages began: a date of today would change them when nothing
// else does, and man(7) wants one.
const manDate = "2026-11-24"

// man is the page in man(7).
func (p page) man() string {
	b := &strings.Builder{}
	fmt.Fprintf(b, ".\\\" Made by trailseal docs. Do not edit.\n.TH %s %s %s trailseal \"trailseal manual\"\n",
		quoted(strings.ToUpper(p.name())), p.manSection(), manDate)
	fmt.Fprintf(b, ".SH NAME\n%s \\- %s\n", roff(p.name()), roff(p.short))
	if p.usage != "" {
		b.WriteString(".SH SYNOPSIS\n" + p.manSynopsis())
	}
	b.WriteString(".SH DESCRIPTION\n")
	manText(b, blocks(p.long))
	if len(p.options) > 0 {
		b.WriteString(".SH OPTIONS\n")
		for _, o := range p.options {
			fmt.Fprintf(b, ".TP\n%s\n%s", o.man(), filled(o.says()))
		}
	}
	if commands, topics := p.parts(); len(commands)+len(topics) > 0 {
		manList(b, "COMMANDS", commands)
		manList(b, "TOPICS", topics)
	}
	if p.example != "" {
		b.WriteString(".SH EXAMPLES\n")
		manText(b, []block{{strings.Split(strings.Trim(p.example, "\n"), "\n"), true}})
	}
	if p.usage != "" {
		b.WriteString(".SH EXIT STATUS\nSee\n.BR trailseal\\-exit\\-codes (7).\n")
	}
	p.manSeeAlso(b)
	return b.String()
}

// manSynopsis is the command in bold, and what follows it.
func (p page) manSynopsis() string {
	text := fmt.Sprintf(".B %s\n", roff(strings.Join(p.words, " ")))
	var rest []string
	if len(p.options) > 0 {
		rest = append(rest, `[\fIoptions\fR]`)
	}
	for _, word := range strings.Fields(strings.TrimPrefix(p.usage, strings.Join(p.words, " "))) {
		rest = append(rest, roff(word))
	}
	if len(rest) > 0 {
		text += strings.Join(rest, " ") + "\n"
	}
	return text
}

// man is an option's line.
func (o option) man() string {
	text := `\fB\-\-` + roff(o.name) + `\fR`
	if o.short != "" {
		text = `\fB\-` + roff(o.short) + `\fR, ` + text
	}
	if o.value != "" {
		text += ` \fI` + roff(o.value) + `\fR`
	}
	return text
}

// says is what an option is for, with its default.
func (o option) says() string {
	if o.initial == "" {
		return o.usage
	}
	return o.usage + " (default " + o.initial + ")"
}

func manList(b *strings.Builder, title string, all []page) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(b, ".SH %s\n", title)
	for _, p := range all {
		fmt.Fprintf(b, ".TP\n.BR %s (%s)\n%s", roff(p.name()), p.manSection(), filled(p.short))
	}
}

func (p page) manSeeAlso(b *strings.Builder) {
	names := []string{".BR trailseal (1)"}
	if len(p.above) == 0 {
		names = nil
	} else if len(p.above) > 1 {
		names = append(names, ".BR "+roff(strings.Join(p.above, "-"))+" (1)")
	}
	for _, sub := range p.below {
		names = append(names, ".BR "+roff(sub.name())+" ("+sub.manSection()+")")
	}
	b.WriteString(".SH SEE ALSO\n" + strings.Join(names, ",\n") + "\n")
}

// manText writes paragraphs, and what is to stay as it is in a block of its
// own.
func manText(b *strings.Builder, all []block) {
	for i, block := range all {
		if i > 0 {
			b.WriteString(".PP\n")
		}
		if !block.plain {
			b.WriteString(filled(strings.Join(block.lines, " ")))
			continue
		}
		b.WriteString(".RS 4\n.nf\n")
		for _, l := range unindent(block.lines) {
			if l == "" {
				b.WriteString(".sp\n")
				continue
			}
			b.WriteString(roffLine(l) + "\n")
		}
		b.WriteString(".fi\n.RE\n")
	}
}

// filled is a paragraph in lines that are not long, with each sentence on a
// line of its own, as roff wants it to see where one ends.
func filled(text string) string {
	var b, line strings.Builder
	end := func() {
		if line.Len() > 0 {
			b.WriteString(roffLine(line.String()) + "\n")
			line.Reset()
		}
	}
	for word := range strings.FieldsSeq(text) {
		if line.Len()+len(word) > 70 {
			end()
		}
		if line.Len() > 0 {
			line.WriteByte(' ')
		}
		line.WriteString(word)
		if strings.HasSuffix(word, ".") {
			end()
		}
	}
	end()
	return b.String()
}

// roff escapes what roff would take for its own, and all that is not ASCII.
func roff(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\\':
			b.WriteString(`\e`)
		case r == '-':
			b.WriteString(`\-`)
		case r == '\'':
			b.WriteString(`\(aq`)
		case r == '`':
			b.WriteString(`\(ga`)
		case r == '^':
			b.WriteString(`\(ha`)
		case r == '~':
			b.WriteString(`\(ti`)
		case r == '"':
			b.WriteString(`\(dq`)
		case r > 126:
			fmt.Fprintf(&b, `\[u%04X]`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// roffLine is a line of text: one that begins with a dot is no request.
func roffLine(text string) string {
	text = roff(text)
	if strings.HasPrefix(text, ".") {
		return `\&` + text
	}
	return text
}

// quoted is an argument of a request.
func quoted(text string) string { return `"` + roff(text) + `"` }
