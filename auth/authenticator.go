package auth

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// TokenVerifier checks tokens. Every error wraps ErrInvalidToken.
type TokenVerifier interface {
	Verify(raw string, now time.Time) (Principal, error)
}

// PasswordVerifier checks names and secrets. ErrBadCredentials if they do
// not fit, ErrTooManyLogins if that was not found out; any other error is a
// failure of the server or the end of ctx.
type PasswordVerifier interface {
	Login(ctx context.Context, c Credentials, now time.Time) (Principal, error)
}

// Redeemer checks personal tokens that come without a name, from the address
// of a client, which may be unknown. Errors are those of PasswordVerifier.
type Redeemer interface {
	Redeem(ctx context.Context, token string, client netip.Addr, now time.Time) (Principal, error)
}

// Authenticator finds out who sends a request. Without Tokens every token is
// refused, without Accounts every password, without Personal every personal
// token that comes as a Bearer; without Client nobody's address is known;
// without Now it is time.Now.
type Authenticator struct {
	Tokens   TokenVerifier
	Accounts PasswordVerifier
	Personal Redeemer
	Client   func(*http.Request) netip.Addr
	Now      func() time.Time
}

// Authenticate reads the Authorization header, and nothing else of r but for
// the address of the client, which the principal has in every case.
//
//	none, or an empty Basic    ErrNoCredentials beside the anonymous Principal
//	Bearer, valid              a Principal with Token set, which may be anonymous
//	Bearer, a personal token   a Principal, or ErrBadCredentials
//	Bearer, anything else      ErrInvalidToken
//	Basic, right               a Principal
//	Basic, wrong               ErrBadCredentials
//	Basic, not looked at       ErrTooManyLogins
//	unreadable, other schemes, ErrMalformed
//	several headers
//
// The schemes are compared without case (RFC 9110, section 11.1). Any other
// error is a failure of the server.
func (a Authenticator) Authenticate(r *http.Request) (Principal, error) {
	var client netip.Addr
	if a.Client != nil {
		client = a.Client(r)
	}
	p, err := a.authenticate(r, client)
	p.Client = client
	return p, err
}

func (a Authenticator) authenticate(r *http.Request, client netip.Addr) (Principal, error) {
	scheme, credentials, err := authorization(r.Header)
	if err != nil {
		return Principal{}, err
	}
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		return a.bearer(r.Context(), credentials, client)
	case strings.EqualFold(scheme, "Basic"):
		return a.basic(r.Context(), credentials, client)
	}
	return Principal{}, fmt.Errorf("%w: the scheme is neither Bearer nor Basic", ErrMalformed)
}

func (a Authenticator) bearer(ctx context.Context, raw string, client netip.Addr) (Principal, error) {
	if a.Personal != nil && strings.HasPrefix(raw, PersonalPrefix) {
		return a.Personal.Redeem(ctx, raw, client, a.now())
	}
	if a.Tokens == nil {
		return Principal{}, fmt.Errorf("%w: no tokens are accepted", ErrInvalidToken)
	}
	return a.Tokens.Verify(raw, a.now())
}

func (a Authenticator) basic(ctx context.Context, credentials string, client netip.Addr) (Principal, error) {
	name, password, err := ParseBasic(credentials)
	if err != nil {
		return Principal{}, err
	}
	if name == "" && password == "" {
		return Principal{}, ErrNoCredentials
	}
	if a.Accounts == nil {
		return Principal{}, ErrBadCredentials
	}
	return a.Accounts.Login(ctx, Credentials{name, password, client}, a.now())
}

func (a Authenticator) now() time.Time {
	if a.Now == nil {
		return time.Now()
	}
	return a.Now()
}
