package auth_test

import (
	"strings"
	"testing"

	"github.com/berth-registry/berth/auth"
)

func rules(t testing.TB, texts ...string) []auth.Rule {
	t.Helper()
	list, err := auth.ParseRules(texts)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestParseRule(t *testing.T) {
	for text, want := range map[string]string{
		"team/**:pull,push":                  "team/**:pull,push",
		"a:*":                                "a:*",
		"a:pull,push,delete":                 "a:*",
		"a:push,pull":                        "a:pull,push",
		"${user}/x:pull":                     "${user}/x:pull",
		strings.Repeat("a/", 127) + "b:pull": strings.Repeat("a/", 127) + "b:pull",
	} {
		if got := rules(t, text)[0].String(); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for _, text := range []string{
		"", ":", "a", "a:", ":pull", "a:read", "a:pull,", "a:,", "a: pull", "A:pull", "a/:pull", "a:pull:push", "host:5000/a:pull",
		strings.Repeat("a", auth.MaxRule) + ":pull",
	} {
		if r, err := auth.ParseRule(text); err == nil {
			t.Errorf("%q: %v", text, r)
		}
	}
}

func TestParseRulesIsBounded(t *testing.T) {
	texts := strings.Fields(strings.Repeat("a:pull ", auth.MaxRules+1))
	if _, err := auth.ParseRules(texts); err == nil {
		t.Errorf("%d rules", len(texts))
	}
	if got := auth.RuleTexts(rules(t, texts[1:]...)); len(got) != auth.MaxRules {
		t.Errorf("%d rules", len(got))
	}
	if got, err := auth.ParseRules(nil); got != nil || err != nil || auth.RuleTexts(nil) != nil {
		t.Errorf("no rules: %v %v", got, err)
	}
}

// robot is one with rights of its own.
func robot(t testing.TB, name string, own ...string) auth.Principal {
	return auth.Principal{Kind: auth.Robot, Name: name, Own: rules(t, own...)}
}

// narrowed is p within rules.
func narrowed(t testing.TB, p auth.Principal, within ...string) auth.Principal {
	p.Narrowed, p.Within = true, rules(t, within...)
	return p
}

func TestDecideByRules(t *testing.T) {
	policy := auth.NewPolicy([]auth.Grant{
		grant(t, "authenticated", "public/** ${user}/**", "pull", false),
		grant(t, "robot:ci", "cache/**", "*", false),
		grant(t, "issuer:gitlab", "ci/**", "pull push", false),
		grant(t, "authenticated issuer:gitlab", "team/secret/**", "*", true),
		grant(t, "user:alice", "team/**", "*", false),
	})
	outside := auth.Principal{Kind: auth.Outside, Name: "gitlab:project_path:a/b", Own: rules(t, "mine/**:pull")}
	for _, tc := range []struct {
		who        auth.Principal
		repository string
		want       auth.Actions
		missing    auth.Actions
		because    string
	}{
		{robot(t, "ci", "team/**:pull,push"), "team/a", auth.Pull | auth.Push, 0, "its own rule team/**:pull,push"},
		{robot(t, "ci", "team/**:pull", "team/a:push"), "team/a", auth.Pull | auth.Push, 0, "its own rule team/**:pull; team/a:push"},
		{robot(t, "ci", "team/**:pull"), "team/a", auth.All, auth.Push | auth.Delete, "no grant lets robot:ci push,delete here"},
		{robot(t, "ci", "**:*"), "team/secret/a", auth.Pull, auth.Pull, "grant 4: authenticated issuer:gitlab may not * on team/secret/**"},
		{robot(t, "ci"), "cache/a", auth.All, 0, "grant 2: robot:ci may * on cache/**"},
		{robot(t, "cj"), "cache/a", auth.Pull, auth.Pull, "no grant lets robot:cj pull here"},
		{robot(t, "ci", "public/**:push"), "public/a", auth.Pull | auth.Push, 0, "grant 1: authenticated may pull on public/** ${user}/**; its own rule public/**:push"},
		{robot(t, "ci", "public/**:pull"), "public/a", auth.Pull, 0, "grant 1: authenticated may pull on public/** ${user}/**"},
		{robot(t, "ci", "${user}/**:*"), "ci/a", auth.Pull, auth.Pull, "no grant lets robot:ci pull here"},
		{auth.Principal{Kind: auth.Robot, Name: "root", Admin: true}, "x", auth.Pull, auth.Pull, "no grant lets robot:root pull here"},

		{outside, "ci/x", auth.Pull | auth.Push, 0, "grant 3: issuer:gitlab may pull,push on ci/**"},
		{outside, "mine/x", auth.Pull, 0, "its own rule mine/**:pull"},
		{outside, "public/x", auth.Pull, auth.Pull, "no grant lets outside:gitlab:project_path:a/b pull here"},
		{outside, "team/secret/x", auth.Pull, auth.Pull, "grant 4: authenticated issuer:gitlab may not * on team/secret/**"},
		{auth.Principal{Kind: auth.Outside, Name: "gitlab2:x"}, "ci/x", auth.Pull, auth.Pull, "no grant lets outside:gitlab2:x pull here"},
		{auth.Principal{Kind: auth.Outside, Name: "gitlab:admin", Admin: true, Groups: []string{"ops"}}, "any", auth.Pull, auth.Pull, "no grant lets outside:gitlab:admin pull here"},

		{narrowed(t, user("alice"), "team/**:pull"), "team/a", auth.Pull, 0, "grant 5: user:alice may * on team/**"},
		{narrowed(t, user("alice"), "team/**:pull"), "team/a", auth.All, auth.Push | auth.Delete, "the token of user:alice does not reach push,delete here, only team/**:pull"},
		{narrowed(t, user("alice"), "team/**:*"), "team/secret/a", auth.Pull, auth.Pull, "grant 4: authenticated issuer:gitlab may not * on team/secret/**"},
		{narrowed(t, user("alice"), "bob/**:pull", "x:*"), "bob/a", auth.Pull, auth.Pull, "no grant lets user:alice pull here"},
		{narrowed(t, user("alice"), "${user}/**:*"), "alice/a", auth.Pull, 0, "grant 1: authenticated may pull on public/** ${user}/**"},
		{narrowed(t, user("alice"), "${user}/**:*"), "team/a", auth.Pull, auth.Pull, "the token of user:alice does not reach pull here, only ${user}/**:*"},
		{narrowed(t, user("alice")), "team/a", auth.Pull, auth.Pull, "the token of user:alice does not reach pull here, only nothing"},
		{narrowed(t, admin(), "team/**:pull"), "team/a", auth.Pull, 0, "administrators may everything"},
		{narrowed(t, admin(), "team/**:pull", "x:*"), "other", auth.Pull, auth.Pull, "the token of user:root does not reach pull here, only team/**:pull x:*"},
		{narrowed(t, robot(t, "ci", "**:*"), "a:pull"), "a", auth.Pull | auth.Push, auth.Push, "the token of robot:ci does not reach push here, only a:pull"},
		// A ceiling is one only where it narrows: what is not said is refused elsewhere.
		{auth.Principal{Kind: auth.User, Name: "alice", Within: rules(t, "x:pull")}, "team/a", auth.Pull, 0, "grant 5: user:alice may * on team/**"},
	} {
		got := policy.Decide(tc.who, tc.repository, tc.want)
		want := auth.Decision{Allowed: tc.missing == 0, Missing: tc.missing, Because: tc.because}
		if got != want {
			t.Errorf("%s %s %s:\n got %+v\nwant %+v", tc.who.ID(), tc.repository, tc.want, got, want)
		}
	}
	if d := (*auth.Policy)(nil).Decide(robot(t, "ci", "**:*"), "a", auth.Pull); d.Allowed {
		t.Error("without a policy, which could deny, rules allow")
	}
}

// What CVE-2025-68944 was: a token that narrows, exchanged for a registry's,
// narrowed no more.
func TestIntersectNarrows(t *testing.T) {
	p := auth.NewPolicy([]auth.Grant{grant(t, "user:alice", "**", "*", false)})
	asked := []auth.Access{auth.Repository("team/a", auth.All), auth.Repository("other", auth.Pull), auth.Catalog()}
	got := p.Intersect(narrowed(t, user("alice"), "team/**:pull"), asked)
	if len(got) != 2 || got[0] != auth.Repository("team/a", auth.Pull) || got[1] != auth.Catalog() {
		t.Errorf("%v", got)
	}
	got = p.Intersect(narrowed(t, admin(), "team/**:pull"), asked)
	if len(got) != 2 || got[0] != auth.Repository("team/a", auth.Pull) {
		t.Errorf("an administrator's: %v", got)
	}
}

func TestAdministers(t *testing.T) {
	for _, tc := range []struct {
		p    auth.Principal
		want bool
	}{
		{admin(), true},
		{user("root"), false},
		{narrowed(t, admin(), "**:*"), false},
		{auth.Principal{Admin: true}, false},
		{auth.Principal{Kind: auth.Robot, Name: "root", Admin: true}, false},
		{auth.Principal{Kind: auth.Outside, Name: "x:admin", Admin: true}, false},
	} {
		if got := tc.p.Administers(); got != tc.want {
			t.Errorf("%+v: %v", tc.p, got)
		}
	}
}

// FuzzRule checks that what is accepted has one text form, which means the
// same, within the limits.
func FuzzRule(f *testing.F) {
	for _, s := range []string{"team/**:pull,push", "a:*", "${user}/x*:delete", ":", "a:", "a:b:pull", "*:pull,pull", "a/**/b:push,delete,pull", "\xff:pull"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := auth.ParseRule(text)
		if err != nil {
			if r.Actions != 0 {
				t.Errorf("%q: %v beside %v", text, r, err)
			}
			return
		}
		if r.Actions == 0 || len(r.String()) > auth.MaxRule {
			t.Errorf("%q: %v", text, r)
		}
		again, err := auth.ParseRule(r.String())
		if err != nil || again.String() != r.String() || again.Actions != r.Actions {
			t.Errorf("%q: %v, then %v, %v", text, r, again, err)
		}
	})
}

func BenchmarkDecideByRules(b *testing.B) {
	who := narrowed(b, robot(b, "ci", "team/**:pull,push", "cache/*/layers:*"), "**:pull")
	p := auth.NewPolicy([]auth.Grant{grant(b, "user:x", "**", "*", false)})
	b.ReportAllocs()
	for b.Loop() {
		if !p.Decide(who, "cache/x/layers", auth.Pull).Allowed {
			b.Fatal("denied")
		}
	}
}
