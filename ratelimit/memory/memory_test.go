package memory_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/berth-registry/berth/ratelimit"
	"github.com/berth-registry/berth/ratelimit/memory"
	"github.com/berth-registry/berth/ratelimit/ratelimittest"
)

var (
	ctx   = context.Background()
	start = time.Date(2026, 11, 23, 7, 30, 0, 0, time.UTC)
	limit = ratelimit.Limit{Pulls: 100, Window: 6 * time.Hour}
	alice = ratelimit.Named(ratelimit.User, "alice")
)

func TestCounters(t *testing.T) {
	ratelimittest.Run(t, func(tb testing.TB, clock *ratelimittest.Clock) ratelimit.Counters {
		return open(tb, memory.Options{}, clock.Now())
	})
}

func open(tb testing.TB, opts memory.Options, now time.Time) *memory.Counters {
	tb.Helper()
	c, err := memory.New(opts, now)
	ok(tb, err)
	return c
}

func ok(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func take(tb testing.TB, c *memory.Counters, key ratelimit.Key, cost int64, now time.Time) ratelimit.Decision {
	tb.Helper()
	d, err := c.Take(ctx, key, limit, cost, now)
	ok(tb, err)
	return d
}

// address is the n-th of 2^32.
func address(n int) ratelimit.Key {
	return ratelimit.At(netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, uint32(n)))))
}

// TestSweep keeps no key after its window.
func TestSweep(t *testing.T) {
	c := open(t, memory.Options{}, start)
	for i := range 1000 {
		take(t, c, address(i), 1, start.Add(time.Duration(i)*time.Minute))
	}
	ok(t, c.Save()) // without a file: nothing holds a key back
	for i := range 1000 {
		now := start.Add(time.Duration(i)*time.Minute + limit.Window + ratelimit.SlotLength(limit.Window))
		c.Sweep(now)
		if got := c.Keys(); got > 999-i {
			t.Fatalf("%d keys are held when %d are within their window", got, 999-i)
		}
	}
}

// TestMaxAddresses lets newcomers share a limit when there is no room, and
// gives them their own when there is.
func TestMaxAddresses(t *testing.T) {
	c := open(t, memory.Options{MaxAddresses: 10}, start)
	for i := range 30 {
		d := take(t, c, address(i), 1, start)
		if want := max(1, int64(i-9)); d.Used != want {
			t.Errorf("address %d has used %d, want %d", i, d.Used, want)
		}
	}
	if d := take(t, c, address(1000), 0, start); d.Used != 20 {
		t.Errorf("a newcomer is told of %d, want 20", d.Used)
	}
	if d := take(t, c, alice, 1, start); d.Used != 1 {
		t.Errorf("a user has used %d", d.Used)
	}
	last := take(t, c, address(500), 1, start)
	ok(t, c.GiveBack(ctx, address(500), 1, last))
	if d := take(t, c, address(1000), 0, start); d.Used != 20 {
		t.Errorf("after a pull was given back a newcomer is told of %d, want 20", d.Used)
	}
	ok(t, c.Save())
	later := start.Add(7 * time.Hour)
	c.Sweep(later)
	if d := take(t, c, address(2000), 1, later); d.Used != 1 || c.Keys() != 1 {
		t.Errorf("%d used, %d keys", d.Used, c.Keys())
	}
}

// TestTakeAllocatesNothing is about keys that are known.
func TestTakeAllocatesNothing(t *testing.T) {
	c := open(t, memory.Options{Path: t.TempDir() + "/pulls"}, start)
	now, one, other := start, address(1), address(2)
	pull := func() {
		now = now.Add(3 * time.Minute)
		take(t, c, alice, 1, now)
		take(t, c, one, 0, now)
		take(t, c, other, 1, now)
	}
	for range 200 {
		pull()
	}
	if n := testing.AllocsPerRun(1000, pull); n != 0 {
		t.Errorf("%v allocations", n)
	}
	ok(t, c.Close())
}

// TestSize measures what keys need: a million with one pull each, and fewer
// with pulls in every slot.
func TestSize(t *testing.T) {
	keys := 1_000_000
	if testing.Short() {
		keys = 100_000
	}
	for _, tt := range []struct{ keys, slots int }{{keys, 1}, {keys / 50, 73}} {
		before := heap()
		c := open(t, memory.Options{}, start)
		for slot := range tt.slots {
			now := start.Add(time.Duration(slot) * ratelimit.SlotLength(limit.Window))
			for i := range tt.keys {
				_, _ = c.Take(ctx, address(i), limit, 1, now)
			}
			ok(t, c.Save())
		}
		bytes := (heap() - before) / uint64(tt.keys)
		t.Logf("%d keys with pulls in %d slots: %d bytes each", tt.keys, tt.slots, bytes)
		if bytes > 500 || c.Keys() != tt.keys {
			t.Errorf("%d keys of %d bytes, at most 500", c.Keys(), bytes)
		}
		c.Sweep(start.Add(24 * time.Hour))
		runtime.KeepAlive(c)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestAtOnce does everything at once, for the race detector, and counts.
func TestAtOnce(t *testing.T) {
	path := t.TempDir() + "/pulls"
	c := open(t, memory.Options{Path: path}, start)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 10 {
				take(t, c, alice, 1, start)
				take(t, c, address(i*10+n), 1, start)
			}
		})
	}
	for range 4 {
		wg.Go(func() {
			for range 20 {
				if err := c.Save(); err != nil {
					t.Error(err)
				}
				c.Sweep(start)
				for _, err := range c.Counts(ctx, start) {
					ok(t, err)
				}
			}
		})
	}
	wg.Wait()
	ok(t, c.Close())
	c = open(t, memory.Options{Path: path}, start)
	if d := take(t, c, alice, 0, start); d.Used != 80 || c.Keys() != 81 {
		t.Errorf("%d used, %d keys; want 80 and 81", d.Used, c.Keys())
	}
	ok(t, c.Close())
}

func BenchmarkTake(b *testing.B) {
	for _, keys := range []int{1, 100_000} {
		b.Run(fmt.Sprintf("%d keys", keys), func(b *testing.B) {
			c := open(b, memory.Options{}, start)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					_, _ = c.Take(ctx, address(i%keys), limit, 1, start.Add(time.Duration(i)*time.Millisecond))
				}
			})
		})
	}
}
