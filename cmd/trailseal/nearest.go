package main

import "strings"

// nearest is the word that differs least from what was typed, or nothing
// where none is near enough to be meant.
func nearest(typed string, words []string) string {
	typed = strings.ToLower(typed)
	best, least := "", max(2, len(typed)/3)+1
	for _, word := range words {
		if typed != "" && strings.HasPrefix(word, typed) {
			return word
		}
		if d := distance(typed, word); d < least {
			best, least = word, d
		}
	}
	return best
}

// distance counts the letters to insert, delete or replace to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
