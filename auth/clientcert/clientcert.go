// Package clientcert lets those log in who have a TLS client certificate of a
// configured authority.
//
//	TLS handshake ── chain, which Roots has verified ──▶ token endpoint, no Authorization header
//	  ──▶ Identify: verified again, now ──▶ auth.Person{CN, OU…} ──▶ Admit ──▶ auth.Principal
//
// A certificate is an identity of its own: the common name is the user, the
// organizational units are the groups, which replace what was known. It makes
// nobody an administrator and is never that of an account with a password. It
// is verified at each login and not only when the connection was made: a
// connection can be older than the certificate's end, or than a reload. There
// is no revocation list: what is not to log in any more must expire, or be
// denied by a grant.
//
// What the headers of a request say about certificates is never read.
package clientcert

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/berth-registry/berth/auth"
)

// Authority signs the certificates of those who may log in. It may be used
// concurrently.
type Authority struct {
	roots  atomic.Pointer[x509.CertPool]
	people auth.Admitter
}

// New returns an Authority of certificates.
func New(roots *x509.CertPool, people auth.Admitter) *Authority {
	a := &Authority{people: people}
	a.Store(roots)
	return a
}

// Parse reads certificates in PEM, one at least.
func Parse(pem []byte) (*x509.CertPool, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("there is no certificate in it")
	}
	return roots, nil
}

// Store replaces the certificates, at a reload.
func (a *Authority) Store(roots *x509.CertPool) { a.roots.Store(roots) }

// Roots returns the certificates in force, for the TLS handshake.
func (a *Authority) Roots() *x509.CertPool { return a.roots.Load() }

// Identify returns the principal of a chain, the client's own certificate
// first. auth.ErrNoCredentials if it is empty; auth.ErrCertificate if it is not
// valid now or names no user; the errors of Admit otherwise.
func (a *Authority) Identify(ctx context.Context, chain []*x509.Certificate, now time.Time) (auth.Principal, error) {
	if len(chain) == 0 {
		return auth.Principal{}, auth.ErrNoCredentials
	}
	own := chain[0]
	if err := a.verify(own, chain[1:], now); err != nil {
		return auth.Principal{}, fmt.Errorf("%w: not valid here and now", auth.ErrCertificate)
	}
	name := own.Subject.CommonName
	if err := auth.CheckName(name); err != nil {
		return auth.Principal{}, fmt.Errorf("%w: its common name is %.80q, and %w", auth.ErrCertificate, name, err)
	}
	groups, err := groups(own)
	if err != nil {
		return auth.Principal{}, err
	}
	return a.people.Admit(ctx, auth.Person{Provider: auth.ProviderCertificate, Name: name, Groups: groups}, now)
}

func (a *Authority) verify(own *x509.Certificate, between []*x509.Certificate, now time.Time) error {
	options := x509.VerifyOptions{
		Roots:         a.Roots(),
		Intermediates: x509.NewCertPool(),
		CurrentTime:   now,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, c := range between {
		options.Intermediates.AddCert(c)
	}
	_, err := own.Verify(options)
	return err
}

// groups returns the groups, sorted. What no grant can name is left out; a
// group that is left out because there are too many could be one that denies.
func groups(own *x509.Certificate) ([]string, error) {
	groups := slices.DeleteFunc(slices.Clone(own.Subject.OrganizationalUnit), func(g string) bool { return auth.CheckGroup(g) != nil })
	slices.Sort(groups)
	groups = slices.Compact(groups)
	if len(groups) > auth.MaxGroups {
		return nil, fmt.Errorf("%w: more than %d groups", auth.ErrCertificate, auth.MaxGroups)
	}
	return groups, nil
}
