// Package cache remembers the results of expensive checks: bounded, until they
// expire, nothing else.
//
//	Get ──▶ young ──▶ old ──▶ miss
//	          ▲        │
//	          └────────┘ what is found in old moves to young
//
// When young is full it becomes old, and what nobody asked for since old was
// young is gone. So the last max/2 entries that were used are always there,
// never more than max are, and no list has to be kept.
package cache

import (
	"sync"
	"time"
)

// Cache maps keys to values that expire. It may be used concurrently.
type Cache[K comparable, V any] struct {
	mu         sync.Mutex
	half       int
	young, old map[K]entry[V]
}

type entry[V any] struct {
	value   V
	expires time.Time
}

// New returns a cache of at most max entries, at least two.
func New[K comparable, V any](max int) *Cache[K, V] {
	return &Cache[K, V]{half: (max + 1) / 2, young: make(map[K]entry[V])}
}

// Get returns the value of a key, if it is remembered and not expired: now is
// before its expiry.
func (c *Cache[K, V]) Get(k K, now time.Time) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.young[k]
	if !ok {
		if e, ok = c.old[k]; ok {
			delete(c.old, k)
			c.put(k, e)
		}
	}
	if !ok || !now.Before(e.expires) {
		var none V
		return none, false
	}
	return e.value, true
}

// Put remembers a value until it expires.
func (c *Cache[K, V]) Put(k K, v V, expires time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.old, k)
	c.put(k, entry[V]{v, expires})
}

func (c *Cache[K, V]) put(k K, e entry[V]) {
	if _, is := c.young[k]; !is && len(c.young) >= c.half {
		c.young, c.old = make(map[K]entry[V], c.half), c.young
	}
	c.young[k] = e
}

// Forget drops a key.
func (c *Cache[K, V]) Forget(k K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.young, k)
	delete(c.old, k)
}

// Len counts the entries, those expired included.
func (c *Cache[K, V]) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.young) + len(c.old)
}

// Clear drops everything.
func (c *Cache[K, V]) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.young)
	clear(c.old)
}
