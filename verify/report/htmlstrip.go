package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	stripHeight = 16
	maxTitles   = 24 // more runs than that have no pop-up text of their own
	maxSpoken   = 4  // runs that a screen reader is told of
)

// strip draws a row of cells: a path for each kind of mark, the letters on top.
func (g htmlGrid) strip(cells []mark) markup {
	runs := runsOf(cells)
	shapes := map[mark]string{}
	for _, r := range runs {
		if r.mark != markNone {
			shapes[r.mark] += g.shape(r)
		}
	}
	var b strings.Builder
	b.WriteString(string(fillIn(`<svg class="s" role="img" width="{}" height="{}" viewBox="0 0 {} {}" aria-label="{}">`,
		g.width(), stripHeight, g.width(), stripHeight, g.spoken(runs))))
	for m := range htmlMarks {
		if d := shapes[mark(m)]; d != "" {
			b.WriteString(string(fillIn(`<path class="{}" d="{}"/>`, htmlMarks[m].class, d)))
		}
	}
	if g.px >= 7 { // lines between cells
		b.WriteString(string(fillIn(`<path class="g" d="M{} 0v16{}"/>`, g.px, strings.Repeat(fmt.Sprintf("m%d-16v16", g.px), max(g.n-2, 0)))))
	}
	b.WriteString(string(g.letters(runs)))
	b.WriteString(string(g.titles(runs)))
	b.WriteString("</svg>")
	return markup(b.String()) // of parts that fillIn made
}

// shape is a run's outline. Time without a digest is hollow, and time that is not
// due is a line.
func (g htmlGrid) shape(r htmlRun) string {
	x, w := r.from*g.px, (r.to-r.from)*g.px
	switch r.mark {
	case markNotDue:
		return fmt.Sprintf("M%d 8.5h%d", x+1, w-2)
	case markGap:
		return fmt.Sprintf("M%d.5 1.5h%dv13h-%dz", x, w-1, w-1)
	case markBackfill:
		return fmt.Sprintf("M%d 6h%dv4h-%dz", x, w, w)
	}
	return fmt.Sprintf("M%d 0h%dv16h-%dz", x, w, w)
}

// letters are the marks' letters: one a run, in its first column, and at its
// end again where it is long.
func (g htmlGrid) letters(runs []htmlRun) markup {
	at, text := map[markup][]string{}, map[markup]string{}
	add := func(m mark, column int) {
		style := htmlMarks[m].class
		half := column*g.px*2 + g.px // middle, doubled
		at[style] = append(at[style], strconv.FormatFloat(float64(half)/2, 'f', -1, 64))
		text[style] += string(htmlMarks[m].letter)
	}
	for _, r := range runs {
		if htmlMarks[r.mark].letter == "" {
			continue
		}
		add(r.mark, r.from)
		if r.to-r.from > 1 {
			add(r.mark, r.to-1)
		}
	}
	out := markup("")
	for _, style := range []markup{"ns", "re", "un", "ga", "ta", "de"} {
		if text[style] != "" {
			out += fillIn(`<text class="{}" x="{}" y="12">{}</text>`, style, strings.Join(at[style], " "), text[style])
		}
	}
	return out
}

// titles pop up over what is wrong.
func (g htmlGrid) titles(runs []htmlRun) markup {
	wrong := slices.DeleteFunc(slices.Clone(runs), func(r htmlRun) bool { return r.mark <= markNotDue })
	if len(wrong) > maxTitles {
		return ""
	}
	out := markup("")
	for _, r := range wrong {
		out += fillIn(`<path class="p" d="M{} 0h{}v16h-{}z"><title>{}</title></path>`, r.from*g.px, (r.to-r.from)*g.px, (r.to-r.from)*g.px, g.says(r))
	}
	return out
}

// says is a run in words.
func (g htmlGrid) says(r htmlRun) string {
	text := string(htmlMarks[r.mark].word) + " " + g.label(r.from)
	if r.to-r.from > 1 {
		text += " to " + g.label(r.to-1)
	}
	return text
}

// spoken is a row in words, for those who do not see it.
func (g htmlGrid) spoken(runs []htmlRun) string {
	var parts []string
	wrong := 0
	for _, r := range runs {
		if r.mark == markNone || r.mark == markVerified || r.mark == markNotDue {
			continue
		}
		if wrong++; wrong <= maxSpoken {
			parts = append(parts, g.says(r))
		}
	}
	switch {
	case wrong == 0 && slices.ContainsFunc(runs, func(r htmlRun) bool { return r.mark == markVerified }):
		return "verified throughout"
	case wrong == 0:
		return "nothing due"
	case wrong > maxSpoken:
		parts = append(parts, fmt.Sprintf("and %d more", wrong-maxSpoken))
	}
	return strings.Join(parts, ", ")
}

// axis draws the dates above the rows.
func (g htmlGrid) axis() markup {
	every := max((76+g.px-1)/g.px, 1)
	out := markup("")
	for column, free := 0, 0; column < g.n; column++ {
		hour := g.from + int64(column)
		text := strings.TrimSuffix(g.label(column), " 00h")
		switch {
		case g.step == 1 && column > 0 && hour%6 != 0:
			continue
		case g.clock || g.step == 1 && column > 0 && hour%24 != 0:
			text = fmt.Sprintf("%02d", floorMod(hour, 24))
		case g.step > 1 && column%every != 0:
			continue
		}
		x := column * g.px
		if x < free || x+len(text)*6 > g.width()+24 {
			continue
		}
		free = x + len(text)*7 + 6
		out += fillIn(`<path d="M{}.5 12v4"/><text x="{}" y="10">{}</text>`, x, x, text)
	}
	return fillIn(`<svg class="s a" role="presentation" width="{}" height="16" viewBox="0 0 {} 16">{}</svg>`, g.width(), g.width(), out)
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }
