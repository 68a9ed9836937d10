package main

import (
	"io"
	"os"
	"slices"
	"strings"
)

// isTerminal reports whether a stream ends in a terminal, or something very
// like one: a character device that is not the null device.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

// useColor decides about colours: what --color says, else only for a terminal
// that is not dumb, and never when NO_COLOR is set.
func useColor(when string, w io.Writer, getenv func(string) string) bool {
	switch when {
	case "always":
		return true
	case "never":
		return false
	}
	return getenv("NO_COLOR") == "" && getenv("TERM") != "dumb" && isTerminal(w)
}

// oneOf checks a flag that takes one of a few words.
func oneOf(flag, value string, words ...string) error {
	if slices.Contains(words, value) {
		return nil
	}
	return suggest(usagef("%s does not take %q: want %s", flag, value, strings.Join(words, ", ")), value, words)
}
