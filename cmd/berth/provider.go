package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/account"
	"github.com/berth-registry/berth/auth/ldap"
	"github.com/berth-registry/berth/auth/oidc"
	"github.com/berth-registry/berth/auth/personal"
	"github.com/berth-registry/berth/config"
	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/server"
)

// openProviders lets in whom the providers of identities vouch for, and makes
// the personal tokens of everybody.
func (r *running) openProviders(c config.Config, store metadata.Store) error {
	directory, err := openDirectory(c.Auth.LDAP, r.accounts)
	if err != nil {
		return err
	}
	r.users = r.accounts
	if directory != nil {
		r.users = directory
	}
	if r.browser, err = openBrowser(c, r.accounts); err != nil {
		return err
	}
	if err := r.cert.admitClients(c.HTTP.TLS, r.accounts); err != nil {
		return err
	}
	r.personal = personal.New(store, owners{r.accounts, directory, c.Auth.OIDC.Issuer})
	r.closers = append(r.closers, r.personal.Close)
	return nil
}

// openDirectory returns the directory of auth.ldap; nil without error if none
// is configured.
func openDirectory(c config.LDAP, accounts *account.Accounts) (*ldap.Directory, error) {
	if c.URL == "" {
		return nil, nil
	}
	ca, err := readAuthorities(c.CA)
	if err != nil {
		return nil, fmt.Errorf("auth.ldap.ca: %w", err)
	}
	d, err := ldap.New(ldap.Options{
		URL: c.URL, CA: ca, Insecure: c.Insecure,
		BindDN: c.BindDN, BindPassword: c.BindPassword, BaseDN: c.BaseDN,
		UserFilter: c.UserFilter, GroupFilter: c.GroupFilter, GroupAttribute: c.GroupAttribute,
		AdminGroup: c.AdminGroup, Accounts: accounts,
	})
	if err != nil {
		return nil, fmt.Errorf("auth.ldap: %w", err)
	}
	return d, nil
}

// loginPath is where the provider sends browsers back to.
const loginPath = "/login/callback"

// openBrowser returns the login of auth.oidc; nil without error if none is
// configured.
func openBrowser(c config.Config, people auth.Admitter) (server.Browser, error) {
	o := c.Auth.OIDC
	if o.Issuer == "" {
		return nil, nil
	}
	ca, err := readAuthorities(o.CA)
	if err != nil {
		return nil, fmt.Errorf("auth.oidc.ca: %w", err)
	}
	login, err := oidc.New(oidc.Options{
		Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: o.ClientSecret, RedirectURL: c.HTTP.URL + loginPath,
		Scopes: o.Scopes, NameClaim: o.NameClaim, GroupsClaim: o.GroupsClaim, AdminGroup: o.AdminGroup,
		Require: o.Require, CA: ca, People: people,
	})
	if err != nil {
		return nil, fmt.Errorf("auth.oidc: %w", err)
	}
	return login, nil
}

// readAuthorities reads a PEM file; nil, which means the system's authorities,
// if none is named.
func readAuthorities(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	return os.ReadFile(path)
}

// browserLogin is how long who came by a browser owns personal tokens. After it
// nobody knows whether the provider still has such a person, and such groups.
const browserLogin = 30 * 24 * time.Hour

// owners says who the owner of a personal token is now: a local account as it
// is stored, a person of a provider as the provider knows it. Who is of a
// provider that is not configured any more owns nothing, and neither does who
// is known by a certificate: a token would outlive it.
type owners struct {
	accounts  *account.Accounts
	directory *ldap.Directory // nil: none
	issuer    string          // of the browser login; "": none
}

// Owner implements personal.Owners.
func (o owners) Owner(ctx context.Context, name string) (auth.Principal, error) {
	u, err := o.accounts.Find(ctx, name)
	switch {
	case errors.Is(err, account.ErrNotFound):
		return auth.Principal{}, auth.ErrBadCredentials
	case err != nil:
		return auth.Principal{}, err
	case u.Provider == auth.ProviderLDAP && o.directory != nil:
		return o.directory.Lookup(ctx, name, time.Now())
	case u.Provider == "", u.Provider == o.issuer && time.Since(u.Changed) < browserLogin:
		return o.accounts.Owner(ctx, name)
	}
	return auth.Principal{}, auth.ErrBadCredentials
}

// makeTokens makes the personal tokens that browser logins end in.
type makeTokens struct{ personal *personal.Tokens }

const browserToken = "browser login " // begins their names

// MakeToken implements server.TokenMaker. What earlier logins have left and has
// expired makes room first.
func (m makeTokens) MakeToken(ctx context.Context, owner string, now time.Time) (server.LoginToken, error) {
	for t, err := range m.personal.List(ctx, owner, "") {
		if err != nil {
			return server.LoginToken{}, err
		}
		if !t.Expires.IsZero() && now.After(t.Expires) && strings.HasPrefix(t.Name, browserToken) {
			if err := m.personal.Revoke(ctx, t.ID, owner); err != nil {
				return server.LoginToken{}, err
			}
		}
	}
	n := personal.NewToken{
		Owner:   owner,
		Name:    browserToken + now.UTC().Format("2006-01-02 15:04:05.000"),
		Expires: now.Add(browserLogin),
	}
	token, made, err := m.personal.Add(ctx, n, now)
	if errors.Is(err, personal.ErrTooMany) || errors.Is(err, personal.ErrExists) {
		err = fmt.Errorf("%w: %w", auth.ErrDenied, err)
	}
	return server.LoginToken{Token: token, ID: made.ID, Name: n.Name, Expires: n.Expires}, err
}
