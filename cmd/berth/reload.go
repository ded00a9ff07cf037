package main

import (
	"errors"
	"log/slog"

	"github.com/berth-registry/berth/config"
)

// reload puts into force what can change while serving: grants, static users,
// log level and TLS files. If anything about the configuration is wrong, all
// of it stays as it was.
func (r *running) reload(read func() (config.Config, error), level *slog.LevelVar, log *slog.Logger) {
	if err := r.apply(read, level); err != nil {
		log.Error("configuration not reloaded, the old one stays", "error", err)
		return
	}
	log.Info("configuration reloaded")
}

func (r *running) apply(read func() (config.Config, error), level *slog.LevelVar) error {
	c, err := read()
	if err != nil {
		return err
	}
	grants, err := policy(c.Auth)
	if err != nil {
		return err
	}
	if r.cert != nil {
		if c.HTTP.TLS.Cert == "" {
			return errors.New("http.tls: TLS cannot be switched off without a restart")
		}
		if err := r.cert.reload(c.HTTP.TLS); err != nil {
			return err
		}
	}
	if err := r.accounts.SetStatic(static(c.Auth.Users)); err != nil {
		return err
	}
	r.policy.Store(grants)
	setLevel(level, c.Log)
	return nil
}
