package token

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/golang-jwt/jwt/v5"
)

const (
	// MaxToken is the longest token, in bytes: one with auth.MaxScopes scopes of
	// the longest names and dozens of groups fits.
	MaxToken = 64 << 10

	// minTTL is what clients take for granted (token.md, expires_in).
	minTTL = time.Minute

	// backdate is how far the clock of a replica that verifies may lag behind.
	// A token that is "not yet valid" there is fatal in containerd.
	backdate = time.Minute
)

// ErrTooLong means that a token would be longer than MaxToken: too many
// groups, or access that came from elsewhere than auth.ParseScopes.
var ErrTooLong = errors.New("token too long")

// Issuer signs tokens.
type Issuer struct {
	Keys    *Keys
	Issuer  string        // iss
	Service string        // aud
	TTL     time.Duration // at least a minute, or a minute it is
	// Limits returns what a client is told of the pull limit of a principal,
	// beside each entry that pulls (pull_limit, pull_limit_interval, as Docker
	// Hub has them), for information: nobody reads it back. nil: nothing.
	Limits func(p auth.Principal) map[string]string
}

// Issue signs a token for p that holds access, which must have been through
// Policy.Intersect. expiresIn is whole seconds, at least 60; the token is valid
// for that long and up to a second more. There is no issued_at to hand out with
// it: clients compare that with their own clock. ErrTooLong as it says; any
// other error is the signer's.
//
// Where the credentials of p expire, the token does not outlive them, and
// expiresIn can be less than 60 seconds.
func (i *Issuer) Issue(p auth.Principal, access []auth.Access, now time.Time) (token string, expiresIn time.Duration, err error) {
	subject, id, err := identityOf(p)
	if err != nil {
		return "", 0, err
	}
	expiresIn, ends := i.life(p, now)
	signed, err := i.Keys.sign(claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    i.Issuer,
			Audience:  jwt.ClaimStrings{i.Service},
			ExpiresAt: jwt.NewNumericDate(ends),
			NotBefore: jwt.NewNumericDate(now.Add(-backdate)),
			IssuedAt:  jwt.NewNumericDate(now.Add(-backdate)),
			ID:        rand.Text(),
		},
		Subject: subject,
		Access:  i.entries(p, access),
		Berth:   id,
	})
	return signed, expiresIn, err
}

// life returns how long a token for p is good, in whole seconds, and when it
// ends, which will be cut to a second.
func (i *Issuer) life(p auth.Principal, now time.Time) (expiresIn time.Duration, ends time.Time) {
	expiresIn = max(i.TTL, minTTL).Truncate(time.Second)
	ends = now.Add(expiresIn + time.Second)
	if p.Expires.IsZero() || !p.Expires.Before(ends) {
		return expiresIn, ends
	}
	left := p.Expires.Sub(now).Truncate(time.Second)
	return min(expiresIn, max(left, time.Second)), p.Expires // clients take 0 for "for ever"
}

// entries are the access entries as they are written, [] in JSON if there are
// none.
func (i *Issuer) entries(p auth.Principal, access []auth.Access) []entry {
	var limits map[string]string
	if i.Limits != nil {
		limits = i.Limits(p)
	}
	entries := make([]entry, len(access))
	for n, a := range access {
		entries[n].Access = a
		if a.Type == auth.TypeRepository && a.Actions.Has(auth.Pull) {
			entries[n].Parameters = limits
		}
	}
	return entries
}

func (k *Keys) sign(c jwt.Claims) (string, error) {
	key := k.ring.Load().signs
	t := jwt.NewWithClaims(key.method, c)
	t.Header["kid"] = key.id
	signed, err := t.SignedString(key.signer)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	if len(signed) > MaxToken {
		return "", fmt.Errorf("%w: %d bytes", ErrTooLong, len(signed))
	}
	return signed, nil
}
