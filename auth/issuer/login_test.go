package issuer_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/issuer"
	"github.com/golang-jwt/jwt/v5"
)

func TestLogin(t *testing.T) {
	p := newProvider(t)
	i := trust(t, p.identity())
	for alg := range kinds() {
		who, err := login(t, i, p.sign(alg, nil))
		if err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		if who.ID() != "outside:ci:repo:octo/app" || who.Kind != auth.Outside || who.Token || who.Admin || who.Groups != nil || who.Narrowed {
			t.Errorf("%s: %+v", alg, who)
		}
		if !who.Expires.Equal(start.Add(5 * time.Minute)) {
			t.Errorf("%s: expires %v", alg, who.Expires)
		}
		for repository, want := range map[string]auth.Actions{
			"ci/octo/app/x": auth.Pull | auth.Push, "ci/octo/app/x/y": auth.Pull | auth.Push,
			"ci/octo/app": 0, "ci/octo/other/x": 0, "ci/x": 0, "public/x": 0,
		} {
			if got := may(who, repository); got != want {
				t.Errorf("%s: may %v on %s, want %v", alg, got, repository, want)
			}
		}
	}
	if n := p.asked.Load(); n != 1 {
		t.Errorf("%d requests for the keys", n)
	}
}

// What the issuer vouches for is no user, whatever it is called.
func TestSubjectAdminIsNobody(t *testing.T) {
	p := newProvider(t)
	i := trust(t, p.identity(), p.registry())
	grants := []auth.Grant{
		grant(t, "user:admin", "**", "*"), grant(t, "group:admin", "**", "*"), grant(t, "authenticated", "**", "*"),
		grant(t, "robot:*", "**", "*"), grant(t, "issuer:other", "**", "*"),
	}
	for _, sub := range []string{"admin", "user:admin", "robot$admin", "issuer:admin", ":admin"} {
		raw := p.sign("EdDSA", jwt.MapClaims{"sub": sub, "admin": true, "groups": []string{"admin"}, "berth": map[string]any{"kind": "user", "admin": true}})
		who, err := login(t, i, raw)
		bearer, err2 := i.Verify(raw, start)
		for _, w := range []auth.Principal{who, bearer} {
			if err != nil || err2 != nil || w.ID() != "outside:ci:"+sub || w.Administers() || may(w, "alice/app", grants...) != 0 {
				t.Errorf("%s: %v, may %v %v %v", sub, w, may(w, "alice/app", grants...), err, err2)
			}
		}
	}
}

func grant(t *testing.T, who, repositories, actions string) auth.Grant {
	t.Helper()
	g, err := auth.ParseGrant(strings.Fields(who), strings.Fields(repositories), strings.Fields(actions), false)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// Grants to issuer:WHO come on top of an identity, and denials take away.
func TestGrantsToTheIssuer(t *testing.T) {
	p := newProvider(t)
	who, err := login(t, trust(t, p.identity()), p.sign("EdDSA", nil))
	if err != nil {
		t.Fatal(err)
	}
	deny := grant(t, "issuer:ci", "ci/octo/app/secret", "push")
	deny.Deny = true
	for repository, want := range map[string]auth.Actions{
		"base/image": auth.Pull, "ci/octo/app/x": auth.Pull | auth.Push, "ci/octo/app/secret": auth.Pull, "alice/x": 0,
	} {
		if got := may(who, repository, grant(t, "issuer:ci", "base/**", "pull"), deny); got != want {
			t.Errorf("%s: %v, want %v", repository, got, want)
		}
	}
}

// All entries that fit add up; those that do not give nothing.
func TestEntriesAddUp(t *testing.T) {
	p := newProvider(t)
	entry := func(require map[string]string, audience, repository string, actions ...string) issuer.Entry {
		return p.identity(func(e *issuer.Entry) {
			e.Require, e.Audience, e.Repositories, e.Actions = require, audience, []string{repository}, actions
		})
	}
	i := trust(t,
		entry(map[string]string{"owner": "octo"}, audience, "octo/**", "pull"),
		entry(map[string]string{"owner": "octo", "ref": "refs/heads/main"}, audience, "octo/release/*", "push"),
		entry(map[string]string{"owner": "other"}, audience, "other/**", "*"),
		entry(map[string]string{"owner": "octo"}, "elsewhere", "elsewhere/**", "*"),
	)
	for name, tc := range map[string]struct {
		claims jwt.MapClaims
		rules  string
	}{
		"one":            {nil, "octo/**:pull"},
		"two":            {jwt.MapClaims{"ref": "refs/heads/main"}, "octo/**:pull octo/release/*:push"},
		"another branch": {jwt.MapClaims{"ref": "refs/heads/main2"}, "octo/**:pull"},
		"two audiences":  {jwt.MapClaims{"aud": []string{audience, "elsewhere"}}, "octo/**:pull elsewhere/**:*"},
		"another owner":  {jwt.MapClaims{"owner": "other"}, "other/**:*"},
		"the elsewhere":  {jwt.MapClaims{"aud": "elsewhere"}, "elsewhere/**:*"},
		"nobody's owner": {jwt.MapClaims{"owner": "evil"}, ""},
		"the third's":    {jwt.MapClaims{"owner": "other", "aud": "elsewhere"}, ""},
	} {
		who, err := login(t, i, p.sign("ES256", tc.claims))
		if got := strings.Join(auth.RuleTexts(who.Own), " "); got != tc.rules || (err == nil) != (tc.rules != "") {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

// What a claim must match is the glob of the whole of a text.
func TestRequire(t *testing.T) {
	p := newProvider(t)
	for _, tc := range []struct {
		pattern string
		value   any
		want    bool
	}{
		{"octo", "octo", true},
		{"octo/*", "octo/app", true},
		{"Octo/*", "Octo/App", true},
		{"*", "x", true},
		{"true", "true", true},
		{"octo", "Octo", false},
		{"octo", "octo2", false},
		{"octo", "", false},
		{"octo", nil, false},
		{"*", "", false},
		{"**", "", false},
		{"*", nil, false},
		{"octo/*", "octo/a/b", false},
		{"octo/*", "octo", false},
		{"octo", "*", false},
		{"octo", []string{"octo"}, false},
		{"*", []string{"octo"}, false},
		{"42", 42, false},
		{"true", true, false},
		{"*", map[string]any{"octo": "octo"}, false},
		{"octo", "octo\n", false},
		{"octo", "octo\x00", false},
	} {
		i := trust(t, p.identity(func(e *issuer.Entry) { e.Require = map[string]string{"owner": tc.pattern} }))
		_, err := login(t, i, p.sign("EdDSA", jwt.MapClaims{"owner": tc.value}))
		if (err == nil) != tc.want || err != nil && !errors.Is(err, auth.ErrBadCredentials) {
			t.Errorf("%s on %v: %v", tc.pattern, tc.value, err)
		}
	}
	i := trust(t, p.identity(func(e *issuer.Entry) { e.Require = map[string]string{"owner": "octo", "ref": "main"} }))
	for name, claims := range map[string]jwt.MapClaims{
		"the other is not there": nil, "the name in another case": {"REF": "main", "Ref": "main"}, "nested": {"x": map[string]any{"ref": "main"}},
	} {
		if _, err := login(t, i, p.sign("EdDSA", claims)); err == nil {
			t.Errorf("%s: let in", name)
		}
	}
}

// A claim stands for itself: what is no path gives nothing, and nothing else.
func TestClaimIsALiteral(t *testing.T) {
	p := newProvider(t)
	i := trust(t, p.identity(func(e *issuer.Entry) {
		e.Repositories = []string{"ci/${claim:path}/**", "open/**"}
	}))
	for _, tc := range []struct {
		path any
		rule string
	}{
		{"octo", "ci/octo/**"},
		{"octo/app", "ci/octo/app/**"},
		{"a/b/c/d", "ci/a/b/c/d/**"},
		{"*", ""},
		{"**", ""},
		{"a/*", ""},
		{"a/**", ""},
		{"..", ""},
		{"a/../b", ""},
		{"/", ""},
		{"a/", ""},
		{"/a", ""},
		{"a//b", ""},
		{"", ""},
		{nil, ""},
		{"Octo/App", ""},
		{"${user}", ""},
		{"${claim:owner}", ""},
		{"a:pull", ""},
		{"a b", ""},
		{"a\x00", ""},
		{[]string{"octo"}, ""},
		{map[string]any{"octo": 1}, ""},
		{7, ""},
		{true, ""},
		{strings.Repeat("a", 250), "ci/" + strings.Repeat("a", 250) + "/**"},
		{strings.Repeat("a", 256), ""},
	} {
		who, err := login(t, i, p.sign("EdDSA", jwt.MapClaims{"path": tc.path}))
		want := []string{"open/**:pull,push"}
		if tc.rule != "" {
			want = []string{tc.rule + ":pull,push", want[0]}
		}
		if got := auth.RuleTexts(who.Own); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v: %v %v, want %v", tc.path, got, err, want)
		}
	}
}

func TestSubject(t *testing.T) {
	p := newProvider(t)
	i := trust(t, p.identity())
	for _, sub := range []any{nil, "", 7, []string{"a"}, "a\nb", "a\x00", strings.Repeat("s", 600)} {
		if who, err := login(t, i, p.sign("EdDSA", jwt.MapClaims{"sub": sub})); !errors.Is(err, auth.ErrBadCredentials) || !strings.HasSuffix(err.Error(), "sub is missing, too long or no visible text") {
			t.Errorf("%v: %v %v", sub, who, err)
		}
	}
}

// The rights of a principal fit into a token, or it gets none.
func TestTooManyRules(t *testing.T) {
	p := newProvider(t)
	many := func(n int) issuer.Entry {
		return p.identity(func(e *issuer.Entry) {
			e.Repositories = nil
			for k := range n {
				e.Repositories = append(e.Repositories, fmt.Sprintf("r%d-%d/**", n, k))
			}
		})
	}
	raw := p.sign("EdDSA", nil)
	if who, err := login(t, trust(t, many(20), many(12)), raw); err != nil || len(who.Own) != auth.MaxRules {
		t.Errorf("%d rules, %v", len(who.Own), err)
	}
	if who, err := login(t, trust(t, many(20), many(13)), raw); err == nil {
		t.Errorf("%d rules", len(who.Own))
	}
}
