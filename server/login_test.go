package server_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/server"
)

// provider lets in who comes back with the secret that it has given, under the
// state "s", and makes tokens.
type provider struct {
	who   auth.Principal
	begin error
	err   error // of Finish
	full  error // of MakeToken

	made []string // owners
}

const loginSecret, madeToken = "SECRET-OF-THE-COOKIE", "berth_pat_id_key"

func (p *provider) Begin(context.Context, time.Time) (string, string, error) {
	return "https://id.example.org/authorize?state=s", loginSecret, p.begin
}

func (p *provider) Finish(_ context.Context, secret string, answer url.Values, _ time.Time) (auth.Principal, error) {
	if secret != loginSecret || answer.Get("state") != "s" {
		return auth.Principal{}, fmt.Errorf("%w: another login", auth.ErrMalformed)
	}
	return p.who, p.err
}

func (p *provider) MakeToken(_ context.Context, owner string, now time.Time) (server.LoginToken, error) {
	p.made = append(p.made, owner)
	return server.LoginToken{Token: madeToken, ID: "id", Name: "browser <7>", Expires: now.Add(48 * time.Hour)}, p.full
}

// withLogin starts a registry with a browser login, and returns its log.
func withLogin(t *testing.T, p *provider, base string) (*stack, *bytes.Buffer) {
	t.Helper()
	log := new(bytes.Buffer)
	return newStack(t, settings{url: base, browser: p, tokens: p, log: slog.New(slog.NewTextHandler(log, nil))}), log
}

func alice() auth.Principal {
	return auth.Principal{Kind: auth.User, Name: "alice", Groups: []string{"dev", "<ops>"}}
}

func TestLoginBegins(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"https://registry.example.org":    "__Host-berth-login=" + loginSecret + "; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=Lax",
		"http://registry.example.org:500": "berth-login=" + loginSecret + "; Path=/login; Max-Age=600; HttpOnly; SameSite=Lax",
	} {
		s, _ := withLogin(t, &provider{}, base)
		for _, site := range []string{"", "none", "same-origin"} {
			got := s.send(row{do: "GET /login", as: "-", with: header{"Sec-Fetch-Site": site}})
			if got.StatusCode != 303 || got.Header.Get("Location") != "https://id.example.org/authorize?state=s" || got.Header.Get("Set-Cookie") != want ||
				got.Header.Get("Cache-Control") != "no-store" || strings.Contains(got.body, loginSecret) {
				t.Errorf("%s: %d %v", site, got.StatusCode, got.Header)
			}
		}
	}
}

// A page of another site makes no tokens in the name of whoever looks at it:
// somebody has to press a link.
func TestLoginFromAnotherSite(t *testing.T) {
	t.Parallel()
	s, _ := withLogin(t, &provider{}, "https://registry.example.org")
	for _, site := range []string{"cross-site", "same-site"} {
		got := s.send(row{do: "GET /login", as: "-", with: header{"Sec-Fetch-Site": site}})
		isPage(t, got, 200)
		if got.Header.Get("Set-Cookie") != "" || got.Header.Get("Location") != "" || !strings.Contains(got.body, `<a href="/login">`) {
			t.Errorf("%s: %v\n%s", site, got.Header, got.body)
		}
	}
}

func TestLoginEnds(t *testing.T) {
	t.Parallel()
	p := &provider{who: alice()}
	s, log := withLogin(t, p, "https://registry.example.org")
	got := s.send(row{do: "GET /login/callback?state=s&code=CODE", as: "-", with: header{"Cookie": "__Host-berth-login=" + loginSecret}})
	isPage(t, got, 200)
	for _, want := range []string{
		`<pre id="token">` + madeToken + `</pre>`, `<pre id="command">docker login registry.example.org --username alice</pre>`,
		"Logged in as alice", "dev, &lt;ops&gt;", "browser &lt;7&gt;", s.clock.now().Add(48 * time.Hour).UTC().Format("2 January 2006"),
	} {
		if !strings.Contains(got.body, want) {
			t.Errorf("no %s in\n%s", want, got.body)
		}
	}
	if c := got.Header.Get("Set-Cookie"); c != "__Host-berth-login=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax" {
		t.Errorf("cookie %s", c)
	}
	if len(p.made) != 1 || p.made[0] != "alice" {
		t.Errorf("made %q", p.made)
	}
	s.close() // the log is complete
	if !strings.Contains(log.String(), "kind=login.callback status=200") || !strings.Contains(log.String(), "principal=user:alice") {
		t.Errorf("log %s", log)
	}
	trail := fmt.Sprintf("%+v", s.trail.take())
	for _, secret := range []string{loginSecret, madeToken, "CODE"} {
		if strings.Contains(log.String()+trail, secret) {
			t.Errorf("the log or the trail has %s: %s %s", secret, log, trail)
		}
	}
}

func TestLoginFails(t *testing.T) {
	t.Parallel()
	const cookie, anotherLogin = "__Host-berth-login=" + loginSecret, "login denied 0 anonymous browser_login (malformed credentials: another login)"
	for _, tc := range []struct {
		name, query, cookie string
		p                   provider
		status              int
		says                string
		made                int
		trail               string
	}{
		{"no cookie", "state=s", "", provider{}, 400, "This login is over", 0, anotherLogin},
		{"another cookie", "state=s", "__Host-berth-login=x", provider{}, 400, "This login is over", 0, anotherLogin},
		{"the cookie of plain HTTP", "state=s", "berth-login=" + loginSecret, provider{}, 400, "This login is over", 0, anotherLogin},
		{"another state", "state=x", cookie, provider{}, 400, "This login is over", 0, anotherLogin},
		{"denied", "state=s", cookie, provider{err: fmt.Errorf("%w: <b>alice</b> is taken", auth.ErrDenied)}, 403, "You cannot log in: &lt;b&gt;alice&lt;/b&gt; is taken.", 0,
			"login denied 0 anonymous browser_login (denied: <b>alice</b> is taken)"},
		{"no provider", "state=s", cookie, provider{err: fmt.Errorf("%w: INTERNAL", oci.ErrUnavailable)}, 503, "does not answer", 0, "login failed 0 anonymous browser_login"},
		{"failure", "state=s", cookie, provider{err: errors.New("INTERNAL")}, 500, "Something went wrong here", 0, "login failed 0 anonymous browser_login"},
		{"too many tokens", "state=s", cookie, provider{who: alice(), full: fmt.Errorf("%w: there are 100 tokens", auth.ErrDenied)}, 403, "there are 100 tokens", 1,
			"login ok 0 user:alice browser_login; token denied login.callback 403 user:alice browser_login (denied: there are 100 tokens)"},
		{"no token", "state=s", cookie, provider{who: alice(), full: errors.New("INTERNAL")}, 500, "Something went wrong here", 1,
			"login ok 0 user:alice browser_login; token failed login.callback 500 user:alice browser_login"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, log := withLogin(t, &tc.p, "https://registry.example.org")
			got := s.send(row{do: "GET /login/callback?" + tc.query, as: "-", with: header{"Cookie": tc.cookie}})
			isPage(t, got, tc.status)
			if !strings.Contains(got.body, tc.says) || strings.Contains(got.body, "INTERNAL") || strings.Contains(got.body, madeToken) || len(tc.p.made) != tc.made {
				t.Errorf("made %d\n%s", len(tc.p.made), got.body)
			}
			if !strings.Contains(got.Header.Get("Set-Cookie"), "Max-Age=0") {
				t.Errorf("cookie %s", got.Header.Get("Set-Cookie"))
			}
			if left := s.trail.text(); left != tc.trail {
				t.Errorf("the trail says %s, want %s", left, tc.trail)
			}
			s.close() // the log is complete
			if !strings.Contains(log.String(), "error=") {
				t.Errorf("the log says nothing: %s", log)
			}
		})
	}
	s, _ := withLogin(t, &provider{begin: oci.ErrUnavailable}, "https://registry.example.org")
	isPage(t, s.send(row{do: "GET /login", as: "-"}), 503)
}

// Without a provider there is no login, and with one it takes a GET.
func TestLoginRoutes(t *testing.T) {
	t.Parallel()
	without := newStack(t, settings{})
	with, _ := withLogin(t, &provider{}, "https://registry.example.org")
	for _, path := range []string{"/login", "/login/callback"} {
		without.table([]row{{do: "GET " + path, as: "-", status: 404, code: "UNSUPPORTED"}})
		with.table([]row{{do: "POST " + path, as: "-", status: 405, code: "UNSUPPORTED", gives: header{"Allow": "GET"}}})
	}
}

// isPage checks what holds for every page: the browser keeps it nowhere, shows
// it in no frame and runs nothing, and its style is the one the policy names.
func isPage(t *testing.T, got response, status int) {
	t.Helper()
	h := got.Header
	if got.StatusCode != status || h.Get("Content-Type") != "text/html; charset=utf-8" || h.Get("Cache-Control") != "no-store" ||
		h.Get("Referrer-Policy") != "no-referrer" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "DENY" {
		t.Errorf("%d %v", got.StatusCode, h)
	}
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(got.body)
	if style == nil {
		t.Fatalf("no style in\n%s", got.body)
	}
	sum := sha256.Sum256([]byte(style[1]))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	if h.Get("Content-Security-Policy") != want {
		t.Errorf("policy %s\nwant   %s", h.Get("Content-Security-Policy"), want)
	}
	for _, never := range []string{"<script", "onclick", "javascript:", "<form", "http://", "https://", " style="} {
		if strings.Contains(got.body, never) {
			t.Errorf("%s in\n%s", never, got.body)
		}
	}
	if status != http.StatusOK && !strings.Contains(got.body, "Not logged in") {
		t.Errorf("%s", got.body)
	}
}
