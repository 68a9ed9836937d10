package source

import (
	"bytes"
	"context"
	"math/bits"
	"sync"

	"golang.org/x/sync/semaphore"
)

const (
	wholeBytes  = 4 << 20  // a body up to this is read whole before it is used
	budgetBytes = 64 << 20 // of bodies read whole and not used up yet, a store
	leastClass  = 12       // buffers have powers of two, from 4 KiB
)

// A buffer holds a whole body and the reader over it.
type buffer struct {
	bytes.Reader
	b []byte
}

// buffers lends buffers of powers of two, at most budgetBytes of them at once.
type buffers struct {
	pools  [23 - leastClass]sync.Pool
	budget *semaphore.Weighted
}

func newBuffers() *buffers { return &buffers{budget: semaphore.NewWeighted(budgetBytes)} }

func class(n int64) int {
	if n <= 1<<leastClass {
		return 0
	}
	return bits.Len64(uint64(n-1)) - leastClass
}

// lend waits for room and gives a buffer with room for n bytes, n <= wholeBytes.
func (p *buffers) lend(ctx context.Context, n int64) (*buffer, error) {
	c := class(n)
	if err := p.budget.Acquire(ctx, 1<<(c+leastClass)); err != nil {
		return nil, err
	}
	if b, ok := p.pools[c].Get().(*buffer); ok {
		return b, nil
	}
	return &buffer{b: make([]byte, 1<<(c+leastClass))}, nil
}

func (p *buffers) giveBack(b *buffer) {
	c := class(int64(len(b.b)))
	b.Reset(nil)
	p.pools[c].Put(b)
	p.budget.Release(1 << (c + leastClass))
}
