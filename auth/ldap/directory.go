package ldap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/internal/cache"
	"github.com/berth-registry/berth/auth/internal/proof"
)

// Accounts are the users that are known here.
type Accounts interface {
	auth.PasswordVerifier
	auth.Admitter

	// Local reports whether a name is that of an account whose password is kept
	// here. An error is the store's.
	Local(ctx context.Context, name string) (bool, error)
}

// Options are what a Directory is made of. All texts are those of auth.ldap in
// the configuration.
type Options struct {
	URL            string // ldap://host[:port] or ldaps://host[:port]
	CA             []byte // PEM of the authorities that are trusted; nil: the system's
	Insecure       bool   // ldap:// without TLS also beyond this machine
	BindDN         string // of the service account; "": searches are anonymous
	BindPassword   string
	BaseDN         string // below which users and groups are
	UserFilter     string // finds one user; has ${user}
	GroupFilter    string // finds the groups of a user; has ${dn} or ${user}; "": nobody has groups
	GroupAttribute string // of a group: its name
	AdminGroup     string // whose members are administrators; "": nobody is
	Accounts       Accounts
}

// Directory is an LDAP directory. It may be used concurrently.
type Directory struct {
	o       Options
	address string      // host:port
	tls     *tls.Config // nil: plain
	ldaps   bool        // TLS from the first byte, not after StartTLS
	proof   proof.Maker
	good    *cache.Cache[proof.Proof, auth.Person]
	bad     *cache.Cache[proof.Proof, error]
	flights flights
}

var _ auth.PasswordVerifier = (*Directory)(nil)

const maxRemembered = 10_000 // logins that were right, and as many that were wrong

// New returns a Directory. It asks nobody anything: a directory that is down is
// no reason not to start. Its error is about the options.
func New(o Options) (*Directory, error) {
	d := &Directory{
		o:       o,
		proof:   proof.NewMaker(),
		good:    cache.New[proof.Proof, auth.Person](maxRemembered),
		bad:     cache.New[proof.Proof, error](maxRemembered),
		flights: newFlights(),
	}
	if err := d.setAddress(); err != nil {
		return nil, err
	}
	return d, checkFilters(o)
}

// setAddress decides where to connect and whether by TLS.
func (d *Directory) setAddress() error {
	u, err := url.Parse(d.o.URL)
	if err != nil || u.Hostname() == "" {
		return errors.New("the URL of the directory is ldap://host or ldaps://host")
	}
	port := map[string]string{"ldap": ldap.DefaultLdapPort, "ldaps": ldap.DefaultLdapsPort}[u.Scheme]
	if port == "" {
		return errors.New("the URL of the directory begins with ldap:// or ldaps://")
	}
	if u.Port() != "" {
		port = u.Port()
	}
	d.address, d.ldaps = net.JoinHostPort(u.Hostname(), port), u.Scheme == "ldaps"
	if !d.ldaps && (d.o.Insecure || isLoopback(u.Hostname())) {
		return nil
	}
	d.tls = &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}
	if d.o.CA != nil {
		d.tls.RootCAs = x509.NewCertPool()
		if !d.tls.RootCAs.AppendCertsFromPEM(d.o.CA) {
			return errors.New("the file of the directory's authorities holds no certificate")
		}
	}
	return nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.Unmap().IsLoopback()
}

// rememberFor is how long the answer of the directory is remembered. With the
// lifetime of a token it is how long somebody goes on after leaving a group.
const rememberFor = time.Minute

// Login implements auth.PasswordVerifier. A local account comes first, whatever
// the directory says of the name. A failure of the directory is an
// oci.ErrUnavailable, never a wrong password. ErrDenied, beside the errors of
// the interface, means that the password is right and the person cannot be a
// user here.
//
// Who is not in the directory costs the same questions as who is: how long a
// refusal takes tells neither. It does tell a local account from the others.
func (d *Directory) Login(ctx context.Context, c auth.Credentials, now time.Time) (auth.Principal, error) {
	local, err := d.o.Accounts.Local(ctx, c.Name)
	if err != nil {
		return auth.Principal{}, err
	}
	if local {
		return d.o.Accounts.Login(ctx, c, now)
	}
	if c.Secret == "" || auth.CheckName(c.Name) != nil {
		// A bind with a name and no password succeeds, as nobody (RFC 4513, section 5.1.2).
		return auth.Principal{}, auth.ErrBadCredentials
	}
	return d.admit(ctx, question{name: c.Name, password: c.Secret, key: d.proof.Of("login", c.Name, c.Secret)}, now)
}

// Lookup returns the principal of a name without any password, as the
// directory knows it now: for who comes by a personal token. ErrBadCredentials
// if the directory has no such person any more; the other errors are those of
// Login.
func (d *Directory) Lookup(ctx context.Context, name string, now time.Time) (auth.Principal, error) {
	if auth.CheckName(name) != nil {
		return auth.Principal{}, auth.ErrBadCredentials
	}
	return d.admit(ctx, question{name: name, key: d.proof.Of("lookup", name)}, now)
}

func (d *Directory) admit(ctx context.Context, q question, now time.Time) (auth.Principal, error) {
	person, err := d.ask(ctx, q, now)
	if err != nil {
		return auth.Principal{}, err
	}
	return d.o.Accounts.Admit(ctx, person, now)
}

// ask answers from memory or asks the directory.
func (d *Directory) ask(ctx context.Context, q question, now time.Time) (auth.Person, error) {
	// Under one lock a question is remembered, under way, or new.
	d.flights.mu.Lock()
	if person, err, known := d.recall(q.key, now); known {
		d.flights.mu.Unlock()
		return person, err
	}
	f, err := d.flights.join(q, func(ctx context.Context) (auth.Person, error) {
		person, err := d.exchange(ctx, q)
		d.remember(q.key, person, err, now)
		return person, err
	})
	d.flights.mu.Unlock()
	if err != nil {
		return auth.Person{}, err
	}
	return f.wait(ctx)
}

func (d *Directory) recall(key proof.Proof, now time.Time) (auth.Person, error, bool) {
	if person, ok := d.good.Get(key, now); ok {
		return person, nil, true
	}
	err, ok := d.bad.Get(key, now)
	return auth.Person{}, err, ok
}

// remember keeps what the directory has decided. What it failed to decide is
// asked again. Right and wrong ones are kept apart: whoever guesses cannot push
// out those who log in.
func (d *Directory) remember(key proof.Proof, person auth.Person, err error, now time.Time) {
	switch {
	case err == nil:
		d.good.Put(key, person, now.Add(rememberFor))
	case errors.Is(err, auth.ErrBadCredentials), errors.Is(err, auth.ErrDenied):
		d.bad.Put(key, err, now.Add(rememberFor))
	}
}

// checkFilters finds out at the start what would otherwise fail at each login.
func checkFilters(o Options) error {
	if _, err := ldap.ParseDN(o.BaseDN); err != nil {
		return fmt.Errorf("the base DN is none: %w", err)
	}
	if err := CheckUserFilter(o.UserFilter); err != nil {
		return err
	}
	if o.GroupFilter == "" {
		return nil
	}
	return CheckGroupFilter(o.GroupFilter)
}
