package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/api"
	"github.com/berth-registry/berth/auth/personal"
)

func TestRobots(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	later := s.now.Add(time.Hour).Format(time.RFC3339)
	s.table([]row{
		{"GET /api/v1/robots", "", 200, "[]"},
		{"POST /api/v1/robots", `{"name":"ci","rules":["team/**:push,pull"],"expires":"` + later + `"}`, 201, `"robot":{"name":"ci","rules":["team/**:pull,push"],"disabled":false,"created":`},
		{"POST /api/v1/robots", `{"name":"plain"}`, 201, `"login":"robot$plain","secret":"berth_robot_`},
		{"POST /api/v1/robots", `{"name":"ci"}`, 409, "exists already"},
		{"POST /api/v1/robots", `{"name":"robot$x"}`, 400, "lower-case"},
		{"POST /api/v1/robots", `{"name":"x","rules":["team"]}`, 400, "PATTERN:ACTIONS"},
		{"POST /api/v1/robots", `{"name":"x","expires":"2001-01-01T00:00:00Z"}`, 400, "expired already"},
		{"POST /api/v1/robots", `{"name":"x","expires":"tomorrow"}`, 400, "not what this endpoint takes"},
		{"GET /api/v1/robots", "", 200, `"expires":"` + later + `"}`},
		{"GET /api/v1/robots?n=1", "", 200, `[{"name":"ci",`},
		{"GET /api/v1/robots?last=ci", "", 200, `[{"name":"plain","rules":[],"disabled":false,"created":`},
		{"GET /api/v1/robots?n=0", "", 400, "n is a number"},
		{"GET /api/v1/robots?n=-1", "", 400, "n is a number"},
		{"GET /api/v1/robots?n=999999", "", 200, "ci"},
		{"GET /api/v1/robots/ci", "", 200, `{"name":"ci",`},
		{"GET /api/v1/robots/nobody", "", 404, "no such robot"},
		{"PATCH /api/v1/robots/ci", `{"disabled":true}`, 200, `"disabled":true`},
		{"PATCH /api/v1/robots/ci", `{"rules":[]}`, 400, "not what this endpoint takes"},
		{"PATCH /api/v1/robots/nobody", `{"disabled":true}`, 404, "no such robot"},
		{"POST /api/v1/robots/ci/secret", ``, 200, `"secret":"berth_robot_`},
		{"POST /api/v1/robots/nobody/secret", ``, 404, "no such robot"},
		{"DELETE /api/v1/robots/ci", ``, 204, ""},
		{"DELETE /api/v1/robots/ci", ``, 404, "no such robot"},
		{"PUT /api/v1/robots/ci", ``, 405, "method"},
	})
}

// TestPages follows the links of a listing.
func TestPages(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	for i := range 7 {
		_, err := s.robots.Add(t.Context(), fmt.Sprint("r", i), nil, time.Time{}, s.now)
		s.must(err)
		_, _, err = s.tokens.Add(t.Context(), personal.NewToken{Owner: "alice", Name: fmt.Sprint(i)}, s.now)
		s.must(err)
	}
	for path, want := range map[string]int{"/robots": 7, "/tokens": 7, "/tokens?owner=alice": 7, "/tokens?owner=admin": 0, "/users": 3} {
		next, seen, pages := "/api/v1"+path, map[string]bool{}, 0
		for next += map[bool]string{true: "&n=2", false: "?n=2"}[strings.Contains(path, "?")]; next != ""; pages++ {
			rec := s.send(s.handler, "GET "+next, "", "")
			var page []struct{ ID, Name string }
			s.must(json.Unmarshal(rec.Body.Bytes(), &page))
			for _, e := range page {
				seen[e.ID+e.Name] = true
			}
			link, _, _ := strings.Cut(strings.TrimPrefix(rec.Header().Get("Link"), "<"), ">")
			next = link
		}
		if len(seen) != want || pages != max(1, (want+1)/2) {
			t.Errorf("%s: %d entries on %d pages", path, len(seen), pages)
		}
	}
}

// TestTokens: a user has the own tokens, an administrator all of them; nobody
// makes another that lasts longer out of one. An id of another's token is as
// good as none, which is CVE-2022-31667 (and those up to 31671) for the API.
func TestTokens(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	alice, admin := basic("alice", password), basic("admin", password)
	var made api.MadeToken
	rec := s.send(s.network, "POST /api/v1/tokens", alice, `{"name":"laptop"}`)
	s.must(json.Unmarshal(rec.Body.Bytes(), &made))
	narrow, _, err := s.tokens.Add(t.Context(), personal.NewToken{Owner: "alice", Name: "narrow", Rules: []string{"a:pull"}}, s.now)
	s.must(err)
	roots, roots2, err := s.tokens.Add(t.Context(), personal.NewToken{Owner: "admin", Name: "cli"}, s.now)
	s.must(err)
	session := s.session(alice)
	byToken := s.session(basic("alice", made.Secret))
	for i, r := range []struct {
		do, as, body string
		status       int
		text         string
	}{
		{"GET /api/v1/tokens", alice, "", 200, `"owner":"alice","name":"laptop","created":`},
		{"GET /api/v1/tokens?owner=alice", "Bearer " + made.Secret, "", 200, "laptop"},
		{"GET /api/v1/tokens?owner=admin", alice, "", 403, "administrator"},
		{"GET /api/v1/tokens", admin, "", 200, "cli"},
		{"GET /api/v1/tokens", "Bearer " + roots, "", 200, "laptop"},
		{"GET /api/v1/tokens?owner=alice", admin, "", 200, "laptop"},
		{"GET /api/v1/tokens", basic("alice", narrow), "", 403, "narrows"},
		{"DELETE /api/v1/tokens/x", "Bearer " + narrow, "", 403, "narrows"},

		{"POST /api/v1/tokens", alice, `{"name":"second","rules":["team/**:pull"],"expires":"` + s.now.Add(time.Hour).Format(time.RFC3339) + `"}`, 201, `"rules":["team/**:pull"]`},
		{"POST /api/v1/tokens", session, `{"name":"by a session"}`, 201, `"secret":"berth_pat_`},
		{"POST /api/v1/tokens", alice, `{"name":"third","owner":"alice"}`, 201, `"owner":"alice"`},
		{"POST /api/v1/tokens", alice, `{"name":"x","owner":"admin"}`, 403, "administrator"},
		{"POST /api/v1/tokens", "Bearer " + made.Secret, `{"name":"x"}`, 403, "password itself"},
		{"POST /api/v1/tokens", byToken, `{"name":"x"}`, 403, "password itself"},
		{"POST /api/v1/tokens", basic("alice", narrow), `{"name":"x"}`, 403, "narrows"},
		{"POST /api/v1/tokens", admin, `{"name":"by admin","owner":"alice"}`, 201, `"owner":"alice"`},
		{"POST /api/v1/tokens", "Bearer " + roots, `{"name":"by admin","owner":"carol"}`, 201, `"owner":"carol"`},
		{"POST /api/v1/tokens", "Bearer " + roots, `{"name":"mine"}`, 201, `"owner":"admin"`},
		{"POST /api/v1/tokens", alice, `{"name":"laptop"}`, 409, "of this name already"},
		{"POST /api/v1/tokens", alice, `{"name":""}`, 400, "visible text"},
		{"POST /api/v1/tokens", admin, `{"name":"x","owner":"nobody"}`, 404, "no such user"},

		{"DELETE /api/v1/tokens/" + roots2.ID, alice, "", 404, "no such token"},
		{"DELETE /api/v1/tokens/" + made.Token.ID, session, "", 204, ""},
		{"GET /api/v1/me", "Bearer " + made.Secret, "", 401, "wrong user name or password"},
		{"GET /api/v1/me", byToken, "", 401, "revoked"},
		{"DELETE /api/v1/tokens/" + made.Token.ID, admin, "", 404, "no such token"},
		{"DELETE /api/v1/tokens/" + roots2.ID, admin, "", 204, ""},
	} {
		rec := s.send(s.network, r.do, r.as, r.body)
		if rec.Code != r.status || !strings.Contains(rec.Body.String(), r.text) || r.status == 200 && strings.Contains(rec.Body.String(), "berth_pat_") {
			t.Errorf("row %d: %s: %d %s, want %d with %q", i+1, r.do, rec.Code, rec.Body, r.status, r.text)
		}
	}
	for i := range personal.MaxTokens {
		_, _, err = s.tokens.Add(t.Context(), personal.NewToken{Owner: "alice", Name: fmt.Sprint("n", i)}, s.now)
	}
	if err == nil {
		t.Fatal("no limit")
	}
	s.table([]row{
		{"POST /api/v1/tokens", `{"name":"x","owner":"alice"}`, 409, "100 tokens already"},
		{"POST /api/v1/tokens", `{"name":"x"}`, 400, "the owner is missing"},
		{"DELETE /api/v1/tokens/x", ``, 404, "no such token"},
		{"GET /api/v1/tokens?n=x", ``, 400, "n is a number"},
	})
}

// TestFieldsOfOthers is GHSA-hw28-333w-qxp3, an endpoint that took fields which
// only others may set: what a user may call changes what it is for, and refuses
// everything that is written beside that.
func TestFieldsOfOthers(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	alice := basic("alice", password)
	for i, r := range []struct {
		do, body string
		status   int
	}{
		{"PUT /api/v1/me/password", `{"password":"another password","admin":true}`, 400},
		{"PUT /api/v1/me/password", `{"password":"another password","groups":["ops"]}`, 400},
		{"PUT /api/v1/me/password", `{"password":"another password","name":"admin"}`, 400},
		{"POST /api/v1/tokens", `{"name":"x","owner":"admin"}`, 403},
		{"POST /api/v1/tokens", `{"name":"x","OWNER":"admin"}`, 403},
		{"POST /api/v1/tokens", `{"name":"x","owner":"alice","owner":"admin"}`, 403},
		{"POST /api/v1/tokens", `{"name":"x","id":"chosen"}`, 400},
		{"POST /api/v1/tokens", `{"name":"x","secret":"berth_pat_chosen"}`, 400},
		{"POST /api/v1/tokens", `{"name":"x","admin":true}`, 400},
		{"POST /api/v1/tokens", `{"name":"x"}{"owner":"admin"}`, 400},
	} {
		if rec := s.send(s.network, r.do, alice, r.body); rec.Code != r.status {
			t.Errorf("row %d: %s %s: %d %s, want %d", i+1, r.do, r.body, rec.Code, rec.Body, r.status)
		}
	}
	s.table([]row{
		{"GET /api/v1/tokens", "", 200, "[]"},
		{"GET /api/v1/users/alice", "", 200, `{"name":"alice","groups":["dev"],"created":`},
	})
	if rec := s.send(s.network, "GET /api/v1/me", alice, ""); rec.Code != 200 || !strings.Contains(rec.Body.String(), `"administrator":false,"groups":["dev"]`) {
		t.Errorf("alice is %d %s", rec.Code, rec.Body)
	}
}

// session returns an API token as a Bearer.
func (s *stack) session(as string) string {
	s.Helper()
	var made api.Session
	rec := s.send(s.network, "POST /api/v1/session", as, "")
	s.must(json.Unmarshal(rec.Body.Bytes(), &made))
	if rec.Code != 200 || made.ExpiresIn != 300 {
		s.Fatalf("%d %s", rec.Code, rec.Body)
	}
	return "Bearer " + made.Token
}

func TestMe(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	narrow, _, err := s.tokens.Add(t.Context(), personal.NewToken{Owner: "admin", Name: "narrow", Rules: []string{"a:pull"}}, s.now)
	s.must(err)
	secret, err := s.robots.Add(t.Context(), "ci", []string{"team/**:pull"}, time.Time{}, s.now)
	s.must(err)
	const from = `"client":"192.0.2.1"`
	expires := fmt.Sprintf(`,"expires":%q}`, s.now.Add(301*time.Second).Format(time.RFC3339))
	for as, want := range map[string]string{
		basic("alice", password):            `{"principal":"user:alice","administrator":false,"groups":["dev"],` + from + `}`,
		basic("admin", password):            `{"principal":"user:admin","administrator":true,` + from + `}`,
		basic("admin", narrow):              `{"principal":"user:admin","administrator":false,"within":["a:pull"],"narrowed":true,` + from + `}`,
		"Bearer " + narrow:                  `{"principal":"user:admin","administrator":false,"within":["a:pull"],"narrowed":true,` + from + `}`,
		s.session("Bearer " + narrow):       `{"principal":"user:admin","administrator":false,"within":["a:pull"],"narrowed":true,` + from + expires,
		basic("robot$ci", secret):           `{"principal":"robot:ci","administrator":false,"rules":["team/**:pull"],` + from + `}`,
		s.session(basic("alice", password)): `{"principal":"user:alice","administrator":false,"groups":["dev"],` + from + expires,
	} {
		if rec := s.send(s.network, "GET /api/v1/me", as, ""); rec.Code != 200 || strings.TrimSpace(rec.Body.String()) != want {
			t.Errorf("%.30s:\n got %d %swant %s", as, rec.Code, rec.Body, want)
		}
	}
	s.table([]row{
		{"GET /api/v1/me", "", 200, `{"principal":"admin socket","administrator":true,` + from + `}`},
		{"POST /api/v1/session", "", 404, "no such user"},
		{"PUT /api/v1/me/password", `{"password":"another horse"}`, 404, "no such user"},
	})
	full, _, err := s.tokens.Add(t.Context(), personal.NewToken{Owner: "alice", Name: "full"}, s.now)
	s.must(err)
	for i, r := range []struct {
		as, body string
		status   int
	}{
		{basic("alice", full), `{"password":"another horse"}`, 403},
		{"Bearer " + full, `{"password":"another horse"}`, 403},
		{s.session(basic("alice", password)), `{"password":"another horse"}`, 403},
		{basic("carol", password), `{"password":"another horse"}`, 409},
		{basic("alice", password), `{"password":"short"}`, 400},
		{basic("alice", password), `{"password":"another horse"}`, 204},
		{basic("alice", password), `{"password":"another horse"}`, 401},
		{basic("alice", "another horse"), `{"password":"` + password + `"}`, 204},
	} {
		if rec := s.send(s.network, "PUT /api/v1/me/password", r.as, r.body); rec.Code != r.status {
			t.Errorf("row %d: %d %s, want %d", i+1, rec.Code, rec.Body, r.status)
		}
	}
	session := s.session(basic("alice", password))
	if rec := s.send(s.network, "POST /api/v1/session", session, ""); rec.Code != 403 {
		t.Errorf("a session that renews itself: %d %s", rec.Code, rec.Body)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	_, err := s.robots.Add(t.Context(), "ci", []string{"cache/**:pull,push"}, time.Time{}, s.now)
	s.must(err)
	const path = "GET /api/v1/explain?repository="
	s.table([]row{
		{path + "team/a&action=push&user=alice", "", 200, `{"principal":"user:alice","groups":["dev"],"repository":"team/a","actions":["push"],"allowed":true,"because":"grant 2: group:dev may pull,push on team/**"}`},
		{path + "team/secret&action=pull,push&user=alice", "", 200, `"actions":["pull","push"],"allowed":false,"missing":["push"],"because":"grant 5: authenticated may not push on team/secret"}`},
		{path + "team/a&action=delete&user=alice", "", 200, `"missing":["delete"],"because":"no grant lets user:alice delete here"}`},
		{path + "alice/x&action=*&user=alice", "", 200, `"actions":["*"],"allowed":true`},
		{path + "any&action=*&user=admin", "", 200, `"allowed":true,"because":"administrators may everything"}`},
		{path + "team/a&action=pull&user=carol", "", 200, `"groups":["ci"],"repository":"team/a","actions":["pull"],"allowed":false`},
		{path + "team/a&action=pull&user=carol&group=dev", "", 200, `"groups":["ci","dev"],"repository":"team/a","actions":["pull"],"allowed":true`},
		{path + "team/a&action=pull&group=dev&group=x", "", 200, `{"principal":"user:","groups":["dev","x"],"repository":"team/a","actions":["pull"],"allowed":true`},
		{path + "public/a&action=pull", "", 200, `{"principal":"anonymous","repository":"public/a","actions":["pull"],"allowed":true,"because":"grant 3: anonymous may pull on public/**"}`},
		{path + "inside/a&action=pull", "", 200, `"allowed":false`},
		{path + "inside/a&action=pull&client=10.1.2.3", "", 200, `"client":"10.1.2.3","repository":"inside/a","actions":["pull"],"allowed":true`},
		{path + "inside/a&action=pull&client=::ffff:10.1.2.3", "", 200, `"client":"10.1.2.3"`},
		{path + "cache/a&action=pull&robot=ci", "", 200, `{"principal":"robot:ci","repository":"cache/a","actions":["pull"],"allowed":true,"because":"its own rule cache/**:pull,push"}`},

		{path + "team/a&action=pull&user=nobody", "", 404, "no such user"},
		{path + "team/a&action=pull&robot=nobody", "", 404, "no such robot"},
		{path + "team/a&action=pull&robot=ci&user=alice", "", 400, "neither"},
		{path + "team/a&action=pull&robot=ci&group=dev", "", 400, "neither"},
		{path + "team/a&action=read&user=alice", "", 400, "an action is"},
		{path + "team/a&user=alice", "", 400, "an action is"},
		{path + "Team/a&action=pull", "", 400, "no name of a repository"},
		{path + "&action=pull", "", 400, "no name of a repository"},
		{path + "a&action=pull&client=here", "", 400, "no address"},
	})
}
