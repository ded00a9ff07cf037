package auth

import (
	"context"
	"time"
)

// Person is somebody whom a provider of identities vouches for: a directory, a
// browser login, an authority of client certificates.
type Person struct {
	Provider string   // who vouches: ProviderLDAP, ProviderCertificate, or the issuer of the OIDC provider
	Subject  string   // who this is to the provider, for good; "" if the provider knows people by Name alone
	Name     string   // the user name that is asked for
	Groups   []string // all of them: they replace what was known (CVE-2025-23208)
	Admin    bool     // because a group says so
}

// The providers that have no URL of their own.
const (
	ProviderLDAP        = "ldap"
	ProviderCertificate = "certificate"
)

// Admitter keeps who has been let in, so that tokens are re-checked, listed and
// revoked as those of everybody else.
type Admitter interface {
	// Admit returns the principal of a person who has just proved to be one, and
	// keeps its groups for Standing. An error that wraps ErrDenied if the name
	// cannot be had: it is reserved, or that of another account. Any other error
	// is a failure of the server.
	Admit(ctx context.Context, p Person, now time.Time) (Principal, error)
}
