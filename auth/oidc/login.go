package oidc

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/oci"
)

// Options are what a Login is made of. All texts but RedirectURL are those of
// auth.oidc in the configuration.
type Options struct {
	Issuer       string
	ClientID     string
	ClientSecret string // "": a public client, which PKCE alone protects
	RedirectURL  string // of this registry, as the provider knows it
	Scopes       []string
	NameClaim    string            // whose value before any @ is the user name, in lower case
	GroupsClaim  string            // "": nobody has groups
	AdminGroup   string            // whose members are administrators; "": nobody is
	Require      map[string]string // claims and the auth.Glob that each must match
	CA           []byte            // PEM of the authorities that are trusted; nil: the system's
	People       auth.Admitter
}

// Login is the browser login. It may be used concurrently.
type Login struct {
	o       Options
	require []auth.Requirement
	client  *http.Client
	slots   chan struct{} // logins that are being finished

	mu       sync.Mutex // held while the provider is asked what it is
	provider *oidc.Provider
	failed   error
	failedAt time.Time
}

// maxFinishing is how many logins are finished at a time: each one asks the
// provider two or three times.
const maxFinishing = 16

// New returns a Login. It asks nobody anything: a provider that is down is no
// reason not to start. Its error is about the options.
func New(o Options) (*Login, error) {
	client, err := newClient(o.CA)
	if err != nil {
		return nil, err
	}
	require, err := auth.ParseRequirements(o.Require)
	if err != nil {
		return nil, err
	}
	return &Login{o: o, require: require, client: client, slots: make(chan struct{}, maxFinishing)}, nil
}

// Begin returns where the browser is to go, and the secret of this login, which
// the browser alone is to have until it comes back. An oci.ErrUnavailable if
// the provider does not answer.
func (l *Login) Begin(ctx context.Context, now time.Time) (location, secret string, err error) {
	provider, err := l.discover(ctx, now)
	if err != nil {
		return "", "", err
	}
	secret = rand.Text() // 130 bits
	return l.oauth(provider).AuthCodeURL(derive(secret, "state"),
		oidc.Nonce(derive(secret, "nonce")),
		oauth2.S256ChallengeOption(derive(secret, "verifier")),
	), secret, nil
}

// Finish returns who has logged in, by the secret that Begin has made and the
// query with which the provider has sent the browser back.
//
//	auth.ErrMalformed   not the login that this browser has begun, or too late
//	auth.ErrDenied      the provider says no, or the person cannot be a user here; the text may be shown
//	oci.ErrUnavailable  the provider does not answer as it should
//
// Any other error is a failure of the server.
func (l *Login) Finish(ctx context.Context, secret string, query url.Values, now time.Time) (auth.Principal, error) {
	if secret == "" || subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(derive(secret, "state"))) != 1 {
		return auth.Principal{}, fmt.Errorf("%w: this browser has begun no such login, or too long ago", auth.ErrMalformed)
	}
	if query.Has("error") {
		return auth.Principal{}, fmt.Errorf("%w: the provider of identities says %.64q", auth.ErrDenied, query.Get("error"))
	}
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	default:
		return auth.Principal{}, fmt.Errorf("%w: %d logins are being finished", oci.ErrUnavailable, maxFinishing)
	}
	claims, err := l.claims(ctx, secret, query.Get("code"), now)
	if err != nil {
		return auth.Principal{}, err
	}
	person, err := l.person(claims)
	if err != nil {
		return auth.Principal{}, err
	}
	return l.o.People.Admit(ctx, person, now)
}

// claims exchanges the code for an ID token and returns what it says of the
// person, with what the user info says besides.
func (l *Login) claims(ctx context.Context, secret, code string, now time.Time) (claims, error) {
	provider, err := l.discover(ctx, now)
	if err != nil {
		return nil, err
	}
	ctx = oidc.ClientContext(ctx, l.client)
	tokens, err := l.oauth(provider).Exchange(ctx, code, oauth2.VerifierOption(derive(secret, "verifier")))
	if refused := (*oauth2.RetrieveError)(nil); errors.As(err, &refused) && refused.ErrorCode == "invalid_grant" {
		return nil, fmt.Errorf("%w: the provider of identities takes this answer no more", auth.ErrMalformed)
	}
	if err != nil {
		return nil, failed("exchange the code", err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	verifier := provider.Verifier(&oidc.Config{ClientID: l.o.ClientID, Now: func() time.Time { return now }})
	id, err := verifier.Verify(ctx, raw)
	if err != nil {
		return nil, failed("verify the ID token", err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(derive(secret, "nonce"))) != 1 {
		return nil, failed("verify the ID token", errors.New("foreign nonce"))
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(tokens.AccessToken); err != nil {
			return nil, failed("verify the access token", err)
		}
	}
	c, err := newClaims(id, l.o.ClientID)
	if err != nil || l.complete(c) || provider.UserInfoEndpoint() == "" {
		return c, err
	}
	return c, l.addUserInfo(ctx, c, provider, tokens)
}

// addUserInfo adds the claims that the ID token has left out. Of those that are
// in both the signed ones count.
func (l *Login) addUserInfo(ctx context.Context, c claims, provider *oidc.Provider, tokens *oauth2.Token) error {
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		return failed("ask for the user info", err)
	}
	if info.Subject != c.subject() { // Core 1.0, section 5.3.2
		return failed("ask for the user info", errors.New("it is about somebody else"))
	}
	var more claims
	if err := info.Claims(&more); err != nil {
		return failed("read the user info", err)
	}
	for name, value := range more {
		if _, signed := c[name]; !signed {
			c[name] = value
		}
	}
	return nil
}

func (l *Login) oauth(provider *oidc.Provider) *oauth2.Config {
	c := &oauth2.Config{
		ClientID: l.o.ClientID, ClientSecret: l.o.ClientSecret, RedirectURL: l.o.RedirectURL,
		Endpoint: provider.Endpoint(), Scopes: append([]string{oidc.ScopeOpenID}, l.o.Scopes...),
	}
	c.Endpoint.AuthStyle = authStyle(provider, l.o.ClientSecret)
	return c
}

// authStyle is how this client proves who it is. The library would find out by
// trying, and show a code twice that is good once.
func authStyle(provider *oidc.Provider, clientSecret string) oauth2.AuthStyle {
	var says struct {
		Methods []string `json:"token_endpoint_auth_methods_supported"`
	}
	_ = provider.Claims(&says) // discovery has read the same document
	const basic, post = "client_secret_basic", "client_secret_post"
	if clientSecret == "" || slices.Contains(says.Methods, post) && !slices.Contains(says.Methods, basic) {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader // also where nothing is said (Discovery 1.0, section 3)
}

// derive makes one of several values that tell nothing of the secret or each
// other: 43 characters, as a PKCE verifier has at least (RFC 7636, section 4.1).
func derive(secret, what string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(what))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
