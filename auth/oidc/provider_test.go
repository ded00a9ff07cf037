package oidc_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// provider is an OpenID provider where everybody is logged in already: its
// authorization endpoint is the method authorize. What it says can be bent.
type provider struct {
	*testing.T
	*httptest.Server
	key *ecdsa.PrivateKey

	mu       sync.Mutex
	requests map[string]int // by path
	claims   map[string]any // of the ID token, over those that it must have
	userinfo map[string]any
	sign     func(jwt.MapClaims) string
	bend     func(w http.ResponseWriter, r *http.Request) bool // instead of the answer, if it returns true
	post     bool                                              // the client proves who it is in the form
	codes    map[string]url.Values                             // what each code was asked for with
}

const (
	clientID     = "berth"
	clientSecret = "client-secret"
	redirectURL  = "https://registry.example.org/login/callback"
)

var start = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

func serve(t *testing.T) *provider {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{T: t, key: key, requests: map[string]int{}, codes: map[string]url.Values{},
		claims: map[string]any{"preferred_username": "alice", "groups": []string{"ops", "dev"}}}
	p.sign = func(c jwt.MapClaims) string { return p.signed(jwt.SigningMethodES256, c, p.key) }
	p.Server = httptest.NewServer(http.HandlerFunc(p.answer))
	t.Cleanup(p.Close)
	return p
}

func (p *provider) signed(method jwt.SigningMethod, c jwt.MapClaims, key any) string {
	token := jwt.NewWithClaims(method, c)
	token.Header["kid"] = "k1"
	raw, err := token.SignedString(key)
	if err != nil {
		p.Error(err)
	}
	return raw
}

// authorize is what the browser does: it goes to location, where somebody is
// logged in, and comes back with a query.
func (p *provider) authorize(location string) url.Values {
	p.Helper()
	u, err := url.Parse(location)
	if err != nil || !strings.HasPrefix(location, p.URL+"/authorize?") {
		p.Fatalf("sent to %s", location)
	}
	q := u.Query()
	code := rand.Text()
	p.change(func() { p.codes[code] = q })
	return url.Values{"code": {code}, "state": {q.Get("state")}}
}

func (p *provider) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

func (p *provider) asked(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests[path]
}

func (p *provider) answer(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.requests[r.URL.Path]++
	bend := p.bend
	p.mu.Unlock()
	if bend != nil && bend(w, r) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		says := map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"userinfo_endpoint": p.URL + "/userinfo", "id_token_signing_alg_values_supported": []string{"ES256", "HS256", "none"},
		}
		if p.post {
			says["token_endpoint_auth_methods_supported"] = []string{"private_key_jwt", "client_secret_post"}
		}
		p.write(w, says)
	case "/keys":
		x, y := make([]byte, 32), make([]byte, 32)
		p.write(w, map[string]any{"keys": []any{map[string]string{"kty": "EC", "crv": "P-256", "kid": "k1", "alg": "ES256", "use": "sig",
			"x": base64.RawURLEncoding.EncodeToString(p.key.X.FillBytes(x)), "y": base64.RawURLEncoding.EncodeToString(p.key.Y.FillBytes(y))}}})
	case "/token":
		p.exchange(w, r)
	case "/userinfo":
		if r.Header.Get("Authorization") != "Bearer access" {
			p.Errorf("user info is asked for with %q", r.Header.Get("Authorization"))
		}
		p.write(w, p.userinfo)
	default:
		http.NotFound(w, r)
	}
}

// exchange checks what a provider must, and gives each code away once.
func (p *provider) exchange(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, secret, _ := r.BasicAuth()
	if p.post {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	asked, known := p.codes[r.PostFormValue("code")]
	challenge := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	switch {
	case id != clientID || secret != clientSecret:
		p.refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	case !known || r.PostFormValue("redirect_uri") != redirectURL || asked.Get("redirect_uri") != redirectURL ||
		asked.Get("code_challenge_method") != "S256" || asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(challenge[:]):
		p.refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	delete(p.codes, r.PostFormValue("code"))
	claims := jwt.MapClaims{"iss": p.URL, "aud": clientID, "sub": "subject-of-alice", "nonce": asked.Get("nonce"),
		"iat": start.Unix(), "exp": start.Add(time.Hour).Unix()}
	maps.Copy(claims, p.claims)
	p.write(w, map[string]any{"access_token": "access", "token_type": "Bearer", "expires_in": 3600, "id_token": p.sign(claims)})
}

func (p *provider) refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	p.write(w, map[string]string{"error": code})
}

func (p *provider) write(w http.ResponseWriter, v any) {
	if err := json.NewEncoder(w).Encode(v); err != nil {
		p.Log(fmt.Errorf("the client has gone: %w", err))
	}
}
