package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

const acmeHost = "registry.berth.test"

// acmeAuthority is pebble, the test server of Let's Encrypt, to which every name is this machine.
type acmeAuthority struct {
	ca         authority // of its own HTTPS
	directory  string    // URL
	management string    // URL
}

// startACME starts an authority that validates on two ports of this machine.
func startACME(t *testing.T, tlsPort, httpPort string) acmeAuthority {
	t.Helper()
	pebble, names := require(t, "pebble"), require(t, "pebble-challtestsrv")
	dir, ca := workDir(t), newAuthority(t, "pebble")
	cert, key := ca.server(t)
	listen, management, dns := freeAddr(t), freeAddr(t), freeAddr(t)
	config := filepath.Join(dir, "pebble.json")
	data, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": listen, "managementListenAddress": management, "certificate": cert, "privateKey": key,
		"tlsPort": json.Number(tlsPort), "httpPort": json.Number(httpPort), "keyAlgorithm": "ecdsa",
		"profiles": map[string]any{"default": map[string]any{"description": "90 days", "validityPeriod": 90 * 24 * 3600}},
	}})
	must(t, err)
	must(t, os.WriteFile(config, data, 0o600))
	startHelper(t, names.with("-dnsserver", dns, "-management", freeAddr(t), "-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "", "-defaultIPv6", ""),
		filepath.Join(dir, "names.log"), nil)
	a := acmeAuthority{ca: ca, directory: "https://" + listen + "/dir", management: "https://" + management}
	startHelper(t, pebble.setenv("PEBBLE_VA_NOSLEEP=1").with("-config", config, "-dnsserver", dns), filepath.Join(dir, "pebble.log"), answers(a.client(), a.directory))
	return a
}

func (a acmeAuthority) client() *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: a.ca.pool()}}}
}

// root returns who signs the certificates.
func (a acmeAuthority) root(t *testing.T) *x509.CertPool {
	t.Helper()
	resp, err := a.client().Get(a.management + "/roots/0")
	must(t, err)
	defer resp.Body.Close()
	pem, err := io.ReadAll(resp.Body)
	must(t, err)
	roots := x509.NewCertPool()
	equal(t, "root of pebble read", roots.AppendCertsFromPEM(pem), true)
	return roots
}

// withACME returns a server that is not started, and its authority. Only the challenge that is named can succeed.
func withACME(t *testing.T, challenge string) (*server, acmeAuthority) {
	t.Helper()
	s := newServer(t, "")
	_, own, err := net.SplitHostPort(s.addr)
	must(t, err)
	challenges := freeAddr(t)
	_, http01, err := net.SplitHostPort(challenges)
	must(t, err)
	_, nobody, err := net.SplitHostPort(freeAddr(t))
	must(t, err)
	a := acmeAuthority{}
	if challenge == "tls-alpn-01" {
		a, challenges = startACME(t, own, nobody), ""
	} else {
		a = startACME(t, nobody, http01)
	}
	s.env = []string{fmt.Sprintf("BERTH_HTTP_TLS_ACME={hosts: [%s], email: ops@berth.test, directory: %q, ca: %q, cache: %q, http: %q}",
		acmeHost, a.directory, a.ca.file, filepath.Join(filepath.Dir(s.config), "acme"), challenges)}
	s.scheme = "https"
	s.client = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: a.root(t), ServerName: acmeHost},
		DisableKeepAlives: true,
	}}
	return s, a
}

// leaf returns the certificate that the server shows for a name.
func (s *server) leaf(t *testing.T, name string, roots *x509.CertPool) (*x509.Certificate, error) {
	t.Helper()
	dialer := tls.Dialer{Config: &tls.Config{RootCAs: roots, ServerName: name}}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := dialer.DialContext(ctx, "tcp", s.addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.(*tls.Conn).ConnectionState().PeerCertificates[0], nil
}

func TestACME(t *testing.T) {
	for _, challenge := range []string{"tls-alpn-01", "http-01"} {
		t.Run(challenge, func(t *testing.T) {
			s, a := withACME(t, challenge)
			s.start(t) // is ready by https, with a certificate of the authority for the host
			first, err := s.leaf(t, acmeHost, a.root(t))
			must(t, err)
			equal(t, "names", sorted(first.DNSNames...), acmeHost)
			if _, err := s.leaf(t, "other.berth.test", a.root(t)); err == nil {
				t.Error("a certificate for a host that is not configured")
			}
			alice := s.addUser(t, "alice")
			equal(t, "alice", s.status(t, alice), 200)

			s.stop(t)
			s.start(t) // with what is in the cache
			again, err := s.leaf(t, acmeHost, a.root(t))
			must(t, err)
			equal(t, "serial number after a restart", again.SerialNumber.String(), first.SerialNumber.String())
			files, err := filepath.Glob(filepath.Join(filepath.Dir(s.config), "acme", "*"))
			must(t, err)
			equal(t, "files in the cache", len(files) >= 2, true)
			for _, file := range append(files, filepath.Join(filepath.Dir(s.config), "acme")) {
				info, err := os.Stat(file)
				must(t, err)
				equal(t, "what others may with "+file, info.Mode().Perm()&0o077, 0)
			}
		})
	}
}

// TestACMEByProbe serves who asks by address, as probes do.
func TestACMEByProbe(t *testing.T) {
	s, _ := withACME(t, "tls-alpn-01")
	s.start(t)
	conn, err := tls.Dial("tcp", s.addr, &tls.Config{InsecureSkipVerify: true}) // no server name is sent for an address
	must(t, err)
	defer conn.Close()
	must(t, conn.ConnectionState().PeerCertificates[0].VerifyHostname(acmeHost))
}
