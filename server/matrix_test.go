package server_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/server"
)

// credentials are the columns of the matrix. What a token holds is what the
// token endpoint gave of all that was asked for.
var credentials = []string{"none", "anon", "bob", "alice", "pull", "push", "else", "old", "unsigned", "garbage", "Basic alice", "Basic bob", "Basic ?",
	"robot", "narrow", "gone", "disabled", "Basic robot", "Basic narrow", "Basic disabled"}

// matrix says by hand what everybody gets from every route. 401i is an
// insufficient_scope, 401x an invalid_token. Whoever may gets a 404 or a 400
// where the request would change what the next one finds.
var matrix = []struct{ do, outcome string }{
	//                                             none anon bob  alice pull push else old  none garb | alice bob  wrong | robot narrow gone disabled | robot narrow disabled
	{"GET /v2/", "                                 401  200  200  200  200  200  200  401x 401x 401x    200  200  401    200  200  200  200    200  200  401"},
	{"HEAD /v2/", "                                401  200  200  200  200  200  200  401x 401x 401x    200  200  401    200  200  200  200    200  200  401"},
	{"GET /v2/_catalog", "                         401  200  200  200  401i 401i 401i 401x 401x 401x    200  200  401    200  200  401x 401x   200  200  401"},
	{"HEAD /v2/_catalog", "                        401  200  200  200  401i 401i 401i 401x 401x 401x    200  200  401    200  200  401x 401x   200  200  401"},
	{"HEAD /v2/alice/app/manifests/v1", "          401  401i 401i 200  200  401i 401i 401x 401x 401x    200  403  401    200  200  200  200    200  200  401"},
	{"GET /v2/alice/app/manifests/v1", "           401  401i 401i 200  200  401i 401i 401x 401x 401x    200  403  401    200  200  200  200    200  200  401"},
	{"GET /v2/alice/app/manifests/absent", "       401  401i 401i 404  404  401i 401i 401x 401x 401x    404  403  401    404  404  404  404    404  404  401"},
	{"PUT /v2/alice/app/manifests/v1", "           401  401i 401i 400  401i 400  401i 401x 401x 401x    400  403  401    401i 401i 401x 401x   403  403  401"},
	{"PUT /v2/alice/app/manifests/v1?tag=v2", "    401  401i 401i 400  401i 400  401i 401x 401x 401x    400  403  401    401i 401i 401x 401x   403  403  401"},
	{"DELETE /v2/alice/app/manifests/absent", "    401  401i 401i 404  401i 401i 401i 401x 401x 401x    404  403  401    401i 401i 401x 401x   403  403  401"},
	{"DELETE /v2/alice/app/manifests/{absent}", "  401  401i 401i 404  401i 401i 401i 401x 401x 401x    404  403  401    401i 401i 401x 401x   403  403  401"},
	{"HEAD /v2/alice/app/blobs/{blob}", "          401  401i 401i 200  200  401i 401i 401x 401x 401x    200  403  401    200  200  200  200    200  200  401"},
	{"GET /v2/alice/app/blobs/{blob}", "           401  401i 401i 200  200  401i 401i 401x 401x 401x    200  403  401    200  200  200  200    200  200  401"},
	{"GET /v2/alice/app/blobs/{absent}", "         401  401i 401i 404  404  401i 401i 401x 401x 401x    404  403  401    404  404  404  404    404  404  401"},
	{"DELETE /v2/alice/app/blobs/{absent}", "      401  401i 401i 404  401i 401i 401i 401x 401x 401x    404  403  401    401i 401i 401x 401x   403  403  401"},
	{"POST /v2/alice/app/blobs/uploads/", "        401  401i 401i 202  401i 202  401i 401x 401x 401x    202  403  401    401i 401i 401x 401x   403  403  401"},
	{"POST /v2/alice/app/blobs/uploads/?mount={blob}&from=alice/app", `
	                                               401  401i 401i 201  401i 201  401i 401x 401x 401x    201  403  401    401i 401i 401x 401x   403  403  401`},
	{"POST /v2/alice/app/blobs/uploads/?digest={absent}", `
	                                               401  401i 401i 400  401i 400  401i 401x 401x 401x    400  403  401    401i 401i 401x 401x   403  403  401`},
	{"GET /v2/alice/app/blobs/uploads/x", "        401  401i 401i 404  401i 404  401i 401x 401x 401x    404  403  401    401i 401i 401x 401x   403  403  401"},
	{"PATCH /v2/alice/app/blobs/uploads/x", "      401  401i 401i 404  401i 404  401i 401x 401x 401x    404  403  401    401i 401i 401x 401x   403  403  401"},
	{"PUT /v2/alice/app/blobs/uploads/x?digest={blob}", `
	                                               401  401i 401i 404  401i 404  401i 401x 401x 401x    404  403  401    401i 401i 401x 401x   403  403  401`},
	{"DELETE /v2/alice/app/blobs/uploads/x", "     401  401i 401i 404  401i 404  401i 401x 401x 401x    404  403  401    401i 401i 401x 401x   403  403  401"},
	{"GET /v2/alice/app/tags/list", "              401  401i 401i 200  200  401i 401i 401x 401x 401x    200  403  401    200  200  200  200    200  200  401"},
	{"HEAD /v2/alice/app/tags/list", "             401  401i 401i 200  200  401i 401i 401x 401x 401x    200  403  401    200  200  200  200    200  200  401"},
	{"GET /v2/alice/app/referrers/{blob}", "       401  401i 401i 200  200  401i 401i 401x 401x 401x    200  403  401    200  200  200  200    200  200  401"},
	{"HEAD /v2/alice/app/referrers/{blob}", "      401  401i 401i 200  200  401i 401i 401x 401x 401x    200  403  401    200  200  200  200    200  200  401"},

	// What is public anonymous tokens pull, and nobody pushes.
	{"GET /v2/public/app/manifests/v1", "          401  200  200  200  401i 401i 401i 401x 401x 401x    200  200  401    200  401i 401i 401i   200  403  401"},
	{"HEAD /v2/public/app/blobs/{blob}", "         401  200  200  200  401i 401i 401i 401x 401x 401x    200  200  401    200  401i 401i 401i   200  403  401"},
	{"GET /v2/public/app/tags/list", "             401  200  200  200  401i 401i 401i 401x 401x 401x    200  200  401    200  401i 401i 401i   200  403  401"},
	{"GET /v2/public/app/referrers/{blob}", "      401  200  200  200  401i 401i 401i 401x 401x 401x    200  200  401    200  401i 401i 401i   200  403  401"},
	{"PUT /v2/public/app/manifests/v1", "          401  401i 401i 401i 401i 401i 401i 401x 401x 401x    403  403  401    401i 401i 401i 401i   403  403  401"},
	{"POST /v2/public/app/blobs/uploads/", "       401  401i 401i 401i 401i 401i 401i 401x 401x 401x    403  403  401    401i 401i 401i 401i   403  403  401"},
	{"DELETE /v2/public/app/manifests/v1", "       401  401i 401i 401i 401i 401i 401i 401x 401x 401x    403  403  401    401i 401i 401i 401i   403  403  401"},
	{"DELETE /v2/public/app/blobs/{blob}", "       401  401i 401i 401i 401i 401i 401i 401x 401x 401x    403  403  401    401i 401i 401i 401i   403  403  401"},

	// The probe of limits answers whoever asks.
	{"HEAD /v2/ratelimitpreview/test/manifests/latest", `
	                                               401  200  200  200  200  200  200  401x 401x 401x    200  200  401    200  200  200  200    200  200  401`},
	{"GET /v2/ratelimitpreview/test/manifests/latest", `
	                                               401  401i 401i 401i 401i 401i 401i 401x 401x 401x    403  403  401    401i 401i 401i 401i   403  403  401`},
	{"HEAD /v2/ratelimitpreview/test/manifests/v1", `
	                                               401  401i 401i 401i 401i 401i 401i 401x 401x 401x    403  403  401    401i 401i 401i 401i   403  403  401`},

	// A repository that is not there is refused as one that is.
	{"GET /v2/alice/none/manifests/v1", "          401  401i 401i 401i 401i 401i 401i 401x 401x 401x    404  403  401    401i 401i 401i 401i   403  403  401"},
	{"GET /v2/alice/none/tags/list", "             401  401i 401i 401i 401i 401i 401i 401x 401x 401x    404  403  401    401i 401i 401i 401i   403  403  401"},
	{"GET /v2/none/none/tags/list", "              401  401i 401i 401i 401i 401i 401i 401x 401x 401x    403  403  401    401i 401i 401i 401i   403  403  401"},
}

// TestMatrix asks every route with every kind of credentials (the table test
// that CVE-2026-27771 was missing for four years), those that have been revoked
// too (CVE-2026-6515).
func TestMatrix(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{maxSessions: 1000})
	d := s.blob("alice/app", "config")
	s.blob("public/app", "config")
	s.manifest("alice/app", "v1", image("config"))
	s.manifest("public/app", "v1", image("config"))
	as, forged := s.columns(), s.forged()
	covered := map[string]bool{}
	for _, line := range matrix {
		do := strings.NewReplacer("{blob}", d, "{absent}", digestOf("absent")).Replace(line.do)
		covered[kindOf(t, do)] = true
		outcomes := strings.Fields(line.outcome)
		if len(outcomes) != len(credentials) {
			t.Fatalf("%s: %d outcomes for %d credentials", line.do, len(outcomes), len(credentials))
		}
		for i, want := range outcomes {
			got := s.send(row{do: do, as: as[i]})
			if have := outcome(got); have != want {
				t.Errorf("%s by %s: %s, want %s", line.do, credentials[i], have, want)
			}
			if err := got.wellFormed(); err != nil {
				t.Errorf("%s by %s: %v", line.do, credentials[i], err)
			}
		}
		for name, token := range forged {
			if have := outcome(s.send(row{do: do, as: bearer(token)})); have != "401x" {
				t.Errorf("%s by a token with %s: %s, want 401x", line.do, name, have)
			}
		}
	}
	for name, token := range forged { // beside /v2
		for do, want := range map[string]string{"GET /v1/search?q=app": "401x", "GET /token?scope=repository:alice/app:pull": "401"} {
			if have := outcome(s.send(row{do: do, as: bearer(token)})); have != want {
				t.Errorf("%s by a token with %s: %s, want %s", do, name, have, want)
			}
		}
	}
	for _, name := range server.RouteNames() {
		if !covered[name] {
			t.Errorf("the matrix has no %s", name)
		}
	}
}

func kindOf(t *testing.T, do string) string {
	t.Helper()
	method, path, _ := strings.Cut(do, " ")
	u, err := url.ParseRequestURI(path)
	if err != nil {
		t.Fatal(err)
	}
	req, err := server.Parse(method, u)
	if err != nil {
		t.Fatalf("%s: %v", do, err)
	}
	return method + " " + req.Kind.String()
}

// outcome is the status and, of a 401, what its challenge says of the token.
func outcome(r response) string {
	challenge := r.Header.Get("Www-Authenticate")
	switch {
	case strings.Contains(challenge, `error="insufficient_scope"`):
		return fmt.Sprint(r.StatusCode, "i")
	case strings.Contains(challenge, `error="invalid_token"`):
		return fmt.Sprint(r.StatusCode, "x")
	case strings.Contains(challenge, "error="):
		return challenge
	}
	return fmt.Sprint(r.StatusCode)
}

// columns makes the credentials.
func (s *stack) columns() []string {
	s.Helper()
	everything := []string{"repository:alice/app:*", "repository:public/app:*", "repository:none/none:*", "registry:catalog:*"}
	alice := s.token("alice", everything...)
	old, _, err := s.issuer.Issue(auth.Principal{Kind: auth.User, Name: "alice"}, []auth.Access{auth.Repository("alice/app", auth.All), auth.Catalog()}, s.clock.now().Add(-time.Hour))
	s.must(err)
	robot, _ := s.robot("ci", "alice/app:pull")
	narrow, _ := s.personalToken("alice", "alice/app:pull")
	disabled, _ := s.robot("stopped", "alice/app:*")
	stopped := s.tokenBy(disabled, "repository:alice/app:*", "registry:catalog:*")
	s.must(s.robots.SetDisabled(s.Context(), "stopped", true))
	s.addUser("gone")
	gone, _, err := s.issuer.Issue(auth.Principal{Kind: auth.User, Name: "gone", Admin: true}, []auth.Access{auth.Repository("alice/app", auth.All), auth.Catalog()}, s.clock.now())
	s.must(err)
	gone = bearer(gone)
	s.must(s.accounts.Remove(s.Context(), "gone"))
	return []string{
		"-",
		bearer(s.token("-", everything...)),
		bearer(s.token("bob", everything...)),
		bearer(alice),
		bearer(s.token("alice", "repository:alice/app:pull")),
		bearer(s.token("alice", "repository:alice/app:push")),
		bearer(s.token("alice", "repository:alice/else:*", "repository:alice/app/sub:*", "repository:alice/ap:*")),
		bearer(old),
		bearer(unsigned(alice)),
		"Bearer garbage",
		"alice", "bob", basicOf("alice", "wrong"),
		s.tokenBy(robot, everything...), s.tokenBy(narrow, everything...), gone, stopped, robot, narrow, disabled,
	}
}

// unsigned is the token with the algorithm none and no signature.
func unsigned(token string) string {
	claims := strings.Split(token, ".")[1]
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + claims + "."
}

// TestHiddenRepository answers who may not pull in the same words whether the
// repository is there or not.
func TestHiddenRepository(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	d := s.blob("bob/private", "secret")
	s.manifest("bob/private", "v1", image("secret"))
	token := bearer(s.token("alice", "repository:bob/private:pull,push", "repository:bob/nothing:pull,push"))
	for _, do := range []string{"GET /v2/%s/manifests/v1", "GET /v2/%s/manifests/absent", "GET /v2/%s/blobs/" + d, "HEAD /v2/%s/blobs/" + d,
		"GET /v2/%s/tags/list", "GET /v2/%s/referrers/" + d, "DELETE /v2/%s/blobs/" + d, "POST /v2/%s/blobs/uploads/?mount=" + d} {
		for _, as := range []string{"-", "alice", token} {
			there := s.send(row{do: fmt.Sprintf(do, "bob/private"), as: as})
			absent := s.send(row{do: fmt.Sprintf(do, "bob/nothing"), as: as})
			same := strings.NewReplacer("bob/nothing", "bob/private")
			if there.StatusCode != absent.StatusCode || there.body != same.Replace(absent.body) || same.Replace(strings.Join(shape(absent), "\n")) != strings.Join(shape(there), "\n") {
				t.Errorf("%s as %.10s: %d %s %v, if absent %d %s %v", do, as, there.StatusCode, there.body, there.Header, absent.StatusCode, absent.body, absent.Header)
			}
		}
	}
	if slices.Contains(s.found("alice", "q="), "bob/private") {
		t.Error("search shows it")
	}
}
