package issuer_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/issuer"
	"github.com/golang-jwt/jwt/v5"
)

func entries(list ...[2]string) []any {
	var access []any
	for _, e := range list {
		kind, name, _ := strings.Cut(e[0], ":")
		access = append(access, map[string]any{"type": kind, "class": "", "name": name, "actions": strings.Split(e[1], ",")})
	}
	return access
}

// The access claim is cut to the ceiling, entry by entry.
func TestBearer(t *testing.T) {
	p := newProvider(t)
	i := trust(t,
		p.registry(func(e *issuer.Entry) { e.Repositories, e.Actions = []string{"team/**"}, []string{"pull", "push"} }),
		p.registry(func(e *issuer.Entry) {
			e.Repositories, e.Actions = []string{"team/*", "all/x"}, []string{"delete", "pull"}
		}),
	)
	for name, tc := range map[string]struct {
		access any
		holds  string
	}{
		"within":             {entries([2]string{"repository:team/a/b", "pull,push"}), "repository:team/a/b:pull,push"},
		"cut":                {entries([2]string{"repository:team/a/b", "pull,push,delete"}), "repository:team/a/b:pull,push"},
		"two ceilings":       {entries([2]string{"repository:team/a", "*"}), "repository:team/a:*"},
		"the other ceiling":  {entries([2]string{"repository:all/x", "*"}), "repository:all/x:pull,delete"},
		"less than allowed":  {entries([2]string{"repository:team/a", "pull"}), "repository:team/a:pull"},
		"outside":            {entries([2]string{"repository:alice/a", "*"}), ""},
		"several":            {entries([2]string{"repository:team/a", "pull"}, [2]string{"repository:x", "pull"}, [2]string{"repository:team/b", "push"}), "repository:team/a:pull repository:team/b:push"},
		"catalog":            {entries([2]string{"registry:catalog", "*"}), "registry:catalog:*"},
		"another registry":   {entries([2]string{"registry:everything", "*"}), ""},
		"an unknown type":    {entries([2]string{"namespace:team/a", "*"}), ""},
		"an unknown action":  {entries([2]string{"repository:team/a", "admin,scanner-pull"}), ""},
		"no name at all":     {entries([2]string{"repository:", "pull"}), ""},
		"a pattern":          {entries([2]string{"repository:team/**", "pull"}), ""},
		"up":                 {entries([2]string{"repository:team/../alice", "pull"}), ""},
		"upper case":         {entries([2]string{"repository:team/A", "pull"}), ""},
		"with a port":        {entries([2]string{"repository:host:5000/team/a", "pull"}), ""},
		"nothing":            {[]any{}, ""},
		"no actions":         {[]any{map[string]any{"type": "repository", "name": "team/a"}}, ""},
		"null in it":         {[]any{nil}, ""},
		"a text of actions":  {[]any{map[string]any{"type": "repository", "name": "team/a", "actions": "pull"}}, "refused"},
		"an object":          {map[string]any{"type": "repository"}, "refused"},
		"a text":             {"repository:team/a:pull", "refused"},
		"null":               {json.RawMessage("null"), ""},
		"absent":             {nil, ""},
		"more than a client": {entries(make([][2]string, auth.MaxScopes+1)...), "refused"},
	} {
		who, err := i.Verify(p.sign("RS256", jwt.MapClaims{"access": tc.access}), start)
		var held []string
		for _, a := range who.Access() {
			held = append(held, a.String())
		}
		got := strings.Join(held, " ")
		if err != nil {
			got = "refused"
		}
		if got != tc.holds {
			t.Errorf("%s: %q %v, want %q", name, got, err, tc.holds)
		}
		if err == nil && (!who.Token || !who.Narrowed || who.ID() != "outside:ci:repo:octo/app" || !who.Expires.Equal(start.Add(5*time.Minute))) {
			t.Errorf("%s: %+v", name, who)
		}
		if err != nil && !errors.Is(err, auth.ErrInvalidToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What the gate asks of the live grants, such as the source of a mount, is
// within what the issuer has said, not all that the ceiling would allow.
func TestBearerLive(t *testing.T) {
	p := newProvider(t)
	i := trust(t, p.registry(func(e *issuer.Entry) { e.Actions = []string{"*"} }))
	who, err := i.Verify(p.sign("EdDSA", jwt.MapClaims{"access": entries([2]string{"repository:team/a", "pull,push"}, [2]string{"repository:team/from", "pull"})}), start)
	if err != nil {
		t.Fatal(err)
	}
	grants := []auth.Grant{grant(t, "issuer:ci", "shared/** team/open", "pull")}
	for repository, want := range map[string]auth.Actions{
		"team/a": auth.Pull | auth.Push, "team/from": auth.Pull, "team/b": 0,
		"team/open": auth.Pull, // granted here, and within the ceiling
		"shared/x":  0,         // granted here, beyond the ceiling
	} {
		if got := may(who, repository, grants...); got != want {
			t.Errorf("%s: %v, want %v", repository, got, want)
		}
	}
}

// A token server's anonymous client has no name here either, and is not this
// registry's anonymous.
func TestBearerAnonymous(t *testing.T) {
	p := newProvider(t)
	i := trust(t, p.registry())
	for _, sub := range []any{"", nil} {
		who, err := i.Verify(p.sign("EdDSA", jwt.MapClaims{"sub": sub}), start)
		if err != nil || who.ID() != "outside:ci:" || !who.Allows(auth.Repository("team/a", auth.Pull)) || may(who, "public/x", grant(t, "anonymous", "**", "*")) != 0 {
			t.Errorf("%v: %+v %v", sub, who, err)
		}
	}
	for _, sub := range []any{7, []string{}, "a\n"} {
		if who, err := i.Verify(p.sign("EdDSA", jwt.MapClaims{"sub": sub}), start); err == nil {
			t.Errorf("%v: %+v", sub, who)
		}
	}
}

// An identity token is no bearer token and the reverse, whatever is in it.
func TestKindsAreKeptApart(t *testing.T) {
	p := newProvider(t)
	const text = "tokens of this issuer are not taken in this place"
	raw := p.sign("EdDSA", nil) // all that both need
	identity, registry := trust(t, p.identity()), trust(t, p.registry())
	if who, err := identity.Verify(raw, start); err == nil || !strings.HasSuffix(err.Error(), text) {
		t.Errorf("identity as bearer: %v %v", who, err)
	}
	if who, err := login(t, registry, raw); err == nil || !strings.HasSuffix(err.Error(), text) {
		t.Errorf("registry as password: %v %v", who, err)
	}
	// With entries of both kinds each has its own rules, also when remembered.
	both := trust(t, p.identity(), p.registry())
	for range 2 {
		asPassword, err1 := login(t, both, raw)
		asBearer, err2 := both.Verify(raw, start)
		if err1 != nil || err2 != nil || asPassword.Token || !asBearer.Token || may(asPassword, "team/a") != 0 || may(asBearer, "ci/octo/app/x") != 0 {
			t.Errorf("%+v %v, %+v %v", asPassword, err1, asBearer, err2)
		}
	}
}

// own is a registry's own verifier that knows one token.
type own struct{ asked int }

func (o *own) Verify(raw string, _ time.Time) (auth.Principal, error) {
	o.asked++
	if raw != "own" {
		return auth.Principal{}, errOwn
	}
	return auth.Principal{Kind: auth.User, Name: "alice"}.WithToken(nil, start.Add(time.Hour)), nil
}

var errOwn = errors.Join(auth.ErrInvalidToken, errors.New("not one of mine"))

func TestBearers(t *testing.T) {
	p, stranger := newProvider(t), newProvider(t)
	mine := new(own)
	b := issuer.Bearers{Own: mine, Outside: trust(t, p.registry())}
	for _, tc := range []struct {
		name, raw, id string
		own           bool // whose error it is
		asked         int  // of its own verifier, together
	}{
		{"own", "own", "user:alice", false, 1},
		{"outside", p.sign("EdDSA", nil), "outside:ci:repo:octo/app", false, 2},
		{"outside, remembered", "", "outside:ci:repo:octo/app", false, 2},
		{"outside, wrong", p.sign("EdDSA", jwt.MapClaims{"aud": "x"}), "", false, 3},
		{"a stranger's", stranger.sign("EdDSA", nil), "", true, 4},
		{"no token", "x", "", true, 5},
		{"huge", strings.Repeat("x", 1<<20), "", true, 6},
	} {
		if tc.raw == "" {
			tc.raw = p.sign("EdDSA", nil)
		}
		who, err := b.Verify(tc.raw, start)
		if (err == nil) != (tc.id != "") || err == nil && who.ID() != tc.id || errors.Is(err, errOwn) != tc.own || mine.asked != tc.asked {
			t.Errorf("%s: %v %v, own asked %d times", tc.name, who, err, mine.asked)
		}
		if err != nil && !errors.Is(err, auth.ErrInvalidToken) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	// Nobody outside is trusted: nothing but the own verifier is asked.
	b = issuer.Bearers{Own: mine, Outside: trust(t)}
	if _, err := b.Verify(p.sign("EdDSA", nil), start); !errors.Is(err, errOwn) {
		t.Errorf("nobody trusted: %v", err)
	}
}
