package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// testHash is bcrypt of "secret" at the lowest cost.
const testHash = "$2a$04$DxdfJwFQJlMYQae.dfvT4OBXzWJMegs44HfTPr1dGebJ0A.oXh88C"

func TestLoadGood(t *testing.T) {
	tests := []struct {
		name, file string
		want       func(*Config)
	}{
		{"empty", "", func(*Config) {}},
		{"comments", "# nothing\n\n# here\n", func(*Config) {}},
		{"document marks", "---\n# nothing\n...\n", func(*Config) {}},
		{"directive", "%YAML 1.2\n---\nlog: {level: warn}\n", func(c *Config) { c.Log.Level = "warn" }},
		{"byte order mark", "\ufefflog: {level: warn}\n", func(c *Config) { c.Log.Level = "warn" }},
		{"windows lines", "log:\r\n  level: warn\r\n  format: json\r\n", func(c *Config) { c.Log = Log{Level: "warn", Format: "json"} }},
		{"block of text", "log:\n  level: |-\n    warn\n  format: >-\n    json\n", func(c *Config) { c.Log = Log{Level: "warn", Format: "json"} }},
		{"what only looks like a block", "log: # a comment that ends with |\n  level: warn\n" + strings.Repeat("  # padding\n", 200), func(c *Config) { c.Log.Level = "warn" }},
		{"section without keys", "http:\nlog:\n  # level: debug\n", func(*Config) {}},
		{"a key in a section", "http:\n  addr: 127.0.0.1:0\n", func(c *Config) { c.HTTP.Addr = "127.0.0.1:0" }},
		{"one key file", "auth: {key: a}\n", func(c *Config) { c.Auth.Key = Files{"a"} }},
		{"two key files", "auth: {key: [a, b]}\n", func(c *Config) { c.Auth.Key = Files{"a", "b"} }},
		{"lists replace", "auth: {grants: []}\n", func(c *Config) { c.Auth.Grants = nil }},
		{"zero", "registry: {max_blob: 0}\ngc: {interval: 0}\n", func(*Config) {}},
		{"unlimited", "ratelimit: {anonymous: unlimited, authenticated: 0, robots: 7}\n", func(c *Config) {
			c.RateLimit.Anonymous, c.RateLimit.Authenticated, c.RateLimit.Robots = Unlimited, Unlimited, 7
		}},
		{"alias", "auth:\n  key: &files [a, b]\n  grants:\n    - {who: &w [anonymous], repositories: [x], actions: [pull]}\n    - {who: *w, repositories: [y], actions: [pull]}\n", func(c *Config) {
			c.Auth.Key = Files{"a", "b"}
			c.Auth.Grants = []Grant{
				{Who: []string{"anonymous"}, Repositories: []string{"x"}, Actions: []string{"pull"}},
				{Who: []string{"anonymous"}, Repositories: []string{"y"}, Actions: []string{"pull"}},
			}
		}},
		{"user", "auth:\n  users:\n    - {name: alice, bcrypt: " + testHash + ", groups: [\"Ops Team\"]}\n", func(c *Config) {
			c.Auth.Users = []User{{"alice", testHash, []string{"Ops Team"}}}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := Default()
			tt.want(&want)
			got, err := load("config.yaml", []byte(tt.file), nil)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("\n got %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestLoadBad(t *testing.T) {
	tests := []struct {
		name, file string
		want       []string
	}{
		{"unknown keys, all of them", "htpp: {}\nhttp:\n  adress: x\n  tls:\n    crt: a\nauth: {token-ttl: 5m, zzz: 1}\n", []string{
			`config.yaml:1:1: htpp: unknown key "htpp", did you mean "http"?`,
			`config.yaml:3:3: http.adress: unknown key "adress", did you mean "addr"?`,
			`config.yaml:5:5: http.tls.crt: unknown key "crt", did you mean "cert"?`,
			`config.yaml:6:8: auth.token-ttl: unknown key "token-ttl", did you mean "token_ttl"?`,
			`config.yaml:6:23: auth.zzz: unknown key "zzz"`,
		}},
		{"unknown key of an entry", "auth:\n  grants:\n    - who: [anonymous]\n      repository: [a]\n      actions: [pull]\n", []string{
			`config.yaml:3:7: auth.grants[0].repositories: must have at least one entry`,
			`config.yaml:4:7: auth.grants[0].repository: unknown key "repository", did you mean "repositories"?`,
		}},
		{"duplicates", "log:\n  level: info\n  format: text\n  level: warn\nhttp: {}\nlog: {}\n", []string{
			`config.yaml:4:3: log.level: is set twice, first on line 2`,
			`config.yaml:6:1: log: is set twice, first on line 1`,
		}},
		{"types", "http:\n  addr: 5000\n  trusted_proxies: 10.0.0.0/8\nlog: [a]\nstorage: {s3: {redirect: yes, region:, upload_memory: 1.5}}\nauth: {users: {a: b}, grants: , token_ttl: [5m]}\nmetadata: {postgres: {max_connections: 0x10}}\nwebhooks: [a]\n", []string{
			`config.yaml:2:3: http.addr: must be text (in quotes, or "" for none), not a number`,
			`config.yaml:3:3: http.trusted_proxies: must be a list, not text; [] is an empty one`,
			`config.yaml:4:1: log: must be a section of keys, not a list`,
			`config.yaml:5:16: storage.s3.redirect: must be true or false, not text`,
			`config.yaml:5:31: storage.s3.region: must be text (in quotes, or "" for none), not nothing`,
			`config.yaml:5:40: storage.s3.upload_memory: must be a size such as 512KiB, 4MiB or 10GiB, not a number`,
			`config.yaml:6:8: auth.users: must be a list, not a map; [] is an empty one`,
			`config.yaml:6:23: auth.grants: must be a list, not nothing; [] is an empty one`,
			`config.yaml:6:33: auth.token_ttl: must be a duration such as 30s, 5m, 24h or 30d, not a list`,
			`config.yaml:7:23: metadata.postgres.max_connections: must be a whole number, not "0x10"`,
			`config.yaml:8:1: webhooks: is not built yet`,
			`config.yaml:8:12: webhooks[0]: must be a section of keys, not text`,
		}},
		{"texts", "http:\n  trusted_proxies:\n  - 10.0.0.1/8\n  - 10.0.0.1\n  - ::ffff:10.0.0.0/104\nauth: {token_ttl: 5}\nregistry: {max_blob: -1}\nratelimit: {robots: -1}\n", []string{
			`config.yaml:3:5: http.trusted_proxies[0]: must be 10.0.0.0/8: 10.0.0.1/8 is an address within that range`,
			`config.yaml:4:5: http.trusted_proxies[1]: must be an address range: 10.0.0.1/32 for this address alone`,
			`config.yaml:5:5: http.trusted_proxies[2]: must be written as an IPv4 range, not "::ffff:10.0.0.0/104"`,
			`config.yaml:6:8: auth.token_ttl: must be a duration such as 30s, 5m, 24h or 30d, not "5"`,
			`config.yaml:7:12: registry.max_blob: must be a size such as 512KiB, 4MiB or 10GiB, not "-1"`,
			`config.yaml:8:13: ratelimit.robots: must be a number of pulls or unlimited, not "-1"`,
		}},
		{"meaning, at the key that brought it in", "http:\n  tls:\n    cert: a.pem\nlog:\n  level: verbose\nauth:\n  token_ttl: 10s\n  users:\n    - name: bob\n      groups: [a]\n    - name: Bob\n      bcrypt: x\n", []string{
			`config.yaml:3:5: http.tls.cert: needs http.tls.key too`,
			`config.yaml:5:3: log.level: must be debug or info or warn or error, not "verbose"`,
			`config.yaml:7:3: auth.token_ttl: must be between 1m and 1h, not 10s`,
			`config.yaml:9:7: auth.users[0].bcrypt: must be a bcrypt hash of 60 characters such as htpasswd -nB prints after the colon ("$2y$...")`,
			`config.yaml:11:7: auth.users[1].name: must be one component of a repository name (lowercase letters and digits, with . _ - between them), not "Bob"`,
			`config.yaml:12:7: auth.users[1].bcrypt: must be a bcrypt hash of 60 characters such as htpasswd -nB prints after the colon ("$2y$...")`,
		}},
		{"not built yet", "storage: {driver: s3}\ngc:\n  interval: 1h\n", []string{
			`config.yaml:1:1: storage.s3.bucket: must be set with the driver s3`,
			`config.yaml:1:11: storage.driver: is not built yet`,
			`config.yaml:3:3: gc.interval: is not built yet`,
		}},
		{"two documents", "log: {}\n---\nhttp: {}\n", []string{`config.yaml:3:5: a second YAML document; only one is read`}},
		{"not a map", "- a\n", []string{`config.yaml:1:1: must be a section of keys, not a list`}},
		{"just text", "serve\n", []string{`config.yaml:1:1: must be a section of keys, not text`}},
		{"no end of a list", "auth: {key: [a, b\nlog: {}\n", []string{`config.yaml:2:1: ',' or ']' must be specified`}},
		{"tab", "http:\n\taddr: x\n", []string{"config.yaml:2:1: found character '\t' that cannot start any token"}},
		{"bare pattern", "registry: {sparse: [**]}\n", []string{`config.yaml:1:22: unexpected scalar value type (text that begins with * needs quotes)`}},
		{"bare pattern, longer", "registry:\n  sparse:\n    - */app\n", []string{`config.yaml:3:7: registry.sparse[0]: this alias has no anchor (text that begins with * needs quotes)`}},
		{"bare variable", "auth: {grants: [{who: [anonymous], repositories: [${user}/**], actions: [pull]}]}\n", []string{`config.yaml:1:52: ',' or ']' must be specified (text with braces needs quotes)`}},
		{"bare address", "http: {trusted_proxies: [::1/128]}\n", []string{`config.yaml:1:26: found an invalid key for this map (text with colons needs quotes)`}},
		{"merge key", "http:\n  <<: {addr: x}\n", []string{`config.yaml:2:3: http: "<<" cannot be a key here`}},
		{"tag", "http: {addr: !!str 5}\n", []string{`config.yaml:1:14: tags (!...) are not supported; text that begins with ! needs quotes`}},
		{"question mark", "? http\n: {}\n", []string{`config.yaml:1:1: keys after a question mark are not supported`}},
		{"alias of itself", "auth: {key: &a [*a]}\n", []string{`config.yaml:1:17: auth.key[0]: must be text (in quotes, or "" for none), not a list`}},
		{"key with a line break", "\"a\\nb\": 1\n", []string{`config.yaml:1:1: "a\nb": unknown key "a\nb"`}},
		{"not UTF-8", "log: {level: \"\xff\"}\n", []string{`config.yaml: is not UTF-8 text`}},
		{"too deep", strings.Repeat("[", 40), []string{`config.yaml:1:17: is nested too deeply`}},
		{"too deep, in dashes", strings.Repeat("- ", 40) + "a", []string{`config.yaml:1:33: is nested too deeply`}},
		{"too many words", strings.Repeat("- a\n", 60_000), []string{`config.yaml: is too large: more than 100000 words and signs`}},
		{"long key", strings.Repeat("k", 1000) + ": 1", []string{`config.yaml:1:1: this key is too long`}},
		{"many aliases", "a: &a x\nb: [" + strings.Repeat("*a, ", 70) + "]\n", []string{`config.yaml:2:257: more than 64 anchors and aliases`}},
		{"too many keys", strings.Repeat("a: 1\n", 30_001), []string{`config.yaml: is too large: more than 30000 keys`}},
		{"a dash between brackets", "auth: {key: [- a]}\n", []string{`config.yaml:1:14: a dash between brackets`}},
		{"long block", "log:\n  level: > # text\n" + strings.Repeat("    info\n\n", 200), []string{`config.yaml:2:1: this block of text is too long`}},
		{"long block at the root", "|\n" + strings.Repeat("info\n", 300), []string{`config.yaml:1:1: this block of text is too long`}},
		{"too large", strings.Repeat("# padding\n", maxBytes/10+1), []string{`config.yaml: is larger than 1MiB`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load("config.yaml", []byte(tt.file), nil)
			wantProblems(t, err, tt.want)
		})
	}
}

// Few words that stand for many must end soon, whatever they stand for.
func TestLoadAliasBomb(t *testing.T) {
	var b strings.Builder
	b.WriteString("auth:\n  grants:\n    - &g {who: &w [" + strings.Repeat("anonymous, ", 20_000) + "]}\n")
	b.WriteString(strings.Repeat("    - *g\n", 60))
	_, err := load("config.yaml", []byte(b.String()), nil)
	if err == nil || !strings.Contains(err.Error(), "the aliases before this stand for too much") {
		t.Errorf("the bomb was not refused: %.200v", err)
	}
}

func wantProblems(t *testing.T, err error, want []string) {
	t.Helper()
	var ps Problems
	if !errors.As(err, &ps) {
		t.Fatalf("got %v, want Problems", err)
	}
	if got := ps.Error(); got != strings.Join(want, "\n") {
		t.Errorf("\n got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

func TestLoadFiles(t *testing.T) {
	dir := t.TempDir()
	absent := filepath.Join(dir, "absent.yaml")
	if _, err := Load(absent, nil); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), absent) {
		t.Errorf("an absent file: %v", err)
	}
	if _, err := Load(dir, nil); err == nil {
		t.Error("a directory was read")
	}
	if got, err := Load("", nil); err != nil || !reflect.DeepEqual(got, Default()) {
		t.Errorf("without a file: %+v, %v", got, err)
	}
	large := filepath.Join(dir, "large.yaml")
	if err := os.WriteFile(large, make([]byte, 2*maxBytes), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(large, nil); err == nil || !strings.HasSuffix(err.Error(), "is larger than 1MiB") {
		t.Errorf("a large file: %v", err)
	}
}

// Whoever reads the log of a failed start must not find a password there.
func TestProblemsShowNoSecrets(t *testing.T) {
	const file = `
storage: {s3: {access_key: hunter2, secret_key: [hunter2]}}
metadata: {postgres: {url: "mysql://u:hunter2@h/d"}}
redis: {url: "hunter2"}
auth:
  users: [{name: a, bcrypt: hunter2}]
  oidc: {client_secret: {hunter2: x}}
  ldap: {bind_password: hunter2, url: "http://u:hunter2@h"}
mirror: {upstreams: [{name: a, url: "https://u:hunter2@h", password: hunter2, proxy: "ftp://u:hunter2@p"}]}
webhooks: [{url: "ftp://u:hunter2@h", secret: {a: hunter2}}]
http: {url: "https://u:hunter2@h/"}
`
	_, err := load("config.yaml", []byte(file), []string{"BERTH_REDIS_URL=hunter2", "BERTH_STORAGE_S3=hunter2", "BERTH_WEBHOOKS=[hunter2"})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v", err)
	}
	_, err = load("config.yaml", []byte("mirror: {upstreams: [{password: \"hunter2\n"), nil)
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v", err)
	}
}

func FuzzLoad(f *testing.F) {
	for _, seed := range []string{"", "http: {addr: x}", "a: &a [*a]", "- - -\n", "? a\n: b\n", "auth:\n  users:\n  - {name: a, bcrypt: b}\n", "x: |\n  y\n", "<<: {}\n", "{a: [", "log: {level: 'it''s'}\n", "\ufeff---\n...\n"} {
		f.Add([]byte(seed), seed)
	}
	data, err := os.ReadFile(defaultFile)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data, "[pull]")
	f.Fuzz(func(t *testing.T, data []byte, variable string) {
		c, err := load("f", data, []string{"BERTH_AUTH_GRANTS=" + variable, "BERTH_AUTH_TOKEN_TTL=" + variable})
		if err == nil {
			if ps := Validate(c); len(ps) > 0 {
				t.Errorf("Load returned what is not valid: %v", ps)
			}
			return
		}
		var ps Problems
		if !errors.As(err, &ps) || len(ps) == 0 {
			t.Fatalf("no problems: %v", err)
		}
		for _, p := range ps {
			if p.Message == "" || strings.ContainsAny(p.String(), "\n\r") {
				t.Errorf("not one line: %q", p.String())
			}
		}
	})
}
