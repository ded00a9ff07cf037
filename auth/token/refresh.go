package token

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/golang-jwt/jwt/v5"
)

// RefreshFor is how long a refresh token is good, however often it is used.
const RefreshFor = 30 * 24 * time.Hour

// refreshAudience follows the name of the service: a refresh token opens
// nothing itself.
const refreshAudience = "/refresh"

// Bonds says who a user is at the moment, and what a refresh token is bound to:
// a text that changes with the password and is "" for who has none.
// auth.ErrBadCredentials if there is no such user.
type Bonds interface {
	Bond(ctx context.Context, name string) (p auth.Principal, bond string, err error)
}

// Refresher makes and redeems refresh tokens, which stand for a user's password
// at the token endpoint. They are signed and nowhere stored (decision 0005): the
// bond in them ends them with the user and with the password.
type Refresher struct {
	Keys    *Keys
	Issuer  string
	Service string
	Users   Bonds
}

// refreshClaims are those of a refresh token.
type refreshClaims struct {
	jwt.RegisteredClaims
	Bond string `json:"bond"`
}

// Make returns a refresh token for who has just shown a password, and "" for
// everybody else: robots, outside callers, who came by any kind of token, and
// who has no password here.
func (r *Refresher) Make(ctx context.Context, p auth.Principal, now time.Time) (string, error) {
	if p.Kind != auth.User || p.Token || p.Credential != "" || p.Narrowed {
		return "", nil
	}
	_, bond, err := r.Users.Bond(ctx, p.Name)
	if err != nil && !errors.Is(err, auth.ErrBadCredentials) {
		return "", err
	}
	if bond == "" {
		return "", nil
	}
	return r.Keys.sign(refreshClaims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    r.Issuer,
			Subject:   p.Name,
			Audience:  jwt.ClaimStrings{r.Service + refreshAudience},
			ExpiresAt: jwt.NewNumericDate(now.Add(RefreshFor)),
			NotBefore: jwt.NewNumericDate(now.Add(-backdate)),
			IssuedAt:  jwt.NewNumericDate(now.Add(-backdate)),
			ID:        rand.Text(),
		},
		Bond: bond,
	})
}

// Redeem returns the user of a refresh token, as a password would show.
// auth.ErrBadCredentials for what is no refresh token of here, has expired, or
// is bound to a user or password that is no more; any other error is the
// store's.
func (r *Refresher) Redeem(ctx context.Context, raw string, now time.Time) (auth.Principal, error) {
	var c refreshClaims
	switch {
	case len(raw) > MaxToken:
		return auth.Principal{}, &refreshError{errTooLong}
	case r.Service == "":
		return auth.Principal{}, &refreshError{errUnconfigured}
	}
	if err := r.Keys.ring.Load().parse(raw, r.Issuer, r.Service+refreshAudience, now, &c); err != nil {
		return auth.Principal{}, &refreshError{err}
	}
	p, bond, err := r.Users.Bond(ctx, c.Subject)
	switch {
	case errors.Is(err, auth.ErrBadCredentials):
		return auth.Principal{}, &refreshError{errGone}
	case err != nil:
		return auth.Principal{}, err
	case bond == "" || bond != c.Bond:
		return auth.Principal{}, &refreshError{errPasswordChanged}
	}
	return p, nil
}
