package ratelimittest

import (
	"math/rand/v2"
	"time"

	"github.com/berth-registry/berth/ratelimit"
)

// asAWindow draws pulls, gifts and resets of many limits and holds every answer
// against that of a Window.
func asAWindow(e *env) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 3))
		windows := map[ratelimit.Key]*ratelimit.Window{}
		for _, key := range keys {
			windows[key] = new(ratelimit.Window)
			e.ok(e.Reset(ctx, key))
		}
		var last ratelimit.Decision
		var taken ratelimit.Key
		for step := range 1500 {
			e.clock.Advance(pause(r))
			key := keys[r.IntN(len(keys))]
			switch r.IntN(12) {
			case 0:
				windows[taken].GiveBack(1, last.At)
				e.ok(e.GiveBack(ctx, taken, 1, last))
				continue
			case 1:
				if r.IntN(8) == 0 {
					*windows[key] = ratelimit.Window{}
					e.ok(e.Reset(ctx, key))
				}
				continue
			}
			limit, cost := draw(r), r.Int64N(4)
			if cost == 0 && windows[key].Empty() {
				continue // of what is not there no one need remember the question
			}
			want := windows[key].Take(limit, cost, e.clock.Now())
			got := e.take(key, limit, cost)
			if got.At.Equal(want.At) {
				got.At = want.At
			}
			if got != want {
				e.Fatalf("seed %d, step %d, %s, cost %d: %+v, want %+v", seed, step, key, cost, got, want)
			}
			if got.Allowed && cost > 0 {
				last, taken = got, key
			}
		}
	}
}

func draw(r *rand.Rand) ratelimit.Limit {
	windows := []time.Duration{time.Minute, 7 * time.Minute, time.Hour, 6 * time.Hour, ratelimit.MaxWindow}
	return per(1+r.Int64N(60), windows[r.IntN(1+r.IntN(len(windows)))])
}

// pause is seldom longer than a window, and sometimes the clock is set back.
func pause(r *rand.Rand) time.Duration {
	switch r.IntN(40) {
	case 0:
		return time.Duration(r.Int64N(int64(20 * time.Hour)))
	case 1:
		return -time.Duration(r.Int64N(int64(time.Hour)))
	case 2:
		return -time.Duration(r.Int64N(int64(40 * time.Hour)))
	}
	return time.Duration(r.Int64N(int64(3 * time.Minute)))
}
