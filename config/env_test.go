package config

import (
	"net/netip"
	"reflect"
	"regexp"
	"testing"
	"time"
)

func TestVariablesAreDistinct(t *testing.T) {
	paths := map[string]string{"BERTH_CONFIG": "(reserved)", "BERTH_ADMIN_PASSWORD": "(reserved)", "BERTH_REQUIRE": "(reserved)"}
	for _, k := range schema() {
		name := k.variable()
		if other, twice := paths[name]; twice {
			t.Errorf("%s and %s are both %s", other, k.path, name)
		}
		if elsewhere(name) {
			t.Errorf("%s is ignored: %s", k.path, name)
		}
		if !regexp.MustCompile(`^BERTH(_[A-Z0-9]+)+$`).MatchString(name) {
			t.Errorf("%s is %s", k.path, name)
		}
		paths[name] = k.path
	}
	if paths["BERTH_STORAGE_S3_ACCESS_KEY"] != "storage.s3.access_key" || paths["BERTH_AUTH_TOKEN_TTL"] != "auth.token_ttl" {
		t.Error("the names of variables have changed")
	}
}

// Every field has a yaml tag of the form that paths, variables and messages rely on.
func TestSchemaTags(t *testing.T) {
	types := []reflect.Type{reflect.TypeFor[Config]()}
	for _, k := range schema() {
		if ft := reflect.TypeFor[Config]().FieldByIndex(k.index).Type; ft.Kind() == reflect.Struct {
			types = append(types, ft)
		}
	}
	for _, s := range append(types, entryTypes()...) {
		if len(fieldsOf(s)) != s.NumField() {
			t.Errorf("%s: two fields of one name", s)
		}
		for name := range fieldsOf(s) {
			if !regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)*$`).MatchString(name) {
				t.Errorf("%s has the key %q", s, name)
			}
		}
	}
}

func TestEnvironmentGood(t *testing.T) {
	const file = "http: {addr: \":1\", url: http://file}\nauth: {users: [{name: bad name}]}\n"
	environ := []string{
		"PATH=/bin", "BERTHA=1", "BERTH_CONFIG=x", "BERTH_ADMIN_PASSWORD=x", "BERTH_REQUIRE=all", "BERTH_TEST_POSTGRES=x", "no equals sign",
		"BERTH_HTTP_ADDR=:2",
		"BERTH_HTTP_TLS={cert: a.pem, key: section.pem}",
		"BERTH_HTTP_TLS_KEY=leaf.pem",
		"BERTH_HTTP_TRUSTED_PROXIES=[10.0.0.0/8, 'fd00::/8']",
		"BERTH_AUTH_TOKEN_TTL=10m",
		"BERTH_AUTH_KEY=a.key",
		"BERTH_AUTH_USERS=- name: alice\n  bcrypt: " + testHash + "\n",
		"BERTH_AUTH_ISSUER=lost", "BERTH_AUTH_ISSUER=5000",
		"BERTH_METADATA_POSTGRES_MAX_CONNECTIONS=7",
		"BERTH_STORAGE_S3_PATH_STYLE=true",
		"BERTH_STORAGE_S3_SECRET_KEY={not: yaml", "BERTH_STORAGE_S3_ACCESS_KEY=a",
		"BERTH_REGISTRY_MAX_BLOB=10GiB",
		"BERTH_HTTP_URL=",
		"BERTH_AUTH_OIDC=",
	}
	want := Default()
	want.HTTP.Addr = ":2"
	want.HTTP.TLS.Cert, want.HTTP.TLS.Key = "a.pem", "leaf.pem"
	want.HTTP.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	want.Auth.TokenTTL = Duration(10 * time.Minute)
	want.Auth.Key = Files{"a.key"}
	want.Auth.Users = []User{{Name: "alice", Bcrypt: testHash}}
	want.Auth.Issuer = "5000"
	want.Metadata.Postgres.MaxConnections = 7
	want.Storage.S3.PathStyle = true
	want.Storage.S3.SecretKey, want.Storage.S3.AccessKey = "{not: yaml", "a"
	want.Registry.MaxBlob = 10 << 30
	got, err := load("config.yaml", []byte(file), environ)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
}

func TestEnvironmentBad(t *testing.T) {
	tests := []struct {
		name, file string
		environ    []string
		want       []string
	}{
		{"unknown", "", []string{"BERTH_HTTP_ADRESS=x", "BERTH_HTTP_FOO=x", "BERTH_ZZZ=x"}, []string{
			`BERTH_HTTP_ADRESS: unknown variable, did you mean BERTH_HTTP_ADDR?`,
			`BERTH_HTTP_FOO: unknown variable`,
			`BERTH_ZZZ: unknown variable`,
		}},
		{"Kubernetes", "", []string{"BERTH_PORT_5000_TCP_ADDR=10.0.0.1", "BERTH_SERVICE_HOST=10.0.0.1"}, []string{
			`BERTH_PORT_5000_TCP_ADDR: unknown variable; Kubernetes sets it for a Service of that name: put enableServiceLinks: false into the pod`,
			`BERTH_SERVICE_HOST: unknown variable; Kubernetes sets it for a Service of that name: put enableServiceLinks: false into the pod`,
		}},
		{"types", "", []string{"BERTH_AUTH_TOKEN_TTL=5", "BERTH_STORAGE_S3_INSECURE=yes", "BERTH_METADATA_POSTGRES_MAX_CONNECTIONS=many", "BERTH_AUTH_USERS=alice", "BERTH_AUTH_GRANTS=", "BERTH_HTTP_TLS=[", "BERTH_REGISTRY_MAX_BLOB="}, []string{
			`BERTH_HTTP_TLS: sequence end token ']' not found`,
			`BERTH_STORAGE_S3_INSECURE: must be true or false, not "yes"`,
			`BERTH_METADATA_POSTGRES_MAX_CONNECTIONS: must be a whole number, not "many"`,
			`BERTH_AUTH_TOKEN_TTL: must be a duration such as 30s, 5m, 24h or 30d, not "5"`,
			`BERTH_AUTH_GRANTS: must be a list, not nothing; [] is an empty one`,
			`BERTH_AUTH_USERS: must be a list, not text; [] is an empty one`,
			`BERTH_REGISTRY_MAX_BLOB: must be a size such as 512KiB, 4MiB or 10GiB, not ""`,
		}},
		{"meaning", "log:\n  level: loud\nauth: {grants: [{who: [x]}]}\n", []string{"BERTH_LOG_FORMAT=xml", "BERTH_AUTH_GRANTS=[{who: [bob], repositories: [a], actions: [pull]}]", "BERTH_HTTP_TLS_KEY=k"}, []string{
			`config.yaml:2:3: log.level: must be debug or info or warn or error, not "loud"`,
			`BERTH_HTTP_TLS_KEY: needs http.tls.cert too`,
			`BERTH_LOG_FORMAT: must be text or json, not "xml"`,
			`BERTH_AUTH_GRANTS[0].who[0]: must be anonymous, authenticated, user:NAME, group:NAME, robot:NAME, issuer:WHO or an address range such as 10.0.0.0/8, not "bob"`,
		}},
		{"after a file that is no YAML", "a: [\n", []string{"BERTH_LOG_FORMAT=xml", "BERTH_X=1"}, []string{
			`config.yaml:1:4: sequence end token ']' not found`,
			`BERTH_X: unknown variable`,
		}},
		{"a good variable over a bad section", "log: [a]\n", []string{"BERTH_LOG_LEVEL=loud"}, []string{
			`config.yaml:1:1: log: must be a section of keys, not a list`,
			`BERTH_LOG_LEVEL: must be debug or info or warn or error, not "loud"`,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load("config.yaml", []byte(tt.file), tt.environ)
			wantProblems(t, err, tt.want)
		})
	}
}

func TestNearest(t *testing.T) {
	known := []string{"addr", "url", "tls", "token_ttl", "trusted_proxies", "max_blob", "ca"}
	for name, want := range map[string]string{
		"adress": "addr", "address": "addr", "uri": "url", "tokenTTL": "token_ttl", "trusted-proxy": "trusted_proxies", "max_blbo": "max_blob",
		"xyz": "", "": "", "a": "", "zz": "", "completely": "",
	} {
		if got := nearest(name, known); got != want {
			t.Errorf("nearest(%q) = %q, want %q", name, got, want)
		}
	}
}
