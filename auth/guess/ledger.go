package guess

import (
	"container/heap"
	"time"
)

// ledger maps keys to values for a while, and never holds more than max. What
// ends first is at the top of a heap: it is what is dropped when it has ended,
// and what has to go when there is no room.
type ledger[K comparable, V any] struct {
	max     int
	entries map[K]*entry[K, V]
	ends    byEnd[K, V]
}

type entry[K comparable, V any] struct {
	key   K
	value V
	end   time.Time // from then on it is as if it were not there
	at    int       // in ends
}

func newLedger[K comparable, V any](max int) *ledger[K, V] {
	return &ledger[K, V]{max: max, entries: make(map[K]*entry[K, V])}
}

// get returns the value of a key, the zero value if there is none.
func (l *ledger[K, V]) get(k K, now time.Time) (V, bool) {
	e, ok := l.entries[k]
	if !ok || !now.Before(e.end) {
		var none V
		return none, false
	}
	return e.value, true
}

// put keeps a value until it ends.
func (l *ledger[K, V]) put(k K, v V, end, now time.Time) {
	if e, ok := l.entries[k]; ok {
		e.value, e.end = v, end
		heap.Fix(&l.ends, e.at)
		return
	}
	l.sweep(now)
	if len(l.ends) >= l.max {
		l.drop(l.ends[0].key)
	}
	e := &entry[K, V]{key: k, value: v, end: end}
	l.entries[k] = e
	heap.Push(&l.ends, e)
}

func (l *ledger[K, V]) drop(k K) {
	if e, ok := l.entries[k]; ok {
		delete(l.entries, k)
		heap.Remove(&l.ends, e.at)
	}
}

// sweep drops what has ended.
func (l *ledger[K, V]) sweep(now time.Time) {
	for len(l.ends) > 0 && !now.Before(l.ends[0].end) {
		l.drop(l.ends[0].key)
	}
}

// byEnd is the heap.Interface of entries. Each knows its place.
type byEnd[K comparable, V any] []*entry[K, V]

func (h byEnd[K, V]) Len() int           { return len(h) }
func (h byEnd[K, V]) Less(i, j int) bool { return h[i].end.Before(h[j].end) }

func (h byEnd[K, V]) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

func (h *byEnd[K, V]) Push(x any) {
	e := x.(*entry[K, V])
	e.at = len(*h)
	*h = append(*h, e)
}

func (h *byEnd[K, V]) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return e
}
