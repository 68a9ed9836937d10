package source

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// Figures of the retries.
const (
	defaultAttempts = 8
	shortestPause   = 50 * time.Millisecond
	longestPause    = 5 * time.Second
	throttlePatient = 5 * time.Minute // how long SlowDown is borne for one request
)

// A retrier tries a request again.
type retrier struct {
	attempts int           // for trouble that passes
	patience time.Duration // for a service that asks for fewer requests
	longest  time.Duration // pause
	retries  atomic.Int64  // counted over all requests
}

func newRetrier(attempts int) *retrier {
	if attempts <= 0 {
		attempts = defaultAttempts
	}
	return &retrier{attempts: attempts, patience: throttlePatient, longest: longestPause}
}

// do calls once until it succeeds or its fault is final. Throttling uses up
// time and not attempts: the limiter is finding the rate meanwhile. An error
// that is no fault is returned as it is; a context's end beats every other.
func (r *retrier) do(ctx context.Context, once func() error) error {
	var attempts, throttles int
	var since time.Time
	var moved, corrected bool
	for {
		err := once()
		f, faulty := err.(*fault)
		if !faulty {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		pause := time.Duration(0)
		switch f.next {
		case giveUp:
			return f.err
		case again:
			if attempts++; attempts >= r.attempts {
				return f.err
			}
			pause = r.pause(attempts)
		case later:
			if since.IsZero() {
				since = time.Now()
			}
			if throttles++; time.Since(since) >= r.patience {
				return f.err
			}
			pause = r.pause(throttles)
		case elsewhere:
			if moved {
				return f.err
			}
			moved = true
		case onTime:
			if corrected {
				return f.err
			}
			corrected = true
		}
		r.retries.Add(1)
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// pause is drawn evenly from nothing to a bound that doubles (full jitter).
func (r *retrier) pause(n int) time.Duration {
	bound := min(shortestPause<<min(n, 16), r.longest)
	return rand.N(bound + 1)
}

// sleep waits, or ends early with the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
