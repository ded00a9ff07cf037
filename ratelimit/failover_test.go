package ratelimit_test

import (
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berth-registry/berth/ratelimit"
)

// counters are one window, which can fail.
type counters struct {
	mu     sync.Mutex
	window ratelimit.Window
	asked  atomic.Int64
	err    error
}

func (c *counters) Take(_ context.Context, _ ratelimit.Key, limit ratelimit.Limit, cost int64, now time.Time) (ratelimit.Decision, error) {
	c.asked.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return ratelimit.Decision{}, c.err
	}
	return c.window.Take(limit, cost, now), nil
}

func (c *counters) GiveBack(_ context.Context, _ ratelimit.Key, cost int64, d ratelimit.Decision) error {
	c.window.GiveBack(cost, d.At)
	return c.err
}

func (c *counters) Reset(context.Context, ratelimit.Key) error {
	c.window = ratelimit.Window{}
	return c.err
}

func (c *counters) Counts(context.Context, time.Time) iter.Seq2[ratelimit.Count, error] {
	return func(yield func(ratelimit.Count, error) bool) { yield(ratelimit.Count{}, c.err) }
}

var errDown = errors.New("connection refused")

func TestFailover(t *testing.T) {
	ctx, limit, key := t.Context(), per(10, time.Hour), ratelimit.Named(ratelimit.User, "alice")
	shared, local := &counters{}, &counters{}
	var told []error
	f := &ratelimit.Failover{Shared: shared, Local: local, Tell: func(err error) { told = append(told, err) }}
	now := start
	take := func() ratelimit.Decision {
		t.Helper()
		d, err := f.Take(ctx, key, limit, 1, now)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	used := func(inShared, inLocal int64) {
		t.Helper()
		if s, l := shared.window.Take(limit, 0, now).Used, local.window.Take(limit, 0, now).Used; s != inShared || l != inLocal {
			t.Errorf("%d in the shared counters and %d in the local ones, want %d and %d", s, l, inShared, inLocal)
		}
	}
	for range 3 {
		take()
	}
	used(3, 0)

	shared.err = errDown
	asked := shared.asked.Load()
	for i := range int64(5) {
		if d := take(); !d.Allowed || d.Used != i+1 {
			t.Errorf("counted alone: %+v", d)
		}
	}
	if n := shared.asked.Load() - asked; n != 1 || !f.Alone() || len(told) != 1 || !errors.Is(told[0], errDown) {
		t.Errorf("asked %d times while they were down, told %v", n, told)
	}
	now = now.Add(time.Second) // one more is lost in trying, and no other one tries
	var wg sync.WaitGroup
	asked = shared.asked.Load()
	for range 4 {
		wg.Go(func() {
			if _, err := f.Take(ctx, key, limit, 1, now); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := shared.asked.Load() - asked; n != 1 {
		t.Errorf("asked %d times at once", n)
	}
	used(3, 9)
	d := take()
	if e := take(); e.Allowed {
		t.Errorf("alone, and beyond the limit: %+v", e)
	}

	shared.err = nil
	now = now.Add(time.Second)
	e := take()
	used(4, 10)
	if f.Alone() || len(told) != 3 || told[2] != nil {
		t.Errorf("told %v", told)
	}
	for _, counted := range []ratelimit.Decision{d, e} { // each where it was counted
		if err := f.GiveBack(ctx, key, 1, counted); err != nil {
			t.Error(err)
		}
	}
	used(3, 9)
	if err := f.Reset(ctx, key); err != nil {
		t.Error(err)
	}
	used(0, 0)
}

func TestFailoverDenies(t *testing.T) {
	shared := &counters{err: errDown}
	f := &ratelimit.Failover{Shared: shared, Local: &counters{}, Deny: true, Tell: func(error) {}}
	for i := range 3 {
		if _, err := f.Take(t.Context(), ratelimit.Key{}, per(1, time.Hour), 1, start); !errors.Is(err, ratelimit.ErrUnreachable) || shared.asked.Load() != 1 {
			t.Errorf("%d: %v, asked %d times", i, err, shared.asked.Load())
		}
	}
	shared.err = nil
	if d, err := f.Take(t.Context(), ratelimit.Key{}, per(1, time.Hour), 1, start.Add(time.Second)); err != nil || !d.Allowed {
		t.Errorf("%+v, %v", d, err)
	}
}

// TestFailoverOfAGoneClient takes nothing for a failure of the counters.
func TestFailoverOfAGoneClient(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := &ratelimit.Failover{Shared: &counters{err: context.Canceled}, Local: &counters{}, Tell: func(err error) { t.Errorf("told of %v", err) }}
	if _, err := f.Take(ctx, ratelimit.Key{}, per(1, time.Hour), 1, start); !errors.Is(err, context.Canceled) || f.Alone() {
		t.Errorf("%v", err)
	}
}

// TestFailoverCounts lists the shared counters, or while they are down its own.
func TestFailoverCounts(t *testing.T) {
	shared := &counters{err: errDown}
	f := &ratelimit.Failover{Shared: shared, Local: &counters{}, Tell: func(error) {}}
	want := errDown
	for range 2 {
		for _, err := range f.Counts(t.Context(), start) {
			if !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
		}
		_, _ = f.Take(t.Context(), ratelimit.Key{}, per(1, time.Hour), 1, start)
		want = nil
	}
}
