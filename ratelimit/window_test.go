package ratelimit_test

import (
	"testing"
	"time"

	"github.com/berth-registry/berth/ratelimit"
)

var start = time.Date(2026, 11, 23, 7, 30, 0, 0, time.UTC)

func per(pulls int64, window time.Duration) ratelimit.Limit {
	return ratelimit.Limit{Pulls: pulls, Window: window}
}

// step is a pull, or with a cost of -1 the question what one would find.
type step struct {
	after     time.Duration // the step before
	limit     ratelimit.Limit
	cost      int64
	allowed   bool
	used      int64
	remaining int64
	reset     time.Duration // 0: whatever it is
}

func TestWindow(t *testing.T) {
	const h, m, s = time.Hour, time.Minute, time.Second
	six := per(3, 6*h) // in slots of 5m
	day := per(5, 24*h)
	tests := []struct {
		name  string
		steps []step
	}{
		{"a question counts nothing", []step{
			{0, six, -1, true, 0, 3, 0},
			{0, six, -1, true, 0, 3, 0},
		}},
		{"to the limit, and on", []step{
			{1 * s, six, 1, true, 1, 2, 6*h + 5*m - s},
			{0, six, 1, true, 2, 1, 6*h + 5*m - s},
			{9 * m, six, 1, true, 3, 0, 6*h - 4*m - s},
			{1 * m, six, 1, false, 3, 0, 6*h - 5*m - s},
			{5*h + 55*m - 2*s, six, 1, false, 3, 0, 1 * s},
			{1 * s, six, 1, true, 2, 1, 5 * m}, // the third pull was in the next slot
			{0, six, 1, true, 3, 0, 5 * m},
		}},
		{"refused pulls are not counted and do not prolong the wait", []step{
			{0, six, 3, true, 3, 0, 6*h + 5*m},
			{1 * h, six, 1, false, 3, 0, 5*h + 5*m},
			{0, six, 1, false, 3, 0, 5*h + 5*m},
			{5*h + 5*m, six, 1, true, 1, 2, 6*h + 5*m},
		}},
		{"all of a cost or nothing", []step{
			{0, six, 2, true, 2, 1, 6*h + 5*m},
			{0, six, 2, false, 2, 1, 6*h + 5*m},
			{0, six, 1, true, 3, 0, 6*h + 5*m},
			{0, six, -1, false, 3, 0, 6*h + 5*m},
		}},
		{"a limit that was lowered", []step{
			{0, six, 3, true, 3, 0, 6*h + 5*m},
			{5 * m, six.Times(2), 2, true, 5, 1, 6 * h},
			{0, per(2, 6*h), 1, false, 5, 0, 6*h + 5*m}, // 4 have to go, so the second slot too
			{0, per(4, 6*h), 1, false, 5, 0, 6 * h},
			{0, per(6, 6*h), 1, true, 6, 0, 6 * h},
		}},
		{"a longer window begins with what is known", []step{
			{0, six, 3, true, 3, 0, 6*h + 5*m},
			{10 * m, day, 1, true, 4, 1, 24 * h}, // the three are in the slot from 7:20 to 7:40 now
			{0, day, 1, true, 5, 0, 24 * h},
			{20 * h, day, 1, false, 5, 0, 4 * h},
		}},
		{"a shorter window does not forget for a longer one", []step{
			{0, day, 3, true, 3, 2, 24*h + 10*m},
			{7 * h, six, 3, true, 3, 0, 6*h + 10*m}, // sees the newest slots only
			{0, day, 1, false, 6, 0, 17*h + 10*m},
			{18 * h, day, 1, true, 4, 1, 6*h + 10*m}, // until 24h20m after the second
		}},
		{"slots become shorter when nobody asks for the longer window", []step{
			{0, day, 1, true, 1, 4, 24*h + 10*m},
			{12 * h, six, 1, true, 1, 2, 6*h + 10*m},
			{12*h + 41*m, six, 1, true, 1, 2, 6*h + 4*m},
		}},
		{"a clock set back by less than the window", []step{
			{2 * h, six, 2, true, 2, 1, 6*h + 5*m},
			{-1 * h, six, 1, true, 3, 0, 6*h + 5*m}, // counted as of the later time
			{7*h + 4*m, six, 1, false, 3, 0, 1 * m},
			{1 * m, six, 1, true, 1, 2, 6*h + 5*m},
		}},
		{"a clock set back by more than the window", []step{
			{100 * h, six, 3, true, 3, 0, 6*h + 5*m},
			{-50 * h, six, 1, false, 3, 0, 6*h + 5*m},
			{6 * h, six, 1, false, 3, 0, 5 * m},
			{5 * m, six, 1, true, 1, 2, 6*h + 5*m},
		}},
		{"a very long pause", []step{
			{0, six, 3, true, 3, 0, 6*h + 5*m},
			{5 * m << 8, six, 1, true, 1, 2, 6*h + 5*m}, // numbers of slots are stored modulo 2^8
		}},
		{"from a month to a minute", []step{
			{0, per(3, ratelimit.MaxWindow), 3, true, 3, 0, 0},
			{ratelimit.MaxWindow + 11*h, per(3, m), 1, true, 1, 2, 0},
		}},
		{"more in a slot than one count holds", []step{
			{0, per(ratelimit.MaxPulls, h), 200_000_000, true, 200_000_000, ratelimit.MaxPulls - 200_000_000, 0},
			{0, per(200_000_001, h), 1, true, 200_000_001, 0, 0},
			{0, per(200_000_001, h), 1, false, 200_000_001, 0, 0},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var w ratelimit.Window
			now := start
			for i, s := range tt.steps {
				now = now.Add(s.after)
				d := w.Take(s.limit, max(s.cost, 0), now)
				if d.Allowed != s.allowed || d.Used != s.used || d.Remaining != s.remaining || s.reset != 0 && d.Reset != s.reset {
					t.Errorf("step %d: got %+v, want %+v", i, d, s)
				}
			}
		})
	}
}
