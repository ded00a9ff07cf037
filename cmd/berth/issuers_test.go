package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// outside is an issuer of CI tokens that berth is configured to trust.
type outside struct {
	url  string
	key  ed25519.PrivateKey
	down atomic.Bool
}

func newOutside(t *testing.T) *outside {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	o := &outside{key: private}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case o.down.Load():
			w.WriteHeader(http.StatusBadGateway)
		case r.URL.Path == "/.well-known/openid-configuration":
			fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, o.url, o.url+"/keys")
		default:
			fmt.Fprintf(w, `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":%q}]}`, base64.RawURLEncoding.EncodeToString(public))
		}
	}))
	t.Cleanup(server.Close)
	o.url = server.URL
	return o
}

// token is a CI job's, good for life, with claims changed.
func (o *outside) token(t *testing.T, life time.Duration, changes jwt.MapClaims) string {
	t.Helper()
	c := jwt.MapClaims{
		"iss": o.url, "aud": "registry", "sub": "admin", "exp": time.Now().Add(life).Unix(), "iat": time.Now().Unix(),
		"project_path": "team/app", "access": []any{map[string]any{"type": "repository", "name": "team/app", "actions": []string{"*"}}},
	}
	for name, value := range changes {
		c[name] = value
	}
	tok := jwt.NewWithClaims(jwt.SigningMethodEdDSA, c)
	tok.Header["kid"] = "k"
	raw, err := tok.SignedString(o.key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// entries are for the configuration: CI may push to its project, registry
// tokens are good for pulls.
func (o *outside) entries() string {
	return fmt.Sprintf(`
  trusted_issuers:
    - {issuer: %[1]q, audience: registry, who: ci, require: {project_path: "team/*"}, repositories: ["ci/${claim:project_path}/*"], actions: [pull, push]}
    - {issuer: %[1]q, audience: registry, who: ci, tokens: registry, repositories: ["team/**"], actions: [pull]}
`, o.url)
}

// trust writes the configuration with more of auth.
func (i *instance) trust(t *testing.T, more string) {
	t.Helper()
	i.write(t, "anonymous", "")
	i.rewrite(t, func(text string) string {
		head, _, _ := strings.Cut(text, "auth: ")
		head += fmt.Sprintf("auth:\n  key: %q\n", filepath.Join(i.dir, "token.key"))
		if strings.Contains(more, "who: ci,") {
			head += "  grants: [{who: [\"issuer:ci\"], repositories: [\"base/*\"], actions: [pull]}]\n"
		}
		return head + more
	})
}

// do sends a request and returns the status and the body of the answer.
func (i *instance) do(t *testing.T, method, path, user, secret string, form url.Values) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+i.addr+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case form != nil:
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	case user != "":
		req.SetBasicAuth(user, secret)
	case secret != "":
		req.Header.Set("Authorization", "Bearer "+secret)
	}
	return answer(t, req)
}

type granted struct {
	Token   string `json:"token"`
	Expires int    `json:"expires_in"`
	Scope   string `json:"scope"`
	Refresh string `json:"refresh_token"`
}

const ciScopes = "repository:ci/team/app/web:pull,push,delete repository:ci/team/other/web:pull repository:base/os:pull,push repository:team/app:pull registry:catalog:*"

// exchange gets for a CI token for one of ours, by GET.
func (i *instance) exchange(t *testing.T, raw string) (granted, int) {
	t.Helper()
	status, body := i.do(t, http.MethodGet, "/token?offline_token=true&service=berth&scope="+url.QueryEscape(ciScopes), "anybody", raw, nil)
	var g granted
	if err := json.Unmarshal([]byte(body), &g); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return g, status
}

// TestOutsideIssuer takes both kinds of outside tokens through a running
// server: what they get, what they never get, and a reload.
func TestOutsideIssuer(t *testing.T) {
	o, i := newOutside(t), newInstance(t)
	o.down.Store(true)
	i.trust(t, o.entries())
	if out, err := i.run("", "check-config"); err != nil {
		t.Fatal(err, out)
	}
	i.start(t, "http", http.DefaultClient) // though the issuer is down
	defer i.end(t)
	raw := o.token(t, 100*time.Second, nil)
	if _, status := i.exchange(t, raw); status != http.StatusUnauthorized {
		t.Errorf("without keys: %d", status)
	}
	o.down.Store(false)
	i.trust(t, "") // a reload of another source begins anew, without the pause
	i.reload(t, func() bool {
		_, body := i.do(t, http.MethodGet, "/token", "a", raw, nil)
		return strings.Contains(body, "foreign issuer")
	})
	i.trust(t, o.entries())
	i.reload(t, func() bool { _, status := i.exchange(t, raw); return status == http.StatusOK })

	g, _ := i.exchange(t, raw)
	const want = "repository:ci/team/app/web:pull,push repository:base/os:pull registry:catalog:*"
	if g.Scope != want || g.Expires < 60 || g.Expires > 100 || g.Refresh != "" {
		t.Errorf("by GET: %+v, want %s", g, want)
	}
	status, body := i.do(t, http.MethodPost, "/token", "", "", url.Values{
		"grant_type": {"password"}, "service": {"berth"}, "client_id": {"x"}, "access_type": {"offline"},
		"username": {"anybody"}, "password": {raw}, "scope": {ciScopes},
	})
	if !strings.Contains(body, `"scope":"`+want+`"`) || strings.Contains(body, "refresh_token") {
		t.Errorf("by POST: %d %s", status, body)
	}
	i.tries(t, o, raw, g.Token)

	// Less is trusted: what was issued pulls until it expires, and does no more.
	i.trust(t, strings.ReplaceAll(o.entries(), "team/*", "other/*"))
	i.reload(t, func() bool { _, status := i.exchange(t, raw); return status == http.StatusUnauthorized })
	if status, body := i.do(t, http.MethodPost, "/v2/ci/team/app/web/blobs/uploads/", "", g.Token, nil); status != http.StatusUnauthorized {
		t.Errorf("push after the reload: %d %s", status, body)
	}
}

// tries is a table of requests to the server that trusts o. The Basic
// credentials are those of CI, the Bearer tokens one of ours and one of o's.
func (i *instance) tries(t *testing.T, o *outside, raw, ours string) {
	t.Helper()
	soon := o.token(t, 10*time.Second, nil)
	if g, status := i.exchange(t, soon); status != http.StatusOK || g.Expires > 10 || g.Expires < 1 {
		t.Errorf("a token that ends in 10 s: %d %+v", status, g)
	}
	for _, tc := range []struct {
		name, method, path, user, secret string
		want                             int
	}{
		{"push by ours", http.MethodPost, "/v2/ci/team/app/web/blobs/uploads/", "", ours, http.StatusAccepted},
		{"another project by ours", http.MethodGet, "/v2/ci/team/other/web/tags/list", "", ours, http.StatusUnauthorized},
		{"push by Basic", http.MethodPost, "/v2/ci/team/app/web/blobs/uploads/", "x", raw, http.StatusAccepted},
		{"delete by Basic", http.MethodDelete, "/v2/ci/team/app/web/manifests/a", "x", raw, http.StatusForbidden},
		{"another project by Basic", http.MethodGet, "/v2/ci/team/other/web/tags/list", "x", raw, http.StatusForbidden},
		{"pull by theirs", http.MethodGet, "/v2/team/app/tags/list", "", raw, http.StatusNotFound},
		{"push by theirs, above the ceiling", http.MethodPost, "/v2/team/app/blobs/uploads/", "", raw, http.StatusUnauthorized},
		{"CI's rights by theirs", http.MethodPost, "/v2/ci/team/app/web/blobs/uploads/", "", raw, http.StatusUnauthorized},
		{"theirs for one of ours", http.MethodGet, "/token", "", raw, http.StatusUnauthorized},
		{"another project's", http.MethodGet, "/token", "x", o.token(t, time.Minute, jwt.MapClaims{"project_path": "evil/app"}), http.StatusUnauthorized},
		{"another audience's", http.MethodGet, "/token", "x", o.token(t, time.Minute, jwt.MapClaims{"aud": "elsewhere"}), http.StatusUnauthorized},
		{"an old one", http.MethodGet, "/token", "x", o.token(t, -time.Second, nil), http.StatusUnauthorized},
		{"an old bearer", http.MethodGet, "/v2/", "", o.token(t, -time.Second, nil), http.StatusUnauthorized},
		{"the API by Basic", http.MethodGet, "/api/v1/users", "admin", raw, http.StatusForbidden},
		{"the API by theirs", http.MethodGet, "/api/v1/users", "", raw, http.StatusUnauthorized},
		{"the administrator by name", http.MethodGet, "/v2/admin/x/tags/list", "admin", raw, http.StatusForbidden},
	} {
		if status, body := i.do(t, tc.method, tc.path, tc.user, tc.secret, nil); status != tc.want {
			t.Errorf("%s: %d, want %d %s", tc.name, status, tc.want, body)
		}
	}
}

// reload sends the signal and waits until it shows.
func (i *instance) reload(t *testing.T, done func() bool) {
	t.Helper()
	hangUp(t)
	i.eventually(t, done)
}

// A file of keys that cannot be read is a failed start, and a failed reload
// that leaves everything as it was.
func TestOutsideIssuerWithoutItsFile(t *testing.T) {
	i := newInstance(t)
	i.trust(t, `
  trusted_issuers:
    - {issuer: docker_auth, jwks: /nowhere/auth.crt, audience: berth, who: docker-auth, tokens: registry, repositories: ["**"], actions: [pull]}
`)
	if _, err := i.run("", "check-config"); err != nil {
		t.Error(err)
	}
	if _, err := i.run("", "serve"); err == nil || !strings.Contains(err.Error(), "auth.trusted_issuers[0]: jwks: open /nowhere/auth.crt") {
		t.Errorf("serve: %v", err)
	}
}
