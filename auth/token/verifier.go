package token

import (
	"crypto/sha256"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/internal/cache"
	"github.com/berth-registry/berth/auth/internal/reason"
	"github.com/golang-jwt/jwt/v5"
)

const (
	maxRemembered = 10_000 // tokens
	maxRules      = 512    // bytes of its rules, which take thirty times as much when they are parsed
)

// Verifier checks tokens of one issuer for one service. It may be used
// concurrently.
type Verifier struct {
	keys            *Keys
	issuer, service string
	remembered      *cache.Cache[[sha256.Size]byte, *verified]
	counts          struct{ remembered, verified, refused atomic.Uint64 }
}

// verified is a token that was good, and by which keys.
type verified struct {
	principal auth.Principal
	by        *ring
}

var _ auth.TokenVerifier = (*Verifier)(nil)

// NewVerifier returns a Verifier of tokens whose iss is issuer and whose aud
// contains service. If one of the two is empty it refuses every token.
func NewVerifier(keys *Keys, issuer, service string) *Verifier {
	return &Verifier{
		keys: keys, issuer: issuer, service: service,
		remembered: cache.New[[sha256.Size]byte, *verified](maxRemembered),
	}
}

// Stats counts what a Verifier has done.
type Stats struct {
	Remembered uint64 // answered from memory
	Verified   uint64 // signature checked and found good
	Refused    uint64
}

// Stats returns the counts since the start.
func (v *Verifier) Stats() Stats {
	return Stats{v.counts.remembered.Load(), v.counts.verified.Load(), v.counts.refused.Load()}
}

// Verify returns the principal of a token. Every error wraps
// auth.ErrInvalidToken and has nothing of the token in its text.
//
// exp must be there and lie after now, nbf, if there, not after now, with no
// leeway: the issuer's backdating is what clocks may differ. A token that has
// been verified is remembered by its SHA-256 until it expires.
func (v *Verifier) Verify(raw string, now time.Time) (auth.Principal, error) {
	if len(raw) > MaxToken {
		return v.refuse(fmt.Errorf("longer than %d bytes", MaxToken))
	}
	sum := cache.Token(raw)
	keys := v.keys.ring.Load()
	if t, ok := v.remembered.Get(sum, now); ok && t.by == keys {
		v.counts.remembered.Add(1)
		return t.principal, nil
	}
	p, err := v.verify(keys, raw, now)
	if err != nil {
		return v.refuse(err)
	}
	v.counts.verified.Add(1)
	if memorable(raw, p) {
		v.remembered.Put(sum, &verified{p, keys}, p.Expires)
	}
	return p, nil
}

// memorable bounds the memory to some 200 MB, whatever tokens are asked for:
// 10000 of them with the worst rules that can be thought of.
func memorable(raw string, p auth.Principal) bool {
	size := 0
	for _, rules := range [][]auth.Rule{p.Own, p.Within} {
		for _, r := range rules {
			size += len(r.Repositories.String())
		}
	}
	return len(raw) <= cache.MaxToken && size <= maxRules
}

func (v *Verifier) refuse(err error) (auth.Principal, error) {
	v.counts.refused.Add(1)
	return auth.Principal{}, fmt.Errorf("%w: %w", auth.ErrInvalidToken, err)
}

func (v *Verifier) verify(keys *ring, raw string, now time.Time) (auth.Principal, error) {
	var c claims
	if err := keys.parse(raw, v.issuer, v.service, now, &c); err != nil {
		return auth.Principal{}, err
	}
	return c.principal()
}

// parse verifies a token and reads its claims. Strict decoding: a token has
// one spelling.
func (r *ring) parse(raw, issuer, audience string, now time.Time, c jwt.Claims) error {
	if issuer == "" || audience == "" { // which the library takes for "any"
		return errUnconfigured
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods(r.algorithms),
		jwt.WithIssuer(issuer),
		jwt.WithAudience(audience),
		jwt.WithExpirationRequired(),
		jwt.WithTimeFunc(func() time.Time { return now }),
		jwt.WithStrictDecoding(),
	)
	_, err := parser.ParseWithClaims(raw, c, r.find)
	return reason.Of(err)
}
