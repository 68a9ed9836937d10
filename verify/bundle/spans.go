package bundle

import (
	"slices"
	"strings"
)

// A span is a part of a bucket's keys in byte order: from the first to, but not
// including, the last. An empty end is none.
type span struct {
	From string `json:"from"`
	To   string `json:"to,omitempty"`
}

// spans are parts of a bucket's keys, in order, that neither touch nor overlap.
type spans []span

// add takes in one more part.
func (s *spans) add(from, to string) {
	if to != "" && from >= to {
		return
	}
	all := *s
	first, _ := slices.BinarySearchFunc(all, from, func(p span, from string) int {
		if p.To == "" || p.To >= from {
			return 1
		}
		return -1
	})
	last := first
	for ; last < len(all) && (to == "" || all[last].From <= to); last++ {
		from = min(from, all[last].From)
		if to != "" && (all[last].To == "" || all[last].To > to) {
			to = all[last].To
		}
	}
	*s = slices.Replace(all, first, last, span{from, to})
}

// reach is how far from a key on the parts go without a break. It is false where
// the key is in none of them.
func (s spans) reach(key string) (to string, ok bool) {
	i, _ := slices.BinarySearchFunc(s, key, func(p span, key string) int {
		if p.To == "" || p.To > key {
			return 1
		}
		return -1
	})
	if i == len(s) || s[i].From > key {
		return "", false
	}
	return s[i].To, true
}

// beyond is the first key after a key.
func beyond(key string) string { return key + "\x00" }

// bounds are what a listing of a prefix covers, see verify.Store.List. It is
// false where that is nothing.
func bounds(prefix, after, until string) (from, to string, some bool) {
	from, to = prefix, past(prefix)
	if after != "" && beyond(after) > from {
		from = beyond(after)
	}
	if until != "" && (to == "" || until < to) {
		to = until
	}
	return from, to, to == "" || from < to
}

// past is the first key after all that begin with a prefix; empty where there is none.
func past(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			return prefix[:i] + string([]byte{prefix[i] + 1})
		}
	}
	return ""
}

// longestKey is how long a key in S3 may be, in bytes.
const longestKey = 1024

// before is a key such that no shorter or equally long one than S3 allows lies
// between it and the given one.
func before(key string) string {
	if key == "" {
		return ""
	}
	if after, ok := strings.CutSuffix(key, "\x00"); ok {
		return after
	}
	n := len(key) - 1
	return key[:n] + string([]byte{key[n] - 1}) + strings.Repeat("\xff", max(0, longestKey-n-1))
}

// earlier reports whether an end comes before another, of which an empty one is none.
func earlier(a, b string) bool { return a != "" && (b == "" || a < b) }
