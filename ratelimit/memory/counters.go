package memory

import (
	"context"
	"hash/maphash"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/berth-registry/berth/ratelimit"
)

// MaxAddresses is how many addresses are remembered at a time if Options say
// nothing else.
const MaxAddresses = 1 << 20

// shards is how many locks there are. A decision holds one for some hundred
// nanoseconds.
const shards = 64

// Options are what Counters can be told.
type Options struct {
	Path         string // of the file; "" = everything is forgotten at the end
	MaxAddresses int    // 0 = MaxAddresses
}

// Counters count in memory. They never fail, but for Save and Close.
type Counters struct {
	seed      maphash.Seed
	shards    [shards]shard
	keys      atomic.Int64
	addresses atomic.Int64
	most      int64
	file      *file // nil: none
}

var _ ratelimit.Counters = (*Counters)(nil)

// New returns counters that know what the file at Options.Path says, as far as
// it can be read and has not expired. The file is created if it is absent.
func New(opts Options, now time.Time) (*Counters, error) {
	c := &Counters{seed: maphash.MakeSeed(), most: int64(opts.MaxAddresses)}
	if c.most == 0 {
		c.most = MaxAddresses
	}
	for i := range c.shards {
		c.shards[i].entries = newTable()
	}
	if opts.Path == "" {
		return c, nil
	}
	var err error
	c.file, err = openFile(opts.Path, func(key ratelimit.Key, e entry) { c.restore(key, e) })
	if err != nil {
		return nil, err
	}
	c.Sweep(now)
	return c, nil
}

// shard is a part of the keys.
type shard struct {
	mu      sync.Mutex
	entries table
	changed []ratelimit.Key // since the last Save
}

// entry is what is known of a key. There may be a million.
type entry struct {
	window  ratelimit.Window
	pulls   uint32 // of the limit that the key was last held to
	seconds uint32 // of that limit's window
	changed bool   // and the key is among the changed ones
}

func (e *entry) limit() ratelimit.Limit {
	return ratelimit.Limit{Pulls: int64(e.pulls), Window: time.Duration(e.seconds) * time.Second}
}

// take lets the key be held to a limit.
func (e *entry) take(limit ratelimit.Limit, cost int64, now time.Time) ratelimit.Decision {
	e.pulls, e.seconds = uint32(limit.Pulls), uint32(limit.Window/time.Second)
	return e.window.Take(limit, cost, now)
}

func (c *Counters) shard(key ratelimit.Key) *shard {
	return &c.shards[maphash.Comparable(c.seed, key)%shards]
}

// Take implements ratelimit.Counters.
func (c *Counters) Take(_ context.Context, key ratelimit.Key, limit ratelimit.Limit, cost int64, now time.Time) (ratelimit.Decision, error) {
	d, full := c.take(key, limit, cost, now)
	if full {
		d, _ = c.take(ratelimit.Key{}, limit, cost, now)
	}
	return d, nil
}

// take reports full if there is no room for a key that is new.
func (c *Counters) take(key ratelimit.Key, limit ratelimit.Limit, cost int64, now time.Time) (d ratelimit.Decision, full bool) {
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries.get(key)
	if e == nil {
		if key.Kind() == ratelimit.Address && c.addresses.Load() >= c.most {
			return d, true
		}
		if cost == 0 {
			return new(ratelimit.Window).Take(limit, 0, now), false
		}
		e = c.add(s, key)
	}
	d = e.take(limit, cost, now)
	if d.Allowed && cost > 0 {
		s.change(key, e)
	}
	return d, false
}

// add makes an entry. s is locked.
func (c *Counters) add(s *shard, key ratelimit.Key) *entry {
	e := new(entry)
	s.entries.set(key, e)
	c.count(key, 1)
	return e
}

func (c *Counters) count(key ratelimit.Key, n int64) {
	c.keys.Add(n)
	if key.Kind() == ratelimit.Address {
		c.addresses.Add(n)
	}
}

// change remembers that a key is to be saved. s is locked.
func (s *shard) change(key ratelimit.Key, e *entry) {
	if !e.changed {
		e.changed = true
		s.changed = append(s.changed, key)
	}
}

// GiveBack implements ratelimit.Counters.
func (c *Counters) GiveBack(_ context.Context, key ratelimit.Key, cost int64, d ratelimit.Decision) error {
	if !c.giveBack(key, cost, d) && key.Kind() == ratelimit.Address {
		c.giveBack(ratelimit.Key{}, cost, d)
	}
	return nil
}

func (c *Counters) giveBack(key ratelimit.Key, cost int64, d ratelimit.Decision) (found bool) {
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries.get(key)
	if e == nil {
		return false
	}
	e.window.GiveBack(cost, d.At)
	s.change(key, e)
	return true
}

// Reset implements ratelimit.Counters.
func (c *Counters) Reset(_ context.Context, key ratelimit.Key) error {
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries.get(key); e != nil {
		e.window = ratelimit.Window{}
		s.change(key, e)
	}
	return nil
}

// Counts implements ratelimit.Counters.
func (c *Counters) Counts(ctx context.Context, now time.Time) iter.Seq2[ratelimit.Count, error] {
	return func(yield func(ratelimit.Count, error) bool) {
		for i := range c.shards {
			if err := ctx.Err(); err != nil {
				yield(ratelimit.Count{}, err)
				return
			}
			for _, count := range c.shards[i].counts(now) {
				if !yield(count, nil) {
					return
				}
			}
		}
	}
}

func (s *shard) counts(now time.Time) (list []ratelimit.Count) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, e := range s.entries.all() {
		if d := e.window.Take(e.limit(), 0, now); d.Used > 0 {
			list = append(list, ratelimit.Count{Key: key, Decision: d})
		}
	}
	return list
}

// Keys is how many keys are held.
func (c *Counters) Keys() int { return int(c.keys.Load()) }

// Sweep drops the keys of which nothing is left.
func (c *Counters) Sweep(now time.Time) {
	for i := range c.shards {
		c.sweep(&c.shards[i], now)
	}
}

// sweep keeps what is to be saved: that a key was reset must not be lost.
func (c *Counters) sweep(s *shard, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, e := range s.entries.all() {
		if !e.changed && e.window.Expired(now) {
			s.entries.delete(key)
			c.count(key, -1)
		}
	}
}

// restore takes over what a file says of a key; later records of a key
// overwrite earlier ones.
func (c *Counters) restore(key ratelimit.Key, read entry) {
	s := c.shard(key)
	e := s.entries.get(key)
	if e == nil {
		e = c.add(s, key)
	}
	*e = read
}
