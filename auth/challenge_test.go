package auth_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/berth-registry/berth/auth"
)

func TestChallenge(t *testing.T) {
	repo := auth.Repository
	base := auth.Challenge{Realm: "https://registry.example:5000/token", Service: "berth"}
	with := func(err error, scope ...auth.Access) auth.Challenge {
		c := base
		c.Err, c.Scope = err, scope
		return c
	}
	const head = `Bearer realm="https://registry.example:5000/token",service="berth"`
	for _, tc := range []struct {
		c    auth.Challenge
		want string
	}{
		{base, head},
		{with(nil, repo("a/b", auth.Pull)), head + `,scope="repository:a/b:pull"`},
		{with(nil, repo("a/b", auth.Push|auth.Pull)), head + `,scope="repository:a/b:pull,push"`},
		{with(nil, repo("a/b", auth.Pull|auth.Push), repo("c", auth.Pull)), head + `,scope="repository:a/b:pull,push repository:c:pull"`},
		{with(nil, repo("a", auth.Delete)), head + `,scope="repository:a:delete"`},
		{with(nil, auth.Catalog()), head + `,scope="registry:catalog:*"`},
		{with(nil, repo("a", 0)), head},
		{with(auth.ErrInvalidToken), head + `,error="invalid_token"`},
		{with(fmt.Errorf("%w: expired", auth.ErrInvalidToken), repo("a", auth.Pull)), head + `,scope="repository:a:pull",error="invalid_token"`},
		{with(&auth.AccessError{Err: auth.ErrInsufficientScope}, repo("a", auth.Pull|auth.Push)), head + `,scope="repository:a:pull,push",error="insufficient_scope"`},
		{with(auth.ErrNoCredentials, repo("a", auth.Pull)), head + `,scope="repository:a:pull"`},
		{with(auth.ErrBadCredentials), head},
		{with(auth.ErrMalformed), head},
		{auth.Challenge{Realm: `http://a"b\c/token`, Service: "s\r\nX: y"}, `Bearer realm="http://a\"b\\c/token",service="sX: y"`},
	} {
		if got := tc.c.String(); got != tc.want {
			t.Errorf("\n got %s\nwant %s", got, tc.want)
		}
	}
}

// Whatever the realm is, the header has its three parameters and one line.
func TestChallengeInjection(t *testing.T) {
	for _, evil := range []string{`"`, `\`, `\"`, `",error="x`, "a\nb", "a\rb", "\x00", "\x7f", "ü", "\xff", `a\`} {
		got := auth.Challenge{Realm: evil, Service: evil, Scope: []auth.Access{auth.Repository(evil, auth.Pull)}}.String()
		names, ok := parameters(strings.TrimPrefix(got, "Bearer "))
		if !ok || strings.Join(names, " ") != "realm service scope" {
			t.Errorf("%q: %s has %v", evil, got, names)
		}
	}
}

// parameters reads auth-params with quoted values (RFC 9110, section 11.2).
func parameters(s string) (names []string, ok bool) {
	for {
		name, rest, found := strings.Cut(s, `="`)
		if !found {
			return nil, false
		}
		names = append(names, name)
		i := 0
		for ; i < len(rest) && rest[i] != '"'; i++ {
			if rest[i] < ' ' || rest[i] > '~' {
				return nil, false
			}
			if rest[i] == '\\' {
				i++
			}
		}
		if i >= len(rest) {
			return nil, false
		}
		if s = rest[i+1:]; s == "" {
			return names, true
		}
		if s, found = strings.CutPrefix(s, ","); !found {
			return nil, false
		}
	}
}
