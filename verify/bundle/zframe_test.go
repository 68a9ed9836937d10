package bundle

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func TestRawFrames(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 255, 256, rawBlock - 1, rawBlock, rawBlock + 1, 3*rawBlock + 5, wholeBytes + 511} {
		p := make([]byte, n)
		for i := range p {
			p[i] = byte(random.Uint32())
		}
		frames := appendRaw(encoder().EncodeAll([]byte("a header"), nil), p)
		got, err := decoder().DecodeAll(frames, nil)
		if err != nil || !bytes.Equal(got, append([]byte("a header"), p...)) {
			t.Errorf("%d bytes: %d come of it, %v", n, len(got), err)
		}
	}
}
