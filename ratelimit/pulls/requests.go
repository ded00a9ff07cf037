package pulls

import (
	"context"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/berth-registry/berth/ratelimit"
	"github.com/berth-registry/berth/ratelimit/memory"
)

// Requests bounds requests of any kind by address, against abuse: so many in
// any minute. It counts in this process alone, and forgets at its end.
type Requests struct {
	counters  *memory.Counters
	perMinute atomic.Int64 // 0 = no bound
}

// NewRequests returns a bound of requests per minute and address; 0 for none.
func NewRequests(perMinute int64, now time.Time) (*Requests, error) {
	c, err := memory.New(memory.Options{}, now)
	if err != nil {
		return nil, err
	}
	r := &Requests{counters: c}
	r.Replace(perMinute)
	return r, nil
}

// Replace puts another bound in force.
func (r *Requests) Replace(perMinute int64) { r.perMinute.Store(perMinute) }

// Allow counts a request, and says when the next one is allowed if it is not.
func (r *Requests) Allow(client netip.Addr, now time.Time) (allowed bool, wait time.Duration) {
	n := r.perMinute.Load()
	if n == 0 || !client.IsValid() {
		return true, 0
	}
	limit := ratelimit.Limit{Pulls: n, Window: time.Minute}
	d, err := r.counters.Take(context.Background(), ratelimit.At(client), limit, 1, now)
	return d.Allowed || err != nil, d.Reset
}

// Sweep drops the addresses that have been quiet.
func (r *Requests) Sweep(now time.Time) error {
	err := r.counters.Save() // nothing is kept: see memory.Counters.Sweep
	r.counters.Sweep(now)
	return err
}
