package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/config"
	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/ratelimit"
	"github.com/berth-registry/berth/ratelimit/memory"
	"github.com/berth-registry/berth/ratelimit/pulls"
	"github.com/berth-registry/berth/ratelimit/usage"
)

// pullsFile is where pulls are counted, beside the database.
const pullsFile = "pulls.log"

// limits are the parts that count.
type limits struct {
	pulls    *pulls.Limiter
	memory   *memory.Counters
	usage    *usage.Recorder
	requests *pulls.Requests
}

// openLimits opens the counters, and puts the limits in force.
func (r *running) openLimits(c config.Config, store metadata.Store, metrics *prometheus.Registry) error {
	policy, err := pullPolicy(c.RateLimit)
	if err != nil {
		return err
	}
	now := time.Now()
	counters, err := memory.New(memory.Options{Path: filepath.Join(filepath.Dir(c.Metadata.Bolt.Path), pullsFile)}, now)
	if err != nil {
		return fmt.Errorf("counters of pulls: %w", err)
	}
	r.closers = append(r.closers, counters.Close)
	recorder := usage.NewRecorder(store)
	r.closers = append(r.closers, func() error { return recorder.Flush(context.Background(), time.Now()) })
	requests, err := pulls.NewRequests(int64(c.RateLimit.RequestsPerMinute), now)
	if err != nil {
		return err
	}
	r.limits = limits{pulls: pulls.NewLimiter(policy, counters, store), memory: counters, usage: recorder, requests: requests}
	r.limits.replace(policy, c.RateLimit)
	metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "berth_pull_keys", Help: "Users and addresses whose pulls are being counted in memory.",
	}, func() float64 { return float64(counters.Keys()) }))
	return r.limits.pulls.Refresh(context.Background(), now)
}

// replace puts the limits of a configuration in force.
func (l *limits) replace(p *pulls.Policy, c config.RateLimit) {
	l.pulls.Replace(p)
	l.usage.Enable(c.Enabled)
	l.requests.Replace(int64(c.RequestsPerMinute))
}

// chores keep the limits in order.
func (l *limits) chores() []chore {
	return []chore{
		{"counts of pulls", 2 * time.Second, func(context.Context, time.Time) error { return l.memory.Save() }},
		{"limits that were set", 5 * time.Second, l.pulls.Refresh},
		{"usage", 10 * time.Second, l.usage.Flush},
		{"old usage", time.Hour, l.usage.Prune},
		{"old counts", 30 * time.Second, func(_ context.Context, now time.Time) error {
			l.memory.Sweep(now)
			return l.requests.Sweep(now)
		}},
	}
}

// pullPolicy builds the limits of the configuration.
func pullPolicy(c config.RateLimit) (*pulls.Policy, error) {
	limit := func(n config.Limit, window config.Duration) ratelimit.Limit {
		if window == 0 {
			window = c.Window
		}
		return ratelimit.Limit{Pulls: int64(n), Window: time.Duration(window)}
	}
	exempt, err := patterns(c.ExemptRepositories)
	if err != nil {
		return nil, fmt.Errorf("ratelimit.exempt_repositories: %w", err)
	}
	p := &pulls.Policy{
		Anonymous: limit(c.Anonymous, 0), Authenticated: limit(c.Authenticated, 0), Robots: limit(c.Robots, 0),
		Window: time.Duration(c.Window),
		Exempt: exempt, EveryManifest: c.Count == "every-manifest", Off: !c.Enabled,
	}
	for i, o := range c.Overrides {
		override := pulls.Override{Limit: limit(o.Limit, o.Window)}
		for _, text := range o.Who {
			who, wrong := auth.ParseWho(text)
			err = errors.Join(err, wrong)
			override.Who = append(override.Who, who)
		}
		if err != nil {
			return nil, fmt.Errorf("ratelimit.overrides[%d]: %w", i, err)
		}
		p.Overrides = append(p.Overrides, override)
	}
	return p, nil
}
