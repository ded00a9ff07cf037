package main

import (
	"crypto/tls"
	"log/slog"
	"reflect"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/token"
	"github.com/berth-registry/berth/config"
)

// reload puts into force what can change while serving: grants, static users,
// outside issuers, pull limits, token keys, log level and TLS files. If anything about the
// configuration is wrong, all of it stays as it was.
func (r *running) reload(read func() (config.Config, error), level *slog.LevelVar, log *slog.Logger) {
	next, err := read()
	if err == nil {
		err = r.apply(next)
	}
	r.reloaded(err)
	if err != nil {
		log.Error("configuration not reloaded, the old one stays", "error", err)
		return
	}
	setLevel(level, next.Log)
	if !reflect.DeepEqual(fixed(r.config), fixed(next)) {
		log.Warn("configuration reloaded, but some of what changed takes a restart: all but grants, users, trusted issuers, ratelimit, auth.key, log.level and the contents of TLS files")
		return
	}
	log.Info("configuration reloaded")
}

// fixed is the part of a configuration that a reload does not change.
func fixed(c config.Config) config.Config {
	c.Auth.Grants, c.Auth.Users, c.Auth.TrustedIssuers, c.Auth.Key, c.Log.Level = nil, nil, nil, nil, ""
	c.RateLimit = config.RateLimit{}
	return c
}

// apply makes everything before it puts anything into force.
func (r *running) apply(c config.Config) error {
	var grants *auth.Policy
	var pair *tls.Certificate
	var err error
	if grants, err = policy(c.Auth); err != nil {
		return err
	}
	limits, err := pullPolicy(c.RateLimit)
	if err != nil {
		return err
	}
	trust, err := r.issuers.Prepare(trusted(c.Auth))
	if err != nil {
		return err
	}
	keys, err := token.Load(c.Auth.Key)
	if err != nil {
		return err
	}
	if r.cert != nil && c.HTTP.TLS.Cert != "" {
		if pair, err = loadPair(c.HTTP.TLS); err != nil {
			return err
		}
	}
	clients, err := loadClients(c.HTTP.TLS.ClientCA)
	if err != nil {
		return err
	}
	if err := r.accounts.SetStatic(static(c.Auth.Users)); err != nil { // all or nothing, too
		return err
	}
	r.policy.Store(grants)
	r.issuers.Use(trust)
	r.issuers.Refresh(time.Now())
	r.limits.replace(limits, c.RateLimit)
	r.keys.Replace(keys)
	if pair != nil {
		r.cert.current.Store(pair)
	}
	if clients != nil && r.cert != nil && r.cert.clients != nil {
		r.cert.clients.Store(clients)
	}
	return nil
}
