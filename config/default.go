package config

import "time"

const (
	mib Size = 1 << 20
	gib Size = 1 << 30

	day = 24 * Duration(time.Hour)
)

// Default returns the configuration of a fresh machine: every key at its default, every feature that is not built
// yet off. Each call returns lists of its own.
func Default() Config {
	return Config{
		HTTP: HTTP{
			Addr:        ":5000",
			TLS:         TLS{ACME: ACME{Cache: "./data/acme"}},
			AdminSocket: "./data/admin/admin.sock",
		},
		Log:      Log{Level: "info", Format: "text"},
		Storage:  defaultStorage(),
		Metadata: defaultMetadata(),
		Redis:    Redis{OnError: "allow"},
		Auth:     defaultAuth(),
		RateLimit: RateLimit{
			Enabled:       true,
			Window:        Duration(6 * time.Hour),
			Anonymous:     100,
			Authenticated: 200,
			Robots:        Unlimited,
			Count:         "images",
		},
		Mirror:   Mirror{Spool: Spool{Dir: "./data/spool", MaxSize: 10 * gib}},
		Registry: Registry{MaxManifest: 4 * mib},
		GC:       GC{Grace: day, UntaggedAfter: 30 * day, ScrubEvery: 30 * day},
	}
}

// DefaultUpstream returns what the keys are that an entry of mirror.upstreams leaves out.
func DefaultUpstream() Upstream {
	return Upstream{
		Repositories: []string{"**"},
		FreshFor:     Duration(5 * time.Minute),
		KeepFor:      30 * day,
		MaxSize:      50 * gib,
	}
}

func defaultStorage() Storage {
	return Storage{
		Driver:     "filesystem",
		Filesystem: Filesystem{Root: "./data"},
		S3:         S3{Region: "us-east-1", UploadMemory: 256 * mib},
	}
}

func defaultMetadata() Metadata {
	return Metadata{
		Driver:   "bolt",
		Bolt:     Bolt{Path: "./data/berth.db"},
		Postgres: Postgres{MaxConnections: 20, StaleFor: Duration(30 * time.Second)},
	}
}

func defaultAuth() Auth {
	return Auth{
		Issuer:   "berth",
		Service:  "berth",
		TokenTTL: Duration(5 * time.Minute),
		Key:      Files{"./data/token.key"},
		Grants: []Grant{{
			Who:          []string{"authenticated"},
			Repositories: []string{"${user}/**"},
			Actions:      []string{"pull", "push", "delete"},
		}, {
			Who:          []string{"anonymous", "authenticated"},
			Repositories: []string{"public/**", "docker.io/**"},
			Actions:      []string{"pull"},
		}},
		OIDC: defaultOIDC(),
		LDAP: defaultLDAP(),
	}
}

func defaultOIDC() OIDC {
	return OIDC{Scopes: []string{"profile", "email"}, NameClaim: "preferred_username"}
}

func defaultLDAP() LDAP { return LDAP{UserFilter: "(uid=${user})", GroupAttribute: "cn"} }

func (u *Upstream) setDefaults() { *u = DefaultUpstream() }

// A limit that was left out must not read as "unlimited".
func (o *Override) setDefaults() { o.Limit = limitUnset }
