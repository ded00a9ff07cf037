package server_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"maps"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/token"
)

// forged are tokens that open nothing anywhere, by what is wrong with them. But
// for that each would be an administrator's with all rights on alice/app.
func (s *stack) forged() map[string]string {
	s.Helper()
	admin := auth.Principal{Kind: auth.User, Name: "root", Admin: true}
	access := []auth.Access{auth.Repository("alice/app", auth.All), auth.Repository("public/app", auth.All), auth.Catalog()}
	issue := func(i *token.Issuer, now time.Time) string {
		raw, _, err := i.Issue(admin, access, now)
		s.must(err)
		return raw
	}
	now := s.clock.now()
	refresh, err := (&token.Refresher{Keys: s.issuer.Keys, Issuer: issuer, Service: service, Users: s.accounts}).Make(s.Context(), admin, now)
	s.must(err)
	basic, _ := s.personalToken("root")
	public, id := s.publicKey()
	_, own, err := ed25519.GenerateKey(rand.Reader)
	s.must(err)
	claims := jwt.MapClaims{
		"iss": issuer, "aud": service, "sub": "root", "exp": now.Add(time.Minute).Unix(), "jti": "x",
		"access": access, "berth": map[string]any{"kind": "user", "admin": true},
	}
	outside := maps.Clone(claims)
	outside["iss"], outside["sub"] = "https://issuer.example", "admin"
	signed := func(claims jwt.MapClaims, method jwt.SigningMethod, key any, header map[string]any) string {
		t := jwt.NewWithClaims(method, claims)
		maps.Copy(t.Header, header)
		raw, err := t.SignedString(key)
		s.must(err)
		return raw
	}
	sign := func(method jwt.SigningMethod, key any, header map[string]any) string {
		return signed(claims, method, key, header)
	}
	jwk := map[string]any{"kty": "OKP", "crv": "Ed25519", "x": base64.RawURLEncoding.EncodeToString(own.Public().(ed25519.PublicKey)), "kid": id}
	return map[string]string{
		"an end that has passed":         issue(s.issuer, now.Add(-time.Hour)),
		"a beginning that is to come":    issue(s.issuer, now.Add(time.Hour)),
		"another issuer":                 issue(&token.Issuer{Keys: s.issuer.Keys, Issuer: "other", Service: service}, now),
		"another audience":               issue(&token.Issuer{Keys: s.issuer.Keys, Issuer: issuer, Service: "other"}, now),
		"the audience of the API":        issue(&token.Issuer{Keys: s.issuer.Keys, Issuer: issuer, Service: service + "/api"}, now),
		"the audience of refresh tokens": refresh,
		"the algorithm none":             sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, map[string]any{"kid": id}),
		"HS256 by the public key":        sign(jwt.SigningMethodHS256, []byte(public), map[string]any{"kid": id}),
		"our kid and another key":        sign(jwt.SigningMethodEdDSA, own, map[string]any{"kid": id}),
		"a foreign kid":                  sign(jwt.SigningMethodEdDSA, own, map[string]any{"kid": "foreign"}),
		"no kid":                         sign(jwt.SigningMethodEdDSA, own, nil),
		"a jwk in the header":            sign(jwt.SigningMethodEdDSA, own, map[string]any{"kid": id, "jwk": jwk}), // CVE-2025-24976
		"a jku in the header":            sign(jwt.SigningMethodEdDSA, own, map[string]any{"kid": "x", "jku": s.http.URL + "/.well-known/jwks.json"}),
		"an outside issuer's admin":      signed(outside, jwt.SigningMethodEdDSA, own, map[string]any{"kid": "outside"}),
		"the form of a personal token":   secretOf(s.TB, basic),
	}
}

// publicKey returns the key that signs, as JWKS publishes it, and its id.
func (s *stack) publicKey() (x, id string) {
	s.Helper()
	var set struct {
		Keys []struct{ X, Kid string }
	}
	s.must(json.Unmarshal([]byte(s.send(row{do: "GET /.well-known/jwks.json", as: "-"}).body), &set))
	raw, err := base64.RawURLEncoding.DecodeString(set.Keys[0].X)
	s.must(err)
	return string(raw), set.Keys[0].Kid
}
