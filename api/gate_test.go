package api_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/personal"
	"github.com/berth-registry/berth/auth/token"
)

// callers are the columns of the matrix.
var callers = []string{
	"none", "wrong", "unsigned", "expired", "registry", "refresh", "foreign", "cookie",
	"alice", "full", "narrow", "session", "robot", "outside", "removed",
	"admin", "admin full", "admin narrow", "admin session", "demoted",
}

// matrix says by hand what everybody gets from every endpoint. Whoever may
// gets a 404 or a 400 where the request would change what the next one finds.
var matrix = []struct{ do, outcome string }{
	//                                    none                       cookie  | alice                removed | admin         demoted
	{"GET /api/v1/openapi.json", "        200 200 200 200 200 200 200 200     200 200 200 200 200 200 200   200 200 200 200 200"},
	{"GET /api/v1/me", "                  401 401 401 401 401 401 401 401     200 200 200 200 200 200 401   200 200 200 200 401"},
	{"PUT /api/v1/me/password", "         401 401 401 401 401 401 401 401     400 403 403 403 403 403 401   400 403 403 403 401"},
	{"POST /api/v1/session", "            401 401 401 401 401 401 401 401     200 200 200 403 200 403 401   200 200 200 403 401"},
	{"GET /api/v1/users", "               401 401 401 401 401 401 401 401     403 403 403 403 403 403 401   200 200 403 200 401"},
	{"POST /api/v1/users", "              401 401 401 401 401 401 401 401     403 403 403 403 403 403 401   400 400 403 400 401"},
	{"GET /api/v1/users/nobody", "        401 401 401 401 401 401 401 401     403 403 403 403 403 403 401   404 404 403 404 401"},
	{"DELETE /api/v1/users/nobody", "     401 401 401 401 401 401 401 401     403 403 403 403 403 403 401   404 404 403 404 401"},
	{"PUT /api/v1/users/alice/password", "401 401 401 401 401 401 401 401     403 403 403 403 403 403 401   400 400 403 400 401"},
	{"PUT /api/v1/users/alice/groups", "  401 401 401 401 401 401 401 401     403 403 403 403 403 403 401   400 400 403 400 401"},
	{"POST /api/v1/htpasswd", "           401 401 401 401 401 401 401 401     403 403 403 403 403 403 401   400 400 403 400 401"},
	{"GET /api/v1/robots", "              401 401 401 401 401 401 401 401     403 403 403 403 403 403 401   200 200 403 200 401"},
	{"POST /api/v1/robots", "             401 401 401 401 401 401 401 401     403 403 403 403 403 403 401   400 400 403 400 401"},
	{"GET /api/v1/robots/ci", "           401 401 401 401 401 401 401 401     403 403 403 403 403 403 401   200 200 403 200 401"},
	{"PATCH /api/v1/robots/ci", "         401 401 401 401 401 401 401 401     403 403 403 403 403 403 401   400 400 403 400 401"},
	{"POST /api/v1/robots/nobody/secret", "401 401 401 401 401 401 401 401     403 403 403 403 403 403 401   404 404 403 404 401"},
	{"DELETE /api/v1/robots/nobody", "    401 401 401 401 401 401 401 401     403 403 403 403 403 403 401   404 404 403 404 401"},
	{"GET /api/v1/tokens", "              401 401 401 401 401 401 401 401     200 200 403 200 403 403 401   200 200 403 200 401"},
	{"GET /api/v1/tokens?owner=carol", "  401 401 401 401 401 401 401 401     403 403 403 403 403 403 401   200 200 403 200 401"},
	{"POST /api/v1/tokens", "             401 401 401 401 401 401 401 401     400 403 403 400 403 403 401   400 400 403 400 401"},
	{"DELETE /api/v1/tokens/nothing", "   401 401 401 401 401 401 401 401     404 404 403 404 403 403 401   404 404 403 404 401"},
	{"GET /api/v1/audit", "               401 401 401 401 401 401 401 401     403 403 403 403 403 403 401   200 200 403 200 401"},
	{"GET /api/v1/limits/me", "               200 401 401 401 401 401 401 401     200 200 200 200 200 200 401   200 200 200 200 401"},
	{"GET /api/v1/limits", "                  401 401 401 401 401 401 401 401     403 403 403 403 403 403 401   200 200 403 200 401"},
	{"GET /api/v1/limits/set", "              401 401 401 401 401 401 401 401     403 403 403 403 403 403 401   200 200 403 200 401"},
	{"GET /api/v1/limits/user:nobody", "      401 401 401 401 401 401 401 401     403 403 403 403 403 403 401   200 200 403 200 401"},
	{"PUT /api/v1/limits/user:nobody", "      401 401 401 401 401 401 401 401     403 403 403 403 403 403 401   400 400 403 400 401"},
	{"DELETE /api/v1/limits/user:nobody", "   401 401 401 401 401 401 401 401     403 403 403 403 403 403 401   404 404 403 404 401"},
	{"POST /api/v1/limits/user:nobody/reset", " 401 401 401 401 401 401 401 401     403 403 403 403 403 403 401   204 204 403 204 401"},
	{"GET /api/v1/usage", "                   401 401 401 401 401 401 401 401     403 403 403 403 403 403 401   200 200 403 200 401"},
	{"GET /api/v1/usage.csv", "               401 401 401 401 401 401 401 401     403 403 403 403 403 403 401   200 200 403 200 401"},
	{"GET /api/v1/explain?action=pull&repository=a", "401 401 401 401 401 401 401 401 403 403 403 403 403 403 401 200 200 403 200 401"},
}

// TestMatrix holds every endpoint against every kind of caller, which is
// CVE-2026-27771 for the API.
func TestMatrix(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	_, err := s.robots.Add(t.Context(), "ci", nil, time.Time{}, s.now)
	s.must(err)
	authorizations := s.columns()
	covered := map[string]bool{}
	for _, line := range matrix {
		method, path, _ := strings.Cut(line.do, " ")
		if op := s.document.find(method, path); op != nil {
			covered[op.OperationID] = true
		}
		want := strings.Fields(line.outcome)
		if len(want) != len(callers) {
			t.Fatalf("%s: %d outcomes for %d callers", line.do, len(want), len(callers))
		}
		for i, as := range authorizations {
			if rec := s.send(s.network, line.do, as, "nonsense"); want[i] != fmt.Sprint(rec.Code) {
				t.Errorf("%s by %s: %d %s, want %s", line.do, callers[i], rec.Code, rec.Body, want[i])
			}
		}
	}
	s.eachOperation(func(do string, op operation) {
		if !covered[op.OperationID] {
			t.Errorf("the matrix has no %s", do)
		}
	})
}

// columns makes an Authorization of every caller.
func (s *stack) columns() []string {
	s.Helper()
	ctx := s.Context()
	personalToken := func(owner, name string, rules ...string) string {
		token, _, err := s.tokens.Add(ctx, personal.NewToken{Owner: owner, Name: name, Rules: rules}, s.now)
		s.must(err)
		return token
	}
	bearer := func(audience string, p auth.Principal, now time.Time) string {
		raw, _, err := s.issuer(audience).Issue(p, []auth.Access{auth.Catalog()}, now)
		s.must(err)
		return "Bearer " + raw
	}
	admin := auth.Principal{Kind: auth.User, Name: "admin", Admin: true}
	valid := strings.TrimPrefix(bearer("/api", admin, s.now), "Bearer ")
	none := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims{
		"iss": issuer, "aud": service + "/api", "sub": "admin", "exp": s.now.Add(time.Hour).Unix(), "berth": map[string]any{"kind": "user", "admin": true},
	})
	unsigned, err := none.SignedString(jwt.UnsafeAllowNoneSignatureType)
	s.must(err)
	refresh, err := (&token.Refresher{Keys: s.keys, Issuer: issuer, Service: service, Users: s.accounts}).Make(ctx, admin, s.now)
	s.must(err)
	foreign := &token.Issuer{Keys: s.keys, Issuer: "other", Service: service + "/api"}
	fromOther, _, err := foreign.Issue(admin, nil, s.now)
	s.must(err)
	secret, err := s.robots.Add(ctx, "other", []string{"**:*"}, time.Time{}, s.now)
	s.must(err)
	return []string{
		"", basic("admin", "wrong password"), "Bearer " + unsigned, bearer("/api", admin, s.now.Add(-time.Hour)), bearer("", admin, s.now),
		"Bearer " + refresh, "Bearer " + fromOther, "Cookie " + valid,
		basic("alice", password), "Bearer " + personalToken("alice", "full"), "Bearer " + personalToken("alice", "narrow", "**:*"),
		s.session(basic("alice", password)), basic("robot$other", secret),
		"Bearer " + s.outside(), bearer("/api", auth.Principal{Kind: auth.User, Name: "removed"}, s.now),
		basic("admin", password), basic("admin", personalToken("admin", "full")), "Bearer " + personalToken("admin", "narrow", "**:*"),
		"Bearer " + valid, bearer("/api", auth.Principal{Kind: auth.User, Name: "alice", Admin: true}, s.now),
	}
}

// outside is a token of who is known to an outside issuer and stands, called
// like an administrator.
func (s *stack) outside() string {
	s.Helper()
	standing := s.config.Standing.(auth.Standings)
	standing.Outside = everybodyStands{}
	s.config.Standing = standing
	s.open()
	raw, _, err := s.issuer("/api").Issue(auth.Principal{Kind: auth.Outside, Name: "hub:admin"}, nil, s.now)
	s.must(err)
	return raw
}

type everybodyStands struct{}

func (everybodyStands) Standing(context.Context, auth.Principal, time.Time) error { return nil }
