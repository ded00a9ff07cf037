package server_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/internal/httpx"
	"github.com/berth-registry/berth/server"
)

// bearers knows users by the common names of certificates.
type bearers map[string]error

func (b bearers) Identify(_ context.Context, chain []*x509.Certificate, _ time.Time) (auth.Principal, error) {
	if len(chain) == 0 {
		return auth.Principal{}, auth.ErrNoCredentials
	}
	name := chain[0].Subject.CommonName
	if err := b[name]; err != nil {
		return auth.Principal{}, err
	}
	return auth.Principal{Kind: auth.User, Name: name}, nil
}

// listenTLS asks clients for certificates of anybody.
func listenTLS(h http.Handler) *httptest.Server {
	hs := httptest.NewUnstartedServer(h)
	server.Timeouts(hs.Config)
	hs.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	hs.StartTLS()
	return hs
}

// show makes the stack's client show a certificate from now on; "" is none.
func (s *stack) show(name string) {
	s.Helper()
	transport := s.client.Transport.(*http.Transport)
	transport.CloseIdleConnections()
	transport.TLSClientConfig.Certificates = nil
	if name == "" {
		return
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	s.must(err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	s.must(err)
	transport.TLSClientConfig.Certificates = []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}
}

// A certificate counts at the token endpoint where nothing else is said, and
// nowhere else.
func TestClientCertificate(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{listen: listenTLS, clientCerts: bearers{
		"expired": fmt.Errorf("%w: not valid here and now", auth.ErrCertificate),
		"root":    fmt.Errorf("%w: the user name root belongs to another account here", auth.ErrDenied),
	}})
	const mine, hers = "GET /token?scope=repository:node-7/app:pull,push", "GET /token?scope=repository:alice/app:pull,push"
	for _, tc := range []struct {
		cert, do, as string
		status       int
		scope        string
		trail        string
	}{
		{"node-7", mine, "-", 200, "repository:node-7/app:pull,push",
			"login ok 0 user:node-7 client_certificate; token ok token 200 user:node-7 client_certificate (repository:node-7/app:pull,push)"},
		{"node-7", hers, "-", 200, "",
			"token ok token 200 user:node-7 client_certificate"},
		{"node-7", hers, "alice", 200, "repository:alice/app:pull,push",
			"login ok 0 user:alice password; token ok token 200 user:alice password (repository:alice/app:pull,push)"}, // who says a password is that user
		{"node-7", mine, "alice", 200, "",
			"token ok token 200 user:alice password"},
		{"node-7", hers, "Basic " + "YWxpY2U6d3Jvbmc=", 401, "",
			"login denied 0 anonymous password user:alice"}, // alice:wrong is not made good by a certificate
		{"node-7", mine, "Basic Og==", 200, "repository:node-7/app:pull,push",
			"token ok token 200 user:node-7 client_certificate (repository:node-7/app:pull,push)"},
		{"", mine, "-", 200, "",
			"token ok token 200 anonymous"},
		{"expired", mine, "-", 401, "",
			"login denied 0 anonymous client_certificate (the client certificate cannot be used: not valid here and now)"},
		{"expired", hers, "alice", 200, "repository:alice/app:pull,push",
			"token ok token 200 user:alice password (repository:alice/app:pull,push)"},
		{"root", mine, "-", 403, "",
			"login denied 0 anonymous client_certificate (denied: the user name root belongs to another account here)"},
		{"node-7", "GET /v2/", "-", 401, "", ""}, // docker login must find a challenge
		{"node-7", "GET /v2/node-7/app/tags/list", "-", 401, "", ""},
	} {
		s.show(tc.cert)
		got := s.send(row{do: tc.do, as: tc.as})
		if left := s.trail.text(); left != tc.trail {
			t.Errorf("%q, %s as %q leaves %s, want %s", tc.cert, tc.do, tc.as, left, tc.trail)
		}
		if got.StatusCode != tc.status {
			t.Errorf("%q, %s as %q: %d %s", tc.cert, tc.do, tc.as, got.StatusCode, got.body)
			continue
		}
		if got.StatusCode != 200 {
			continue
		}
		if g := s.grantOf(got); g.Scope == nil || *g.Scope != tc.scope {
			t.Errorf("%q, %s as %q: scope %v, want %q", tc.cert, tc.do, tc.as, g.Scope, tc.scope)
		}
	}
}

// The certificate of a proxy says nothing about who is behind it, and headers
// say nothing about certificates.
func TestClientCertificateOfAProxy(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{listen: listenTLS, clientCerts: bearers{}, proxies: httpx.Proxies{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}})
	s.show("node-7")
	got := s.send(row{do: "GET /token?scope=repository:node-7/app:pull", as: "-"})
	if g := s.grantOf(got); *g.Scope != "" {
		t.Errorf("the proxy's certificate gave %q", *g.Scope)
	}
	plain := newStack(t, settings{clientCerts: bearers{}})
	for _, name := range []string{"X-Client-Cert", "X-SSL-Client-CN", "X-Forwarded-Client-Cert", "Ssl-Client-Subject-Dn"} {
		got := plain.send(row{do: "GET /token?scope=repository:node-7/app:pull", as: "-", with: header{name: "CN=node-7"}})
		if g := plain.grantOf(got); *g.Scope != "" {
			t.Errorf("%s gave %q", name, *g.Scope)
		}
	}
}
