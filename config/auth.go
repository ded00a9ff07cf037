package config

// Auth is who may do what, and how they prove who they are.
type Auth struct {
	Issuer         string          `yaml:"issuer"`          // iss of the tokens; default berth
	Service        string          `yaml:"service"`         // aud of the tokens and service of the challenge; default berth
	TokenTTL       Duration        `yaml:"token_ttl"`       // 60s to 1h; default 5m
	Key            Files           `yaml:"key"`             // one file or a list: the first signs, all verify; default ./data/token.key
	RefreshTokens  bool            `yaml:"refresh_tokens"`  // default false
	TrustedIssuers []TrustedIssuer `yaml:"trusted_issuers"` // default: none
	Grants         []Grant         `yaml:"grants"`          // default: own namespace, and pulls of public/** and docker.io/**
	Users          []User          `yaml:"users"`           // static ones; more are kept in the metadata; default: none
	OIDC           OIDC            `yaml:"oidc"`
	LDAP           LDAP            `yaml:"ldap"`
}

// TrustedIssuer is an outside issuer whose tokens are accepted, up to a ceiling of repositories and actions. Entries about one issuer
// have the same jwks and who; all that fit a token add up.
type TrustedIssuer struct {
	Issuer       string            `yaml:"issuer"`       // iss, exactly; never auth.issuer
	JWKS         string            `yaml:"jwks"`         // its public keys: a file, an https URL, or "" (default): it is asked (OIDC discovery)
	Audience     string            `yaml:"audience"`     // aud that must be there
	Who          string            `yaml:"who"`          // before the names of its principals, and issuer:WHO in grants; one name component
	Tokens       string            `yaml:"tokens"`       // identity (default): ID tokens as passwords | registry: bearer tokens with an access claim
	Require      map[string]string `yaml:"require"`      // claim: pattern that its value must match; at least one for identity
	Repositories []string          `yaml:"repositories"` // patterns, also with ${claim:NAME}: the rights of identity tokens, the ceiling of registry tokens
	Actions      []string          `yaml:"actions"`      // pull | push | delete | *
}

// The values of TrustedIssuer.Tokens.
const (
	tokensIdentity = "identity"
	tokensRegistry = "registry"
)

func (t *TrustedIssuer) setDefaults() { t.Tokens = tokensIdentity }

// Grant allows or denies. Nothing is allowed by default; all matching grants add up; a denying one wins.
type Grant struct {
	Who          []string `yaml:"who"`          // anonymous, authenticated, user:x, group:x, robot:x, robot:*, issuer:x, or a CIDR; any of them
	Repositories []string `yaml:"repositories"` // patterns: * is one path component or a part of it, ** any number, ${user} the user's name
	Actions      []string `yaml:"actions"`      // pull | push | delete | *
	Deny         bool     `yaml:"deny"`         // default false
}

// User is a static user.
type User struct {
	Name   string   `yaml:"name"`   // one repository path component
	Bcrypt string   `yaml:"bcrypt"` // hash of the password
	Groups []string `yaml:"groups"` // default: none
}

// OIDC is the browser login; it is on when Issuer is set, and needs http.url.
type OIDC struct {
	Issuer       string            `yaml:"issuer"`        // https URL; http on this machine only
	ClientID     string            `yaml:"client_id"`     //
	ClientSecret string            `yaml:"client_secret"` // secret; "": a public client
	CA           string            `yaml:"ca"`            // PEM file; "" (default): the system's authorities
	Scopes       []string          `yaml:"scopes"`        // beside openid; default profile and email
	NameClaim    string            `yaml:"name_claim"`    // claim that has the user name before any @; default preferred_username
	GroupsClaim  string            `yaml:"groups_claim"`  // claim that lists the groups; "": no groups
	AdminGroup   string            `yaml:"admin_group"`   // whose members are administrators; "" (default): nobody is
	Require      map[string]string `yaml:"require"`       // claim: pattern that its value must match; default: nothing
}

// LDAP checks passwords by a bind; it is on when URL is set.
type LDAP struct {
	URL            string `yaml:"url"`             // ldaps://, or ldap:// with StartTLS; plain on this machine
	CA             string `yaml:"ca"`              // PEM file; "" (default): the system's authorities
	Insecure       bool   `yaml:"insecure"`        // ldap:// without TLS also beyond this machine; default false
	BindDN         string `yaml:"bind_dn"`         // who searches; "": anonymous
	BindPassword   string `yaml:"bind_password"`   // secret
	BaseDN         string `yaml:"base_dn"`         // below which users and groups are
	UserFilter     string `yaml:"user_filter"`     // finds the user ${user}; default (uid=${user})
	GroupFilter    string `yaml:"group_filter"`    // finds the groups of ${dn} or ${user}; "": no groups
	GroupAttribute string `yaml:"group_attribute"` // of a group: its name; default cn
	AdminGroup     string `yaml:"admin_group"`     // whose members are administrators; "" (default): nobody is
}
