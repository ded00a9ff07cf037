package config

import (
	"regexp"
	"strings"
	"testing"

	"github.com/berth-registry/berth/auth"
)

const github = "https://token.actions.githubusercontent.com"

// Each change to a list of good entries, and the problems that it makes, without the path of the list.
func TestTrustedIssuers(t *testing.T) {
	entry := func(change ...func(*TrustedIssuer)) TrustedIssuer {
		i := TrustedIssuer{
			Issuer: "https://gitlab.example.org", Audience: "registry.example.org", Who: "gitlab", Tokens: "identity",
			Require: map[string]string{"namespace_path": "team"}, Repositories: []string{"ci/${claim:project_path}/**"}, Actions: []string{"pull", "push"},
		}
		for _, c := range change {
			c(&i)
		}
		return i
	}
	jwks := func(text string) TrustedIssuer { return entry(func(i *TrustedIssuer) { i.JWKS = text }) }
	issuer := func(text string) TrustedIssuer { return entry(func(i *TrustedIssuer) { i.Issuer = text }) }
	who := func(text string) TrustedIssuer { return entry(func(i *TrustedIssuer) { i.Who = text }) }
	require := func(pairs ...string) TrustedIssuer {
		return entry(func(i *TrustedIssuer) {
			i.Require = map[string]string{}
			for n := 0; n < len(pairs); n += 2 {
				i.Require[pairs[n]] = pairs[n+1]
			}
		})
	}
	of := func(issuer string, i TrustedIssuer) TrustedIssuer { i.Issuer = issuer; return i }
	on := func(texts ...string) TrustedIssuer {
		return entry(func(i *TrustedIssuer) { i.Repositories = texts })
	}
	registry := func(i TrustedIssuer) TrustedIssuer { i.Tokens, i.Require = "registry", nil; return i }
	const (
		noKeys  = `[0].jwks: must be set: the issuer is no https:// URL that could be asked for its keys`
		scheme  = `[0].jwks: must begin with https://, or with http:// and a loopback address`
		form    = "must be a repository pattern such as team/** or ci/${claim:project_path}/**: "
		nobodys = `[0].require: must say whose the token is: one claim, without * before its first slash`
		gh      = `[0].require: must say whose the token is: one of enterprise, enterprise_id, repository, repository_id, repository_owner, repository_owner_id, sub, workflow_ref, without * before its first slash`
		gl      = `[0].require: must say whose the token is: one of namespace_id, namespace_path, project_id, project_path, sub, without * before its first slash`
	)
	for _, tc := range []struct {
		name    string
		entries []TrustedIssuer
		want    []string
	}{
		{"discovery", []TrustedIssuer{entry()}, nil},
		{"file", []TrustedIssuer{jwks("/etc/berth/jwks.json")}, nil},
		{"URL", []TrustedIssuer{jwks("https://gitlab.example.org/oauth/discovery/keys?x=y")}, nil},
		{"loopback", []TrustedIssuer{jwks("http://127.0.0.1:8080/k"), jwks("http://127.0.0.1:8080/k")}, nil},
		{"loopback, by name", []TrustedIssuer{issuer("http://localhost:9998/")}, nil},
		{"loopback, IPv6", []TrustedIssuer{issuer("http://[::1]:9998")}, nil},
		{"plain HTTP", []TrustedIssuer{jwks("http://gitlab.example.org/keys")}, []string{scheme}},
		{"private HTTP", []TrustedIssuer{jwks("http://10.0.0.1/keys")}, []string{scheme}},
		{"like loopback", []TrustedIssuer{jwks("http://localhost.evil.example/keys")}, []string{scheme}},
		{"another scheme", []TrustedIssuer{jwks("file:///etc/jwks.json")}, []string{`[0].jwks: must be a URL with a host`}},
		{"FTP", []TrustedIssuer{jwks("ftp://host/keys")}, []string{scheme}},
		{"a password", []TrustedIssuer{jwks("https://a:secret@host/keys")}, []string{`[0].jwks: must be a URL without a user, password and fragment`}},
		{"no host", []TrustedIssuer{jwks("https:///keys")}, []string{`[0].jwks: must be a URL with a host`}},
		{"nobody to ask", []TrustedIssuer{issuer("docker_auth")}, []string{noKeys}},
		{"nobody to ask over TLS", []TrustedIssuer{issuer("http://gitlab.example.org")}, []string{noKeys}},
		{"a query to ask", []TrustedIssuer{issuer("https://gitlab.example.org?a=b")}, []string{noKeys}},
		{"ours", []TrustedIssuer{of("berth", jwks("k"))}, []string{`[0].issuer: must differ from auth.issuer`}},

		{"reserved", []TrustedIssuer{who("robot")}, []string{`[0].who: "robot" is a reserved word, or longer than 64 bytes`}},
		{"reserved too", []TrustedIssuer{who("issuer")}, []string{`[0].who: "issuer" is a reserved word, or longer than 64 bytes`}},
		{"long", []TrustedIssuer{who(strings.Repeat("a", 65))}, []string{`[0].who: "` + strings.Repeat("a", 65) + `" is a reserved word, or longer than 64 bytes`}},
		{"two names", []TrustedIssuer{who("a"), who("b")}, []string{`[1].who: must be "a", as in entry 1 about the same issuer`}},
		{"one name", []TrustedIssuer{who("a"), of("https://other.example", who("a"))}, []string{`[1].who: must differ from that of entry 1, which is about another issuer`}},
		{"two sources", []TrustedIssuer{jwks("a"), jwks("b")}, []string{`[1].jwks: must be the same as in entry 1 about the same issuer`}},
		{"several", []TrustedIssuer{entry(), registry(entry()), require("project_path", "team/app"), of("https://other.example", who("other"))}, nil},

		{"no kind", []TrustedIssuer{entry(func(i *TrustedIssuer) { i.Tokens = "id" })}, []string{`[0].tokens: must be identity or registry, not "id"`}},
		{"registry", []TrustedIssuer{registry(entry())}, nil},
		{"registry with a claim", []TrustedIssuer{entry(func(i *TrustedIssuer) { i.Tokens = "registry" })}, nil},
		{"identity without a claim", []TrustedIssuer{require()}, []string{`[0].require: must name a claim that says whose the token is, such as repository_owner: everybody can get one`}},
		{"anything", []TrustedIssuer{require("a", "*")}, []string{nobodys}},
		{"anything at all", []TrustedIssuer{require("a", "**")}, []string{nobodys}},
		{"who begins alike", []TrustedIssuer{require("namespace_path", "team*")}, []string{nobodys}},
		{"somebody's app", []TrustedIssuer{require("project_path", "*/app")}, []string{nobodys}},
		{"an owner's", []TrustedIssuer{require("project_path", "team/*", "ref", "*")}, nil},
		{"any claim of an own issuer", []TrustedIssuer{require("ref", "main")}, nil},
		{"bad pattern", []TrustedIssuer{require("a", "b", "c", "x**")}, []string{`[0].require.c: pattern "x**": ** stands between slashes`}},
		{"empty pattern", []TrustedIssuer{require("a", "b", "c", "")}, []string{`[0].require.c: a pattern has 1 to 2048 bytes`}},
		{"invisible pattern", []TrustedIssuer{require("a", "b", "c", "x\x00")}, []string{`[0].require.c: a pattern is visible text`}},
		{"audience twice", []TrustedIssuer{require("a", "b", "aud", "x")}, []string{`[0].require.aud: is no claim that can be required`}},

		{"GitHub", []TrustedIssuer{of(github, require("repository_owner", "octo-org"))}, nil},
		{"GitHub, by id", []TrustedIssuer{of(github, require("repository_owner_id", "65"))}, nil},
		{"GitHub, a subject", []TrustedIssuer{of(github, require("sub", "repo:octo-org/app:*"))}, nil},
		{"GitHub, made subject", []TrustedIssuer{of(github, require("sub", "job_workflow_ref:octo-org/**"))}, []string{gh}},
		{"GitHub, a branch", []TrustedIssuer{of(github, require("ref", "refs/heads/main"))}, []string{gh}},
		{"GitHub, called by all", []TrustedIssuer{of(github, require("job_workflow_ref", "octo-org/ci/.github/workflows/*"))}, []string{gh}},
		{"GitHub, an actor", []TrustedIssuer{of(github, require("actor", "octocat"))}, []string{gh}},
		{"GitHub, any owner", []TrustedIssuer{of(github, require("repository", "*/app"))}, []string{gh}},
		{"GitLab.com", []TrustedIssuer{of("https://gitlab.com", require("namespace_path", "team"))}, nil},
		{"GitLab.com, a branch", []TrustedIssuer{of("https://gitlab.com", require("ref", "main"))}, []string{gl}},

		{"a user", []TrustedIssuer{on("${user}/**")}, []string{`[0].repositories[0]: ${user} is no user here; ${claim:NAME} stands for a claim of the token`}},
		{"no claim", []TrustedIssuer{on("a/${claim:}/**")}, []string{`[0].repositories[0]: ` + form + `repository pattern "a/${claim:}/**": a variable is ${claim:NAME}`}},
		{"claim in a component", []TrustedIssuer{on("ci-${claim:a}/**", "x/${claim:b.c-d_E}", "y/${claim:a}-*")}, nil},
		{"a long one", []TrustedIssuer{on(strings.Repeat("a", 256))}, []string{`[0].repositories[0]: must be a repository pattern of at most 255 characters`}},
		{"bad pattern of repositories", []TrustedIssuer{on("A/${claim:a}")}, []string{`[0].repositories[0]: ` + form + `with x for each claim: repository pattern "A/x": "A" is no component of a repository name`}},
		{"too many", []TrustedIssuer{on(strings.Fields(numbered(auth.MaxRules + 1))...)}, []string{`[0].repositories: must be at most 32 patterns`}},
	} {
		c := Default()
		c.Auth.TrustedIssuers = tc.entries
		var got []string
		for _, p := range Validate(c) {
			got = append(got, strings.TrimPrefix(p.Path, "auth.trusted_issuers")+": "+p.Message)
		}
		if strings.Join(got, "\n") != strings.Join(tc.want, "\n") {
			t.Errorf("%s:\n got %s\nwant %s", tc.name, strings.Join(got, "\n     "), strings.Join(tc.want, "\n     "))
		}
	}
}

// numbered returns n different names.
func numbered(n int) string {
	var names []string
	for i := range n {
		names = append(names, "r"+strings.Repeat("x", i))
	}
	return strings.Join(names, " ")
}

// Problems of an entry are where they were written, also within require.
func TestTrustedIssuersHavePlaces(t *testing.T) {
	const file = `auth:
  trusted_issuers:
    - issuer: https://gitlab.example.org
      audience: registry.example.org
      who: gitlab
      require: {project_path: "*/app"}
      repositories: ["a/**"]
      actions: [pull]
    - issuer: https://gitlab.example.org
      jwks: http://gitlab.example.org/keys
      audience: ""
      who: robot
      tokens: id
      require:
        ref: "x**"
      repositories:
        - ${user}/**
      actions: [read]
      key: x
`
	_, err := load("config.yaml", []byte(file), nil)
	if err == nil {
		t.Fatal("no problems")
	}
	for _, want := range []string{
		"config.yaml:6:7: auth.trusted_issuers[0].require: must say whose",
		"config.yaml:10:7: auth.trusted_issuers[1].jwks: must begin with https://",
		"config.yaml:11:7: auth.trusted_issuers[1].audience: ",
		"config.yaml:12:7: auth.trusted_issuers[1].who: \"robot\" is a reserved word",
		"config.yaml:12:7: auth.trusted_issuers[1].who: must be \"gitlab\"",
		"config.yaml:13:7: auth.trusted_issuers[1].tokens: ",
		"config.yaml:15:9: auth.trusted_issuers[1].require.ref: ",
		"config.yaml:17:11: auth.trusted_issuers[1].repositories[0]: ${user} is no user here",
		"config.yaml:18:17: auth.trusted_issuers[1].actions[0]: ",
		"config.yaml:19:7: auth.trusted_issuers[1].key: ",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("does not say %q", want)
		}
	}
	if n := strings.Count(err.Error(), "\n") + 1; n != 10 || t.Failed() {
		t.Errorf("%d problems:\n%v", n, err)
	}
}

// The examples of the documentation are good configurations.
func TestIssuersDocument(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```yaml\n(auth:.*?)```").FindAllSubmatch(read(t, "../docs/auth-issuers.md"), -1)
	if len(blocks) != 3 {
		t.Fatalf("%d examples", len(blocks))
	}
	for _, b := range blocks {
		if _, err := load("config.yaml", b[1], nil); err != nil {
			t.Errorf("%v\n%s", err, b[1])
		}
	}
}
