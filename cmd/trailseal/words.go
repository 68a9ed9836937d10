package main

import (
	"slices"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// checkPolicy refuses words that --accept and --fail-on do not know, and a
// word that is in both.
func checkPolicy(p verify.Policy) error {
	known := verify.Words()
	for _, word := range slices.Concat(p.Accept, p.FailOn) {
		if !slices.Contains(known, word) {
			return suggest(usagef("--accept and --fail-on do not know the word %q", word), word, known).
				hint("trailseal help exit-codes lists the words")
		}
	}
	for _, word := range p.Accept {
		if slices.Contains(p.FailOn, word) {
			return usagef("%q is in both --accept and --fail-on", word)
		}
	}
	return nil
}

// wordList is every word of --accept and --fail-on, for help.
func wordList() string {
	var b strings.Builder
	column := 0
	for _, word := range verify.Words() {
		if column == 0 || column+2+len(word) > 90 {
			if column > 0 {
				b.WriteByte('\n')
			}
			b.WriteString("  " + word)
			column = 2 + len(word)
			continue
		}
		b.WriteString("  " + word)
		column += 2 + len(word)
	}
	return b.String()
}
