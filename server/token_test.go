package server_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// grant is the answer of the token endpoint. Pointers tell what is absent.
type grant struct {
	Token        string  `json:"token"`
	AccessToken  string  `json:"access_token"`
	ExpiresIn    int     `json:"expires_in"`
	Scope        *string `json:"scope"`
	IssuedAt     *string `json:"issued_at"`
	RefreshToken *string `json:"refresh_token"`
}

// grantOf decodes an answer and checks what holds for all.
func (s *stack) grantOf(got response) grant {
	s.Helper()
	var g grant
	if err := json.Unmarshal([]byte(got.body), &g); err != nil || got.StatusCode != 200 {
		s.Fatalf("%d %s", got.StatusCode, got.body)
	}
	if g.Token == "" || g.Token != g.AccessToken || g.ExpiresIn < 60 || g.IssuedAt != nil || g.RefreshToken != nil && !s.refresh {
		s.Errorf("answer %s", got.body)
	}
	if h := got.Header; h.Get("Content-Type") != "application/json" || h.Get("Cache-Control") != "no-store" {
		s.Errorf("headers %v", h)
	}
	return g
}

// access lists what a token holds, as scopes.
func (s *stack) access(token string) []string {
	s.Helper()
	claims, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	s.must(err)
	var c struct {
		Aud    []string
		Access []struct {
			Type, Name string
			Actions    []string
		}
	}
	s.must(json.Unmarshal(claims, &c))
	if !slices.Equal(c.Aud, []string{service}) || c.Access == nil {
		s.Errorf("claims %s", claims)
	}
	scopes := []string{}
	for _, a := range c.Access {
		scopes = append(scopes, a.Type+":"+a.Name+":"+strings.Join(a.Actions, ","))
	}
	return scopes
}

// post is a request of the form that containerd and buildx send.
func (s *stack) post(form url.Values) response {
	s.Helper()
	return s.send(row{do: "POST /token", as: "-", with: header{"Content-Type": "application/x-www-form-urlencoded"}, body: form.Encode()})
}

func passwordForm(name, word string, scopes ...string) url.Values {
	return url.Values{"grant_type": {"password"}, "service": {service}, "client_id": {"containerd-client"}, "username": {name}, "password": {word}, "scope": scopes}
}

// TestTokenScopes asks for scopes in every way that clients do, by GET and by
// POST: what may not be had shrinks the answer and is no error.
func TestTokenScopes(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	for _, test := range []struct {
		as     string
		scopes []string
		want   string
	}{
		{"alice", nil, ""},
		{"alice", []string{""}, ""},
		{"alice", []string{"repository:alice/app:pull"}, "repository:alice/app:pull"},
		{"alice", []string{"repository:alice/app:pull,push"}, "repository:alice/app:pull,push"},
		{"alice", []string{"repository:alice/app:push,pull"}, "repository:alice/app:pull,push"}, // crane's order
		{"alice", []string{"repository:alice/app:*"}, "repository:alice/app:*"},
		{"alice", []string{"repository:alice/app:pull,push,delete"}, "repository:alice/app:*"},
		{"alice", []string{"repository:alice/app:pull", "repository:alice/b:pull,push"}, "repository:alice/app:pull repository:alice/b:pull,push"},
		{"alice", []string{"repository:alice/app:pull repository:alice/b:pull,push"}, "repository:alice/app:pull repository:alice/b:pull,push"},
		{"alice", []string{" repository:alice/app:pull  repository:alice/b:pull", "repository:alice/app:push"}, "repository:alice/app:pull,push repository:alice/b:pull"},
		{"alice", []string{"repository(plugin):alice/app:pull"}, "repository:alice/app:pull"},
		{"alice", []string{"registry:catalog:*"}, "registry:catalog:*"},

		// Less than was asked for.
		{"alice", []string{"repository:alice/app:pull,push", "repository:bob/app:pull"}, "repository:alice/app:pull,push"},
		{"alice", []string{"repository:bob/app:pull,push"}, ""},
		{"bob", []string{"repository:team/x:pull,push"}, "repository:team/x:pull"},
		{"carol", []string{"repository:drop/x:*"}, "repository:drop/x:push"},
		{"root", []string{"repository:bob/app:*"}, "repository:bob/app:*"},
		{"-", []string{"repository:public/app:pull,push", "repository:alice/app:pull"}, "repository:public/app:pull"},
		{"-", nil, ""},

		// What cannot be here is dropped.
		{"alice", []string{"repository:alice/app:fly,pull"}, "repository:alice/app:pull"},
		{"alice", []string{"repository:alice/app:fly", "widget:x:pull", "registry:other:*", "repository:alice/App:pull", "repository:alice/../bob/app:pull"}, ""},
		{"alice", []string{"repository:localhost:5000/app:pull"}, ""}, // split at the last colon; no such name
	} {
		name, word := test.as, password
		got := s.grantOf(s.send(row{do: "GET /token?" + url.Values{"service": {service}, "scope": test.scopes}.Encode(), as: test.as}))
		answers := []grant{got}
		if test.as != "-" {
			answers = append(answers, s.grantOf(s.post(passwordForm(name, word, test.scopes...))))
		}
		for i, g := range answers {
			if g.Scope == nil || *g.Scope != test.want || strings.Join(s.access(g.Token), " ") != test.want || g.ExpiresIn != 300 {
				t.Errorf("%s %q, %d: %q, token %q, want %q", test.as, test.scopes, i, *g.Scope, s.access(g.Token), test.want)
			}
		}
	}
}

// TestTokenRefused is what the endpoint does not answer with a token.
func TestTokenRefused(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	basic := `Basic realm="registry.test", charset="UTF-8"`
	wrong := func(as string) row {
		return row{do: "GET /token", as: as, status: 401, code: "UNAUTHORIZED", gives: header{"Www-Authenticate": basic}}
	}
	ignored := func(text string) row {
		return row{do: "GET /token?scope=repository:alice/app:pull&scope=" + url.QueryEscape(text), status: 200, has: `"scope":"repository:alice/app:pull"`}
	}
	s.table([]row{
		wrong("Basic " + base64.StdEncoding.EncodeToString([]byte("alice:wrong"))),
		wrong("dave"), wrong("Basic !"), wrong("Negotiate x"), wrong("Bearer garbage"),
		wrong(bearer(s.token("alice", "repository:alice/app:pull"))), // no exchange of tokens (CVE-2025-68944)
		ignored("repository"), ignored("repository:alice/app"), ignored(":alice/app:pull"), ignored("repository::pull"),
		ignored("Repository:alice/app:pull"), ignored("repository(:alice/app:pull"), ignored("repository:älice/app:pull"),
		ignored("repository:alice/app:pull\x00"), ignored("repository:" + strings.Repeat("a", 512) + ":pull"),
		{do: "GET /token?scope=" + url.QueryEscape(strings.Repeat("repository:alice/app:pull ", 101)), status: 400, code: "UNSUPPORTED", has: "more than 100"},
		{do: "PUT /token", status: 405, code: "UNSUPPORTED"},
	})
	for _, form := range []url.Values{passwordForm("alice", "wrong"), passwordForm("dave", password), passwordForm("", ""), passwordForm("alice", "")} {
		got := s.post(form)
		if got.StatusCode != 401 || got.code() != "UNAUTHORIZED" || got.Header.Get("Www-Authenticate") != basic || got.wellFormed() != nil {
			t.Errorf("%v: %d %s", form, got.StatusCode, got.body)
		}
	}
	off := s.post(refreshForm("x"))
	if off.StatusCode != 401 || !strings.Contains(off.body, "log in again, refresh tokens are switched off") || off.Header.Get("Www-Authenticate") != basic {
		t.Errorf("a refresh token where they are switched off: %d %s", off.StatusCode, off.body)
	}
	large := passwordForm("alice", password, strings.Repeat("x", 65<<10))
	for name, got := range map[string]response{
		"no form":       s.post(nil),
		"other grant":   s.post(url.Values{"grant_type": {"client_credentials"}}),
		"too large":     s.post(large),
		"many scopes":   s.post(passwordForm("alice", password, strings.Repeat("x ", 101))),
		"in the query":  s.send(row{do: "POST /token?" + passwordForm("alice", password).Encode(), as: "-"}),
		"a broken form": s.send(row{do: "POST /token", as: "-", with: header{"Content-Type": "application/x-www-form-urlencoded"}, body: "grant_type=%zz"}),
		"JSON":          s.send(row{do: "POST /token", as: "-", with: header{"Content-Type": "application/json"}, body: `{"grant_type":"password"}`}),
	} {
		if err := ociError(got.StatusCode, got.Header, got.body, "POST"); got.StatusCode != 400 || err != nil {
			t.Errorf("%s: %d %s, %v", name, got.StatusCode, got.body, err)
		}
	}
}

// TestTokenAnonymous takes no credentials and empty ones for the same.
func TestTokenAnonymous(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	s.manifest("public/app", "v1", index())
	for _, as := range []string{"-", "Basic ", "Basic " + base64.StdEncoding.EncodeToString([]byte(":"))} {
		g := s.grantOf(s.send(row{do: "GET /token?scope=repository:public/app:pull,push", as: as}))
		if got := s.access(g.Token); !slices.Equal(got, []string{"repository:public/app:pull"}) {
			t.Errorf("%q: %v", as, got)
		}
		s.table([]row{
			{do: "GET /v2/", as: bearer(g.Token), status: 200},
			{do: "GET /v2/public/app/manifests/v1", as: bearer(g.Token), status: 200},
			{do: "POST /v2/public/app/blobs/uploads/", as: bearer(g.Token), status: 401, code: "UNAUTHORIZED"},
			{do: "GET /v2/public/other/tags/list", as: bearer(g.Token), status: 401, code: "UNAUTHORIZED"},
		})
	}
}

// TestTokenLogin plays the logins of clients (research/ratelimit-and-auth.md,
// 2.3): the challenge of /v2/ leads to a token, and the token to a 200.
func TestTokenLogin(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	for client, ask := range map[string]func(realm string) response{
		"docker login": func(realm string) response {
			return s.send(row{do: "GET " + realm + "?account=alice&client_id=docker&offline_token=true&service=registry.test"})
		},
		"containerd": func(string) response { return s.post(passwordForm("alice", password)) },
		"containers/image": func(realm string) response {
			return s.send(row{do: "GET " + realm + "?account=alice&scope=repository%3Aalice%2Fapp%3Apull%2Cpush&service=registry.test"})
		},
		"another account": func(realm string) response {
			return s.send(row{do: "GET " + realm + "?account=bob&service=registry.test"})
		},
		"buildkit": func(string) response {
			form := passwordForm("alice", password)
			form.Set("access_type", "offline")
			return s.post(form)
		},
	} {
		first := s.send(row{do: "GET /v2/", as: "-"})
		challenge := first.Header.Get("Www-Authenticate")
		realm, ok := strings.CutPrefix(challenge, `Bearer realm="`+s.http.URL)
		if !ok || first.StatusCode != http.StatusUnauthorized {
			t.Fatalf("%s: %d %q", client, first.StatusCode, challenge)
		}
		realm, _, _ = strings.Cut(realm, `"`)
		g := s.grantOf(ask(realm))
		s.table([]row{{do: "GET /v2/", as: bearer(g.Token), status: 200}})
		if t.Failed() {
			t.Fatalf("above: %s", client)
		}
	}
}

// TestTokenRestart: the key outlives the process, and so do its tokens.
func TestTokenRestart(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	token := bearer(s.token("alice", "repository:alice/app:pull"))
	s.restart()
	s.table([]row{{do: "GET /v2/", as: token, status: 200}, {do: "GET /v2/alice/app/tags/list", as: token, status: 404, code: "NAME_UNKNOWN"}})
}

// TestTokenMany asks for as many scopes as one request may have.
func TestTokenMany(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	var scopes []string
	for i := range 100 {
		scopes = append(scopes, fmt.Sprintf("repository:alice/%s%03d:pull,push", strings.Repeat("a", 200), i))
	}
	g := s.grantOf(s.post(passwordForm("alice", password, scopes...)))
	if got := s.access(g.Token); !slices.Equal(got, scopes) {
		t.Errorf("%d scopes", len(got))
	}
	s.table([]row{{do: "GET /v2/", as: bearer(g.Token), status: 200}})
}
