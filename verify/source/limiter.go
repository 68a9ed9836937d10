package source

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// Figures of the limiter, measured against servers that answer a fixed rate.
const (
	firstLimit   = 16
	cutFactor    = 0.7
	cutEvery     = 250 * time.Millisecond // several refusals of one burst count once
	defaultLimit = 128
)

// A limiter bounds the requests in flight of one store and finds the bound
// itself: up by one a success until the service first asks for less, from
// then on up by one a round trip and down by 30 % (AIMD).
type limiter struct {
	mu       sync.Mutex
	bound    float64
	most     float64
	inFlight int
	climbing bool // nothing was refused yet
	lastCut  time.Time
	waiting  list.List // of chan struct{}, first come first served
}

func newLimiter(most int) *limiter {
	if most <= 0 {
		most = defaultLimit
	}
	return &limiter{bound: min(firstLimit, float64(most)), most: float64(most), climbing: true}
}

// outcome is what a finished request says about the load.
type outcome int

const (
	neutral outcome = iota
	success
	overload
)

// acquire waits for a free slot. The error is the context's.
func (l *limiter) acquire(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	if l.inFlight < int(l.bound) && l.waiting.Len() == 0 {
		l.inFlight++
		l.mu.Unlock()
		return nil
	}
	ready := make(chan struct{})
	place := l.waiting.PushBack(ready)
	l.mu.Unlock()
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
		l.leave(place, ready)
		return ctx.Err()
	}
}

// leave gives up a place in the queue, or the slot that came meanwhile.
func (l *limiter) leave(place *list.Element, ready chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-ready:
		l.inFlight--
		l.wake()
	default:
		l.waiting.Remove(place)
	}
}

// release gives a slot back.
func (l *limiter) release(o outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	busy := l.waiting.Len() > 0 || float64(l.inFlight) > l.bound/2
	l.inFlight--
	switch {
	case o == overload:
		l.cut(time.Now())
	case o == success && busy: // a bound that nobody reaches has not been tried
		step := 1.0
		if !l.climbing {
			step = 1 / l.bound
		}
		l.bound = min(l.bound+step, l.most)
	}
	l.wake()
}

func (l *limiter) cut(now time.Time) {
	l.climbing = false
	if now.Sub(l.lastCut) >= cutEvery {
		l.lastCut = now
		l.bound = max(l.bound*cutFactor, 1)
	}
}

func (l *limiter) wake() {
	for l.waiting.Len() > 0 && l.inFlight < int(l.bound) {
		l.inFlight++
		close(l.waiting.Remove(l.waiting.Front()).(chan struct{}))
	}
}

// A slot is one request's leave to be in flight; only the first release counts.
type slot struct{ limiter *limiter }

func (s *slot) release(o outcome) {
	if s.limiter != nil {
		s.limiter.release(o)
		s.limiter = nil
	}
}
