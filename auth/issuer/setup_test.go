package issuer_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/issuer"
	"github.com/golang-jwt/jwt/v5"
)

var start = time.Unix(1_700_000_000, 0)

const audience = "registry.example.org"

// kinds are one key of each algorithm, made once.
var kinds = sync.OnceValue(func() map[string]crypto.Signer {
	_, ed, err1 := ed25519.GenerateKey(rand.Reader)
	p256, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, err3 := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	rs, err4 := rsa.GenerateKey(rand.Reader, 2048)
	for _, err := range []error{err1, err2, err3, err4} {
		if err != nil {
			panic(err)
		}
	}
	return map[string]crypto.Signer{"EdDSA": ed, "ES256": p256, "ES384": p384, "RS256": rs}
})

// newKey makes another Ed25519 key.
func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// provider is an outside issuer: its server, and what it signs with.
type provider struct {
	t       testing.TB
	url     string
	asked   atomic.Int64 // for its keys
	mu      sync.Mutex
	answer  http.HandlerFunc // instead of the keys, if set
	private map[string]crypto.Signer
}

// newProvider serves kinds, each under its algorithm as kid.
func newProvider(t testing.TB) *provider {
	p := &provider{t: t, private: maps.Clone(kinds())}
	mux := http.NewServeMux()
	mux.HandleFunc("/keys", func(w http.ResponseWriter, r *http.Request) {
		p.asked.Add(1)
		p.mu.Lock()
		answer, body := p.answer, p.jwks()
		p.mu.Unlock()
		if answer != nil {
			answer(w, r)
			return
		}
		fmt.Fprintf(w, "%s", body)
	})
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q,"authorization_endpoint":"x"}`, p.url, p.url+"/keys")
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

// set changes what the provider does.
func (p *provider) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

func (p *provider) jwks() []byte {
	var list []map[string]any
	for id, key := range p.private {
		list = append(list, jwkOf(p.t, id, key.Public()))
	}
	data, err := json.Marshal(map[string]any{"keys": list})
	if err != nil {
		p.t.Error(err)
	}
	return data
}

// jwkOf writes a key by hand, so that nothing of what is tested writes it.
func jwkOf(t testing.TB, id string, public crypto.PublicKey) map[string]any {
	b64 := base64.RawURLEncoding.EncodeToString
	switch k := public.(type) {
	case ed25519.PublicKey:
		return map[string]any{"kty": "OKP", "crv": "Ed25519", "x": b64(k), "kid": id, "alg": "EdDSA", "use": "sig"}
	case *ecdsa.PublicKey:
		point, err := k.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		half := len(point) / 2
		return map[string]any{"kty": "EC", "crv": k.Curve.Params().Name, "x": b64(point[1 : 1+half]), "y": b64(point[1+half:]), "kid": id, "use": "sig"}
	case *rsa.PublicKey:
		return map[string]any{"kty": "RSA", "n": b64(k.N.Bytes()), "e": b64(big.NewInt(int64(k.E)).Bytes()), "kid": id, "use": "sig", "x5t": "unused"}
	}
	t.Fatalf("%T", public)
	return nil
}

// identity is an entry about identity tokens of the provider, changed.
func (p *provider) identity(change ...func(*issuer.Entry)) issuer.Entry {
	e := issuer.Entry{
		Issuer: p.url, JWKS: p.url + "/keys", Audience: audience, Who: "ci", Tokens: issuer.Identity,
		Require: map[string]string{"owner": "octo"}, Repositories: []string{"ci/${claim:path}/**"}, Actions: []string{"pull", "push"},
	}
	for _, c := range change {
		c(&e)
	}
	return e
}

// registry is an entry about registry tokens of the provider, changed.
func (p *provider) registry(change ...func(*issuer.Entry)) issuer.Entry {
	e := p.identity(func(e *issuer.Entry) {
		e.Tokens, e.Require, e.Repositories = issuer.Registry, nil, []string{"team/**"}
	})
	for _, c := range change {
		c(&e)
	}
	return e
}

// claims are good ones for identity and registry, changed. A nil value removes.
func (p *provider) claims(changes jwt.MapClaims) jwt.MapClaims {
	c := jwt.MapClaims{
		"iss": p.url, "sub": "repo:octo/app", "aud": audience, "jti": "x",
		"exp": start.Add(5 * time.Minute).Unix(), "nbf": start.Unix(), "iat": start.Unix(),
		"owner": "octo", "path": "octo/app",
		"access": []any{map[string]any{"type": "repository", "name": "team/a", "actions": []string{"pull", "push"}}},
	}
	for k, v := range changes {
		if c[k] = v; v == nil {
			delete(c, k)
		}
	}
	return c
}

// sign signs as the provider does, by the algorithm.
func (p *provider) sign(alg string, changes jwt.MapClaims) string {
	return forge(p.t, jwt.GetSigningMethod(alg), kinds()[alg], map[string]any{"kid": alg}, p.claims(changes))
}

// forge signs any header and claims with any method and key.
func forge(t testing.TB, method jwt.SigningMethod, key any, header map[string]any, c jwt.MapClaims) string {
	t.Helper()
	tok := jwt.NewWithClaims(method, c)
	for name, value := range header {
		if tok.Header[name] = value; value == nil {
			delete(tok.Header, name)
		}
	}
	raw, err := tok.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// trust returns Issuers with the entries in force and their keys not asked for.
func trust(t testing.TB, entries ...issuer.Entry) *issuer.Issuers {
	t.Helper()
	i := issuer.New(slog.New(slog.DiscardHandler), nil)
	use(t, i, entries...)
	return i
}

func use(t testing.TB, i *issuer.Issuers, entries ...issuer.Entry) {
	t.Helper()
	next, err := i.Prepare(entries)
	if err != nil {
		t.Fatal(err)
	}
	i.Use(next)
}

// login is a login with a token as the password.
func login(t testing.TB, i *issuer.Issuers, raw string) (auth.Principal, error) {
	t.Helper()
	return i.Login(t.Context(), auth.Credentials{Name: "whoever", Secret: raw}, start)
}

// may lists what a principal may under no grants but these.
func may(p auth.Principal, repository string, grants ...auth.Grant) auth.Actions {
	return auth.All &^ auth.NewPolicy(grants).Decide(p, repository, auth.All).Missing
}
