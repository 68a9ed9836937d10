package bundle

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
)

// What is framed by hand is what zstd's own decoder makes of it.
func TestFrames(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, path := range []string{"a", strings.Repeat("p/", 300)} {
		for _, n := range []int{0, 1, 255, 256, 511, 512, mostBlock - 1, mostBlock, mostBlock + 1, 3*mostBlock + 5, wholeBytes} {
			entry, err := header(path, int64(n))
			if err != nil {
				t.Fatal(err)
			}
			head := len(entry)
			for range n {
				entry = append(entry, byte(random.Uint32()))
			}
			entry = appendPadding(entry, int64(n))
			frame := appendFrame(nil, entry, head, int64(n))
			got, err := decoder().DecodeAll(frame, nil)
			if err != nil || !bytes.Equal(got, entry) {
				t.Errorf("%d bytes: %d come of it, %v", n, len(got), err)
			}
			if more := len(frame) - n; more > 400+len(path)+n/mostBlock*3 {
				t.Errorf("%d bytes take %d more", n, more)
			}
		}
	}
}

func TestSparse(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		var entry []byte
		for range random.IntN(6) {
			entry = append(entry, bytes.Repeat([]byte{byte(random.IntN(2))}, random.IntN(40))...)
		}
		frame := appendFrame(nil, entry, len(entry), 0)
		if got, err := decoder().DecodeAll(frame, nil); err != nil || !bytes.Equal(got, entry) {
			t.Fatalf("%d: %d %v", entry, got, err)
		}
	}
}
