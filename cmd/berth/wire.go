package main

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/berth-registry/berth/api"
	"github.com/berth-registry/berth/audit"
	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/account"
	"github.com/berth-registry/berth/auth/guess"
	"github.com/berth-registry/berth/auth/issuer"
	"github.com/berth-registry/berth/auth/personal"
	"github.com/berth-registry/berth/auth/robot"
	"github.com/berth-registry/berth/auth/token"
	"github.com/berth-registry/berth/config"
	"github.com/berth-registry/berth/internal/httpx"
	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/metadata/bolt"
	"github.com/berth-registry/berth/registry"
	"github.com/berth-registry/berth/server"
	"github.com/berth-registry/berth/storage"
	"github.com/berth-registry/berth/storage/filesystem"
)

// Limits that nobody has had to change yet.
const (
	maxSessions = 1000           // open upload sessions of one principal
	sessionIdle = 24 * time.Hour // until an upload that nobody goes on with is dropped
)

// running is the parts of a serving process. Drivers are chosen here and
// nowhere else.
type running struct {
	config   config.Config // as it was at the start
	policy   *auth.Live
	keys     *token.Keys
	accounts *account.Accounts
	robots   *robot.Robots
	personal *personal.Tokens
	issuers  *issuer.Issuers
	guard    *guess.Guard
	users    auth.PasswordVerifier // the accounts, and who is in the directory
	browser  server.Browser        // nil: none
	logins   *audit.Logins
	standing auth.Standings
	api      *api.API
	registry *registry.Registry
	limits   limits
	server   *server.Server
	audit    *audit.Log
	counts   *prometheus.Registry
	metrics  *server.Recording
	checks   []server.Check // of readiness
	cert     *certificate
	closers  []func() error // in the order of opening
}

// wire opens the stores and builds everything over them. What was opened is
// closed again if it fails.
func wire(c config.Config, log *slog.Logger) (r *running, err error) {
	r = &running{config: c, counts: newMetrics()}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	grants, err := policy(c.Auth)
	if err != nil {
		return r, err
	}
	r.policy = auth.NewLive(grants)
	if r.cert, err = loadCertificate(c.HTTP.TLS); err != nil {
		return r, err
	}
	store, err := r.openStorage(c.Storage)
	if err != nil {
		return r, err
	}
	meta, err := r.openMetadata(c.Metadata)
	if err != nil {
		return r, err
	}
	if err := r.openAudit(c.Log, log); err != nil {
		return r, err
	}
	if err := r.openAuth(c, meta, log); err != nil {
		return r, err
	}
	sparse, err := patterns(c.Registry.Sparse)
	if err != nil {
		return r, err
	}
	r.registry = registry.New(meta, store, registry.Options{
		MaxManifest: int64(c.Registry.MaxManifest),
		MaxBlob:     int64(c.Registry.MaxBlob),
		MaxSessions: maxSessions,
		SessionIdle: sessionIdle,
		Sparse:      sparse,
		Now:         time.Now,
		Log:         log,
	})
	r.closers = append(r.closers, func() error { r.registry.Close(); return nil })
	r.checks = []server.Check{{Name: "storage", Check: store.Check}, {Name: "metadata", Check: meta.Check}}
	r.metrics = server.NewRecording(r.counts)
	if err := r.openLimits(c, meta, log, r.counts); err != nil {
		return r, err
	}
	r.api = api.New(r.administration(c, meta, log))
	r.server = server.New(r.edge(c, log))
	return r, nil
}

// edge is what the HTTP edge is made of.
func (r *running) edge(c config.Config, log *slog.Logger) server.Config {
	authenticator := r.authenticator(c, c.Auth.Service)
	authenticator.Tokens = issuer.Bearers{Own: authenticator.Tokens, Outside: r.issuers} // the API takes none of theirs
	return server.Config{
		Registry:    r.registry,
		Auth:        authenticator,
		Accounts:    r.logins,
		Logins:      r.logins,
		Issuer:      r.issuer(c.Auth, c.Auth.Service),
		Refresher:   r.refresher(c.Auth),
		Gate:        auth.Gate{Policy: r.policy, Standing: r.standing},
		Limits:      r.limits.pulls,
		Usage:       r.limits.usage,
		Flood:       r.limits.requests,
		Service:     c.Auth.Service,
		URL:         c.HTTP.URL,
		Proxies:     httpx.Proxies(c.HTTP.TrustedProxies),
		MaxManifest: int64(c.Registry.MaxManifest),
		JWKS:        r.keys.JWKS,
		API:         r.api.Network(),
		Checks:      r.checks,
		Audit:       r.audit,
		Browser:     r.browser,
		Tokens:      makeTokens{r.personal},
		ClientCerts: r.cert.bearers(),
		Metrics:     r.metrics,
		MetricsHere: c.Metrics.Addr == "",
		Log:         log,
		Now:         time.Now,
	}
}

// close closes what was opened, last first.
func (r *running) close() error {
	var errs []error
	for i := len(r.closers) - 1; i >= 0; i-- {
		errs = append(errs, r.closers[i]())
	}
	return errors.Join(errs...)
}

func (r *running) openStorage(c config.Storage) (storage.Store, error) {
	switch c.Driver {
	case "filesystem":
		s, err := filesystem.Open(c.Filesystem.Root, filesystem.Options{})
		if err != nil {
			return nil, fmt.Errorf("storage: %w", err)
		}
		r.closers = append(r.closers, s.Close)
		return s, nil
	}
	return nil, fmt.Errorf("storage.driver: %q is not built yet", c.Driver)
}

func (r *running) openMetadata(c config.Metadata) (metadata.Store, error) {
	switch c.Driver {
	case "bolt":
		s, err := bolt.Open(c.Bolt.Path, bolt.Options{})
		if err != nil {
			return nil, fmt.Errorf("metadata: %w", err)
		}
		r.closers = append(r.closers, s.Close)
		return s, nil
	}
	return nil, fmt.Errorf("metadata.driver: %q is not built yet", c.Driver)
}

// patterns returns whether a repository matches one of the patterns.
func patterns(texts []string) (func(repo string) bool, error) {
	var list []auth.Pattern
	for _, text := range texts {
		p, err := auth.ParsePattern(text)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return func(repo string) bool {
		for _, p := range list {
			if p.Match(repo, "") {
				return true
			}
		}
		return false
	}, nil
}
