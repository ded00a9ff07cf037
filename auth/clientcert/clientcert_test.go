package clientcert_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/clientcert"
)

var start = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

// signer is an authority, or one that an authority has signed.
type signer struct {
	*testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newSigner(t *testing.T) signer { return signer{T: t}.sign(authority) }

// sign returns what s signs, itself if it has no certificate.
func (s signer) sign(change func(*x509.Certificate)) signer {
	s.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "alice", OrganizationalUnit: []string{"dev"}},
		NotBefore: start.Add(-time.Hour), NotAfter: start.Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	change(template)
	parent, parentKey := s.cert, s.key
	if parent == nil {
		parent, parentKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	if err != nil {
		s.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		s.Fatal(err)
	}
	return signer{s.T, cert, key}
}

func authority(c *x509.Certificate) {
	c.Subject, c.ExtKeyUsage = pkix.Name{CommonName: "authority"}, nil
	c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
}

func (s signer) pool() *x509.CertPool {
	s.Helper()
	roots, err := clientcert.Parse(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.cert.Raw}))
	if err != nil {
		s.Fatal(err)
	}
	return roots
}

type people struct{ err error }

func (a people) Admit(_ context.Context, p auth.Person, _ time.Time) (auth.Principal, error) {
	if p.Provider != auth.ProviderCertificate || p.Admin || p.Subject != "" {
		return auth.Principal{}, fmt.Errorf("%+v", p)
	}
	return auth.Principal{Kind: auth.User, Name: p.Name, Groups: p.Groups}, a.err
}

func TestIdentify(t *testing.T) {
	root, foreign := newSigner(t), newSigner(t)
	between := root.sign(authority)
	a := clientcert.New(root.pool(), people{})
	subject := func(cn string, ou ...string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: cn, OrganizationalUnit: ou} }
	}
	many := make([]string, auth.MaxGroups+1)
	for i := range many {
		many[i] = fmt.Sprint("g", i)
	}
	for _, tc := range []struct {
		name   string
		by     signer
		change func(*x509.Certificate)
		more   []*x509.Certificate
		after  time.Duration
		groups string
		want   error
	}{
		{name: "signed", by: root, change: func(*x509.Certificate) {}, groups: "dev"},
		{name: "signed by who is signed", by: between, change: func(*x509.Certificate) {}, more: []*x509.Certificate{between.cert}, groups: "dev"},
		{name: "a link is missing", by: between, change: func(*x509.Certificate) {}, want: auth.ErrCertificate},
		{name: "groups", by: root, change: subject("alice", "ops", "dev", "dev", " x", ""), groups: "dev ops"},
		{name: "no groups", by: root, change: subject("alice")},
		{name: "too many groups", by: root, change: subject("alice", many...), want: auth.ErrCertificate},
		{name: "foreign", by: foreign, change: func(*x509.Certificate) {}, want: auth.ErrCertificate},
		{name: "foreign, with its authority", by: foreign, change: func(*x509.Certificate) {}, more: []*x509.Certificate{foreign.cert, root.cert}, want: auth.ErrCertificate},
		{name: "signed by oneself", by: signer{T: t}, change: func(*x509.Certificate) {}, want: auth.ErrCertificate},
		{name: "expired since the handshake", by: root, change: func(*x509.Certificate) {}, after: time.Hour + 1, want: auth.ErrCertificate},
		{name: "not yet", by: root, change: func(*x509.Certificate) {}, after: -time.Hour - 1, want: auth.ErrCertificate},
		{name: "for servers", by: root, change: func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }, want: auth.ErrCertificate},
		{name: "no name", by: root, change: subject(""), want: auth.ErrCertificate},
		{name: "a person's name", by: root, change: subject("Alice Example"), want: auth.ErrCertificate},
		{name: "a pattern", by: root, change: subject("**"), want: auth.ErrCertificate},
		{name: "a path", by: root, change: subject("admin/.."), want: auth.ErrCertificate},
		{name: "a robot", by: root, change: subject("robot$ci"), want: auth.ErrCertificate},
		{name: "reserved", by: root, change: subject("authenticated"), want: auth.ErrCertificate},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cert := tc.by.sign(tc.change).cert
			who, err := a.Identify(t.Context(), append([]*x509.Certificate{cert}, tc.more...), start.Add(tc.after))
			if !errors.Is(err, tc.want) || (tc.want == nil) != (err == nil) {
				t.Fatalf("%v, want %v", err, tc.want)
			}
			if err == nil && (who.Name != cert.Subject.CommonName || strings.Join(who.Groups, " ") != tc.groups || who.Admin) {
				t.Errorf("%+v", who)
			}
			if err != nil && !reflect.DeepEqual(who, auth.Principal{}) {
				t.Errorf("a principal beside an error: %+v", who)
			}
		})
	}
	if _, err := a.Identify(t.Context(), nil, start); !errors.Is(err, auth.ErrNoCredentials) {
		t.Error(err)
	}
}

// After a reload what was signed by the old authority is worth nothing, on old
// connections too.
func TestReload(t *testing.T) {
	old, next := newSigner(t), newSigner(t)
	a := clientcert.New(old.pool(), people{})
	cert := old.sign(func(*x509.Certificate) {}).cert
	roots := next.pool()
	for _, want := range []error{nil, auth.ErrCertificate} {
		if _, err := a.Identify(t.Context(), []*x509.Certificate{cert}, start); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
		a.Store(roots)
	}
	if !a.Roots().Equal(roots) {
		t.Error("the handshake goes on with the old authority")
	}
}

func TestAdmissionDecides(t *testing.T) {
	root := newSigner(t)
	a := clientcert.New(root.pool(), people{auth.ErrDenied})
	if _, err := a.Identify(t.Context(), []*x509.Certificate{root.sign(func(*x509.Certificate) {}).cert}, start); !errors.Is(err, auth.ErrDenied) {
		t.Error(err)
	}
}

func TestNoAuthority(t *testing.T) {
	for _, pem := range []string{"", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"} {
		if _, err := clientcert.Parse([]byte(pem)); err == nil {
			t.Errorf("%q was accepted", pem)
		}
	}
}
