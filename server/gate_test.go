package server_test

import (
	"encoding/base64"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/internal/httpx"
)

// TestGrantToAddresses: the address counts that asks, as far as proxies are
// trusted, whatever the credentials. A token holds what its address could do
// when it was issued, wherever it is used; the source of a mount and listings
// are judged where the request comes from.
func TestGrantToAddresses(t *testing.T) {
	t.Parallel()
	loopback := httpx.Proxies{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	s := newStack(t, settings{proxies: loopback, grants: append([]string{"10.0.0.0/8 pull alice/app"}, defaultGrants...)})
	blob := s.blob("alice/app", "layer")
	inside, outside := header{"X-Forwarded-For": "10.1.2.3"}, header{"X-Forwarded-For": "11.1.2.3"}
	const scope = "repository:alice/app:pull"
	for name, ask := range map[string]func(header) string{
		"anonymous": func(h header) string { return s.send(row{do: "GET /token?scope=" + scope, as: "-", with: h}).body },
		"Basic":     func(h header) string { return s.send(row{do: "GET /token?scope=" + scope, as: "bob", with: h}).body },
		"POST": func(h header) string {
			form := header{"Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": h["X-Forwarded-For"]}
			return s.send(row{do: "POST /token", as: "-", with: form, body: passwordForm("bob", password, scope).Encode()}).body
		},
	} {
		if got := ask(inside); !strings.Contains(got, scope) {
			t.Errorf("%s from inside: %s", name, got)
		}
		if got := ask(outside); strings.Contains(got, scope) {
			t.Errorf("%s from outside: %s", name, got)
		}
	}
	g := s.grantOf(s.send(row{do: "GET /token?scope=" + scope + "&scope=registry:catalog:*&scope=repository:bob/x:pull,push", as: "bob", with: inside}))
	token, mount := bearer(g.Token), "POST /v2/bob/x/blobs/uploads/?from=alice/app&mount="+blob
	s.table([]row{
		{do: "HEAD /v2/alice/app/blobs/" + blob, as: "bob", with: inside, status: 200},
		{do: "HEAD /v2/alice/app/blobs/" + blob, as: "bob", with: outside, status: 403},
		{do: "HEAD /v2/alice/app/blobs/" + blob, as: token, with: outside, status: 200},
		{do: "GET /v2/_catalog", as: token, with: inside, status: 200, has: "alice/app"},
		{do: "GET /v2/_catalog", as: token, with: outside, status: 200, text: `{"repositories":[]}`},
		{do: "GET /v1/search?q=app", as: "-", with: inside, status: 200, has: "alice/app"},
		{do: "GET /v1/search?q=app", as: "-", with: outside, status: 200, has: `"num_results":0`},
		{do: mount, as: token, with: outside, status: 202},
		{do: mount, as: token, with: inside, status: 201},
	})
}

// TestChallenge holds the challenge of every kind of request, to the letter:
// clients act on it.
func TestChallenge(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	d := digestOf("x")
	narrow := bearer(s.token("alice", "repository:alice/else:pull"))
	const start = `Bearer realm="{base}/token",service="registry.test"`
	for do, scope := range map[string]string{
		"GET /v2/":  "",
		"HEAD /v2/": "",
		"GET /v2":   "",

		"GET /v2/_catalog":  "registry:catalog:*",
		"HEAD /v2/_catalog": "registry:catalog:*",

		"HEAD /v2/alice/app/manifests/v1":                              "repository:alice/app:pull",
		"GET /v2/alice/app/manifests/v1":                               "repository:alice/app:pull",
		"GET /v2/alice/app/manifests/" + d:                             "repository:alice/app:pull",
		"PUT /v2/alice/app/manifests/v1":                               "repository:alice/app:pull,push",
		"DELETE /v2/alice/app/manifests/v1":                            "repository:alice/app:delete",
		"HEAD /v2/alice/app/blobs/" + d:                                "repository:alice/app:pull",
		"GET /v2/alice/app/blobs/" + d:                                 "repository:alice/app:pull",
		"DELETE /v2/alice/app/blobs/" + d:                              "repository:alice/app:delete",
		"POST /v2/alice/app/blobs/uploads/":                            "repository:alice/app:pull,push",
		"GET /v2/alice/app/blobs/uploads/x":                            "repository:alice/app:pull,push",
		"PATCH /v2/alice/app/blobs/uploads/x":                          "repository:alice/app:pull,push",
		"PUT /v2/alice/app/blobs/uploads/x":                            "repository:alice/app:pull,push",
		"DELETE /v2/alice/app/blobs/uploads/x":                         "repository:alice/app:pull,push",
		"GET /v2/alice/app/tags/list":                                  "repository:alice/app:pull",
		"GET /v2/alice/app/referrers/" + d:                             "repository:alice/app:pull",
		"GET /v2/a/b/c/d/manifests/v1":                                 "repository:a/b/c/d:pull",
		"GET /v2/manifests/manifests/manifests/v1":                     "repository:manifests/manifests:pull",
		"POST /v2/alice/app/blobs/uploads/?mount=" + d + "&from=bob/x": "repository:alice/app:pull,push", // the source is judged live
		"GET /v2/alice/app/tags/list?ns=docker.io":                     "repository:alice/app:pull",
	} {
		challenge := start
		if scope != "" {
			challenge += `,scope="` + scope + `"`
		}
		rows := []row{
			{do: do, as: "-", status: 401, code: "UNAUTHORIZED", gives: header{"Www-Authenticate": challenge}},
			{do: do, as: "dave", status: 401, code: "UNAUTHORIZED", gives: header{"Www-Authenticate": challenge}},
			{do: do, as: "Bearer garbage", status: 401, code: "UNAUTHORIZED", gives: header{"Www-Authenticate": challenge + `,error="invalid_token"`}},
		}
		if scope != "" && !strings.Contains(do, "ns=") {
			rows = append(rows, row{do: do, as: narrow, status: 401, code: "UNAUTHORIZED", gives: header{"Www-Authenticate": challenge + `,error="insufficient_scope"`}})
		}
		s.table(rows)
	}
}

// TestAuthorization reads the header as RFC 9110 and RFC 7617 have it.
func TestAuthorization(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	token := s.token("alice")
	basic := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	refused := func(as string) row { return row{do: "GET /v2/", as: as, status: 401, code: "UNAUTHORIZED"} }
	s.table([]row{
		{do: "GET /v2/", as: bearer(token), status: 200, text: "{}", gives: header{"Content-Type": "application/json"}},
		{do: "GET /v2/", as: "bearer " + token, status: 200},
		{do: "GET /v2/", as: "BASIC " + basic("alice:" + password)[6:], status: 200},
		{do: "GET /v2", as: bearer(token), status: 200},
		{do: "HEAD /v2/", as: bearer(token), status: 200},
		refused("Bearer "), refused("Bearer " + token + "x"), refused("Bearer a b c"),
		refused("Basic "), refused(basic(":")), refused(basic("alice")), refused("Basic !!!"), refused(basic("alice:" + password + "\n")),
		refused(basic("alice:")), refused(basic(":" + password)), refused(basic("Alice:" + password)), refused(basic("../alice:" + password)),
		refused("Negotiate " + token), refused("token " + token), refused("Digest username=\"alice\""),
		refused("Basic " + strings.Repeat("A", 17<<10)), refused("Bearer " + strings.Repeat("A", 65<<10)),
	})
	req := s.request(row{do: "GET /v2/", as: bearer(token)})
	req.Header.Add("Authorization", bearer(token))
	resp, err := s.client.Do(req)
	s.must(err)
	if got := s.read(resp); got.StatusCode != 401 || got.wellFormed() != nil {
		t.Errorf("two headers: %d %s", got.StatusCode, got.body)
	}
}

// TestDenied names the right that is missing, to who has shown a password.
func TestDenied(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	s.table([]row{
		{do: "GET /v2/alice/app/tags/list", as: "bob", status: 403, code: "DENIED", has: `"detail":"denied: repository:alice/app:pull"`},
		{do: "PUT /v2/team/app/manifests/v1", as: "bob", status: 403, code: "DENIED", has: `"detail":"denied: repository:team/app:push"`},
		{do: "DELETE /v2/team/app/manifests/v1", as: "bob", status: 403, code: "DENIED", has: `"detail":"denied: repository:team/app:delete"`},
		{do: "GET /v2/drop/x/tags/list", as: "carol", status: 403, code: "DENIED"},
	})
	// A reload counts at once for passwords, at the next token for tokens.
	token := bearer(s.token("bob", "repository:team/app:pull"))
	s.policy.Store(parseGrants(t, nil))
	s.table([]row{
		{do: "GET /v2/team/app/tags/list", as: "bob", status: 403, code: "DENIED"},
		{do: "GET /v2/team/app/tags/list", as: token, status: 404, code: "NAME_UNKNOWN"},
		{do: "GET /v2/team/app/tags/list", as: bearer(s.token("bob", "repository:team/app:pull")), status: 401, code: "UNAUTHORIZED"},
		{do: "GET /v2/team/app/tags/list", as: "root", status: 404, code: "NAME_UNKNOWN"},
	})
}

// TestRemovedUser loses push and delete at once, pull when the token expires.
func TestRemovedUser(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	s.addUser("dave")
	token := bearer(s.token("dave", "repository:dave/app:*"))
	upload := row{do: "POST /v2/dave/app/blobs/uploads/?digest=" + digestOf("x"), as: token, body: "x", status: 201}
	pull := row{do: "GET /v2/dave/app/blobs/" + digestOf("x"), as: token, status: 200, text: "x"}
	s.table([]row{upload, pull})
	s.must(s.accounts.Remove(t.Context(), "dave"))
	gone := func(do string) row { return row{do: do, as: token, status: 401, code: "UNAUTHORIZED"} }
	s.table([]row{
		pull,
		gone(upload.do), gone("PUT /v2/dave/app/manifests/v1"), gone("DELETE /v2/dave/app/blobs/" + digestOf("x")),
		{do: "GET /v2/", as: "dave", status: 401, code: "UNAUTHORIZED"},
		{do: "GET /token", as: "dave", status: 401, code: "UNAUTHORIZED"},
	})
	if got := s.send(row{do: upload.do, as: token}); !strings.Contains(got.Header.Get("Www-Authenticate"), `error="invalid_token"`) {
		t.Errorf("challenge %q", got.Header.Get("Www-Authenticate"))
	}
	s.clock.advance(5*time.Minute + 2*time.Second)
	s.table([]row{gone(pull.do)})
}

// TestNamespace is containerd's ?ns=: this registry's own names are known,
// what belongs to an upstream is not here.
func TestNamespace(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{url: "https://registry.example:5000"})
	s.manifest("public/app", "v1", index())
	own := strings.TrimPrefix(s.http.URL, "http://")
	foreign := func(do string) row {
		return row{do: do, status: 404, code: "NAME_UNKNOWN", has: "no upstream serves"}
	}
	s.table([]row{
		{do: "GET /v2/public/app/manifests/v1?ns=", status: 200, gives: header{"OCI-Namespace": ""}},
		{do: "GET /v2/public/app/manifests/v1?ns=registry.example:5000", status: 200, gives: header{"OCI-Namespace": "registry.example:5000"}},
		{do: "GET /v2/public/app/manifests/v1?ns=" + own, status: 200, gives: header{"OCI-Namespace": own}},
		foreign("GET /v2/public/app/manifests/v1?ns=docker.io"),
		foreign("GET /v2/public/app/tags/list?ns=docker.io"),
		foreign("GET /v2/public/app/blobs/" + digestOf("x") + "?ns=docker.io"),
		foreign("GET /v2/public/app/referrers/" + digestOf("x") + "?ns=docker.io"),
		foreign("PUT /v2/alice/app/manifests/v1?ns=docker.io"),
		foreign("GET /v2/bob/private/manifests/v1?ns=docker.io"),
		{do: "HEAD /v2/public/app/manifests/v1?ns=docker.io", status: 404},
		{do: "GET /v2/public/app/manifests/v1?ns=docker.io", as: "-", status: 401, code: "UNAUTHORIZED"},
	})
}

// TestRealm is on the registry's own scheme, host and port, from the
// configuration or as the client sees them; forwarded headers count from
// trusted proxies only.
func TestRealm(t *testing.T) {
	t.Parallel()
	loopback := httpx.Proxies{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	forwarded := header{"X-Forwarded-Proto": "https", "X-Forwarded-Host": "public.example", "X-Forwarded-For": "192.0.2.1"}
	for _, test := range []struct {
		name  string
		with  settings
		host  string
		heads header
		realm string
	}{
		{"the request", settings{}, "", nil, "{base}/token"},
		{"the request's host", settings{}, "berth.local:5000", nil, "http://berth.local:5000/token"},
		{"the configuration", settings{url: "https://registry.example"}, "berth.local", forwarded, "https://registry.example/token"},
		{"nobody is trusted", settings{}, "berth.local", forwarded, "http://berth.local/token"},
		{"a trusted proxy", settings{proxies: loopback}, "berth.local", forwarded, "https://public.example/token"},
		{"another proxy", settings{proxies: httpx.Proxies{netip.MustParsePrefix("10.0.0.0/8")}}, "berth.local", forwarded, "http://berth.local/token"},
		{"a host that is none", settings{proxies: loopback}, "", header{"X-Forwarded-Host": `x",scope="y`}, "/token"},
	} {
		s := newStack(t, test.with)
		req := s.request(row{do: "GET /v2/", as: "-", with: test.heads})
		req.Host = test.host
		resp, err := s.client.Do(req)
		s.must(err)
		want := `Bearer realm="` + s.expand(test.realm) + `",service="registry.test"`
		if got := s.read(resp); got.StatusCode != http.StatusUnauthorized || got.Header.Get("Www-Authenticate") != want {
			t.Errorf("%s: %d %q, want %q", test.name, got.StatusCode, got.Header.Get("Www-Authenticate"), want)
		}
	}
}
