package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"sync/atomic"

	"golang.org/x/crypto/acme"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/clientcert"
	"github.com/berth-registry/berth/config"
	"github.com/berth-registry/berth/server"
)

// certificate is the TLS of the main listener: a certificate in force, from two
// files that may be replaced while serving or from an ACME authority, and
// whether clients may show theirs.
type certificate struct {
	current atomic.Pointer[tls.Certificate] // from files
	acme    *obtained                       // nil: from files
	clients *clientcert.Authority           // nil: clients show none
}

// loadCertificate reads the files; nil without error if there is no TLS.
func loadCertificate(c config.TLS) (*certificate, error) {
	obtained, err := newACME(c.ACME)
	if err != nil {
		return nil, err
	}
	if obtained != nil {
		return &certificate{acme: obtained}, nil
	}
	if c.Cert == "" {
		return nil, nil
	}
	pair, err := loadPair(c)
	if err != nil {
		return nil, err
	}
	loaded := new(certificate)
	loaded.current.Store(pair)
	return loaded, nil
}

// obtains reports whether the certificate comes from an ACME authority.
func (c *certificate) obtains() bool { return c != nil && c.acme != nil }

func loadPair(files config.TLS) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	if err != nil {
		return nil, fmt.Errorf("http.tls: %w", err)
	}
	return &pair, nil
}

// loadClients reads who signs client certificates; nil without error if nobody
// does.
func loadClients(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("http.tls.client_ca: %w", err)
	}
	roots, err := clientcert.Parse(pem)
	if err != nil {
		return nil, fmt.Errorf("http.tls.client_ca: %w", err)
	}
	return roots, nil
}

// admitClients lets those in who have a certificate of http.tls.client_ca, if
// that is configured.
func (c *certificate) admitClients(files config.TLS, people auth.Admitter) error {
	roots, err := loadClients(files.ClientCA)
	if roots != nil && c != nil {
		c.clients = clientcert.New(roots, people)
	}
	return err
}

// bearers is for the server: nil if no client certificate says anything.
func (c *certificate) bearers() server.ClientCerts {
	if c == nil || c.clients == nil {
		return nil
	}
	return c.clients
}

// config is Go's default TLS configuration with the certificate in force; 1.2
// is the oldest version that it speaks. A client certificate is asked for, and
// one that is shown must be good; who shows none logs in otherwise.
func (c *certificate) config() *tls.Config {
	config := &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
	if c.acme != nil {
		config.GetCertificate = c.acme.get
		config.NextProtos = append(config.NextProtos, acme.ALPNProto) // TLS-ALPN-01 (RFC 8737)
	}
	if c.clients == nil {
		return config
	}
	config.ClientAuth = tls.VerifyClientCertIfGiven
	withClients := config.Clone()
	withClients.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		now := config.Clone()
		now.ClientCAs = c.clients.Roots() // a reload replaces them
		return now, nil
	}
	return withClients
}
