package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/berth-registry/berth/api"
	"github.com/berth-registry/berth/audit"
	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/account"
	"github.com/berth-registry/berth/auth/guess"
	"github.com/berth-registry/berth/auth/issuer"
	"github.com/berth-registry/berth/auth/robot"
	"github.com/berth-registry/berth/auth/token"
	"github.com/berth-registry/berth/config"
	"github.com/berth-registry/berth/internal/httpx"
	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/server"
)

// apiAudience follows the name of the service: a token of the registry opens
// nothing of the API, and the other way round.
const apiAudience = "/api"

// openAuth makes everything that says who somebody is.
func (r *running) openAuth(c config.Config, store metadata.Store, log *slog.Logger) (err error) {
	if r.keys, err = token.Load(c.Auth.Key); err != nil {
		return err
	}
	if err := r.openAccounts(c, store); err != nil {
		return err
	}
	r.issuers = issuer.New(log, nil)
	trust, err := r.issuers.Prepare(trusted(c.Auth))
	if err != nil {
		return err
	}
	r.issuers.Use(trust)
	r.guard = guess.New(r.users) // what else there is cannot be guessed
	r.countDelays()
	door := auth.Door{Robots: r.robots, Personal: r.personal, Outside: r.issuers, Users: r.guard}
	r.logins = audit.NewLogins(door, r.audit, r.countLogins())
	r.standing = auth.Standings{Robots: r.robots, Personal: r.personal, Outside: r.issuers, Users: r.accounts}
	return nil
}

// authenticator knows everybody, and the tokens of one audience.
func (r *running) authenticator(c config.Config, audience string) auth.Authenticator {
	return auth.Authenticator{
		Tokens:   token.NewVerifier(r.keys, c.Auth.Issuer, audience),
		Accounts: r.logins,
		Client:   httpx.Proxies(c.HTTP.TrustedProxies).Client,
	}
}

func (r *running) issuer(c config.Auth, audience string) *token.Issuer {
	return &token.Issuer{Keys: r.keys, Issuer: c.Issuer, Service: audience, TTL: time.Duration(c.TokenTTL)}
}

// administration is what the API is made of.
func (r *running) administration(c config.Config, store metadata.Store, log *slog.Logger) api.Config {
	who := r.authenticator(c, c.Auth.Service+apiAudience)
	who.Personal = r.logins.Redeemer(r.personal) // as a Bearer, too: a name is no use there
	return api.Config{
		Accounts: r.accounts, Robots: r.robots, Tokens: r.personal, Policy: r.policy, Audit: r.audit,
		Limits: r.limits.pulls, Usage: store,
		Auth: who, Standing: r.standing, Sessions: r.issuer(c.Auth, c.Auth.Service+apiAudience), Client: who.Client,
		Version: version, Log: log, Now: time.Now,
	}
}

// refresher makes refresh tokens; nil if they are off.
func (r *running) refresher(c config.Auth) server.Refresher {
	if !c.RefreshTokens {
		return nil
	}
	return &token.Refresher{Keys: r.keys, Issuer: c.Issuer, Service: c.Service, Users: r.accounts}
}

// openAccounts makes users, robots and personal tokens and, at the first start, the first
// administrator, whose password is kept beside the database.
func (r *running) openAccounts(c config.Config, store metadata.Store) error {
	accounts, err := account.New(account.Options{
		Users:    store,
		Static:   static(c.Auth.Users),
		Reserved: upstreams(c.Mirror),
		Dir:      filepath.Dir(c.Metadata.Bolt.Path),
	})
	if err != nil {
		return fmt.Errorf("auth.users: %w", err)
	}
	r.accounts, r.robots = accounts, robot.New(store)
	r.closers = append(r.closers, r.robots.Close)
	if err := r.openProviders(c, store); err != nil {
		return err
	}
	first, err := accounts.Bootstrap(context.Background(), os.Getenv("BERTH_ADMIN_PASSWORD"), time.Now())
	if err != nil {
		return err
	}
	if first.Password != "" {
		fmt.Fprintf(os.Stderr, "\nThe first start made the user admin with the password\n\n    %s\n\n"+
			"It is shown once, and kept in %s until it is changed.\n\n", first.Password, first.File)
	}
	return nil
}

// upstreams are the names that no user may have: who is called docker.io would
// own what everybody takes for Docker Hub's.
func upstreams(c config.Mirror) []string {
	names := []string{"docker.io"} // also while no mirror is configured
	for _, u := range c.Upstreams {
		names = append(names, u.Name)
	}
	return names
}

func static(users []config.User) []metadata.User {
	var list []metadata.User
	for _, u := range users {
		list = append(list, metadata.User{Name: u.Name, Bcrypt: u.Bcrypt, Groups: u.Groups})
	}
	return list
}

// policy builds the grants of the configuration.
func policy(c config.Auth) (*auth.Policy, error) {
	grants := make([]auth.Grant, 0, len(c.Grants))
	for i, g := range c.Grants {
		grant, err := auth.ParseGrant(g.Who, g.Repositories, g.Actions, g.Deny)
		if err != nil {
			return nil, fmt.Errorf("auth.grants[%d]: %w", i, err)
		}
		grants = append(grants, grant)
	}
	return auth.NewPolicy(grants), nil
}

// trusted are the outside issuers of the configuration.
func trusted(c config.Auth) []issuer.Entry {
	var entries []issuer.Entry
	for _, t := range c.TrustedIssuers {
		entries = append(entries, issuer.Entry{
			Issuer: t.Issuer, JWKS: t.JWKS, Audience: t.Audience, Who: t.Who, Tokens: issuer.Tokens(t.Tokens),
			Require: t.Require, Repositories: t.Repositories, Actions: t.Actions,
		})
	}
	return entries
}
