package verify

import (
	"context"
	"iter"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/semaphore"
)

func numbers(n int) source[int] {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return values(all)
}

func TestOrderedKeepsOrderAndBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := semaphore.NewWeighted(5)
		var busy, most atomic.Int64
		work := func(_ context.Context, i int) int {
			most.Store(max(most.Load(), busy.Add(1)))
			time.Sleep(time.Duration(rand.IntN(50)) * time.Millisecond)
			busy.Add(-1)
			return i * i
		}
		got := slices.Collect(ordered(t.Context(), slots, 20, numbers(200), work))
		for i, v := range got {
			if v != i*i {
				t.Fatalf("result %d is %d, want %d", i, v, i*i)
			}
		}
		if len(got) != 200 || most.Load() > 5 {
			t.Errorf("%d results with %d at once, want 200 with at most 5", len(got), most.Load())
		}
	})
}

// Every way out must leave no goroutine behind: synctest fails the test when
// one still waits at its end.
func TestOrderedEndsCleanly(t *testing.T) {
	slow := func(ctx context.Context, i int) int {
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
		return i
	}
	t.Run("consumer leaves", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			for range ordered(t.Context(), semaphore.NewWeighted(2), 4, numbers(100), slow) {
				break
			}
		})
	})
	t.Run("context ends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
			defer cancel()
			got := slices.Collect(ordered(ctx, semaphore.NewWeighted(1), 4, numbers(100), slow))
			if !slices.Equal(got, []int{0, 1, 2}) {
				t.Errorf("got %v, want only what was done before the end", got)
			}
		})
	})
	t.Run("stream consumer leaves", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			endless := func(_ context.Context, i int, send func(int) bool) {
				for send(i) {
					continue
				}
			}
			n := 0
			for range orderedStreams(t.Context(), 3, 8, numbers(10), endless) {
				if n++; n == 100 {
					break
				}
			}
		})
	})
}

// A generator that waits for a stage of its own must not hold it up for good.
func TestOrderedNests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := semaphore.NewWeighted(1)
		work := func(_ context.Context, i int) int { time.Sleep(time.Millisecond); return i }
		in := func(ctx context.Context) iter.Seq[int] { return ordered(ctx, slots, 3, numbers(50), work) }
		if got := slices.Collect(ordered(t.Context(), slots, 3, in, work)); len(got) != 50 {
			t.Errorf("%d results, want 50", len(got))
		}
	})
}

func TestOrderedStreamsKeepOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		work := func(_ context.Context, i int, send func(int) bool) {
			for j := range 30 {
				time.Sleep(time.Duration(rand.IntN(10)) * time.Millisecond)
				send(100*i + j)
			}
		}
		var want []int
		for i := range 12 {
			for j := range 30 {
				want = append(want, 100*i+j)
			}
		}
		if got := slices.Collect(orderedStreams(t.Context(), 4, 2, numbers(12), work)); !slices.Equal(got, want) {
			t.Errorf("got %v", got)
		}
	})
}
