package verify

import (
	"context"
	"iter"
	"sync"

	"golang.org/x/sync/semaphore"
)

// A source of inputs runs in a goroutine of its own; it must stop soon after
// its context ends.
type source[I any] func(context.Context) iter.Seq[I]

// ordered runs fn over the inputs, at most window of them begun and not yet
// yielded, each in a slot of the semaphore that the whole run shares, and
// yields the results in the order of the inputs. All goroutines have ended
// when the sequence does, also when the caller leaves it early. When the
// context ends the sequence ends; what is under way is dropped, because a
// result of interrupted work says nothing.
func ordered[I, O any](ctx context.Context, slots *semaphore.Weighted, window int, in source[I], fn func(context.Context, I) O) iter.Seq[O] {
	return func(yield func(O) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var workers sync.WaitGroup
		queue := make(chan chan O, window)
		tasks := make(chan task[I, O])
		defer workers.Wait()
		defer cancel()
		work := func() {
			for t := range tasks {
				t.result <- fn(ctx, t.input)
				slots.Release(1)
			}
		}
		workers.Go(func() {
			defer close(queue)
			defer close(tasks)
			for input := range in(ctx) {
				t := task[I, O]{input, make(chan O, 1)}
				select {
				case queue <- t.result:
				case <-ctx.Done():
					return
				}
				if slots.Acquire(ctx, 1) != nil {
					return
				}
				select {
				case tasks <- t: // a worker is free
				default:
					// One more: at most as many as there are slots. They live on,
					// because a new goroutine would grow its stack anew for each file.
					workers.Go(work)
					tasks <- t
				}
			}
		})
		for result := range queue {
			select {
			case r := <-result:
				if ctx.Err() != nil || !yield(r) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

// aside runs f beside what goes on, and returns what waits for its end.
func aside(f func()) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	return func() { <-done }
}

// A task is one input and where its result goes.
type task[I, O any] struct {
	input  I
	result chan O
}

// orderedStreams runs fn over the inputs, at most window at a time. Each fn
// sends any number of results; all of one input's are yielded before the next
// one's, in the order sent. A stream whose turn has not come is held back
// after depth results, so that memory does not grow with what it finds; the
// stream whose turn it is never is, so the run goes on.
func orderedStreams[I, O any](ctx context.Context, window, depth int, in source[I], fn func(ctx context.Context, input I, send func(O) bool)) iter.Seq[O] {
	return func(yield func(O) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var workers sync.WaitGroup
		queue := make(chan chan O, window)
		defer workers.Wait()
		defer cancel()
		workers.Go(func() {
			defer close(queue)
			for input := range in(ctx) {
				results := make(chan O, depth)
				select {
				case queue <- results:
				case <-ctx.Done():
					return
				}
				workers.Go(func() {
					defer close(results)
					fn(ctx, input, func(r O) bool {
						select {
						case results <- r:
							return true
						case <-ctx.Done():
							return false
						}
					})
				})
			}
		})
		for results := range queue {
			for r := range results {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// values is slices.Values for a source, which stops when its context ends.
func values[T any](all []T) source[T] {
	return func(ctx context.Context) iter.Seq[T] {
		return func(yield func(T) bool) {
			for _, v := range all {
				if ctx.Err() != nil || !yield(v) {
					return
				}
			}
		}
	}
}
