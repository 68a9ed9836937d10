package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/trailseal/trailseal/verify"
)

// columns are the headings of the chains' table.
var columns = [...]string{"", "ACCOUNT", "REGION", "TRAIL", "DIGESTS", "LOGS", "COVERED", ""}

// rightAligned says which columns hold numbers.
var rightAligned = [...]bool{4: true, 5: true, 6: true, 7: false}

// A table keeps its rows in a spool and only the columns' widths in memory.
// No cell holds a tab or a newline: names have been cleaned.
type table struct {
	rows   spool
	widths [len(columns)]int
}

type row struct {
	class verify.Class
	cells [len(columns)]string
}

func (t *table) add(r row) error {
	for i, cell := range r.cells {
		t.widths[i] = max(t.widths[i], utf8.RuneCountInString(cell), len(columns[i]))
	}
	_, err := fmt.Fprintf(&t.rows, "%d\t%s\n", r.class, strings.Join(r.cells[:], "\t"))
	return err
}

// print writes the table, its headings first.
func (t *table) print(w io.Writer, p painter) error {
	if t.rows.empty() {
		return nil
	}
	rows, err := t.rows.reader()
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return err
	}
	if err := t.printRow(w, p.bold, columns[:]); err != nil {
		return err
	}
	for lines := bufio.NewReader(rows); ; {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the spooled report: %w", err)
		}
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		class := verify.Class(cells[0][0] - '0')
		paint := func(s string) string { return p.class(class, s) }
		if err := t.printRow(w, paint, cells[1:]); err != nil {
			return err
		}
	}
}

// printRow pads the cells to their columns and paints the first.
func (t *table) printRow(w io.Writer, paint func(string) string, cells []string) error {
	var b strings.Builder
	for i, cell := range cells {
		pad := strings.Repeat(" ", t.widths[i]-utf8.RuneCountInString(cell))
		switch {
		case i == 0:
			cell = paint(cell + pad)
		case rightAligned[i]:
			cell = pad + cell
		default:
			cell += pad
		}
		b.WriteString("  " + cell)
	}
	_, err := io.WriteString(w, strings.TrimRight(b.String(), " ")+"\n")
	return err
}

// chainCells is a chain's row.
func chainCells(c verify.Chain) row {
	account, trail := c.Account, Clean(c.Trail)
	if c.Organization != "" {
		account = c.Organization + "/" + account
	}
	if c.HomeRegion != "" && c.HomeRegion != c.Region {
		trail += " (" + Clean(c.HomeRegion) + ")"
	}
	if c.Backfill {
		trail += " [backfill]"
	}
	return row{class: c.Class, cells: [...]string{
		className(c.Class), Clean(account), Clean(c.Region), trail,
		share(c.Digests), share(c.Logs), covered(c.Coverage), troubles(c)}}
}

// chainName is how a chain is called in running text.
func chainName(c verify.ChainRef) string {
	name := strings.TrimSpace(Clean(c.Account) + " " + Clean(c.Region) + " " + Clean(c.Trail))
	if c.Organization != "" {
		name = Clean(c.Organization) + "/" + name
	}
	if c.Backfill {
		name += " [backfill]"
	}
	return name
}

func className(c verify.Class) string {
	switch c {
	case verify.Tampering:
		return "tampered"
	case verify.ClassUnproven:
		return "unproven"
	}
	return "kept"
}

// share is how many of all are kept.
func share(m map[verify.Verdict]int) string {
	all := 0
	for _, n := range m {
		all += n
	}
	return thousands(m[verify.Kept]) + "/" + thousands(all)
}

// covered is how much of the window, as far as its digests are due, kept
// digests speak for. It says 100 % only where that is all of it.
func covered(shares []verify.Share) string {
	var kept, due int64
	for _, s := range shares {
		switch s.State {
		case verify.Verified, verify.VerifiedEmpty:
			kept, due = kept+s.Seconds, due+s.Seconds
		case verify.NotYetDue:
		default:
			due += s.Seconds
		}
	}
	if due == 0 {
		return "-"
	}
	if kept == due {
		return "100%"
	}
	return fmt.Sprintf("%d.%d%%", kept*100/due, kept*1000/due%10)
}

// troubles is what is wrong with a chain, in a few words.
func troubles(c verify.Chain) string {
	var parts []string
	for _, v := range []verify.Verdict{verify.Deleted, verify.Modified, verify.Unreadable,
		verify.Unverified, verify.Unattested, verify.Unreferenced, verify.Pending} {
		if n := c.Digests[v]; n > 0 {
			parts = append(parts, files(n, "digest")+" "+string(v))
		}
		if n := c.Logs[v]; n > 0 {
			parts = append(parts, thousands(n)+" "+plural(n, "log", "logs")+" "+string(v))
		}
	}
	if n := len(c.Gaps); n > 0 {
		parts = append(parts, thousands(n)+" "+plural(n, "gap", "gaps"))
	}
	return strings.Join(parts, ", ")
}
