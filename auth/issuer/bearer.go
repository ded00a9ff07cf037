package issuer

import (
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/internal/cache"
	"github.com/golang-jwt/jwt/v5"
)

// Bearers verifies the tokens of this registry and of outside issuers. No two
// of them have one name, so each token has one verifier.
type Bearers struct {
	Own     auth.TokenVerifier
	Outside *Issuers
}

var _ auth.TokenVerifier = Bearers{}

// Verify asks for the registry's own tokens first, because they are the most,
// and for those of an outside issuer where the token says that it is one's. The
// error is of the verifier that the token names.
func (b Bearers) Verify(raw string, now time.Time) (auth.Principal, error) {
	if p, ok := b.Outside.recall(raw, now); ok {
		return p, nil
	}
	p, err := b.Own.Verify(raw, now)
	if err == nil || !b.Outside.knows(raw) {
		return p, err
	}
	return b.Outside.Verify(raw, now)
}

// recall returns the principal of a registry token that is remembered. Where no
// issuer has such tokens it costs nothing.
func (i *Issuers) recall(raw string, now time.Time) (auth.Principal, bool) {
	t := i.trust.Load()
	if !t.bearers || len(raw) > cache.MaxToken {
		return auth.Principal{}, false
	}
	return t.recall(proof{cache.Token(raw), Registry}, now)
}

// knows reports whether a token says that it is of an issuer that is trusted,
// which is not to believe it.
func (i *Issuers) knows(raw string) bool {
	if len(raw) > maxToken {
		return false
	}
	var c claims
	if _, _, err := jwt.NewParser().ParseUnverified(raw, &c); err != nil {
		return false
	}
	return i.trust.Load().byIssuer[c.text("iss")] != nil
}
