package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	tables "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
)

// summaryLimit is how much GitHub takes of a step summary, in bytes.
const summaryLimit = 1 << 20

// mentioning is what GitHub makes links of after Markdown is done with it.
var mentioning = regexp.MustCompile(`(^|\W)@\w|(^|\s)#\d|https?://|www\.`)

// markdownReport has goldmark read a report as GitHub would: no name may have become
// markup, and each table must have its columns in every row.
func markdownReport(path string) error {
	source, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if len(source) > summaryLimit {
		return fmt.Errorf("%d bytes", len(source))
	}
	root := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(source))
	rows, headings := 0, 0
	err = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.HTMLBlock, *ast.RawHTML, *ast.Link, *ast.Image, *ast.AutoLink, *ast.FencedCodeBlock, *ast.CodeBlock,
			*ast.Blockquote, *ast.ThematicBreak, *tables.TaskCheckBox, *tables.Strikethrough:
			return ast.WalkStop, fmt.Errorf("a name has become a %s: %s", n.Kind(), around(n, source))
		case *ast.Heading:
			headings++
		case *tables.Table:
			rows++ // the line of dashes
			return ast.WalkContinue, wholeTable(n)
		case *tables.TableRow, *tables.TableHeader:
			rows++
		case *ast.Text:
			if _, code := n.Parent().(*ast.CodeSpan); !code && mentioning.Match(n.Segment.Value(source)) {
				return ast.WalkStop, fmt.Errorf("GitHub makes a link of %s", n.Segment.Value(source))
			}
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		return err
	}
	lines, titles := 0, 0
	for line := range strings.Lines(string(source)) {
		if strings.HasPrefix(line, "|") {
			lines++
		}
		if strings.HasPrefix(line, "#") {
			titles++
		}
	}
	if rows != lines || headings != titles || headings == 0 {
		return fmt.Errorf("%d lines of tables are %d, %d titles are %d", lines, rows, titles, headings)
	}
	return nil
}

// wholeTable reports a row without its columns. goldmark fills up short rows,
// which then end in empty cells that have no place in the source.
func wholeTable(table *tables.Table) error {
	columns := len(table.Alignments)
	for row := table.FirstChild(); row != nil; row = row.NextSibling() {
		if row.ChildCount() != columns {
			return fmt.Errorf("a row of %d cells in a table of %d", row.ChildCount(), columns)
		}
		if cell := row.LastChild(); cell == nil {
			return errors.New("a row without cells")
		}
	}
	return nil
}

func around(n ast.Node, source []byte) string {
	for ; n != nil; n = n.Parent() {
		if n.Type() == ast.TypeBlock && n.Lines().Len() > 0 {
			return string(n.Lines().Value(source))
		}
	}
	return "?"
}
