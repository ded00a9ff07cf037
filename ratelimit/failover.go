package ratelimit

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"
	"time"
)

// ErrUnreachable means that the shared counters cannot be reached, and that
// pulls are to be refused then.
var ErrUnreachable = errors.New("the counters of pulls cannot be reached")

// retryAfter is how long shared counters that failed are left alone: one pull
// then tries them, and the others do not wait.
const retryAfter = time.Second

// Failover counts in shared counters and, while they cannot be reached, in
// local ones: each process then holds its clients to the limit on its own. What
// was counted meanwhile is not brought together afterwards.
type Failover struct {
	Shared Counters
	Local  Counters
	Deny   bool            // count nothing while they cannot be reached, and fail with ErrUnreachable
	Tell   func(err error) // of each failure and, with nil, that they can be reached again; may be called at once by several

	down atomic.Int64 // when they are tried again, nanoseconds since 1970; 0: they work
}

var _ Counters = (*Failover)(nil)

// Take implements Counters.
func (f *Failover) Take(ctx context.Context, key Key, limit Limit, cost int64, now time.Time) (Decision, error) {
	if f.try(now) {
		d, err := f.Shared.Take(ctx, key, limit, cost, now)
		if f.works(ctx, err, now) {
			return d, err
		}
	}
	if f.Deny {
		return Decision{Limit: limit}, ErrUnreachable
	}
	d, err := f.Local.Take(ctx, key, limit, cost, now)
	d.local = true
	return d, err
}

// try reports whether the shared counters are to be asked.
func (f *Failover) try(now time.Time) bool {
	again := f.down.Load()
	return again == 0 || now.UnixNano() >= again && f.down.CompareAndSwap(again, now.Add(retryAfter).UnixNano())
}

// works reports whether an answer of the shared counters stands, and remembers
// whether they work. That whoever asks is gone says nothing about them.
func (f *Failover) works(ctx context.Context, err error, now time.Time) bool {
	if ctx.Err() != nil {
		return true
	}
	if err != nil {
		f.down.Store(now.Add(retryAfter).UnixNano())
		f.Tell(err)
		return false
	}
	if f.down.Load() != 0 && f.down.Swap(0) != 0 {
		f.Tell(nil)
	}
	return true
}

// GiveBack implements Counters: to those that have counted.
func (f *Failover) GiveBack(ctx context.Context, key Key, cost int64, d Decision) error {
	if d.local {
		return f.Local.GiveBack(ctx, key, cost, d)
	}
	return f.Shared.GiveBack(ctx, key, cost, d)
}

// Reset implements Counters.
func (f *Failover) Reset(ctx context.Context, key Key) error {
	return errors.Join(f.Local.Reset(ctx, key), f.Shared.Reset(ctx, key))
}

// Counts implements Counters: of the shared ones, or of this process alone
// while they cannot be reached.
func (f *Failover) Counts(ctx context.Context, now time.Time) iter.Seq2[Count, error] {
	if f.down.Load() != 0 {
		return f.Local.Counts(ctx, now)
	}
	return f.Shared.Counts(ctx, now)
}

// Alone reports whether the shared counters could not be reached when they were
// last asked.
func (f *Failover) Alone() bool { return f.down.Load() != 0 }
