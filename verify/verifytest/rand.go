package verifytest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"time"
)

// stream gives random numbers that depend on the labels and on nothing else,
// so that adding a damage or a region leaves the rest of a world as it was.
func stream(labels ...any) *rand.Rand { return rand.New(source(labels...)) }

func source(labels ...any) *rand.ChaCha8 {
	h := sha256.New()
	for _, l := range labels {
		fmt.Fprintf(h, "%v\x00", l)
	}
	return rand.NewChaCha8([32]byte(h.Sum(nil)))
}

// between is a whole number of seconds from a to b, both included.
func between(r *rand.Rand, a, b time.Duration) time.Duration {
	return a + time.Duration(r.Int64N(int64((b-a)/time.Second)+1))*time.Second
}

const (
	letters  = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
)

// draw fills b with characters of the alphabet.
func draw(r *rand.Rand, alphabet string, b []byte) {
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
}

// logID is the 16 characters that end a log file's name.
func logID(r *rand.Rand) (id [16]byte) {
	draw(r, letters, id[:])
	return id
}

// token is a word of n capital letters and digits, such as AWS ids end in.
func token(r *rand.Rand, n int) string {
	b := make([]byte, n)
	draw(r, capitals, b)
	return string(b)
}

// appendUUID appends a random version 4 UUID.
func appendUUID(b []byte, r *rand.Rand) []byte {
	var raw [16]byte
	for i := range raw {
		raw[i] = byte(r.Uint32())
	}
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	for i, part := range [][]byte{raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:]} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, part)
	}
	return b
}
