package server_test

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth/personal"
)

// basicOf are a name and a secret as a whole Authorization.
func basicOf(name, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+secret))
}

// robot makes one and returns how it logs in.
func (s *stack) robot(name string, rules ...string) (basic, secret string) {
	s.Helper()
	secret, err := s.robots.Add(s.Context(), name, rules, time.Time{}, s.clock.now())
	s.must(err)
	return basicOf("robot$"+name, secret), secret
}

// personalToken makes one of a user and returns how it logs in.
func (s *stack) personalToken(owner string, rules ...string) (basic string, made personal.Token) {
	s.Helper()
	token, made, err := s.personal.Add(s.Context(), personal.NewToken{Owner: owner, Name: "t", Rules: rules}, s.clock.now())
	s.must(err)
	return basicOf(owner, token), made
}

// tokenBy asks for a token by any Authorization.
func (s *stack) tokenBy(as string, scopes ...string) string {
	s.Helper()
	return bearer(s.grantOf(s.send(row{do: "GET /token?" + url.Values{"scope": scopes}.Encode(), as: as})).Token)
}

// TestRobot: its own rules and what authenticated may, by password and by
// token; nothing once it is disabled, but pulls until the token expires.
func TestRobot(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	blob := s.blob("team/app", "layer")
	s.blob("public/app", "public layer")
	s.blob("alice/app", "private layer")
	basic, secret := s.robot("ci", "team/**:pull,push")
	token := s.tokenBy(basic, "repository:team/app:*", "repository:alice/app:*", "registry:catalog:*")
	if got := s.access(strings.TrimPrefix(token, "Bearer ")); strings.Join(got, " ") != "repository:team/app:pull,push registry:catalog:*" {
		t.Errorf("the token holds %v", got)
	}
	form := passwordForm("robot$ci", secret, "repository:team/app:pull", "repository:robot$ci/x:pull")
	if got := s.access(s.grantOf(s.post(form)).Token); strings.Join(got, " ") != "repository:team/app:pull" {
		t.Errorf("by POST it holds %v", got)
	}
	mount := "POST /v2/team/other/blobs/uploads/?mount=" + blob
	for _, as := range []string{basic, s.tokenBy(basic, "repository:team/app:*", "repository:team/other:*", "registry:catalog:*")} {
		s.table([]row{
			{do: "GET /v2/", as: as, status: 200},
			{do: "HEAD /v2/team/app/blobs/" + blob, as: as, status: 200},
			{do: mount + "&from=team/app", as: as, status: 201},
			{do: mount + "&from=alice/app", as: as, status: 202},
			{do: "GET /v2/_catalog", as: as, status: 200, text: `{"repositories":["public/app","team/app","team/other"]}`},
			{do: "GET /v1/search?q=app", as: as, status: 200, has: `"num_results":2`},
		})
	}
	s.table([]row{
		{do: "DELETE /v2/team/app/blobs/" + blob, as: basic, status: 403, code: "DENIED"},
		{do: "DELETE /v2/team/app/blobs/" + blob, as: token, status: 401, code: "UNAUTHORIZED"},
		{do: "GET /v2/alice/app/tags/list", as: basic, status: 403, code: "DENIED"},
		{do: "GET /v2/", as: basicOf("ci", secret), status: 401, code: "UNAUTHORIZED"},
		{do: "GET /v2/", as: basicOf("robot$ci", secret+"x"), status: 401, code: "UNAUTHORIZED"},
	})

	s.must(s.robots.SetDisabled(t.Context(), "ci", true))
	s.table([]row{
		{do: "GET /v2/", as: basic, status: 401, code: "UNAUTHORIZED"},
		{do: "GET /token", as: basic, status: 401, code: "UNAUTHORIZED"},
		{do: "HEAD /v2/team/app/blobs/" + blob, as: token, status: 200},
		{do: "POST /v2/team/app/blobs/uploads/", as: token, status: 401, code: "UNAUTHORIZED"},
		{do: "GET /v2/_catalog", as: token, status: 401, code: "UNAUTHORIZED"},
		{do: "GET /v1/search?q=app", as: token, status: 401, code: "UNAUTHORIZED"},
	})
	s.clock.advance(time.Hour)
	s.table([]row{{do: "HEAD /v2/team/app/blobs/" + blob, as: token, status: 401}})
}

// TestPersonalToken: what CVE-2025-68944 and CVE-2026-24791 were about. A
// narrowed token narrows in every exchange: by password, in the token that it
// gets, at the source of a mount, in listings.
func TestPersonalToken(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	blob := s.blob("team/app", "layer")
	secretBlob := s.blob("alice/secret", "secret")
	basic, made := s.personalToken("alice", "team/**:pull", "alice/copy:pull,push")
	scopes := []string{"repository:team/app:*", "repository:alice/secret:*", "repository:alice/copy:*", "registry:catalog:*"}
	token := s.tokenBy(basic, scopes...)
	if got := s.access(strings.TrimPrefix(token, "Bearer ")); strings.Join(got, " ") != "repository:team/app:pull repository:alice/copy:pull,push registry:catalog:*" {
		t.Errorf("the token holds %v", got)
	}
	for _, as := range []string{basic, token} {
		denied := map[bool]row{true: {status: 403, code: "DENIED"}, false: {status: 401, code: "UNAUTHORIZED"}}[as == basic]
		s.table([]row{
			{do: "HEAD /v2/team/app/blobs/" + blob, as: as, status: 200},
			{do: "POST /v2/team/app/blobs/uploads/", as: as, status: denied.status, code: denied.code},
			{do: "GET /v2/alice/secret/tags/list", as: as, status: denied.status, code: denied.code},
			{do: "POST /v2/alice/copy/blobs/uploads/?from=team/app&mount=" + blob, as: as, status: 201},
			{do: "POST /v2/alice/copy/blobs/uploads/?from=alice/secret&mount=" + secretBlob, as: as, status: 202},
			{do: "GET /v2/_catalog", as: as, status: 200, text: `{"repositories":["alice/copy","team/app"]}`},
			{do: "GET /v1/search?q=secret", as: as, status: 200, has: `"num_results":0`},
		})
	}
	// The owner's rights are the limit, whatever the rules say, and an
	// administrator's token reaches no further than they do.
	wide, _ := s.personalToken("bob", "**:*")
	roots, _ := s.personalToken("root", "team/**:pull")
	s.table([]row{
		{do: "GET /v2/alice/secret/tags/list", as: wide, status: 403, code: "DENIED"},
		{do: "POST /v2/team/app/blobs/uploads/", as: wide, status: 403, code: "DENIED"},
		{do: "HEAD /v2/team/app/blobs/" + blob, as: wide, status: 200},
		{do: "GET /v2/alice/secret/tags/list", as: roots, status: 403, code: "DENIED"},
		{do: "HEAD /v2/team/app/blobs/" + blob, as: roots, status: 200},
		{do: "GET /v2/_catalog", as: roots, status: 200, text: `{"repositories":["team/app"]}`},
		{do: "GET /v2/", as: basicOf("bob", secretOf(t, basic)), status: 401, code: "UNAUTHORIZED"}, // another's name
	})

	s.must(s.personal.Revoke(t.Context(), made.ID, "alice"))
	s.table([]row{
		{do: "GET /v2/", as: basic, status: 401, code: "UNAUTHORIZED"},
		{do: "HEAD /v2/team/app/blobs/" + blob, as: token, status: 200},
		{do: "POST /v2/alice/copy/blobs/uploads/", as: token, status: 401, code: "UNAUTHORIZED"},
		{do: "GET /v2/_catalog", as: token, status: 401, code: "UNAUTHORIZED"},
	})
}

func secretOf(t testing.TB, basic string) string {
	t.Helper()
	pair, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(basic, "Basic "))
	if err != nil {
		t.Fatal(err)
	}
	_, secret, _ := strings.Cut(string(pair), ":")
	return secret
}

// TestOwnerIsRemoved: with the user goes what was made of the user.
func TestOwnerIsRemoved(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{refresh: true})
	s.addUser("dave")
	basic, _ := s.personalToken("dave")
	token := s.tokenBy(basic, "repository:dave/app:*")
	refresh := *s.grantOf(s.send(row{do: "GET /token?offline_token=true", as: "dave"})).RefreshToken
	s.table([]row{{do: "POST /v2/dave/app/blobs/uploads/", as: token, status: 202}})
	s.must(s.accounts.Remove(t.Context(), "dave"))
	s.table([]row{
		{do: "GET /v2/", as: basic, status: 401, code: "UNAUTHORIZED"},
		{do: "POST /v2/dave/app/blobs/uploads/", as: token, status: 401, code: "UNAUTHORIZED"},
	})
	s.addUser("dave") // another one
	s.table([]row{{do: "GET /v2/", as: basic, status: 401, code: "UNAUTHORIZED"}})
	if got := s.post(refreshForm(refresh)); got.StatusCode != 401 {
		t.Errorf("the refresh token of the first: %d", got.StatusCode)
	}
}

func refreshForm(token string, scopes ...string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "service": {service}, "client_id": {"docker"}, "refresh_token": {token}, "scope": scopes}
}

// TestRefreshToken plays docker with an identity token: one login, then the
// refresh grant for every pull.
func TestRefreshToken(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{refresh: true})
	s.addUser("dave")
	s.blob("dave/app", "layer")
	get := func(query, as string) *string {
		return s.grantOf(s.send(row{do: "GET /token?" + query, as: as})).RefreshToken
	}
	basic, _ := s.personalToken("dave")
	robot, secret := s.robot("ci")
	offline := passwordForm("robot$ci", secret)
	offline.Set("access_type", "offline")
	for name, got := range map[string]*string{
		"not asked for":        get("", "dave"),
		"not asked for, false": get("offline_token=false", "dave"),
		"anonymous":            get("offline_token=true", "-"),
		"personal token":       get("offline_token=true", basic),
		"robot":                get("offline_token=true", robot),
		"robot by POST":        s.grantOf(s.post(offline)).RefreshToken,
		"online":               s.grantOf(s.post(passwordForm("dave", password))).RefreshToken,
	} {
		if got != nil {
			t.Errorf("%s: a refresh token", name)
		}
	}
	byGet := get("offline_token=true&account=dave&client_id=docker&service="+service, "dave")
	form := passwordForm("dave", password)
	form.Set("access_type", "offline")
	byPost := s.grantOf(s.post(form)).RefreshToken
	if byGet == nil || byPost == nil {
		t.Fatal("no refresh token")
	}
	for _, refresh := range []string{*byGet, *byPost} {
		for range 3 { // it is no one-time token
			g := s.grantOf(s.post(refreshForm(refresh, "repository:dave/app:pull,push", "repository:alice/app:pull")))
			if g.RefreshToken == nil || *g.RefreshToken != refresh {
				t.Errorf("not the same refresh token")
			}
			if got := strings.Join(s.access(g.Token), " "); got != "repository:dave/app:pull,push" {
				t.Errorf("it holds %s", got)
			}
			s.table([]row{{do: "POST /v2/dave/app/blobs/uploads/", as: bearer(g.Token), status: 202}})
		}
		s.table([]row{ // it opens nothing itself
			{do: "GET /v2/", as: bearer(refresh), status: 401, code: "UNAUTHORIZED"},
			{do: "GET /v2/", as: basicOf("dave", refresh), status: 401, code: "UNAUTHORIZED"},
			{do: "GET /token", as: bearer(refresh), status: 401, code: "UNAUTHORIZED"},
		})
	}
	expect := func(what string, status int, says string) {
		t.Helper()
		got := s.post(refreshForm(*byGet))
		if got.StatusCode != status || !strings.Contains(got.body, says) || status == 401 && got.Header.Get("Www-Authenticate") == "" {
			t.Errorf("%s: %d %s", what, got.StatusCode, got.body)
		}
	}
	const refused = "authentication required: log in again, the refresh token is refused: "
	s.clock.advance(29 * 24 * time.Hour)
	expect("after 29 days of use", 200, "")
	s.restart()
	expect("after a restart", 200, "")
	s.clock.advance(24*time.Hour + time.Second)
	expect("after 30 days", 401, refused+"expired")
	byGet = get("offline_token=true", "dave")
	expect("a new one", 200, "")
	s.must(s.accounts.SetPassword(t.Context(), "dave", password, s.clock.now()))
	expect("after a change of the password", 401, refused+"the password has changed")
	byGet = new(string)
	expect("none", 401, refused+"malformed")
}
