package ratelimit_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/berth-registry/berth/ratelimit"
)

// exact is the log of every pull that was allowed: what a Window stands for.
type exact struct {
	pulls []time.Time // one entry for each of a cost
	since time.Time   // what was before may be forgotten
}

// within counts the pulls later than a time.
func (e *exact) within(after time.Time) (n int64) {
	for i := len(e.pulls) - 1; i >= 0 && e.pulls[i].After(after); i-- {
		n++
	}
	return n
}

// TestWindowAgainstALog draws pulls, questions and changes of the limit, and
// holds every answer against the log: never more than the limit in a window,
// never stricter than one slot, and a wait that is exact.
func TestWindowAgainstALog(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		limit := per(1+r.Int64N(40), drawWindow(r))
		run := &run{T: t, r: r, seed: seed, now: start.Add(time.Duration(r.Int64N(int64(time.Hour)))), slack: ratelimit.SlotLength(limit.Window)}
		for range 400 {
			run.now = run.now.Add(pause(r, limit))
			run.take(limit)
		}
	}
}

// TestChangesAgainstALog changes pulls and window under way.
func TestChangesAgainstALog(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		run := &run{T: t, r: r, seed: seed, now: start}
		limits := []ratelimit.Limit{per(1+r.Int64N(30), drawWindow(r)), per(1+r.Int64N(30), drawWindow(r)), per(1+r.Int64N(30), drawWindow(r))}
		asked := map[time.Duration]time.Time{}
		for range 400 {
			limit := limits[r.IntN(1+r.IntN(3))]
			run.now = run.now.Add(pause(r, limit))
			if run.copy().Expired(run.now) { // then nobody's window is remembered
				clear(asked)
			}
			run.log.since = latest(run.log.since, known(asked, limit.Window, run.now))
			asked[limit.Window] = run.now
			run.slack = max(run.slack, ratelimit.SlotLength(limit.Window))
			run.longer = run.slack // slots may change while one waits
			run.take(limit)
		}
	}
}

// known is since when everything is remembered that a window needs: always, if
// it or a longer one was asked for lately, otherwise as long as a shorter one is.
func known(asked map[time.Duration]time.Time, window time.Duration, now time.Time) (since time.Time) {
	since = now
	for w, at := range asked {
		switch fresh := now.Sub(at) <= w; {
		case fresh && w >= window:
			return time.Time{}
		case fresh && now.Add(-w).Before(since):
			since = now.Add(-w)
		}
	}
	return since
}

func drawWindow(r *rand.Rand) time.Duration {
	return []time.Duration{time.Minute, 7 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, ratelimit.MaxWindow}[r.IntN(6)]
}

// pause is mostly such that the limit is about reached, sometimes a burst,
// seldom longer than everything.
func pause(r *rand.Rand, l ratelimit.Limit) time.Duration {
	switch r.IntN(20) {
	case 0:
		return time.Duration(r.Int64N(int64(2 * l.Window)))
	case 1, 2, 3, 4, 5, 6:
		return 0
	}
	return time.Duration(r.Int64N(2*int64(l.Window)/l.Pulls + 1)).Truncate(time.Microsecond)
}

type run struct {
	*testing.T
	r      *rand.Rand
	seed   uint64
	now    time.Time
	window ratelimit.Window
	log    exact
	slack  time.Duration // by which a window may be stricter
	longer time.Duration // by which a wait may be
}

func (run *run) take(limit ratelimit.Limit) {
	cost := 1 + run.r.Int64N(2)
	before := run.ask(limit, run.now)
	d := run.window.Take(limit, cost, run.now)
	start := run.now.Add(-limit.Window)
	known := run.log.within(latest(start, run.log.since))
	switch {
	case d.Allowed && known+cost > limit.Pulls:
		run.wrong("allowed the %d. of %v: %+v", known+cost, limit, d)
	case !d.Allowed && run.log.within(start.Add(-run.slack))+cost <= limit.Pulls:
		run.wrong("refused although one slot more has %d of %v: %+v", run.log.within(start.Add(-run.slack)), limit, d)
	case !d.Allowed && run.ask(limit, run.now) != before:
		run.wrong("a refused pull changed something")
	case d.Allowed:
		for range cost {
			run.log.pulls = append(run.log.pulls, run.now)
		}
	}
	if d.Remaining > 0 || d.Reset <= 0 {
		return
	}
	if early := run.ask(limit, run.now.Add(d.Reset-time.Microsecond)); early.Allowed {
		run.wrong("a pull is possible before the wait is over: %+v", d)
	}
	if then := run.ask(limit, run.now.Add(d.Reset+run.longer)); !then.Allowed {
		run.wrong("no pull is possible after the wait: %+v, then %+v", d, then)
	}
}

// ask asks a copy: questions let time pass.
func (run *run) ask(limit ratelimit.Limit, now time.Time) ratelimit.Decision {
	return run.copy().Take(limit, 0, now)
}

func (run *run) copy() *ratelimit.Window {
	run.Helper()
	w := new(ratelimit.Window)
	b, err := run.window.AppendBinary(nil)
	if err == nil {
		err = w.UnmarshalBinary(b)
	}
	if err != nil {
		run.wrong("%v", err)
	}
	return w
}

func (run *run) wrong(format string, args ...any) {
	run.Helper()
	run.Fatalf("seed %d at %v: %s", run.seed, run.now, fmt.Sprintf(format, args...))
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
