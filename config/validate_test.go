package config

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// Each change to a good configuration, and the paths of the problems that it makes.
func TestValidatePaths(t *testing.T) {
	up := func(change func(*Upstream)) func(*Config) {
		return func(c *Config) {
			u := DefaultUpstream()
			u.Name, u.URL = "docker.io", "https://registry-1.docker.io"
			change(&u)
			c.Mirror.Upstreams = []Upstream{u}
		}
	}
	issuer := func(change func(*TrustedIssuer)) func(*Config) {
		return func(c *Config) {
			i := TrustedIssuer{Issuer: "https://i", JWKS: "https://i/jwks", Audience: "a", Who: "ci", Tokens: "identity", Require: map[string]string{"owner": "me"}, Repositories: []string{"ci/**"}, Actions: []string{"*"}}
			change(&i)
			c.Auth.TrustedIssuers = []TrustedIssuer{i}
		}
	}
	oidc := func(change func(*OIDC)) func(*Config) {
		return func(c *Config) {
			c.HTTP.URL = "https://registry.example.org"
			c.Auth.OIDC.Issuer, c.Auth.OIDC.ClientID = "https://id.example.org", "berth"
			change(&c.Auth.OIDC)
		}
	}
	directory := func(change func(*LDAP)) func(*Config) {
		return func(c *Config) {
			c.Auth.LDAP.URL, c.Auth.LDAP.BaseDN = "ldaps://ldap.example.org", "dc=example,dc=org"
			change(&c.Auth.LDAP)
		}
	}
	tests := []struct {
		name   string
		change func(*Config)
		want   string // paths, separated by spaces
	}{
		{"nothing", func(c *Config) {}, ""},
		{"no address", func(c *Config) { c.HTTP.Addr = "" }, "http.addr"},
		{"cert and key", func(c *Config) { c.HTTP.TLS.Cert, c.HTTP.TLS.Key = "c", "k" }, ""},
		{"key alone", func(c *Config) { c.HTTP.TLS.Key = "k" }, "http.tls.key"},
		{"client_ca alone", func(c *Config) { c.HTTP.TLS.ClientCA = "k" }, "http.tls.client_ca"},
		{"acme", func(c *Config) {
			c.HTTP.TLS.ACME.Hosts, c.HTTP.TLS.ACME.Email = []string{"r.example.org"}, "a@example.org"
		}, ""},
		{"acme and cert", func(c *Config) {
			c.HTTP.TLS.Cert, c.HTTP.TLS.Key, c.HTTP.TLS.ACME.Hosts = "c", "k", []string{"r.example.org"}
		}, "http.tls.acme.hosts"},
		{"acme, all wrong", func(c *Config) {
			c.HTTP.TLS.ACME = ACME{[]string{"10.0.0.1", "localhost"}, "me", "http://acme.example.org", "a\x00", "", ":5000"}
		}, "http.tls.acme.hosts[0] http.tls.acme.hosts[1] http.tls.acme.email http.tls.acme.directory http.tls.acme.ca http.tls.acme.cache http.tls.acme.http"},
		{"acme, everything", func(c *Config) {
			c.HTTP.TLS.ACME = ACME{[]string{"r.example.org"}, "a@example.org", "https://acme.example.org/directory", "ca.pem", "acme", ":80"}
		}, ""},
		{"acme for nobody", func(c *Config) { c.HTTP.TLS.ACME.Email = "a@example.org" }, "http.tls.acme.hosts"},
		{"client_ca and acme", func(c *Config) { c.HTTP.TLS.ClientCA, c.HTTP.TLS.ACME.Hosts = "ca", []string{"r.example.org"} }, ""},
		{"zero prefix", func(c *Config) { c.HTTP.TrustedProxies = []netip.Prefix{{}} }, "http.trusted_proxies[0]"},
		{"abstract socket", func(c *Config) { c.HTTP.AdminSocket = "@berth" }, "http.admin_socket"},
		{"no socket", func(c *Config) { c.HTTP.AdminSocket = "" }, "http.admin_socket"},
		{"long socket", func(c *Config) { c.HTTP.AdminSocket = strings.Repeat("s", 104) }, "http.admin_socket"},
		{"metrics", func(c *Config) { c.Metrics.Addr = ":9000" }, ""},
		{"metrics on the same address", func(c *Config) { c.Metrics.Addr = ":5000" }, "metrics.addr"},
		{"metrics on any port", func(c *Config) { c.HTTP.Addr, c.Metrics.Addr = ":0", ":0" }, ""},
		{"enums", func(c *Config) {
			c.Log.Level, c.Log.Format, c.Storage.Driver, c.Metadata.Driver, c.Redis.OnError, c.RateLimit.Count = "", "", "", "", "", ""
		}, "log.level log.format storage.driver metadata.driver redis.on_error ratelimit.count"},
		{"paths", func(c *Config) {
			c.Storage.Filesystem.Root, c.Metadata.Bolt.Path, c.Mirror.Spool.Dir = "", "a\x00b", ""
		}, "storage.filesystem.root metadata.bolt.path mirror.spool.dir"},
		{"s3", func(c *Config) {
			c.Storage.Driver = "s3"
			c.Storage.S3 = S3{Endpoint: "minio:9000", Region: "r", Bucket: "b-1", Prefix: "a/b", AccessKey: "a", SecretKey: "s", SSE: "aws:kms:x", RedirectEndpoint: "https://s3.example.org", UploadMemory: gib}
		}, ""},
		{"s3, all wrong", func(c *Config) {
			c.Storage.Driver = "s3"
			c.Storage.S3 = S3{Endpoint: "a b", Prefix: "../a", AccessKey: "a", SSE: "yes", RedirectEndpoint: "s3", UploadMemory: 1}
		}, "storage.s3.endpoint storage.s3.region storage.s3.prefix storage.s3.access_key storage.s3.sse storage.s3.redirect_endpoint storage.s3.upload_memory storage.s3.bucket"},
		{"postgres", func(c *Config) {
			c.Metadata.Driver, c.RateLimit.Enabled = "postgres", false
			c.Metadata.Postgres.URL = "postgres://u:p@h/d?x=y"
		}, ""},
		{"postgres, all wrong", func(c *Config) {
			c.Metadata = Metadata{Driver: "postgres", Bolt: Bolt{"b"}, Postgres: Postgres{StaleFor: -1}}
			c.RateLimit.Enabled = true
		}, "metadata.postgres.url metadata.postgres.max_connections metadata.postgres.stale_for redis.url"},
		{"redis", func(c *Config) { c.Redis.URL = "unix:///run/redis.sock" }, ""},
		{"tokens", func(c *Config) { c.Auth.Issuer, c.Auth.Service, c.Auth.TokenTTL = "", `a"b`, Duration(59*time.Second) }, "auth.issuer auth.service auth.token_ttl"},
		{"no key", func(c *Config) { c.Auth.Key = nil }, "auth.key"},
		{"key twice", func(c *Config) { c.Auth.Key = Files{"a", "./a", ""} }, "auth.key[1] auth.key[2]"},
		{"issuer", issuer(func(*TrustedIssuer) {}), ""},
		{"issuer, ours", issuer(func(i *TrustedIssuer) { i.Issuer = "berth" }), "auth.trusted_issuers[0].issuer"},
		{"issuer, all wrong", issuer(func(i *TrustedIssuer) { *i = TrustedIssuer{Require: map[string]string{"o": ""}} }),
			"auth.trusted_issuers[0].issuer auth.trusted_issuers[0].jwks auth.trusted_issuers[0].audience auth.trusted_issuers[0].who auth.trusted_issuers[0].tokens auth.trusted_issuers[0].require.o auth.trusted_issuers[0].repositories auth.trusted_issuers[0].actions"},
		{"empty grant", func(c *Config) { c.Auth.Grants = []Grant{{}} }, "auth.grants[0].who auth.grants[0].repositories auth.grants[0].actions"},
		{"wrong grant", func(c *Config) {
			c.Auth.Grants = []Grant{{Who: []string{"bob", "user:Bob", "user:bob", "user:bob"}, Repositories: []string{"Team/**", "${user}-x/*", "${me}/**"}, Actions: []string{"read"}}}
		}, "auth.grants[0].who[0] auth.grants[0].who[1] auth.grants[0].who[3] auth.grants[0].repositories[0] auth.grants[0].repositories[2] auth.grants[0].actions[0]"},
		{"grants to all kinds", func(c *Config) {
			issuer(func(*TrustedIssuer) {})(c)
			c.Auth.Grants = []Grant{{Who: []string{"robot:ci", "robot:*", "10.0.0.0/8", "issuer:ci", "issuer:cj"}, Repositories: []string{"a"}, Actions: []string{"*"}}}
		}, "auth.grants[0].who[4]"},
		{"users", func(c *Config) {
			c.Auth.Users = []User{{Name: "robot", Bcrypt: testHash}, {Name: "a", Bcrypt: testHash[:59]}, {Name: "a", Bcrypt: testHash, Groups: []string{"x", "x", ""}}, {Name: "admin", Bcrypt: testHash}}
		}, "auth.users[0].name auth.users[1].bcrypt auth.users[2].name auth.users[2].groups[1] auth.users[2].groups[2]"},
		{"user of an upstream's name", func(c *Config) {
			up(func(*Upstream) {})(c)
			c.Auth.Users = []User{{Name: "docker.io", Bcrypt: testHash}}
		}, "auth.users[0].name"},
		{"oidc", oidc(func(*OIDC) {}), ""},
		{"oidc, everything", oidc(func(o *OIDC) {
			*o = OIDC{"http://localhost:9998/", "c", "s", "ca.pem", []string{"groups"}, "email", "groups", "ops", map[string]string{"hd": "example.org"}}
		}), ""},
		{"oidc, all wrong", oidc(func(o *OIDC) {
			*o = OIDC{"https://u@i", "", "", "\x00", []string{"openid", "a b", "x", "x"}, "", "", " ", map[string]string{"hd": ""}}
		}), "auth.oidc.issuer auth.oidc.client_id auth.oidc.ca auth.oidc.scopes[0] auth.oidc.scopes[1] auth.oidc.scopes[3] auth.oidc.name_claim auth.oidc.admin_group auth.oidc.admin_group auth.oidc.require.hd"},
		{"oidc of nobody", func(c *Config) { c.Auth.OIDC.ClientSecret = "c" }, "auth.oidc.issuer"},
		{"oidc without a way back", func(c *Config) {
			oidc(func(*OIDC) {})(c)
			c.HTTP.URL = ""
		}, "auth.oidc.issuer"},
		{"ldap", directory(func(*LDAP) {}), ""},
		{"ldap, everything", directory(func(l *LDAP) {
			*l = LDAP{"ldap://h:389", "ca.pem", false, "cn=s,dc=x", "p", "dc=x", "(&(uid=${user})(x=y))", "(|(member=${dn})(memberUid=${user}))", "cn", "ops"}
		}), ""},
		{"ldap, plain", directory(func(l *LDAP) { l.URL, l.Insecure = "ldap://h", true }), ""},
		{"ldap, all wrong", directory(func(l *LDAP) {
			*l = LDAP{"ldaps://u@h/dc=x", "ca.pem", true, "cn=s", "", "x", "(uid=*)", "", "", "ops"}
		}), "auth.ldap.url auth.ldap.insecure auth.ldap.insecure auth.ldap.bind_dn auth.ldap.base_dn auth.ldap.user_filter auth.ldap.group_attribute auth.ldap.admin_group"},
		{"ldap, everybody's groups", directory(func(l *LDAP) { l.GroupFilter = "(cn=*)" }), "auth.ldap.group_filter"},
		{"ldap of nobody", func(c *Config) { c.Auth.LDAP.BindPassword = "p" }, "auth.ldap.url"},
		{"limits", func(c *Config) {
			c.RateLimit = RateLimit{Window: 1, Anonymous: -1, Authenticated: -1, Robots: -1, Count: "images", RequestsPerMinute: -1, ExemptRepositories: []string{"A"}}
		}, "ratelimit.window ratelimit.anonymous ratelimit.authenticated ratelimit.robots ratelimit.exempt_repositories[0] ratelimit.requests_per_minute"},
		{"override", func(c *Config) {
			c.RateLimit.Overrides = []Override{{Who: []string{"group:ci", "robot:*", "user:x", "10.0.0.0/8"}, Limit: 5000, Window: day}}
		}, ""},
		{"limits, too large", func(c *Config) {
			c.RateLimit = RateLimit{Window: Duration(90*time.Second + time.Millisecond), Anonymous: 1_000_000_001, Count: "images", RequestsPerMinute: 1_000_000_001,
				Overrides: []Override{{Who: []string{"user:x"}, Limit: 1_000_000_001, Window: 32 * day}}}
		}, "ratelimit.window ratelimit.anonymous ratelimit.overrides[0].limit ratelimit.overrides[0].window ratelimit.requests_per_minute"},
		{"override without a limit", func(c *Config) { c.RateLimit.Overrides = []Override{{Limit: limitUnset, Window: 1}} }, "ratelimit.overrides[0].who ratelimit.overrides[0].limit ratelimit.overrides[0].window"},
		{"mirror", func(c *Config) {
			up(func(*Upstream) {})(c)
			c.Mirror.Addr, c.Mirror.Default, c.Mirror.DefaultNames = ":5001", "docker.io", []string{"*", "library/*"}
			c.Mirror.Sync = []Sync{{"docker.io/library/nginx", []string{"1.*"}, Duration(time.Hour)}}
		}, ""},
		{"mirror of nobody", func(c *Config) { c.Mirror.Addr, c.Mirror.Default = ":5000", "quay.io" }, "mirror.addr mirror.default"},
		{"mirror without a default", func(c *Config) { c.Mirror.Addr = ":5001" }, "mirror.addr"},
		{"sync", func(c *Config) { c.Mirror.Sync = []Sync{{"nginx", nil, 0}} }, "mirror.sync[0].repository mirror.sync[0].tags mirror.sync[0].every"},
		{"upstream, all wrong", up(func(u *Upstream) {
			*u = Upstream{Name: "Hub", URL: "hub", Hosts: []string{"a"}, Realms: []string{"a b"}, Password: "p", FreshFor: -1, KeepFor: -1, MaxSize: -1, Proxy: "p"}
		}), "mirror.upstreams[0].name mirror.upstreams[0].url mirror.upstreams[0].hosts mirror.upstreams[0].password mirror.upstreams[0].realms[0] mirror.upstreams[0].repositories mirror.upstreams[0].fresh_for mirror.upstreams[0].keep_for mirror.upstreams[0].max_size mirror.upstreams[0].proxy"},
		{"wildcard", up(func(u *Upstream) { u.Name, u.URL, u.Hosts = "*", "", []string{"quay.io", "*.gcr.io", "[::1]:5000"} }), ""},
		{"wildcard, all wrong", up(func(u *Upstream) { u.Name, u.Hosts, u.Helper = "*", []string{"*.io", "*"}, "h" }), "mirror.upstreams[0].url mirror.upstreams[0].hosts[0] mirror.upstreams[0].hosts[1] mirror.upstreams[0].name"},
		{"excluding patterns", up(func(u *Upstream) { u.Repositories = []string{"**", "!private/**"} }), ""},
		{"helper and username", up(func(u *Upstream) { u.Username, u.Password, u.Helper = "u", "p", "h" }), "mirror.upstreams[0].helper"},
		{"sizes", func(c *Config) { c.Registry.MaxManifest, c.Registry.MaxBlob = 4095, -1 }, "registry.max_manifest registry.max_blob"},
		{"sizes, at the ends", func(c *Config) { c.Registry.MaxManifest, c.Registry.MaxBlob = 64*mib, 1 }, ""},
		{"sparse", func(c *Config) { c.Registry.Sparse = []string{"a/**", "${user}/*", "a"} }, "registry.sparse[1]"},
		{"immutable", func(c *Config) { c.Registry.ImmutableTags = []ImmutableTag{{}, {[]string{"**"}, []string{"v*", "-x"}}} }, "registry.immutable_tags[0].repositories registry.immutable_tags[0].tags registry.immutable_tags[1].tags[1]"},
		{"retention that keeps nothing", func(c *Config) { c.Registry.Retention = []Retention{{Repositories: []string{"**"}}} }, "registry.retention[0]"},
		{"quota of nothing", func(c *Config) { c.Registry.Quotas = []Quota{{Namespace: "team/**"}} }, "registry.quotas[0]"},
		{"gc", func(c *Config) { c.GC = GC{-1, -1, -1, -1} }, "gc.interval gc.grace gc.untagged_after gc.scrub_every"},
		{"webhook", func(c *Config) {
			c.Webhooks = []Webhook{{URL: "hooks", Events: []string{"Push"}, Repositories: []string{""}}}
		}, "webhooks[0].url webhooks[0].events[0] webhooks[0].repositories[0]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := Default()
			tt.change(&c)
			var got []string
			for _, p := range Validate(c) {
				if !strings.HasSuffix(p.Message, "is not built yet") {
					got = append(got, p.Path)
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("\n got %s\nwant %s\n%v", strings.Join(got, " "), tt.want, Validate(c))
			}
		})
	}
}

func TestChecks(t *testing.T) {
	tests := []struct {
		name      string
		check     func(string) error
		good, bad []string
	}{
		{"listen", checkListen,
			[]string{":5000", ":0", "127.0.0.1:5000", "[::1]:5000", "localhost:80", "my_host:1"},
			[]string{"", "5000", ":http", ":65536", ":-1", "::1:5000", "a b:1", "http://x:1", "host:"}},
		{"host", checkHost,
			[]string{"quay.io", "localhost:5000", "10.0.0.1", "::1", "[::1]:443", "a-b_c.d."},
			[]string{"", "https://quay.io", "quay.io/x", "a:b", "[abc", "-a", "a..b", "u@h"}},
		{"base URL", checkBaseURL,
			[]string{"https://registry.example.org", "http://localhost:5000", "https://[::1]:5000", "https://10.0.0.1"},
			[]string{"", "registry.example.org", "ftp://h", "https://", "https:///x", "https://h/", "https://h/v2", "https://u:p@h", "https://h?", "https://h#", "https://h?a=b", "https:h", "//h", "https://h:", "https://h:99999", "https://a b", "https://h:x", "https://h\n"}},
		{"name", checkName,
			[]string{"a", "alice", "a.b", "a_b", "a__b", "a---b", "a1-b2.c3"},
			[]string{"", "Alice", "a/b", "-a", "a-", "a..b", "a___b", "a.-b", "a b", "ä", "robot$x", strings.Repeat("a", 256)}},
		{"pattern", checkPattern,
			[]string{"a", "**", "*", "a/*", "a/**", "**/x", "a/*/b/**", "docker.io/**"},
			[]string{"", "/a", "a/", "a//b", "A", "a*", "***", "team-*/x", "${user}/**", "!a", "a:b", strings.Repeat("a/", 200) + "a"}},
		{"grant pattern", checkGrantPattern,
			[]string{"${user}/**", "${user}-dev/*", "team/${user}", "${user}*", "team-*/x", "*/*-ci"},
			[]string{"", "${users}/**", "$user", "${user}/", "a**", "A*", strings.Repeat("a", 256)}},
		{"tag pattern", checkTagPattern,
			[]string{"*", "v*", "latest", "V1.2-*", "_x"},
			[]string{"", "-x", ".x", "a/b", "a b", strings.Repeat("a", 129)}},
		{"who", checkWho,
			[]string{"anonymous", "authenticated", "user:a", "group:Ops Team", "group:/org/dev", "robot:ci", "robot:*", "issuer:gitlab", "10.0.0.0/8", "fd00::/8"},
			[]string{"", "bob", "Anonymous", "user", "user:", "user:*", "user:A", "group:", "group: a", "robot:", "robot:a/b", "issuer:", "issuer:*", "10.0.0.1/8", "10.0.0.1", "10.0.0.0/33"}},
		{"bcrypt", checkBcrypt,
			[]string{testHash, strings.Replace(testHash, "$2a$", "$2y$", 1), strings.Replace(testHash, "$2a$", "$2b$", 1)},
			[]string{"", "secret", testHash + "x", testHash[:59], strings.Replace(testHash, "$04$", "$03$", 1), strings.Replace(testHash, "$04$", "$32$", 1), strings.Replace(testHash, "$2a$", "$1a$", 1), testHash[:30] + "!" + testHash[31:]}},
		{"directory", checkDirectory,
			[]string{"ldap://h", "ldaps://h:636", "ldap://[::1]:389"},
			[]string{"", "h", "https://h", "ldap://", "ldap://h/", "ldap://h/dc=x", "ldap://u@h", "ldap://h?x"}},
		{"DN", checkDN, []string{"dc=x", "ou=a b,dc=x,dc=y"}, []string{"", "x", "dc=x,", "dc"}},
		{"email", checkEmail, []string{"a@example.org"}, []string{"", "a", "A <a@example.org>"}},
		{"bucket", checkBucket, []string{"my-bucket", "b.1"}, []string{"", "a", "-ab", "a/b", "a b"}},
		{"prefix of objects", checkObjectPrefix, []string{"a", "a/b", "a/"}, []string{"", "/a", "a//b", "..", "a/../b"}},
	}
	for _, tt := range tests {
		for _, text := range tt.good {
			if err := tt.check(text); err != nil {
				t.Errorf("%s: %q: %v", tt.name, text, err)
			}
		}
		for _, text := range tt.bad {
			if err := tt.check(text); err == nil {
				t.Errorf("%s: %q was accepted", tt.name, text)
			}
		}
	}
}

// Each row of the table is off by default, and names a key.
func TestUnbuiltFeatures(t *testing.T) {
	keys := schema()
	for _, f := range unbuiltFeatures() {
		if f.on(Default()) {
			t.Errorf("%s is on by default", f.path)
		}
		if !slices.ContainsFunc(keys, func(k key) bool { return k.path == f.path }) {
			t.Errorf("%s is no key", f.path)
		}
	}
}

// Everything switched on at once: every row answers, and nothing else does.
func TestUnbuiltFeaturesSwitchedOn(t *testing.T) {
	c := Default()
	c.Storage.Driver, c.Metadata.Driver = "s3", "postgres"
	c.Mirror.Addr, c.Mirror.Default, c.Mirror.DefaultNames, c.Mirror.Reserved = "x", "x", []string{"x"}, []string{"x"}
	c.Mirror.Upstreams, c.Mirror.Sync = []Upstream{{}}, []Sync{{}}
	c.Registry.ImmutableTags, c.Registry.Retention, c.Registry.Quotas = []ImmutableTag{{}}, []Retention{{}}, []Quota{{}}
	c.GC.Interval, c.Webhooks = 1, []Webhook{{}}
	if got, want := len(unbuilt(c)), len(unbuiltFeatures()); got != want {
		t.Errorf("%d of %d features answer:\n%v", got, want, unbuilt(c))
	}
}

// What this version can do is switched on here without a word.
func TestBuiltFeatures(t *testing.T) {
	const file = `
http: {addr: "127.0.0.1:5000", url: "https://r.example.org", tls: {cert: c, key: k, client_ca: ca}, trusted_proxies: [10.0.0.0/8], admin_socket: a}
metrics: {addr: ":9000"}
log: {level: debug, format: json, audit: /var/log/berth/audit.log}
storage: {driver: filesystem, filesystem: {root: /srv}}
metadata: {driver: bolt, bolt: {path: /srv/b}}
auth:
  issuer: i
  service: s
  token_ttl: 1h
  key: [a, b]
  refresh_tokens: true
  grants: [{who: [anonymous, authenticated, "user:a", "group:g", "robot:r", "robot:*", 10.0.0.0/8], repositories: ["**"], actions: ["*"], deny: true}]
  users: [{name: a, bcrypt: ` + testHash + `, groups: [g]}]
  oidc: {issuer: "https://id.example.org", client_id: c, client_secret: s, groups_claim: groups, require: {hd: example.org}}
  ldap: {url: "ldaps://ldap.example.org", bind_dn: "cn=s,dc=x", bind_password: p, base_dn: "dc=x", group_filter: "(member=${dn})"}
registry: {sparse: ["a/**"], max_manifest: 64MiB, max_blob: 10GiB}
redis: {url: "rediss://user:secret@h:6379/1", on_error: deny}
ratelimit:
  window: 24h
  anonymous: 1
  overrides: [{who: ["group:ci", "robot:*", 10.0.0.0/8], limit: unlimited}, {who: ["user:a"], limit: 5000, window: 7d}]
  exempt_repositories: ["public/**"]
  count: every-manifest
  requests_per_minute: 1000
`
	if _, err := load("config.yaml", []byte(file), nil); err != nil {
		t.Error(err)
	}
}
