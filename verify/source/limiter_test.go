package source

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestLimiterClimbsAndFalls(t *testing.T) {
	l := newLimiter(128)
	fill := func() (n int) {
		for l.inFlight < int(l.bound) {
			if l.acquire(context.Background()) != nil {
				t.Fatal("no slot")
			}
			n++
		}
		return n
	}
	fill()
	for range 112 {
		l.release(success)
		fill()
	}
	if l.bound != 128 {
		t.Errorf("112 successes lead from 16 to %v, want 128", l.bound)
	}
	for range 50 { // one burst of refusals counts once
		l.release(overload)
	}
	if l.bound != 128*cutFactor || l.climbing {
		t.Errorf("after a burst of refusals: %v", l.bound)
	}
	l.lastCut = time.Now().Add(-cutEvery)
	l.release(overload)
	if want := 128 * cutFactor * cutFactor; math.Abs(l.bound-want) > 1e-9 {
		t.Errorf("after a second burst: %v, want %v", l.bound, want)
	}
	before := l.bound
	fill()
	for range int(before) + 1 {
		l.release(success)
		fill()
	}
	if l.bound < before+0.9 || l.bound > before+1.1 {
		t.Errorf("a round trip of successes leads from %v to %v, want one more", before, l.bound)
	}
	for range 100 {
		l.lastCut = time.Time{}
		l.cut(time.Now())
	}
	if l.bound != 1 {
		t.Errorf("refusals alone lead to %v, want 1", l.bound)
	}
}

func TestLimiterKeepsAnUntriedBound(t *testing.T) {
	l := newLimiter(128)
	for range 100 {
		l.acquire(context.Background())
		l.release(success)
	}
	if l.bound != firstLimit {
		t.Errorf("one request at a time leads to a bound of %v", l.bound)
	}
}

// TestLimiterQueue: no slot is lost, whether waiters stay or leave.
func TestLimiterQueue(t *testing.T) {
	l := newLimiter(4)
	var inFlight, most atomic.Int64
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
			defer cancel()
			if i%3 == 0 {
				ctx, cancel = context.WithTimeout(ctx, time.Duration(i)*10*time.Microsecond)
				defer cancel()
			}
			if l.acquire(ctx) != nil {
				return
			}
			if n := inFlight.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(100 * time.Microsecond)
			inFlight.Add(-1)
			l.release(success)
		})
	}
	wg.Wait()
	if l.inFlight != 0 || l.waiting.Len() != 0 || most.Load() > 4 {
		t.Errorf("%d in flight and %d waiting in the end, %d at most", l.inFlight, l.waiting.Len(), most.Load())
	}
}

// capped answers so many requests a second and SlowDown to the others.
func capped(rate float64, latency time.Duration) func(http.ResponseWriter, *http.Request, int) bool {
	var mu sync.Mutex
	tokens, last := rate/20, time.Now()
	return func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		mu.Lock()
		now := time.Now()
		tokens, last = min(tokens+now.Sub(last).Seconds()*rate, rate/20), now
		serve := tokens >= 1
		if serve {
			tokens--
		}
		mu.Unlock()
		time.Sleep(latency)
		if !serve {
			refuse(w, 503, "SlowDown", "Please reduce your request rate.")
		}
		return !serve
	}
}

// TestSlowDownStorm: many readers against a small cap; none may fail.
func TestSlowDownStorm(t *testing.T) {
	f := newFake(t)
	f.before = capped(500, time.Millisecond)
	s := f.open(t, func(o *S3Options) { o.Concurrency = 256 })
	ref := f.put("bucket", "k", "data")
	var wg sync.WaitGroup
	for range 256 {
		wg.Go(func() {
			for range 3 {
				if _, _, err := read(s, ref); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// BenchmarkCapped reads from a server that answers 1,500 requests a second
// after 20 ms and refuses the rest: how much of the cap is used, how many
// reads fail. Measured: 97 % and none. The store's own pauses are in force.
func BenchmarkCapped(b *testing.B) {
	const rate, workers = 1500, 256
	f := newFake(b)
	f.before = capped(rate, 20*time.Millisecond)
	s := f.open(b, func(o *S3Options) { o.Concurrency = workers })
	s.retrier.longest = longestPause
	ref := f.put("bucket", "k", strings.Repeat("x", 2000))
	var left, failed atomic.Int64
	left.Store(int64(b.N))
	b.ResetTimer()
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if _, _, err := read(s, ref); err != nil {
					failed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	perSecond := float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(100*perSecond/rate, "%cap")
	b.ReportMetric(float64(failed.Load()), "failed")
	b.ReportMetric(float64(s.Requests()["retry"])/float64(b.N), "retries/read")
}

// BenchmarkRead measures one small object over loopback HTTP.
func BenchmarkRead(b *testing.B) {
	for _, size := range []int{2 << 10, 20 << 10, 200 << 10} {
		b.Run(fmt.Sprint(size>>10, "KiB"), func(b *testing.B) {
			f := newFake(b)
			f.unsigned = true
			s := f.open(b)
			ref := f.put("bucket", "k", strings.Repeat("x", size))
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, _, err := read(s, ref); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
