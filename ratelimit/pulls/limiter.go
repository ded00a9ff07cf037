package pulls

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/ratelimit"
)

// Limiter holds pulls to the limits in force. It is safe for concurrent use.
type Limiter struct {
	counters ratelimit.Counters
	store    metadata.PullLimits
	policy   atomic.Pointer[Policy]
	set      atomic.Pointer[map[ratelimit.Key]Set] // what Refresh found
	refresh  sync.Mutex
}

// NewLimiter returns a limiter that knows of no limits that were set: see
// Refresh.
func NewLimiter(p *Policy, counters ratelimit.Counters, store metadata.PullLimits) *Limiter {
	l := &Limiter{counters: counters, store: store}
	l.policy.Store(p)
	l.set.Store(&map[ratelimit.Key]Set{})
	return l
}

// Replace puts another policy in force. What was counted stays.
func (l *Limiter) Replace(p *Policy) { l.policy.Store(p) }

// EveryManifest reports whether everything that is asked for by GET counts.
func (l *Limiter) EveryManifest() bool { return l.policy.Load().EveryManifest }

// Window is that of limits which do not say.
func (l *Limiter) Window() time.Duration { return l.policy.Load().Window }

// Limit returns the limit of who: that which was set for its key, or the
// policy's.
func (l *Limiter) Limit(who auth.Principal, now time.Time) ratelimit.Limit {
	return l.limit(l.policy.Load(), Key(who), who, now)
}

func (l *Limiter) limit(p *Policy, key ratelimit.Key, who auth.Principal, now time.Time) ratelimit.Limit {
	if p.Off {
		return ratelimit.Limit{}
	}
	if s, has := (*l.set.Load())[key]; has && s.inForce(now) {
		return s.Limit
	}
	return p.Limit(who)
}

// Take counts a pull from a repository if there is one left. The Limit of the
// decision is unlimited if nothing bounds the pull; it is not counted then. An
// error means that nothing could be decided.
func (l *Limiter) Take(ctx context.Context, who auth.Principal, repo string, now time.Time) (ratelimit.Decision, error) {
	return l.decide(ctx, who, repo, 1, now)
}

// Look tells what Take would find, and counts nothing.
func (l *Limiter) Look(ctx context.Context, who auth.Principal, repo string, now time.Time) (ratelimit.Decision, error) {
	return l.decide(ctx, who, repo, 0, now)
}

func (l *Limiter) decide(ctx context.Context, who auth.Principal, repo string, cost int64, now time.Time) (ratelimit.Decision, error) {
	p, key := l.policy.Load(), Key(who)
	limit := l.limit(p, key, who, now)
	if limit.Unlimited() || p.exempts(repo) {
		return ratelimit.Decision{Allowed: true}, nil
	}
	d, err := l.counters.Take(ctx, key, limit.Times(p.factor()), cost, now)
	return p.pulls(d), err
}

// GiveBack takes a pull away again that Take counted.
func (l *Limiter) GiveBack(ctx context.Context, who auth.Principal, d ratelimit.Decision) error {
	if d.Limit.Unlimited() || !d.Allowed {
		return nil
	}
	return l.counters.GiveBack(ctx, Key(who), 1, d)
}

// factor is how many requests a pull may have.
func (p *Policy) factor() int64 {
	if p.EveryManifest {
		return 2
	}
	return 1
}

// pulls turns requests into pulls. As long as one request is left, so is one
// pull.
func (p *Policy) pulls(d ratelimit.Decision) ratelimit.Decision {
	n := p.factor()
	d.Limit.Pulls /= n
	d.Used /= n
	d.Remaining = (d.Remaining + n - 1) / n
	return d
}

// Top returns the n keys that have used most, most first.
func (l *Limiter) Top(ctx context.Context, n int, now time.Time) ([]ratelimit.Count, error) {
	p := l.policy.Load()
	var top []ratelimit.Count
	for c, err := range l.counters.Counts(ctx, now) {
		if err != nil {
			return nil, err
		}
		c.Decision = p.pulls(c.Decision)
		if top = append(top, c); len(top) >= 2*n+1000 { // a million keys are not kept to show ten
			top = most(top, n)
		}
	}
	return most(top, n), nil
}

func most(list []ratelimit.Count, n int) []ratelimit.Count {
	slices.SortFunc(list, func(a, b ratelimit.Count) int {
		return cmp.Or(cmp.Compare(b.Used, a.Used), cmp.Compare(a.Key.String(), b.Key.String()))
	})
	return list[:min(n, len(list))]
}

// Reset gives a key all of its limit again.
func (l *Limiter) Reset(ctx context.Context, key ratelimit.Key) error {
	return l.counters.Reset(ctx, key)
}
