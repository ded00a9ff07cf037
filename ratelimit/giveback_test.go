package ratelimit_test

import (
	"testing"
	"time"

	"github.com/berth-registry/berth/ratelimit"
)

func TestGiveBack(t *testing.T) {
	limit := per(10, time.Hour) // slots of 50s
	used := func(w *ratelimit.Window, now time.Time) int64 { return w.Take(limit, 0, now).Used }
	minute := func(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }

	var w ratelimit.Window
	w.GiveBack(1, start) // nothing was ever counted
	first := w.Take(limit, 2, minute(0))
	second := w.Take(limit, 3, minute(10))
	w.GiveBack(1, first.At)
	if got := used(&w, minute(10)); got != 4 {
		t.Errorf("%d used, want 4", got)
	}
	w.GiveBack(5, first.At) // more than there is
	if got := used(&w, minute(10)); got != 3 {
		t.Errorf("%d used, want 3: another slot was touched", got)
	}
	w.GiveBack(1, minute(5)) // a slot without pulls
	w.GiveBack(2, second.At)
	if got := used(&w, minute(20)); got != 1 {
		t.Errorf("%d used, want 1", got)
	}
	if w.Expired(minute(70)) || !w.Expired(minute(72)) {
		t.Error("the last pull of minute 10 is forgotten at another time than 60m to 60m50s later")
	}
	w.GiveBack(1, second.At)
	if !w.Expired(minute(20)) {
		t.Error("what was all given back is not empty")
	}
}

// TestGiveBackAfterTheClockWasSetBack gives back what was counted as of the
// later time.
func TestGiveBackAfterTheClockWasSetBack(t *testing.T) {
	var w ratelimit.Window
	limit := per(10, time.Hour)
	w.Take(limit, 1, start.Add(10*time.Minute))
	d := w.Take(limit, 1, start)
	w.GiveBack(1, d.At)
	if got := w.Take(limit, 0, start).Used; got != 1 {
		t.Errorf("%d used, want 1", got)
	}
}

// TestExpiredFollowsTheClock lets a key go that was counted in a future that
// was none.
func TestExpiredFollowsTheClock(t *testing.T) {
	var w ratelimit.Window
	w.Take(per(10, time.Hour), 1, start.AddDate(10, 0, 0))
	if w.Expired(start) || w.Expired(start.Add(time.Hour)) || !w.Expired(start.Add(time.Hour+time.Minute)) {
		t.Error("not forgotten an hour after the clock was set right")
	}
}

func TestManyInASlot(t *testing.T) {
	var w ratelimit.Window
	limit := per(100_000_000, time.Hour)
	d := w.Take(limit, 50_000_000, start)
	w.Take(limit, 1, start)
	w.GiveBack(40_000_000, d.At)
	if got := w.Take(limit, 0, start).Used; got != 10_000_001 {
		t.Errorf("%d used, want 10000001", got)
	}
}

// TestTakeAllocatesNothing has a window that has been through all its slots.
func TestTakeAllocatesNothing(t *testing.T) {
	var w ratelimit.Window
	limit := per(100, 6*time.Hour)
	now := start
	pull := func() {
		now = now.Add(3 * time.Minute)
		w.Take(limit, 1, now)
	}
	for range 200 {
		pull()
	}
	if n := testing.AllocsPerRun(1000, pull); n != 0 {
		t.Errorf("%v allocations a decision", n)
	}
}

func BenchmarkTake(b *testing.B) {
	var w ratelimit.Window
	limit := per(100, 6*time.Hour)
	now := start
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(3 * time.Minute)
		w.Take(limit, 1, now)
	}
}
