// Package ratelimittest holds an implementation of ratelimit.Counters against
// the contract.
//
//	ratelimittest.Run(t, func(tb testing.TB, clock *ratelimittest.Clock) ratelimit.Counters { ... })
//
// The counters go by the clock that the suite gives them, whether as the time
// that Take is told or as their own.
package ratelimittest

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berth-registry/berth/ratelimit"
)

// Fresh returns counters that have counted nothing.
type Fresh func(tb testing.TB, clock *Clock) ratelimit.Counters

// Clock stands still until it is moved.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// Now is what the clock says, in whole microseconds.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Advance moves the clock, also back.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d.Truncate(time.Microsecond))
}

var start = time.Date(2026, 11, 23, 7, 30, 0, 123456000, time.UTC)

// Run runs the suite.
func Run(t *testing.T, fresh Fresh) {
	for _, tt := range []struct {
		name string
		run  func(e *env)
	}{
		{"a limit is held, and each key has its own", limitHeld},
		{"a question counts nothing and makes no key", questions},
		{"given back", givenBack},
		{"reset", reset},
		{"limits may change", changes},
		{"many at once", manyAtOnce},
		{"counts", counts},
		{"as a Window decides", asAWindow},
	} {
		t.Run(tt.name, func(t *testing.T) {
			clock := &Clock{at: start}
			tt.run(&env{TB: t, Counters: fresh(t, clock), clock: clock})
		})
	}
}

type env struct {
	testing.TB
	ratelimit.Counters
	clock *Clock
}

var (
	ctx   = context.Background()
	alice = ratelimit.Named(ratelimit.User, "alice")
	bob   = ratelimit.Named(ratelimit.User, "bob")
	robot = ratelimit.Named(ratelimit.Robot, "alice")
	here  = ratelimit.At(netip.MustParseAddr("203.0.113.7"))
	there = ratelimit.At(netip.MustParseAddr("2001:db8:1:2::1"))
	keys  = []ratelimit.Key{alice, bob, robot, here, there, {}}
)

func per(pulls int64, window time.Duration) ratelimit.Limit {
	return ratelimit.Limit{Pulls: pulls, Window: window}
}

func (e *env) ok(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

func (e *env) take(key ratelimit.Key, limit ratelimit.Limit, cost int64) ratelimit.Decision {
	e.Helper()
	d, err := e.Take(ctx, key, limit, cost, e.clock.Now())
	e.ok(err)
	if d.Limit != limit {
		e.Errorf("the decision is about %v, not %v", d.Limit, limit)
	}
	return d
}

// used asks without counting.
func (e *env) used(key ratelimit.Key, limit ratelimit.Limit, want int64) {
	e.Helper()
	if got := e.take(key, limit, 0).Used; got != want {
		e.Errorf("%s has used %d, want %d", key, got, want)
	}
}

func limitHeld(e *env) {
	limit := per(3, time.Hour)
	for _, key := range keys {
		for i := range int64(5) {
			d := e.take(key, limit, 1)
			if d.Allowed != (i < 3) || d.Used != min(i+1, 3) || d.Remaining != max(2-i, 0) || d.Reset <= 0 || d.Reset > limit.Window+ratelimit.SlotLength(limit.Window) {
				e.Errorf("%s, pull %d: %+v", key, i+1, d)
			}
		}
	}
	d := e.take(alice, limit, 1)
	e.clock.Advance(d.Reset - time.Microsecond)
	if e.take(alice, limit, 1).Allowed {
		e.Error("allowed before the wait was over")
	}
	e.clock.Advance(time.Microsecond)
	if !e.take(alice, limit, 1).Allowed {
		e.Error("refused after the wait")
	}
}

func questions(e *env) {
	limit := per(3, time.Hour)
	for range 5 {
		if d := e.take(alice, limit, 0); !d.Allowed || d.Used != 0 || d.Remaining != 3 || d.Reset != 0 {
			e.Errorf("%+v", d)
		}
	}
	for c, err := range e.Counts(ctx, e.clock.Now()) {
		e.Errorf("there is %+v, %v", c, err)
	}
	e.take(alice, limit, 3)
	if d := e.take(alice, limit, 0); d.Allowed || d.Used != 3 {
		e.Errorf("with nothing left: %+v", d)
	}
}

func givenBack(e *env) {
	limit := per(3, time.Hour)
	e.ok(e.GiveBack(ctx, alice, 1, ratelimit.Decision{At: e.clock.Now()})) // nothing was counted
	first := e.take(alice, limit, 2)
	e.clock.Advance(10 * time.Minute)
	e.take(alice, limit, 1)
	e.ok(e.GiveBack(ctx, alice, 1, first))
	e.used(alice, limit, 2)
	e.ok(e.GiveBack(ctx, alice, 5, first))
	e.used(alice, limit, 1)
	e.ok(e.GiveBack(ctx, bob, 1, first))
	e.used(bob, limit, 0)
	e.clock.Advance(51 * time.Minute)
	e.ok(e.GiveBack(ctx, alice, 1, first)) // forgotten
	e.used(alice, limit, 1)
}

func reset(e *env) {
	limit := per(3, time.Hour)
	e.ok(e.Reset(ctx, alice)) // of what there is not
	d := e.take(alice, limit, 3)
	e.take(bob, limit, 3)
	e.ok(e.Reset(ctx, alice))
	e.used(alice, limit, 0)
	e.used(bob, limit, 3)
	e.ok(e.GiveBack(ctx, alice, 1, d))
	e.used(alice, limit, 0)
	if !e.take(alice, limit, 3).Allowed {
		e.Error("refused after a reset")
	}
}

func changes(e *env) {
	hour, day := per(3, time.Hour), per(5, 24*time.Hour)
	e.take(alice, hour, 3)
	if d := e.take(alice, day, 3); d.Allowed || d.Used != 3 {
		e.Errorf("what was counted in an hour is not counted in a day: %+v", d)
	}
	e.take(alice, day, 2)
	e.clock.Advance(2 * time.Hour)
	e.used(alice, hour, 0)
	e.used(alice, day, 5)
	if d := e.take(alice, per(1, 24*time.Hour), 1); d.Allowed || d.Remaining != 0 || d.Used != 5 {
		e.Errorf("a limit below what is used: %+v", d)
	}
	if d := e.take(alice, per(7, 24*time.Hour), 2); !d.Allowed || d.Used != 7 {
		e.Errorf("a raised limit: %+v", d)
	}
}

// manyAtOnce sends 64 clients after 100 pulls.
func manyAtOnce(e *env) {
	limit := per(150, time.Hour)
	e.take(alice, limit, 50)
	var allowed, refused atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for range 4 {
				d, err := e.Take(ctx, alice, limit, 1, e.clock.Now())
				switch {
				case err != nil:
					e.Error(err)
				case d.Allowed:
					allowed.Add(1)
				default:
					refused.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if allowed.Load() != 100 || refused.Load() != 156 {
		e.Errorf("%d pulls allowed and %d refused, want 100 and 156", allowed.Load(), refused.Load())
	}
	e.used(alice, limit, 150)
}

func counts(e *env) {
	want := map[ratelimit.Key]ratelimit.Decision{}
	for i, key := range keys {
		want[key] = e.take(key, per(int64(i+1), time.Duration(i+1)*time.Hour), 1)
	}
	e.take(ratelimit.Named(ratelimit.User, "none"), per(1, time.Hour), 0)
	e.take(ratelimit.Named(ratelimit.User, "reset"), per(1, time.Hour), 1)
	e.ok(e.Reset(ctx, ratelimit.Named(ratelimit.User, "reset")))
	n := 0
	for c, err := range e.Counts(ctx, e.clock.Now()) {
		e.ok(err)
		w := want[c.Key]
		if c.Used != 1 || c.Remaining != w.Remaining || c.Reset != w.Reset || c.Limit != w.Limit {
			e.Errorf("%s: %+v, want %+v", c.Key, c.Decision, w)
		}
		n++
	}
	if n != len(keys) {
		e.Errorf("%d keys, want %d", n, len(keys))
	}
	for range e.Counts(ctx, e.clock.Now()) {
		break // and the listing ends
	}
	e.clock.Advance(2 * time.Hour)
	n = 0
	for c, err := range e.Counts(ctx, e.clock.Now()) {
		e.ok(err)
		if c.Limit.Window <= time.Hour {
			e.Errorf("%s is there after its window", c.Key)
		}
		n++
	}
	if n != len(keys)-1 {
		e.Errorf("%d keys after an hour, want %d", n, len(keys)-1)
	}
}
