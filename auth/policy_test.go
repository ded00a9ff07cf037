package auth_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/berth-registry/berth/auth"
)

func grant(t testing.TB, who, repositories, actions string, deny bool) auth.Grant {
	t.Helper()
	g, err := auth.ParseGrant(strings.Fields(who), strings.Fields(repositories), strings.Fields(actions), deny)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func user(name string, groups ...string) auth.Principal {
	return auth.Principal{Kind: auth.User, Name: name, Groups: groups}
}

func admin() auth.Principal { return auth.Principal{Kind: auth.User, Name: "root", Admin: true} }

// defaults are the grants of config.md, and one that denies.
func defaults(t testing.TB) *auth.Policy {
	return auth.NewPolicy([]auth.Grant{
		grant(t, "authenticated", "${user}/**", "pull push delete", false),
		grant(t, "anonymous authenticated", "public/** docker.io/**", "pull", false),
		grant(t, "group:ci", "team/**", "pull push", false),
		grant(t, "user:bob", "team/secret/**", "*", true),
	})
}

func TestDecide(t *testing.T) {
	var nobody auth.Principal
	for _, tc := range []struct {
		who        auth.Principal
		repository string
		want       auth.Actions
		missing    auth.Actions
		because    string
	}{
		{user("alice"), "alice/app", auth.All, 0, "grant 1: authenticated may * on ${user}/**"},
		{user("alice"), "alice", auth.Pull, auth.Pull, "no grant lets user:alice pull here"},
		{user("alice"), "bob/app", auth.Pull, auth.Pull, "no grant lets user:alice pull here"},
		{user("alice"), "public/app", auth.Pull | auth.Push, auth.Push, "no grant lets user:alice push here"},
		{nobody, "public/app", auth.Pull, 0, "grant 2: anonymous authenticated may pull on public/** docker.io/**"},
		{nobody, "docker.io/library/nginx", auth.Pull, 0, "grant 2: anonymous authenticated may pull on public/** docker.io/**"},
		{nobody, "public/app", auth.Push, auth.Push, "no grant lets anonymous push here"},
		{nobody, "alice/app", auth.Pull, auth.Pull, "no grant lets anonymous pull here"},
		{user("bob", "ci"), "team/a", auth.Pull | auth.Push, 0, "grant 3: group:ci may pull,push on team/**"},
		{user("bob", "ci"), "team/secret/a", auth.Pull, auth.Pull, "grant 4: user:bob may not * on team/secret/**"},
		{user("carl", "ci"), "team/secret/a", auth.Pull, 0, "grant 3: group:ci may pull,push on team/**"},
		{admin(), "team/secret/a", auth.All, 0, "administrators may everything"},
		{admin(), "Team", auth.Pull, auth.Pull, "this is no repository name"},
		{admin(), "a//b", auth.Pull, auth.Pull, "this is no repository name"},
		{admin(), "alice/../x", auth.Pull, auth.Pull, "this is no repository name"},
		{admin(), "a", 0, 0, "no action is asked for"},
		{auth.Principal{Admin: true}, "alice/app", auth.Pull, auth.Pull, "no grant lets anonymous pull here"},
		{auth.Principal{Groups: []string{"ci"}}, "team/a", auth.Pull, auth.Pull, "no grant lets anonymous pull here"},
		{auth.Principal{Kind: 9, Name: "alice", Admin: true}, "alice/app", auth.Pull, auth.Pull, "no grant lets unknown:alice pull here"},
		{user("**"), "any/thing", auth.Pull, auth.Pull, "no grant lets user:** pull here"},
		{user(""), "a/b", auth.Pull, auth.Pull, "no grant lets user: pull here"},
	} {
		got := defaults(t).Decide(tc.who, tc.repository, tc.want)
		want := auth.Decision{Allowed: tc.missing == 0 && tc.want != 0, Missing: tc.missing, Because: tc.because}
		if got != want {
			t.Errorf("%s %s %s:\n got %+v\nwant %+v", tc.who.ID(), tc.repository, tc.want, got, want)
		}
	}
}

func TestDecideNamesSeveralGrants(t *testing.T) {
	p := auth.NewPolicy([]auth.Grant{
		grant(t, "authenticated", "**", "pull", false), grant(t, "user:a", "x/**", "push", false), grant(t, "user:a", "x/y", "*", false),
	})
	want := "grant 1: authenticated may pull on **; grant 2: user:a may push on x/**"
	if d := p.Decide(user("a"), "x/y", auth.Pull|auth.Push); !d.Allowed || d.Because != want {
		t.Errorf("%+v", d)
	}
}

func TestZeroValuesDeny(t *testing.T) {
	empty := auth.NewPolicy([]auth.Grant{{}, {Who: make([]auth.Who, 1), Repositories: make([]auth.Pattern, 1), Actions: auth.All}})
	for _, p := range []*auth.Policy{nil, new(auth.Policy), auth.NewPolicy(nil), empty, new(auth.Live).Load(), (*auth.Live)(nil).Load()} {
		if d := p.Decide(user("a"), "a/b", auth.Pull); d.Allowed {
			t.Errorf("%+v", d)
		}
	}
}

func TestPolicyIsACopy(t *testing.T) {
	g := []auth.Grant{grant(t, "authenticated", "a", "pull", false)}
	p := auth.NewPolicy(g)
	g[0].Actions, g[0].Repositories[0], g[0].Who[0] = auth.All, grant(t, "anonymous", "**", "*", false).Repositories[0], auth.Who{}
	if p.Decide(user("x"), "b", auth.Push).Allowed || !p.Decide(user("x"), "a", auth.Pull).Allowed {
		t.Error("the grants of a policy can be changed from outside")
	}
}

func TestParseGrantRefused(t *testing.T) {
	for _, tc := range [][3]string{
		{"alice", "a", "pull"}, {"user:", "a", "pull"}, {"user:A", "a", "pull"}, {"user:a/b", "a", "pull"}, {"group:", "a", "pull"},
		{"robot:", "a", "pull"}, {"robot:A", "a", "pull"}, {"robot:a*", "a", "pull"}, {"robot$x", "a", "pull"}, {"issuer:", "a", "pull"},
		{"issuer:*", "a", "pull"}, {"issuer:a:b", "a", "pull"}, {"user:*", "a", "pull"}, {"10.0.0.1", "a", "pull"}, {"10.0.0.1/8", "a", "pull"},
		{"10.0.0.0/33", "a", "pull"}, {"::ffff:10.0.0.0/104", "a", "pull"}, {"fe80::%eth0/64", "a", "pull"},
		{"everybody", "a", "pull"}, {"Anonymous", "a", "pull"}, {"authenticated:x", "a", "pull"},
		{"anonymous", "A", "pull"}, {"anonymous", "a", "read"},
	} {
		if g, err := auth.ParseGrant([]string{tc[0]}, []string{tc[1]}, []string{tc[2]}, false); err == nil {
			t.Errorf("%q: %v", tc, g)
		}
	}
}

func TestIntersect(t *testing.T) {
	repo := auth.Repository
	p := defaults(t)
	var nobody auth.Principal
	for _, tc := range []struct {
		who             auth.Principal
		requested, want []auth.Access
	}{
		{nobody, nil, []auth.Access{}},
		{nobody, []auth.Access{repo("public/a", auth.Pull|auth.Push), repo("alice/a", auth.Pull)}, []auth.Access{repo("public/a", auth.Pull)}},
		{nobody, []auth.Access{auth.Catalog()}, []auth.Access{auth.Catalog()}},
		{nobody, []auth.Access{{Type: "registry", Name: "other", Actions: auth.All}, {Type: "cluster", Name: "a", Actions: auth.All}}, []auth.Access{}},
		{user("alice"), []auth.Access{repo("alice/a", auth.All), repo("public/x", auth.All)}, []auth.Access{repo("alice/a", auth.All), repo("public/x", auth.Pull)}},
		{admin(), []auth.Access{repo("x", auth.All), repo("X", auth.All), repo("y", 0x80)}, []auth.Access{repo("x", auth.All)}},
		{user("bob", "ci"), []auth.Access{repo("team/secret/a", auth.All)}, []auth.Access{}},
		// What came by a token cannot be exchanged for more.
		{user("alice").WithToken([]auth.Access{repo("alice/a", auth.Pull)}, start), []auth.Access{repo("alice/a", auth.All), repo("alice/b", auth.Pull), auth.Catalog()}, []auth.Access{repo("alice/a", auth.Pull)}},
		{admin().WithToken(nil, start), []auth.Access{repo("x", auth.Pull)}, []auth.Access{}},
	} {
		if got := p.Intersect(tc.who, tc.requested); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s %v: %v, want %v", tc.who.ID(), tc.requested, got, tc.want)
		}
	}
}

func TestIntersectLeavesTheRequest(t *testing.T) {
	requested := []auth.Access{auth.Repository("public/a", auth.All)}
	defaults(t).Intersect(auth.Principal{}, requested)
	if requested[0].Actions != auth.All {
		t.Error("the request was changed")
	}
}

// A world small enough that random grants meet.
type world struct{ r *rand.Rand }

func pick[T any](w world, from ...T) T { return from[w.r.IntN(len(from))] }

func (w world) actions() auth.Actions { return auth.Actions(1 + w.r.IntN(7)) }

func (w world) principal() auth.Principal {
	p := pick(w, auth.Principal{}, user("a"), user("b"), user("a", "g"), user("b", "g", "h"), user("c", "h"),
		auth.Principal{Kind: auth.Robot, Name: "a"}, auth.Principal{Kind: auth.Outside, Name: "hub:a"})
	p.Client = pick(w, netip.Addr{}, netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1"))
	if p.Kind != auth.Anonymous {
		p.Own = w.rules()
	}
	return p
}

func (w world) rules() []auth.Rule {
	rules := make([]auth.Rule, w.r.IntN(3))
	for i := range rules {
		rules[i] = auth.Rule{Repositories: pick(w, patterns...), Actions: w.actions()}
	}
	return rules
}

var patterns = func() (list []auth.Pattern) {
	for _, s := range []string{"**", "a/**", "*/x", "${user}/**", "t/*"} {
		p, err := auth.ParsePattern(s)
		if err != nil {
			panic(err)
		}
		list = append(list, p)
	}
	return list
}()

func (w world) repository() string {
	return pick(w, "a", "a/x", "b/x", "b/x/y", "t/a", "t/b/x", "x", "public/x")
}

func (w world) grant(t *testing.T, deny bool) auth.Grant {
	who := pick(w, "anonymous", "authenticated", "user:a", "user:b", "group:g", "group:h", "anonymous authenticated", "user:c group:g",
		"robot:a", "robot:*", "issuer:hub", "10.0.0.0/8", "2001:db8::/32 robot:*")
	on := pick(w, "**", "a/**", "*/x", "**/x", "${user}/**", "t/${user}", "t/*", "b/**/y", "x a", "public/** b/x")
	g := grant(t, who, on, "pull", deny)
	g.Actions = w.actions()
	return g
}

func (w world) grants(t *testing.T) []auth.Grant {
	list := make([]auth.Grant, w.r.IntN(6))
	for i := range list {
		list[i] = w.grant(t, w.r.IntN(4) == 0)
	}
	return list
}

// What must hold of Decide, whatever the grants.
func TestDecideProperties(t *testing.T) {
	w := world{rand.New(rand.NewPCG(1, 2))}
	for range 6_000 {
		grants, p, repo, want := w.grants(t), w.principal(), w.repository(), w.actions()
		before := auth.NewPolicy(grants).Decide(p, repo, want)
		show := func(what string) {
			t.Fatalf("%s: %s %s %s under %v: %+v", what, p.ID(), repo, want, grants, before)
		}
		if before.Allowed != (before.Missing == 0) || !want.Has(before.Missing) || before.Because == "" {
			show("a decision that contradicts itself")
		}
		more := auth.NewPolicy(append(slices.Clone(grants), w.grant(t, false))).Decide(p, repo, want)
		if before.Missing&more.Missing != more.Missing {
			show("one more grant removed a right")
		}
		less := auth.NewPolicy(append(slices.Clone(grants), w.grant(t, true))).Decide(p, repo, want)
		if less.Missing&before.Missing != before.Missing {
			show("one more denial gave a right")
		}
		all := grant(t, "anonymous authenticated issuer:hub", "**", "*", true)
		if auth.NewPolicy(append(slices.Clone(grants), all)).Decide(p, repo, want).Missing != want {
			show("a denial of everything denied less")
		}
		w.r.Shuffle(len(grants), func(i, j int) { grants[i], grants[j] = grants[j], grants[i] })
		if auth.NewPolicy(grants).Decide(p, repo, want).Missing != before.Missing {
			show("the order of grants counts")
		}
		cut := p
		cut.Narrowed, cut.Within = true, w.rules()
		if narrow := auth.NewPolicy(grants).Decide(cut, repo, want); narrow.Missing&before.Missing != before.Missing {
			show("what narrows gave a right")
		}
		if cut.Within = nil; auth.NewPolicy(grants).Decide(cut, repo, want).Missing != want {
			show("something lies within nothing")
		}
		if p.Kind == auth.User {
			p.Admin = true
			if !auth.NewPolicy(append(grants, all)).Decide(p, repo, want).Allowed {
				show("an administrator may not")
			}
		}
	}
}

// Decide on a set is Decide on each, and Intersect is what Decide allows.
func TestDecideSets(t *testing.T) {
	w := world{rand.New(rand.NewPCG(3, 4))}
	for range 3_000 {
		policy, p, repo, want := auth.NewPolicy(w.grants(t)), w.principal(), w.repository(), w.actions()
		var missing auth.Actions
		for _, a := range []auth.Action{auth.Pull, auth.Push, auth.Delete} {
			if want.Has(a) && !policy.Decide(p, repo, a).Allowed {
				missing |= a
			}
		}
		if got := policy.Decide(p, repo, want).Missing; got != missing {
			t.Fatalf("together %v, one by one %v", got, missing)
		}
		var rights auth.Actions
		for _, a := range policy.Intersect(p, []auth.Access{auth.Repository(repo, want)}) {
			rights |= a.Actions
		}
		if rights != want&^missing {
			t.Fatalf("intersection %v, decision %v", rights, want&^missing)
		}
	}
}

func TestLive(t *testing.T) {
	l := auth.NewLive(nil)
	if l.Load().Decide(user("a"), "a/b", auth.Pull).Allowed {
		t.Error("nil allows")
	}
	l.Store(defaults(t))
	if !l.Load().Decide(user("a"), "a/b", auth.Pull).Allowed {
		t.Error("the new policy is not in force")
	}
}

func BenchmarkDecide(b *testing.B) {
	grants := []auth.Grant{grant(b, "authenticated", "${user}/**", "*", false)}
	for i := range 50 {
		grants = append(grants, grant(b, fmt.Sprintf("group:g%d", i), fmt.Sprintf("team-%d/** shared/*/g%d", i, i), "pull push", false))
	}
	p, who := auth.NewPolicy(grants), user("alice", "g49", "g20")
	b.ReportAllocs()
	for b.Loop() {
		if !p.Decide(who, "shared/x/g49", auth.Pull).Allowed {
			b.Fatal("denied")
		}
	}
}
