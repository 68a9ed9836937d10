package verify

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/digest"
)

const (
	keyA = "arn:aws:kms:eu-west-1:111122223333:key/a"
	keyB = "arn:aws:kms:eu-west-1:111122223333:key/b"
	keyC = "arn:aws:kms:eu-west-1:111122223333:key/c"
)

var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// under is a file that S3 encrypted, delivered so many hours after noon.
func under(key string, hour float64) *File {
	return &File{Kind: "log", sealing: sealing{sse: SSE{"aws:kms", key}, stored: 100, at: noon.Add(time.Duration(hour * float64(time.Hour)))}}
}

// ringOf notes n files under each key, evenly from one hour to the other.
func ringOf(stretches ...any) keyring {
	k := newKeyring()
	for i := 0; i < len(stretches); i += 4 {
		key, n, from, to := stretches[i].(string), stretches[i+1].(int), stretches[i+2].(float64), stretches[i+3].(float64)
		for j := range n {
			k.note(under(key, from+(to-from)*float64(j)/float64(max(n-1, 1))))
		}
	}
	return k
}

// Which files cannot have been encrypted with the trail's own key of their time.
func TestMarkOdd(t *testing.T) {
	for name, c := range map[string]struct {
		ring keyring
		own  string
		want string // keys, and how many of their files are odd
	}{
		"one key":                                {ringOf(keyA, 100, 0., 48.), "", ""},
		"no key":                                 {newKeyring(), "", ""},
		"rotated":                                {ringOf(keyA, 100, 0., 23.9, keyB, 100, 24., 48.), "", ""},
		"rotated, own is the new":                {ringOf(keyA, 100, 0., 23.9, keyB, 90, 24., 48.), keyB, ""},
		"back again":                             {ringOf(keyA, 50, 0., 20., keyB, 10, 21., 25., keyA, 50, 26., 48.), "", keyB + " 10"},
		"back again, own is between":             {ringOf(keyA, 50, 0., 20., keyB, 10, 21., 25., keyA, 50, 26., 48.), keyB, ""},
		"away for days":                          {ringOf(keyA, 500, 0., 48., keyB, 490, 50., 90., keyA, 500, 92., 140.), "", ""},
		"a few among others":                     {ringOf(keyA, 100, 0., 24., keyB, 3, 10., 12.), "", keyB + " 3"},
		"one file":                               {ringOf(keyA, 100, 0., 24., keyB, 1, 10., 10.), "", keyB + " 1"},
		"before all others":                      {ringOf(keyA, 100, 3., 24., keyB, 1, 1.5, 1.5), "", ""},
		"a few, and another key has more later":  {ringOf(keyA, 50, 0., 24., keyC, 500, 25., 72., keyB, 3, 10., 12.), "", keyB + " 3"},
		"a few, and another key has more before": {ringOf(keyC, 500, 0., 24., keyA, 50, 25., 72., keyB, 3, 40., 42.), keyA, keyB + " 3"},
		"most files, and never the trail's own":  {ringOf(keyA, 5, 0., 24., keyB, 500, 6., 18.), keyA, keyB + " 500"},
		"most files, which nothing contradicts":  {ringOf(keyA, 5, 0., 24., keyB, 500, 0., 24.), "", keyA + " 3"},
		"a long silence around it":               {ringOf(keyA, 10, 0., 9., keyB, 1, 30., 30., keyA, 10, 50., 59.), "", ""},
		"own is not seen at all":                 {ringOf(keyA, 50, 0., 24., keyB, 3, 10., 12.), keyC, keyB + " 3"},
		"two strangers":                          {ringOf(keyA, 50, 0., 24., keyB, 3, 10., 12., keyC, 2, 5., 6.), keyA, keyB + " 3 " + keyC + " 2"},
	} {
		c.ring.markOdd(c.own)
		var odd []string
		for key, u := range c.ring.uses {
			if u.odd > 0 {
				odd = append(odd, fmt.Sprint(key, " ", u.odd))
			}
			if u.odd > 0 && (u.usual == "" || u.usual == key || u.oddFirst.Before(u.first.Truncate(time.Hour)) || u.oddLast.After(u.last.Add(time.Hour))) {
				t.Errorf("%s: %+v", name, u)
			}
		}
		slices.Sort(odd)
		if got := strings.Join(odd, " "); got != c.want {
			t.Errorf("%s: odd are %q, want %q", name, got, c.want)
		}
	}
}

// A file counts for each key that it takes to read it.
func TestNote(t *testing.T) {
	k := newKeyring()
	for _, s := range []sealing{
		{sse: SSE{"AES256", ""}, stored: 7, at: noon},
		{sse: SSE{"aws:kms", keyA}, stored: 10, at: noon.Add(time.Hour)},
		{sse: SSE{"aws:kms:dsse", keyA}, stored: 20, at: noon},
		{sse: SSE{"aws:kms", keyA}, envelope: Envelope{Scheme: "s3ec-v2", Key: keyB}, stored: 40, at: noon.Add(2 * time.Hour)},
		{sse: SSE{"aws:kms", keyA}, envelope: Envelope{Scheme: "s3ec-v2", Key: keyA}, stored: 80, at: noon},
		{envelope: Envelope{Scheme: "esdk-v2", Key: keyB}, stored: 160},
		{refused: keyA},
		{refused: keyC, unasked: true, envelope: Envelope{Scheme: "s3ec-v3"}},
		{envelope: Envelope{Scheme: "s3ec-v2"}}, // altered, and the key is not known
	} {
		k.note(&File{Kind: "log", sealing: s})
	}
	k.note(&File{Kind: "digest", sealing: sealing{sse: SSE{"aws:kms", keyA}, at: noon}})
	for key, want := range map[string]keyUse{
		keyA: {files: 6, digests: 1, refused: 1, bytes: 150, asked: true, first: noon, last: noon.Add(2 * time.Hour), how: []string{"aws:kms", "aws:kms:dsse"}},
		keyB: {files: 2, bytes: 200, asked: true, first: noon.Add(2 * time.Hour), last: noon.Add(2 * time.Hour), how: []string{"esdk-v2", "s3ec-v2"}},
		keyC: {files: 1, refused: 1, how: []string{"s3ec-v3"}},
	} {
		if k.uses[key] != nil {
			k.uses[key].hours = nil
		}
		if got := k.uses[key]; got == nil || fmt.Sprintf("%+v", *got) != fmt.Sprintf("%+v", want) {
			t.Errorf("%s:\n%+v, want\n%+v", key, got, want)
		}
	}
	if len(k.uses) != 3 || fmt.Sprint(k.sealed) != "map[esdk-v2:1 s3ec-v2:3 s3ec-v3:1]" {
		t.Errorf("%d keys, sealed %v", len(k.uses), k.sealed)
	}
}

func TestRefusedBy(t *testing.T) {
	denied := &UnreadableError{Reason: KMSDenied, Key: keyA, Err: errors.New("no")}
	unasked := &UnreadableError{Reason: KeyNotAllowed, Key: keyB, Scheme: "esdk-v1", Err: errors.New("no")}
	for _, c := range []struct {
		err  error
		want sealing
	}{
		{denied, sealing{refused: keyA}},
		{fmt.Errorf("wrapped: %w", unasked), sealing{refused: keyB, unasked: true, envelope: Envelope{Scheme: "esdk-v1"}}},
		{&NotFoundError{}, sealing{}},
		{errors.New("odd"), sealing{}},
	} {
		if got := refusedBy(c.err); got != c.want || got.key() != c.want.refused {
			t.Errorf("%v: %+v", c.err, got)
		}
	}
	both := sealing{sse: SSE{"aws:kms", keyA}, envelope: Envelope{Key: keyB}}
	if both.key() != keyB || (sealing{sse: SSE{"aws:kms", keyA}}).key() != keyA || (sealing{}).key() != "" {
		t.Error("the envelope's key matters more than the store's")
	}
}

// merge is the same in any order, and is the same as having seen it all at once.
func TestMergeKeyrings(t *testing.T) {
	parts := func() []keyring {
		a := ringOf(keyA, 100, 0., 24., keyB, 3, 10., 12.)
		a.markOdd("")
		b := ringOf(keyC, 40, -5., 24., keyB, 7, 2., 13.)
		b.markOdd("")
		c := ringOf(keyA, 1, 50., 50.)
		c.note(&File{Kind: "digest", sealing: sealing{refused: keyA, at: noon}})
		c.more = 2
		return []keyring{a, b, c}
	}
	var want string
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}} {
		all := newKeyring()
		for _, i := range order {
			all.merge(parts()[i])
		}
		text := fmt.Sprint(all.more)
		for _, key := range []string{keyA, keyB, keyC} {
			text += fmt.Sprintf("\n%+v", *all.uses[key])
		}
		if want == "" {
			want = text
		}
		if b := all.uses[keyB]; text != want || b.files != 10 || b.odd != 10 || b.usual != keyA || all.uses[keyA].odd != 0 ||
			!b.oddFirst.Equal(noon.Add(2*time.Hour)) || !b.oddLast.Equal(noon.Add(14*time.Hour)) {
			t.Errorf("in order %v:\n%s\nwant\n%s", order, text, want)
		}
	}
}

// Whoever may write to the bucket does not choose how much memory a run takes.
func TestKeysAreBounded(t *testing.T) {
	k, other := newKeyring(), newKeyring()
	for i := range maxKeys + 10 {
		k.note(under(fmt.Sprint("key ", i), float64(i%48)))
		other.note(under(fmt.Sprint("another ", i), 0))
	}
	k.note(under("key 0", 0))
	if len(k.uses) != maxKeys || k.more != 10 || k.uses["key 0"].files != 2 {
		t.Errorf("%d keys and %d more", len(k.uses), k.more)
	}
	k.markOdd("")
	k.merge(other)
	if len(k.uses) != maxKeys || k.more != 10+maxKeys+10 {
		t.Errorf("merged: %d keys and %d more", len(k.uses), k.more)
	}
}

// A digest that nobody signed does not say when its key was in use.
func TestKeyTimesOfDigests(t *testing.T) {
	d := &sight{name: digest.Name{End: noon}, record: &digest.Record{Start: noon.AddDate(-20, 0, 0), End: noon.AddDate(900, 0, 0)},
		sealing: sealing{sse: SSE{"aws:kms", keyA}}}
	k := newKeyring()
	k.note(digestFile(d, rule(Modified, "", WrongLocation)))
	if u := k.uses[keyA]; !u.first.Equal(noon) || !u.last.Equal(noon) || u.digests != 1 {
		t.Errorf("%+v", u)
	}
}
