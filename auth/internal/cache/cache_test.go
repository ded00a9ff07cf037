package cache

import (
	"sync"
	"testing"
	"time"
)

var start = time.Unix(1_700_000_000, 0)

func TestExpiry(t *testing.T) {
	c := New[string, int](10)
	c.Put("a", 1, start.Add(time.Minute))
	for _, tc := range []struct {
		after time.Duration
		want  bool
	}{{0, true}, {time.Minute - 1, true}, {time.Minute, false}, {time.Hour, false}} {
		if _, ok := c.Get("a", start.Add(tc.after)); ok != tc.want {
			t.Errorf("after %v: %v, want %v", tc.after, ok, tc.want)
		}
	}
}

func TestBoundAndRecency(t *testing.T) {
	c := New[int, int](100)
	later := start.Add(time.Hour)
	c.Put(-1, -1, later)
	for i := range 10_000 {
		c.Put(i, i, later)
		if n := c.Len(); n > 100 {
			t.Fatalf("%d entries after %d", n, i)
		}
		if i%40 == 0 {
			if _, ok := c.Get(-1, start); !ok {
				t.Fatalf("an entry in use is gone after %d others", i)
			}
		}
	}
	for i := 9_960; i < 10_000; i++ {
		if v, ok := c.Get(i, start); !ok || v != i {
			t.Errorf("%d: %d %v", i, v, ok)
		}
	}
	if _, ok := c.Get(5, start); ok {
		t.Error("the oldest is still there")
	}
}

func TestForget(t *testing.T) {
	c := New[int, int](4)
	for i := range 3 { // 0 and 1 in old, 2 in young
		c.Put(i, i, start.Add(time.Hour))
	}
	for i := range 3 {
		c.Forget(i)
		if _, ok := c.Get(i, start); ok {
			t.Errorf("%d is remembered", i)
		}
	}
}

func TestPutReplaces(t *testing.T) {
	c := New[int, int](4)
	for i := range 3 {
		c.Put(i, i, start.Add(time.Hour))
	}
	c.Put(0, 7, start.Add(time.Hour))
	if v, _ := c.Get(0, start); v != 7 || c.Len() != 3 {
		t.Errorf("%d of %d entries", v, c.Len())
	}
}

func TestConcurrent(t *testing.T) {
	c := New[int, int](16)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 1000 {
				c.Put(i%32, i%32, start.Add(time.Hour))
				if v, ok := c.Get((i+g)%32, start); ok && v != (i+g)%32 {
					t.Errorf("another key's value %d", v)
				}
				c.Forget(g)
			}
		})
	}
	wg.Wait()
}
