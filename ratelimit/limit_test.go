package ratelimit_test

import (
	"testing"
	"time"

	"github.com/berth-registry/berth/ratelimit"
)

// TestMoreGenerous lists limits from the most to the least generous; those of
// one line are equal.
func TestMoreGenerous(t *testing.T) {
	order := [][]ratelimit.Limit{
		{per(0, 0), per(0, time.Hour)},
		{per(ratelimit.MaxPulls, time.Minute)},
		{per(ratelimit.MaxPulls, ratelimit.MaxWindow)},
		{per(800, 24*time.Hour)}, // the same rate as the next, and more at once
		{per(200, 6*time.Hour)},
		{per(199, 6*time.Hour)},
		{per(100, 6*time.Hour)},
		{per(1, ratelimit.MaxWindow)},
	}
	for i, line := range order {
		for j, other := range order {
			for _, a := range line {
				for _, b := range other {
					if got := a.MoreGenerous(b); got != (i < j) {
						t.Errorf("%v more generous than %v: %t", a, b, got)
					}
				}
			}
		}
	}
}

func TestLimitCheck(t *testing.T) {
	for _, l := range []ratelimit.Limit{{}, per(1, time.Minute), per(ratelimit.MaxPulls, ratelimit.MaxWindow), per(0, -1)} {
		if err := l.Check(); err != nil {
			t.Errorf("%v: %v", l, err)
		}
	}
	for _, l := range []ratelimit.Limit{
		per(-1, time.Hour), per(ratelimit.MaxPulls+1, time.Hour), per(1, 0), per(1, -time.Hour),
		per(1, time.Minute-1), per(1, ratelimit.MaxWindow+1), per(1, time.Hour+time.Millisecond),
	} {
		if l.Check() == nil {
			t.Errorf("%v was accepted", l)
		}
	}
}

func TestText(t *testing.T) {
	for d, want := range map[time.Duration]string{
		6 * time.Hour: "6h", 24 * time.Hour: "1d", 30 * 24 * time.Hour: "30d", 250 * time.Second: "4m10s",
		36*time.Hour + time.Second: "1d12h1s", time.Millisecond: "1s", 0: "0s", -time.Second: "0s",
	} {
		if got := ratelimit.Text(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
	if got := per(200, 6*time.Hour).String(); got != "200 per 6h" {
		t.Error(got)
	}
	if got := per(0, 6*time.Hour).String(); got != "unlimited" {
		t.Error(got)
	}
}
