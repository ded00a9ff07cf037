package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/api"
	"github.com/berth-registry/berth/audit"
	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/token"
)

// apiAudience is that of the API's tokens.
const apiAudience = service + "/api"

// administration is the real API, with a gate of its own; nil if there is none.
func (s *stack) administration(logins *audit.Logins) http.Handler {
	if !s.api {
		return nil
	}
	return api.New(api.Config{
		Accounts: s.accounts, Robots: s.robots, Tokens: s.personal, Policy: s.policy, Audit: s.trail,
		Auth: auth.Authenticator{
			Tokens: token.NewVerifier(s.issuer.Keys, issuer, apiAudience), Accounts: logins, Personal: logins.Redeemer(s.personal),
			Client: s.proxies.Client, Now: s.clock.now,
		},
		Standing: auth.Standings{Robots: s.robots, Personal: s.personal, Users: s.accounts},
		Sessions: s.sessions(), Client: s.proxies.Client, Log: s.log, Now: s.clock.now,
	}).Network()
}

// sessions makes the API's tokens.
func (s *stack) sessions() *token.Issuer {
	return &token.Issuer{Keys: s.issuer.Keys, Issuer: issuer, Service: apiAudience, TTL: 5 * time.Minute}
}

// beside says by hand what everybody gets from everything that is not below
// /v2. The columns are those of the matrix, and two of alice for the API: a token
// of its own, and a personal one as a Bearer. What is given at the token
// endpoint is * for all rights on alice/app, p for pull. Whatever holds for
// garbage holds for every forged token.
var beside = []struct{ do, form, outcome string }{
	//                                                  none anon bob  alice pull push else old  none garb | alice bob  wrong | robot narrow gone disabled | robot narrow disabled | API PAT
	{"GET /token?scope=repository:alice/app:*", "", "   200  401  401  401  401  401  401  401  401  401    200* 200  401    401  401  401  401    200p 200p 401    401  401"},
	{"POST /token", "", "                               400  400  400  400  400  400  400  400  400  400    400  400  400    400  400  400  400    400  400  400    400  400"},
	{"POST /token", "alice", "                          200* 200* 200* 200* 200* 200* 200* 200* 200* 200*   200* 200* 200*   200* 200* 200* 200*   200* 200* 200*   200* 200*"},
	{"POST /token", "bob", "                            200  200  200  200  200  200  200  200  200  200    200  200  200    200  200  200  200    200  200  200    200  200"},
	{"POST /token", "nobody", "                         401  401  401  401  401  401  401  401  401  401    401  401  401    401  401  401  401    401  401  401    401  401"},
	{"PUT /token", "", "                                405  405  405  405  405  405  405  405  405  405    405  405  405    405  405  405  405    405  405  405    405  405"},
	{"GET /v1/_ping", "", "                             200  200  200  200  200  200  200  200  200  200    200  200  200    200  200  200  200    200  200  200    200  200"},
	{"GET /v1/search?q=app", "", "                      200  200  200  200  200  200  200  401x 401x 401x   200  200  401    200  200  401x 401x   200  200  401    401x 401x"},
	{"GET /.well-known/jwks.json", "", "                200  200  200  200  200  200  200  200  200  200    200  200  200    200  200  200  200    200  200  200    200  200"},
	{"GET /login", "", "                                303  303  303  303  303  303  303  303  303  303    303  303  303    303  303  303  303    303  303  303    303  303"},
	{"POST /login", "", "                               405  405  405  405  405  405  405  405  405  405    405  405  405    405  405  405  405    405  405  405    405  405"},
	{"GET /login/callback?state=s", "", "               400  400  400  400  400  400  400  400  400  400    400  400  400    400  400  400  400    400  400  400    400  400"},
	{"GET /healthz", "", "                              200  200  200  200  200  200  200  200  200  200    200  200  200    200  200  200  200    200  200  200    200  200"},
	{"HEAD /healthz", "", "                             200  200  200  200  200  200  200  200  200  200    200  200  200    200  200  200  200    200  200  200    200  200"},
	{"GET /readyz", "", "                               200  200  200  200  200  200  200  200  200  200    200  200  200    200  200  200  200    200  200  200    200  200"},
	{"HEAD /readyz", "", "                              200  200  200  200  200  200  200  200  200  200    200  200  200    200  200  200  200    200  200  200    200  200"},
	{"GET /metrics", "", "                              200  200  200  200  200  200  200  200  200  200    200  200  200    200  200  200  200    200  200  200    200  200"},
	{"GET /nowhere", "", "                              404  404  404  404  404  404  404  404  404  404    404  404  404    404  404  404  404    404  404  404    404  404"},

	// A token of the registry opens nothing of the API. What may call which of its endpoints is the matrix of package api.
	{"GET /api/v1/me", "", "                            401  401x 401x 401x 401x 401x 401x 401x 401x 401x   200  200  401    401x 401x 401x 401x   200  200  401    200  200"},
	{"GET /api/v1/users", "", "                         401  401x 401x 401x 401x 401x 401x 401x 401x 401x   403  403  401    401x 401x 401x 401x   403  403  401    403  403"},
	{"POST /api/v1/tokens", "", "                       401  401x 401x 401x 401x 401x 401x 401x 401x 401x   415  415  401    401x 401x 401x 401x   403  403  401    415  403"},
	{"PUT /api/v1/me/password", "", "                   401  401x 401x 401x 401x 401x 401x 401x 401x 401x   415  415  401    401x 401x 401x 401x   403  403  401    403  403"},
	{"PATCH /api/v1/robots/ci", "", "                   401  401x 401x 401x 401x 401x 401x 401x 401x 401x   403  403  401    401x 401x 401x 401x   403  403  401    403  403"},
	{"DELETE /api/v1/users/alice", "", "                401  401x 401x 401x 401x 401x 401x 401x 401x 401x   403  403  401    401x 401x 401x 401x   403  403  401    403  403"},
	{"HEAD /api/v1/me", "", "                           405  405  405  405  405  405  405  405  405  405    405  405  405    405  405  405  405    405  405  405    405  405"},
	{"OPTIONS /api/v1/me", "", "                        405  405  405  405  405  405  405  405  405  405    405  405  405    405  405  405  405    405  405  405    405  405"},
	{"TRACE /api/v1/me", "", "                          405  405  405  405  405  405  405  405  405  405    405  405  405    405  405  405  405    405  405  405    405  405"},
	{"QUERY /api/v1/me", "", "                          405  405  405  405  405  405  405  405  405  405    405  405  405    405  405  405  405    405  405  405    405  405"},
	{"GET /api/v2/me", "", "                            404  404  404  404  404  404  404  404  404  404    404  404  404    404  404  404  404    404  404  404    404  404"},
}

// goodForAPI are the forged tokens that are none there.
var goodForAPI = []string{"the audience of the API", "the form of a personal token"}

// TestMatrixBeside asks everything beside /v2 with every kind of credentials.
// What the server has a handler for and no row asks fails the test.
func TestMatrixBeside(t *testing.T) {
	t.Parallel()
	p := &provider{who: alice()}
	s := newStack(t, settings{url: "https://registry.example.org", browser: p, tokens: p, api: true})
	s.blob("alice/app", "config")
	as, forged, names := s.besideColumns(), s.forged(), append(slices.Clone(credentials), "API", "PAT")
	garbage := slices.Index(credentials, "garbage")
	covered := map[string]bool{}
	for _, line := range beside {
		covered[s.mountOf(line.do)] = true
		outcomes := strings.Fields(line.outcome)
		if len(outcomes) != len(names) {
			t.Fatalf("%s: %d outcomes for %d credentials", line.do, len(outcomes), len(names))
		}
		for i, want := range outcomes {
			s.expect(line.do, line.form, names[i], as[i], want)
		}
		for name, raw := range forged {
			if !strings.Contains(line.do, " /api/") || !slices.Contains(goodForAPI, name) {
				s.expect(line.do, line.form, "a token with "+name, bearer(raw), outcomes[garbage])
			}
		}
	}
	s.everyMount(func(mount string) bool { return covered[mount] })
	if len(p.made) != 0 {
		t.Errorf("personal tokens were made for %q", p.made)
	}
}

// mountOf is the server's handler of a request, "METHOD pattern".
func (s *stack) mountOf(do string) string {
	method, path, _ := strings.Cut(do, " ")
	path, _, _ = strings.Cut(path, "?")
	return s.server.MountOf(method, path)
}

// everyMount fails for each handler of the server that is not known. Those of
// /v2 are for Parse to tell apart, and clients send CONNECT to proxies only.
func (s *stack) everyMount(known func(mount string) bool) {
	s.Helper()
	mounted, err := s.server.Mounted()
	s.must(err)
	for _, mount := range mounted {
		method, pattern, _ := strings.Cut(mount, " ")
		if method != http.MethodConnect && !strings.HasPrefix(pattern+"/", "/v2/") && !known(mount) {
			s.Errorf("no row asks %s", mount)
		}
	}
}

// expect sends a request, with a form if it names a user, and compares what
// comes back.
func (s *stack) expect(do, form, name, as, want string) {
	s.Helper()
	r := row{do: do, as: as}
	if form != "" {
		r.with = header{"Content-Type": "application/x-www-form-urlencoded"}
		r.body = passwordForm(form, password, "repository:alice/app:*").Encode()
	}
	got := s.send(r)
	have := outcome(got)
	if strings.Contains(do, " /token") && got.StatusCode == http.StatusOK {
		switch held := strings.Join(s.access(s.grantOf(got).Token), " "); held {
		case "":
		case "repository:alice/app:pull":
			have += "p"
		case "repository:alice/app:*":
			have += "*"
		default:
			have += held
		}
	}
	if have != want {
		s.Errorf("%s (%s) by %s: %s, want %s; %.200s", do, form, name, have, want, got.body)
	}
	if err := got.wellFormed(); err != nil {
		s.Errorf("%s by %s: %v", do, name, err)
	}
}

func (s *stack) besideColumns() []string {
	s.Helper()
	session, _, err := s.sessions().Issue(auth.Principal{Kind: auth.User, Name: "alice"}, nil, s.clock.now())
	s.must(err)
	columns := s.columns()
	narrow := columns[slices.Index(credentials, "Basic narrow")]
	return append(columns, bearer(session), bearer(secretOf(s.TB, narrow)))
}
