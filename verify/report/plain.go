package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// wrapAt is where running text turns; lines of names are never broken.
const wrapAt = 96

// painter adds ANSI colours where it is true.
type painter bool

func (p painter) class(c verify.Class, s string) string {
	switch c {
	case verify.Tampering:
		return p.with("1;31", s) // bold red
	case verify.ClassUnproven:
		return p.with("33", s) // yellow
	case verify.Remark:
		return p.with("36", s) // cyan
	}
	return p.with("32", s) // green
}

func (p painter) bold(s string) string { return p.with("1", s) }

func (p painter) with(code, s string) string {
	if !p || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func plural(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

// files counts files of a kind in words: "1 digest", "2,031 log files".
func files(n int, kind string) string {
	if kind == "digest" {
		return thousands(n) + " " + plural(n, "digest", "digests")
	}
	return thousands(n) + " " + plural(n, "log file", "log files")
}

// thousands is a count with commas.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// size is a number of bytes in binary units.
func size(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	x, i := float64(n), 0
	for ; x >= 1024 && i < len(units)-1; i++ {
		x /= 1024
	}
	if i == 0 {
		return strconv.FormatInt(n, 10) + " B"
	}
	return fmt.Sprintf("%.1f %s", x, units[i])
}

// length is a stretch of time in at most two units, rounded down.
func length(d time.Duration) string {
	if d < 0 {
		return "-" + length(-d)
	}
	units := []struct {
		name string
		size time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"min", time.Minute}, {"s", time.Second}}
	for i, u := range units {
		if d < u.size {
			continue
		}
		text := fmt.Sprintf("%d %s", d/u.size, u.name)
		if rest := d % u.size; i+1 < len(units) && rest >= units[i+1].size {
			text += fmt.Sprintf(" %d %s", rest/units[i+1].size, units[i+1].name)
		}
		return text
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}

// wrap breaks running text into lines, each but the first indented.
func wrap(text string, indent int) string {
	var b strings.Builder
	column := indent
	for i, word := range strings.Fields(text) {
		if i > 0 && column+1+len(word) > wrapAt {
			b.WriteString("\n" + strings.Repeat(" ", indent))
			column = indent
		} else if i > 0 {
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}
