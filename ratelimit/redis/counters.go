package redis

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/berth-registry/berth/ratelimit"
)

//go:embed window.lua
var windowLua string

const (
	prefix = "berth:pulls:"

	// patience is how long a pull waits for the counters.
	patience = 500 * time.Millisecond

	// scanPage is how many keys a listing looks at at a time.
	scanPage = 500
)

// Options are what Counters can be told.
type Options struct {
	URL   string           // redis://, rediss:// or unix://, with user, password and database
	Clock func() time.Time // for tests: goes instead of the server's
}

// Counters count in Redis.
type Counters struct {
	client *redis.Client
	window *redis.Script
	clock  func() time.Time
}

var _ ratelimit.Counters = (*Counters)(nil)

// New returns counters that connect when they are first asked. An error, which
// has no part of the URL in it, means that the URL is none.
func New(opts Options) (*Counters, error) {
	o, err := redis.ParseURL(opts.URL)
	if err != nil {
		return nil, errors.New("redis.url: it must be redis://, rediss:// or unix://") // err may quote the password
	}
	redis.SetLogger(quiet{})
	o.MaxRetries = -1
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = patience, patience, patience, patience
	o.ContextTimeoutEnabled = true
	o.DisableIdentity = true
	return &Counters{client: redis.NewClient(o), window: redis.NewScript(windowLua), clock: opts.Clock}, nil
}

// quiet keeps the library from writing to standard error: what fails is
// returned, and whoever asked says so once.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

// Close closes the connections.
func (c *Counters) Close() error { return c.client.Close() }

// Check reports whether the server answers.
func (c *Counters) Check(ctx context.Context) error { return c.client.Ping(ctx).Err() }

// Take implements ratelimit.Counters. It goes by the server's clock, not by now.
func (c *Counters) Take(ctx context.Context, key ratelimit.Key, limit ratelimit.Limit, cost int64, _ time.Time) (ratelimit.Decision, error) {
	args := []any{"take", cost, limit.Pulls, int64(limit.Window / time.Second), c.now()}
	d, err := c.decide(c.window.Run(ctx, c.client, []string{name(key)}, args...))
	if err != nil {
		return ratelimit.Decision{Limit: limit}, fmt.Errorf("count a pull: %w", err)
	}
	return d, nil
}

// GiveBack implements ratelimit.Counters.
func (c *Counters) GiveBack(ctx context.Context, key ratelimit.Key, cost int64, d ratelimit.Decision) error {
	return c.window.Run(ctx, c.client, []string{name(key)}, "give back", cost, 0, 0, d.At.UnixMicro()).Err()
}

// Reset implements ratelimit.Counters.
func (c *Counters) Reset(ctx context.Context, key ratelimit.Key) error {
	return c.client.Del(ctx, name(key)).Err()
}

// Counts implements ratelimit.Counters.
func (c *Counters) Counts(ctx context.Context, _ time.Time) iter.Seq2[ratelimit.Count, error] {
	return func(yield func(ratelimit.Count, error) bool) {
		seen := map[string]bool{} // a key may be returned more than once
		for cursor := uint64(0); ; {
			names, next, err := c.client.Scan(ctx, cursor, prefix+"*", scanPage).Result()
			var page []ratelimit.Count
			if err == nil {
				page, err = c.page(ctx, names, seen)
			}
			for _, count := range page {
				if !yield(count, nil) {
					return
				}
			}
			if err != nil {
				yield(ratelimit.Count{}, err)
				return
			}
			if cursor = next; cursor == 0 {
				return
			}
		}
	}
}

// page reads the counts of keys in one round trip.
func (c *Counters) page(ctx context.Context, names []string, seen map[string]bool) (counts []ratelimit.Count, err error) {
	if err := c.window.Load(ctx, c.client).Err(); err != nil {
		return nil, err
	}
	pipe := c.client.Pipeline()
	var asked []*redis.Cmd
	for _, name := range names {
		key, err := ratelimit.ParseKey(strings.TrimPrefix(name, prefix))
		if err != nil || seen[name] {
			continue
		}
		seen[name] = true
		counts = append(counts, ratelimit.Count{Key: key})
		asked = append(asked, c.window.EvalSha(ctx, pipe, []string{name}, "count", 0, 0, 0, c.now()))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	used := counts[:0]
	for i, cmd := range asked {
		d, err := c.decide(cmd)
		if err != nil {
			return nil, err
		}
		if counts[i].Decision = d; d.Used > 0 {
			used = append(used, counts[i])
		}
	}
	return used, nil
}

// decide reads the answer of the script.
func (c *Counters) decide(cmd *redis.Cmd) (d ratelimit.Decision, err error) {
	n, err := cmd.Int64Slice()
	if err != nil {
		return d, err
	}
	if len(n) != 6 {
		return d, fmt.Errorf("the script answered %d numbers", len(n))
	}
	d = ratelimit.Decision{
		Allowed: n[0] == 1, Used: n[1], Reset: time.Duration(n[2]) * time.Microsecond, At: time.UnixMicro(n[3]),
		Limit: ratelimit.Limit{Pulls: n[4], Window: time.Duration(n[5]) * time.Second},
	}
	d.Remaining = max(d.Limit.Pulls-d.Used, 0)
	return d, nil
}

// now is "" for the clock of the server.
func (c *Counters) now() any {
	if c.clock == nil {
		return ""
	}
	return c.clock().UnixMicro()
}

func name(key ratelimit.Key) string { return prefix + key.String() }
