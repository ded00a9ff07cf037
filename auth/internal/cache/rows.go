package cache

import (
	"sync/atomic"
	"time"
)

// Rows remembers what a store has said of a name for a short time. What is
// changed in this process counts at once: see Changed. The zero Rows is not
// usable.
type Rows[V any] struct {
	rows    *Cache[string, V]
	keep    time.Duration
	changes atomic.Uint64
}

// NewRows returns Rows that remember at most max names, each for a time.
func NewRows[V any](max int, keep time.Duration) *Rows[V] {
	return &Rows[V]{rows: New[string, V](max), keep: keep}
}

// Get returns what is remembered of a name, or what read says, which is then
// remembered. An error of read is not.
func (r *Rows[V]) Get(name string, now time.Time, read func() (V, error)) (V, error) {
	if v, ok := r.rows.Get(name, now); ok {
		return v, nil
	}
	before := r.changes.Load()
	v, err := read()
	if err != nil {
		return v, err
	}
	r.rows.Put(name, v, now.Add(r.keep))
	if r.changes.Load() != before { // the row may have been read before the change
		r.rows.Forget(name)
	}
	return v, nil
}

// Changed forgets a name whose row has been changed.
func (r *Rows[V]) Changed(name string) {
	r.changes.Add(1)
	r.rows.Forget(name)
}

// Clear forgets all names, whose rows may have been changed.
func (r *Rows[V]) Clear() {
	r.changes.Add(1)
	r.rows.Clear()
}
