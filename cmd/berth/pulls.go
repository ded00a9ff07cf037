package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/config"
	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/ratelimit"
	"github.com/berth-registry/berth/ratelimit/memory"
	"github.com/berth-registry/berth/ratelimit/pulls"
	"github.com/berth-registry/berth/ratelimit/redis"
	"github.com/berth-registry/berth/ratelimit/usage"
	"github.com/berth-registry/berth/server"
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
func (r *running) openLimits(c config.Config, store metadata.Store, log *slog.Logger, metrics *prometheus.Registry) error {
	policy, err := pullPolicy(c.RateLimit)
	if err != nil {
		return err
	}
	now := time.Now()
	counters, err := r.openCounters(c, log, metrics, now)
	if err != nil {
		return fmt.Errorf("counters of pulls: %w", err)
	}
	recorder := usage.NewRecorder(store)
	r.closers = append(r.closers, saying(log, "usage of the last seconds", func() error { return recorder.Flush(context.Background(), time.Now()) }))
	requests, err := pulls.NewRequests(int64(c.RateLimit.RequestsPerMinute), now)
	if err != nil {
		return err
	}
	r.limits.pulls, r.limits.usage, r.limits.requests = pulls.NewLimiter(policy, counters, store), recorder, requests
	r.limits.replace(policy, c.RateLimit)
	return r.limits.pulls.Refresh(context.Background(), now)
}

// openCounters opens the counters in memory, which have a file unless they only
// stand in for those in Redis.
func (r *running) openCounters(c config.Config, log *slog.Logger, metrics *prometheus.Registry, now time.Time) (ratelimit.Counters, error) {
	opts := memory.Options{Path: filepath.Join(filepath.Dir(c.Metadata.Bolt.Path), pullsFile)}
	if c.Redis.URL != "" {
		opts.Path = ""
	}
	local, err := memory.New(opts, now)
	if err != nil {
		return nil, err
	}
	r.limits.memory = local
	r.closers = append(r.closers, saying(log, "counts of pulls of the last seconds", local.Close))
	metrics.MustRegister(gauge("berth_pull_keys", "Users and addresses whose pulls are being counted in memory.", func() float64 { return float64(local.Keys()) }))
	if c.Redis.URL == "" {
		return local, nil
	}
	shared, err := redis.New(redis.Options{URL: c.Redis.URL})
	if err != nil {
		return nil, err
	}
	r.closers = append(r.closers, shared.Close)
	f := &ratelimit.Failover{Shared: shared, Local: local, Deny: c.Redis.OnError == "deny"}
	f.Tell = tellFailures(log, f.Deny, metrics)
	metrics.MustRegister(gauge("berth_pull_redis_down", "1 while pulls are not counted in Redis because it cannot be reached.", func() float64 {
		if f.Alone() {
			return 1
		}
		return 0
	}))
	if f.Deny { // otherwise the registry serves without it
		r.checks = append(r.checks, server.Check{Name: "redis", Check: shared.Check})
	}
	return f, nil
}

// saying says what is lost if something fails at the end: that is no reason for
// the process to have failed.
func saying(log *slog.Logger, what string, end func() error) func() error {
	return func() error {
		if err := end(); err != nil {
			log.Error("not saved at the end", "lost", what, "error", err)
		}
		return nil
	}
}

func gauge(name, help string, value func() float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
}

// tellFailures counts the failures of Redis, and says when they begin and end.
func tellFailures(log *slog.Logger, deny bool, metrics *prometheus.Registry) func(error) {
	failures := prometheus.NewCounter(prometheus.CounterOpts{Name: "berth_pull_redis_errors_total", Help: "Pulls that could not be counted in Redis."})
	metrics.MustRegister(failures)
	var down atomic.Bool
	return func(err error) {
		switch {
		case err == nil:
			down.Store(false)
			log.Info("redis: pulls are counted there again")
			return
		case down.Swap(true): // as was said
		case deny:
			log.Error("redis cannot be reached: pulls are refused", "error", err)
		default:
			log.Error("redis cannot be reached: this process counts pulls alone", "error", err)
		}
		failures.Inc()
	}
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
