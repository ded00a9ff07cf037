package oidc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/oidc"
	"github.com/berth-registry/berth/oci"
)

// people notes who is admitted.
type people struct {
	mu       sync.Mutex
	admitted []auth.Person
}

func (a *people) Admit(_ context.Context, p auth.Person, _ time.Time) (auth.Principal, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.admitted = append(a.admitted, p)
	return auth.Principal{Kind: auth.User, Name: p.Name, Groups: p.Groups, Admin: p.Admin}, nil
}

// open returns a login at p whose options are changed, and who is admitted.
func open(t testing.TB, p *provider, change func(*oidc.Options)) (*oidc.Login, *people) {
	t.Helper()
	admitted := new(people)
	o := oidc.Options{
		Issuer: p.URL, ClientID: clientID, ClientSecret: clientSecret, RedirectURL: redirectURL,
		Scopes: []string{"profile", "email"}, NameClaim: "preferred_username", GroupsClaim: "groups", People: admitted,
	}
	if change != nil {
		change(&o)
	}
	l, err := oidc.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return l, admitted
}

// login goes all the way.
func login(t testing.TB, p *provider, l *oidc.Login, want error) auth.Principal {
	t.Helper()
	location, secret, err := l.Begin(t.Context(), start)
	if err != nil {
		t.Fatal(err)
	}
	return finish(t, l, secret, p.authorize(location), want)
}

func finish(t testing.TB, l *oidc.Login, secret string, q url.Values, want error) auth.Principal {
	t.Helper()
	who, err := l.Finish(t.Context(), secret, q, start)
	if !errors.Is(err, want) || (want == nil) != (err == nil) {
		t.Errorf("%v, want %v", err, want)
	}
	if err != nil && (strings.Contains(err.Error(), clientSecret) || strings.Contains(err.Error(), secret) && secret != "") {
		t.Errorf("the error shows a secret: %v", err)
	}
	return who
}

func TestLogin(t *testing.T) {
	p := serve(t)
	l, admitted := open(t, p, nil)
	who := login(t, p, l, nil)
	if want := (auth.Principal{Kind: auth.User, Name: "alice", Groups: []string{"dev", "ops"}}); !reflect.DeepEqual(who, want) {
		t.Errorf("%+v, want %+v", who, want)
	}
	if want := []auth.Person{{Provider: p.URL, Subject: "subject-of-alice", Name: "alice", Groups: []string{"dev", "ops"}}}; !reflect.DeepEqual(admitted.admitted, want) {
		t.Errorf("admitted %+v, want %+v", admitted.admitted, want)
	}
	if p.asked("/userinfo") != 0 || p.asked("/token") != 1 {
		t.Errorf("asked %v", p.requests)
	}
}

// The client proves who it is in the way that the provider knows, at once.
func TestClientSecretInTheForm(t *testing.T) {
	p := serve(t)
	p.post = true
	l, _ := open(t, p, nil)
	login(t, p, l, nil)
	if p.asked("/token") != 1 {
		t.Errorf("asked %d times", p.asked("/token"))
	}
}

// What goes through the browser tells nothing of what stays in its cookie.
func TestBegin(t *testing.T) {
	p := serve(t)
	l, _ := open(t, p, nil)
	seen := map[string]bool{}
	for range 2 {
		location, secret, err := l.Begin(t.Context(), start)
		if err != nil {
			t.Fatal(err)
		}
		u, _ := url.Parse(location)
		q := u.Query()
		for name, want := range map[string]string{"response_type": "code", "client_id": clientID, "redirect_uri": redirectURL,
			"scope": "openid profile email", "code_challenge_method": "S256"} {
			if q.Get(name) != want {
				t.Errorf("%s is %q, want %q", name, q.Get(name), want)
			}
		}
		for _, value := range []string{secret, q.Get("state"), q.Get("nonce"), q.Get("code_challenge")} {
			if len(value) < 26 || seen[value] {
				t.Errorf("%q is short or was there before", value)
			}
			seen[value] = true
		}
		if strings.Contains(location, secret) || strings.Contains(location, clientSecret) {
			t.Errorf("a secret in %s", location)
		}
	}
	if n := p.asked("/.well-known/openid-configuration"); n != 1 {
		t.Errorf("discovered %d times", n)
	}
}

// Only the browser that has begun a login finishes it, and once.
func TestForeignAnswers(t *testing.T) {
	p := serve(t)
	l, admitted := open(t, p, nil)
	location, secret, err := l.Begin(t.Context(), start)
	if err != nil {
		t.Fatal(err)
	}
	_, other, _ := l.Begin(t.Context(), start)
	q := p.authorize(location)
	without := func(name string) url.Values {
		v := url.Values{"code": q["code"], "state": q["state"]}
		v.Del(name)
		return v
	}
	for name, tc := range map[string]struct {
		secret string
		q      url.Values
	}{
		"no cookie":             {"", q},
		"another login's":       {other, q},
		"no state":              {secret, without("state")},
		"state of a denial":     {other, url.Values{"state": q["state"], "error": {"access_denied"}}},
		"empty cookie, forged":  {"", url.Values{"code": q["code"], "state": {""}}},
		"empty secret, derived": {"", url.Values{"code": q["code"], "state": {stateOf("")}}}, // anybody can
	} {
		t.Run(name, func(t *testing.T) { finish(t, l, tc.secret, tc.q, auth.ErrMalformed) })
	}
	if p.asked("/token") != 0 {
		t.Error("a foreign answer reached the provider")
	}
	finish(t, l, secret, without("code"), auth.ErrMalformed)
	finish(t, l, secret, q, nil)
	finish(t, l, secret, q, auth.ErrMalformed) // the code is used up
	if len(admitted.admitted) != 1 {
		t.Errorf("%d were admitted", len(admitted.admitted))
	}
}

// stateOf is the state of a login with a secret.
func stateOf(secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("state"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// A code that somebody else has got is worth nothing without the verifier.
func TestStolenCode(t *testing.T) {
	p := serve(t)
	l, _ := open(t, p, nil)
	location, _, _ := l.Begin(t.Context(), start)
	stolen := p.authorize(location).Get("code")
	own, secret, _ := l.Begin(t.Context(), start)
	u, _ := url.Parse(own)
	finish(t, l, secret, url.Values{"code": {stolen}, "state": {u.Query().Get("state")}}, auth.ErrMalformed)
}

func TestDenial(t *testing.T) {
	p := serve(t)
	l, _ := open(t, p, nil)
	location, secret, _ := l.Begin(t.Context(), start)
	q := p.authorize(location)
	_, err := l.Finish(t.Context(), secret, url.Values{"state": q["state"], "error": {"access_denied\n" + strings.Repeat("x", 5000)}}, start)
	if !errors.Is(err, auth.ErrDenied) || len(err.Error()) > 200 || strings.Contains(err.Error(), "\n") {
		t.Error(err)
	}
}

// What is not an ID token of this login, for this client, from this provider
// and now admits nobody.
func TestForgedTokens(t *testing.T) {
	foreign, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	claims := func(change func(jwt.MapClaims)) func(*provider) {
		return func(p *provider) {
			sign := p.sign
			p.sign = func(c jwt.MapClaims) string { change(c); return sign(c) }
		}
	}
	for name, bend := range map[string]func(*provider){
		"none at all": func(p *provider) { p.sign = func(jwt.MapClaims) string { return "" } },
		"garbage":     func(p *provider) { p.sign = func(jwt.MapClaims) string { return "a.b.c" } },
		"no signature": func(p *provider) {
			p.sign = func(c jwt.MapClaims) string {
				return p.signed(jwt.SigningMethodNone, c, jwt.UnsafeAllowNoneSignatureType)
			}
		},
		"client secret as key": func(p *provider) {
			p.sign = func(c jwt.MapClaims) string { return p.signed(jwt.SigningMethodHS256, c, []byte(clientSecret)) }
		},
		"public key as secret": func(p *provider) {
			der, _ := x509.MarshalPKIXPublicKey(p.key.Public())
			p.sign = func(c jwt.MapClaims) string { return p.signed(jwt.SigningMethodHS256, c, der) }
		},
		"foreign key": func(p *provider) {
			p.sign = func(c jwt.MapClaims) string { return p.signed(jwt.SigningMethodES256, c, foreign) }
		},
		"foreign key in its header": func(p *provider) {
			p.sign = func(c jwt.MapClaims) string {
				token := jwt.NewWithClaims(jwt.SigningMethodES256, c)
				x, y := foreign.X.FillBytes(make([]byte, 32)), foreign.Y.FillBytes(make([]byte, 32))
				token.Header["jwk"] = map[string]string{"kty": "EC", "crv": "P-256", "x": base64.RawURLEncoding.EncodeToString(x), "y": base64.RawURLEncoding.EncodeToString(y)}
				raw, _ := token.SignedString(foreign)
				return raw
			}
		},
		"other issuer":   claims(func(c jwt.MapClaims) { c["iss"] = "https://elsewhere.example.org" }),
		"other audience": claims(func(c jwt.MapClaims) { c["aud"] = "another" }),
		"no audience":    claims(func(c jwt.MapClaims) { delete(c, "aud") }),
		"other party":    claims(func(c jwt.MapClaims) { c["aud"], c["azp"] = []string{clientID, "another"}, "another" }),
		"expired":        claims(func(c jwt.MapClaims) { c["exp"] = start.Add(-time.Second).Unix() }),
		"no expiry":      claims(func(c jwt.MapClaims) { delete(c, "exp") }),
		"not yet":        claims(func(c jwt.MapClaims) { c["nbf"] = start.Add(time.Hour).Unix() }),
		"other nonce":    claims(func(c jwt.MapClaims) { c["nonce"] = "x" }),
		"no nonce":       claims(func(c jwt.MapClaims) { delete(c, "nonce") }),
		"no subject":     claims(func(c jwt.MapClaims) { delete(c, "sub") }),
		"empty subject":  claims(func(c jwt.MapClaims) { c["sub"] = "" }),
		"other at_hash":  claims(func(c jwt.MapClaims) { c["at_hash"] = "x" }),
	} {
		t.Run(name, func(t *testing.T) {
			p := serve(t)
			bend(p)
			l, admitted := open(t, p, nil)
			login(t, p, l, oci.ErrUnavailable)
			if len(admitted.admitted) != 0 {
				t.Errorf("admitted %+v", admitted.admitted)
			}
		})
	}
}

// The user info fills in what the ID token leaves out, if it is about the same
// person, and overrides nothing.
func TestUserInfo(t *testing.T) {
	p := serve(t)
	l, _ := open(t, p, nil)
	p.change(func() {
		p.claims = map[string]any{"groups": []string{"signed"}}
		p.userinfo = map[string]any{"sub": "subject-of-alice", "preferred_username": "alice", "groups": []string{"unsigned"}}
	})
	if who := login(t, p, l, nil); who.Name != "alice" || !slices.Equal(who.Groups, []string{"signed"}) || p.asked("/userinfo") != 1 {
		t.Errorf("%+v, asked %d times", who, p.asked("/userinfo"))
	}
	for _, sub := range []any{"subject-of-bob", "", nil, 7} {
		p.change(func() { p.userinfo["sub"] = sub })
		login(t, p, l, oci.ErrUnavailable)
	}
}

func TestPersons(t *testing.T) {
	type claims = map[string]any
	many := make([]string, auth.MaxGroups+1)
	for i := range many {
		many[i] = fmt.Sprint("g", i)
	}
	for _, tc := range []struct {
		name   string
		claims claims
		change func(*oidc.Options)
		user   string // "": refused
		groups string
		admin  bool
	}{
		{name: "capitals and a domain", claims: claims{"preferred_username": "Alice@Example.org"}, user: "alice"},
		{name: "no name", claims: claims{}},
		{name: "empty name", claims: claims{"preferred_username": ""}},
		{name: "two names", claims: claims{"preferred_username": []string{"a", "b"}}},
		{name: "a number", claims: claims{"preferred_username": 7}},
		{name: "no user name", claims: claims{"preferred_username": "a b"}},
		{name: "a pattern", claims: claims{"preferred_username": "**"}},
		{name: "a path", claims: claims{"preferred_username": "admin/.."}},
		{name: "reserved", claims: claims{"preferred_username": "library"}},
		{name: "a robot", claims: claims{"preferred_username": "robot$ci"}},
		{name: "address", claims: claims{"email": "a.b@example.org", "email_verified": true}, change: byEmail, user: "a.b"},
		{name: "address, verified in a word", claims: claims{"email": "a@example.org", "email_verified": "true"}, change: byEmail, user: "a"},
		{name: "address, not verified", claims: claims{"email": "a@example.org", "email_verified": false}, change: byEmail},
		{name: "address, nothing said", claims: claims{"email": "a@example.org"}, change: byEmail},
		{name: "no groups", claims: claims{"preferred_username": "a"}, user: "a"},
		{name: "groups, sorted and once", claims: claims{"preferred_username": "a", "groups": []string{"y", "x", "y", " z", ""}}, user: "a", groups: "x y"},
		{name: "one group", claims: claims{"preferred_username": "a", "groups": "x"}, user: "a", groups: "x"},
		{name: "groups of a strange kind", claims: claims{"preferred_username": "a", "groups": map[string]any{"x": "y"}}, user: "a"},
		{name: "groups inside", claims: claims{"preferred_username": "a", "realm": claims{"roles": []string{"x"}}},
			change: func(o *oidc.Options) { o.GroupsClaim = "realm.roles" }, user: "a", groups: "x"},
		{name: "groups by a URL", claims: claims{"preferred_username": "a", "https://example.org/groups": []string{"x"}},
			change: func(o *oidc.Options) { o.GroupsClaim = "https://example.org/groups" }, user: "a", groups: "x"},
		{name: "groups that do not count", claims: claims{"preferred_username": "a", "groups": []string{"x"}},
			change: func(o *oidc.Options) { o.GroupsClaim = "" }, user: "a"},
		{name: "as many groups as there may be", claims: claims{"preferred_username": "a", "groups": many[1:]}, user: "a", groups: "…"},
		{name: "too many groups", claims: claims{"preferred_username": "a", "groups": many}},
		{name: "administrator", claims: claims{"preferred_username": "a", "groups": []string{"x", "ops"}},
			change: func(o *oidc.Options) { o.AdminGroup = "ops" }, user: "a", groups: "ops x", admin: true},
		{name: "no administrator", claims: claims{"preferred_username": "a", "groups": []string{"ops2"}, "admin": true},
			change: func(o *oidc.Options) { o.AdminGroup = "ops" }, user: "a", groups: "ops2"},
		{name: "required", claims: claims{"preferred_username": "a", "hd": "example.org"}, change: require("hd", "example.org"), user: "a"},
		{name: "required of a list", claims: claims{"preferred_username": "a", "aal": []string{"1", "2"}}, change: require("aal", "2"), user: "a"},
		{name: "required by a pattern", claims: claims{"preferred_username": "a", "email": "a@example.org"}, change: require("email", "*@example.org"), user: "a"},
		{name: "required by a pattern, on another level", claims: claims{"preferred_username": "a", "group": "/org/dev/x"}, change: require("group", "/org/*")},
		{name: "required by a pattern, on its level", claims: claims{"preferred_username": "a", "group": "/org/dev"}, change: require("group", "/org/*"), user: "a"},
		{name: "required by a pattern, below a level", claims: claims{"preferred_username": "a", "group": "/org/dev/x"}, change: require("group", "/org/**"), user: "a"},
		{name: "required, no expression", claims: claims{"preferred_username": "a", "hd": "exampleXorg"}, change: require("hd", "example.org")},
		{name: "required and true", claims: claims{"preferred_username": "a", "email_verified": true}, change: require("email_verified", "true"), user: "a"},
		{name: "required, other", claims: claims{"preferred_username": "a", "hd": "example.com"}, change: require("hd", "example.org")},
		{name: "required, longer", claims: claims{"preferred_username": "a", "hd": "example.org.evil.com"}, change: require("hd", "example.org")},
		{name: "required, empty", claims: claims{"preferred_username": "a", "hd": ""}, change: require("hd", "*")},
		{name: "required, missing", claims: claims{"preferred_username": "a"}, change: require("hd", "*")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := serve(t)
			p.claims, p.userinfo = tc.claims, claims{"sub": "subject-of-alice"}
			l, admitted := open(t, p, tc.change)
			var want error
			if tc.user == "" {
				want = auth.ErrDenied
			}
			who := login(t, p, l, want)
			if tc.user == "" {
				if len(admitted.admitted) != 0 {
					t.Errorf("admitted %+v", admitted.admitted)
				}
				return
			}
			groups := strings.Join(who.Groups, " ")
			if tc.groups == "…" && len(who.Groups) == auth.MaxGroups {
				groups = "…"
			}
			if who.Name != tc.user || groups != tc.groups || who.Admin != tc.admin {
				t.Errorf("%+v", who)
			}
		})
	}
}

func byEmail(o *oidc.Options) { o.NameClaim = "email" }

func require(claim, pattern string) func(*oidc.Options) {
	return func(o *oidc.Options) { o.Require = map[string]string{claim: pattern} }
}

// A provider that is down stops no login page for long, is not asked by every
// browser, and is found again.
func TestDiscovery(t *testing.T) {
	p := serve(t)
	l, _ := open(t, p, nil)
	down := true
	p.bend = func(w http.ResponseWriter, _ *http.Request) bool {
		if down {
			http.Error(w, strings.Repeat("x", 10_000), http.StatusBadGateway)
		}
		return down
	}
	for _, tc := range []struct {
		after time.Duration
		asked int
	}{{0, 1}, {0, 1}, {5*time.Second - 1, 1}, {5 * time.Second, 2}, {6 * time.Second, 2}} {
		_, _, err := l.Begin(t.Context(), start.Add(tc.after))
		if !errors.Is(err, oci.ErrUnavailable) || len(err.Error()) > 1000 {
			t.Errorf("%v after %v", err, tc.after)
		}
		if n := p.asked("/.well-known/openid-configuration"); n != tc.asked {
			t.Errorf("asked %d times after %v, want %d", n, tc.after, tc.asked)
		}
	}
	p.change(func() { down = false })
	if _, _, err := l.Begin(t.Context(), start.Add(time.Minute)); err != nil {
		t.Error(err)
	}
}

// A browser that goes away says nothing about the provider.
func TestDiscoveryIsNotEndedByABrowser(t *testing.T) {
	p := serve(t)
	l, _ := open(t, p, nil)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := l.Begin(gone, start); !errors.Is(err, oci.ErrUnavailable) {
		t.Error(err)
	}
	if _, _, err := l.Begin(t.Context(), start); err != nil {
		t.Error(err)
	}
}

func TestBadProviders(t *testing.T) {
	for name, bend := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"another issuer": func(w http.ResponseWriter, _ *http.Request) bool {
			fmt.Fprint(w, `{"issuer":"https://elsewhere.example.org"}`)
			return true
		},
		"elsewhere": func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
			return true
		},
		"too much": func(w http.ResponseWriter, r *http.Request) bool {
			fmt.Fprintf(w, `{"issuer":"http://%s","x":"%s"}`, r.Host, strings.Repeat("x", 2<<20))
			return true
		},
		"garbage": func(w http.ResponseWriter, _ *http.Request) bool { fmt.Fprint(w, "<html>"); return true },
	} {
		t.Run(name, func(t *testing.T) {
			p := serve(t)
			p.bend = bend
			l, _ := open(t, p, nil)
			if _, _, err := l.Begin(t.Context(), start); !errors.Is(err, oci.ErrUnavailable) {
				t.Error(err)
			}
			if p.asked("/elsewhere") != 0 {
				t.Error("followed a redirect")
			}
		})
	}
}

// While the provider hangs, only so many browsers hang with it.
func TestFinishingIsBounded(t *testing.T) {
	p := serve(t)
	l, _ := open(t, p, nil)
	arrived, release := make(chan struct{}), make(chan struct{})
	p.bend = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/token" {
			arrived <- struct{}{}
			<-release
		}
		return false
	}
	const most = 16
	ended := make(chan error)
	for range most {
		location, secret, err := l.Begin(t.Context(), start)
		if err != nil {
			t.Fatal(err)
		}
		q := p.authorize(location)
		go func() { _, err := l.Finish(context.Background(), secret, q, start); ended <- err }()
	}
	for range most {
		<-arrived
	}
	login(t, p, l, oci.ErrUnavailable)
	close(release)
	for range most {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func TestOptions(t *testing.T) {
	if _, err := oidc.New(oidc.Options{CA: []byte("x")}); err == nil {
		t.Error("authorities of nobody were accepted")
	}
}
