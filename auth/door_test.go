package auth_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
)

// named answers to every login with its own name, and stands unless it is told
// not to.
type named string

func (n named) Login(context.Context, auth.Credentials, time.Time) (auth.Principal, error) {
	return auth.Principal{Kind: auth.User, Name: string(n)}, nil
}

var errFallen = errors.New("fallen")

func (n named) Standing(context.Context, auth.Principal, time.Time) error {
	if strings.HasPrefix(string(n), "no ") {
		return errFallen
	}
	return nil
}

const someJWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJyZXBvOm9jdG8tb3JnL29jdG8tcmVwbyIsImF1ZCI6ImEifQ.c2lnbmF0dXJl"

func TestDoor(t *testing.T) {
	full := auth.Door{Robots: named("robots"), Personal: named("personal"), Outside: named("outside"), Users: named("users")}
	noIssuers := full
	noIssuers.Outside = nil
	for _, tc := range []struct{ name, secret, want, withoutIssuers string }{
		{"alice", "password", "users", "users"},
		{"", "", "users", "users"},
		{"robot$ci", "secret", "robots", "robots"},
		{"robot$ci", someJWT, "robots", "robots"},
		{"robot$ci", "berth_pat_x", "robots", "robots"},
		{"robot", "secret", "users", "users"},
		{"Robot$ci", "secret", "users", "users"},
		{"alice", "berth_pat_x_y", "personal", "personal"},
		{"alice", "Berth_pat_x_y", "users", "users"},
		{"anything", someJWT, "outside", "users"},
		{"", someJWT, "outside", "users"},
		{"alice", someJWT + ".", "users", "users"},
		{"alice", "x" + someJWT, "users", "users"},
		{"alice", "eyJ.a.b", "users", "users"}, // a password
	} {
		shown := auth.Credentials{Name: tc.name, Secret: tc.secret}
		if p, err := full.Login(t.Context(), shown, start); err != nil || p.Name != tc.want {
			t.Errorf("%q %q: %v %v, want %s", tc.name, tc.secret, p.Name, err, tc.want)
		}
		if p, err := noIssuers.Login(t.Context(), shown, start); err != nil || p.Name != tc.withoutIssuers {
			t.Errorf("%q %q without issuers: %v %v, want %s", tc.name, tc.secret, p.Name, err, tc.withoutIssuers)
		}
		if _, err := (auth.Door{}).Login(t.Context(), shown, start); !errors.Is(err, auth.ErrBadCredentials) {
			t.Errorf("%q %q at a wall: %v", tc.name, tc.secret, err)
		}
	}
}

func TestStandings(t *testing.T) {
	all := auth.Standings{Robots: named("r"), Personal: named("p"), Outside: named("o"), Users: named("u")}
	personal := user("a")
	personal.Credential = "id"
	for _, tc := range []struct {
		name string
		s    auth.Standings
		p    auth.Principal
		err  error
	}{
		{"anonymous", auth.Standings{}, auth.Principal{}, nil},
		{"user", all, user("a"), nil},
		{"user, fallen", auth.Standings{Users: named("no users")}, user("a"), errFallen},
		{"nobody knows users", auth.Standings{Robots: named("r")}, user("a"), auth.ErrInvalidToken},
		{"robot", all, robot(t, "a"), nil},
		{"robot, fallen", auth.Standings{Robots: named("no robots"), Users: named("u")}, robot(t, "a"), errFallen},
		{"nobody knows robots", auth.Standings{Users: named("u")}, robot(t, "a"), auth.ErrInvalidToken},
		{"outside", all, auth.Principal{Kind: auth.Outside, Name: "a:b"}, nil},
		{"nobody knows issuers", auth.Standings{Users: named("u")}, auth.Principal{Kind: auth.Outside, Name: "a:b"}, auth.ErrInvalidToken},
		{"personal token", all, personal, nil},
		{"personal token, fallen", auth.Standings{Personal: named("no tokens"), Users: named("u")}, personal, errFallen},
		{"personal token, its owner fallen", auth.Standings{Personal: named("p"), Users: named("no users")}, personal, errFallen},
		{"nobody knows personal tokens", auth.Standings{Users: named("u")}, personal, auth.ErrInvalidToken},
		{"of no kind", all, auth.Principal{Kind: 9}, auth.ErrInvalidToken},
	} {
		if err := tc.s.Standing(t.Context(), tc.p, start); !errors.Is(err, tc.err) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.err)
		}
	}
}
