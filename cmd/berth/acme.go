package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"github.com/berth-registry/berth/config"
)

// obtained gets certificates from an ACME authority (RFC 8555) and renews them
// before they end.
type obtained struct {
	manager *autocert.Manager
	hosts   []string
}

const acmeTimeout = 30 * time.Second // of one answer of the authority

// newACME returns what gets the certificates of the configured hosts; nil
// without error if there are none. It asks the authority nothing yet.
func newACME(c config.ACME) (*obtained, error) {
	if len(c.Hosts) == 0 {
		return nil, nil
	}
	client := &acme.Client{
		DirectoryURL: c.Directory, // "": Let's Encrypt
		UserAgent:    "berth/" + version,
		HTTPClient:   &http.Client{Timeout: acmeTimeout},
	}
	ca, err := readAuthorities(c.CA)
	if err != nil {
		return nil, fmt.Errorf("http.tls.acme.ca: %w", err)
	}
	if ca != nil {
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(ca) {
			return nil, errors.New("http.tls.acme.ca: there is no certificate in it")
		}
		client.HTTPClient.Transport = &http.Transport{
			Proxy:           http.ProxyFromEnvironment,
			TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		}
	}
	return &obtained{hosts: c.Hosts, manager: &autocert.Manager{
		Prompt:     autocert.AcceptTOS,
		Cache:      autocert.DirCache(c.Cache),
		HostPolicy: autocert.HostWhitelist(c.Hosts...),
		Email:      c.Email,
		Client:     client,
	}}, nil
}

// get returns the certificate of the host that a client asks for. One that asks
// for none, such as a probe by address, gets that of the first host.
func (o *obtained) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if hello.ServerName == "" {
		named := *hello
		named.ServerName = o.hosts[0]
		hello = &named
	}
	return o.manager.GetCertificate(hello)
}

// challenges answers HTTP-01 on a listener of its own, and nothing else.
func (o *obtained) challenges() http.Handler {
	answer := o.manager.HTTPHandler(http.NotFoundHandler())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host, _, err := net.SplitHostPort(r.Host); err == nil {
			r.Host = host // hosts are configured without a port
		}
		answer.ServeHTTP(w, r)
	})
}

const (
	acmeRetry = time.Minute
	acmeCheck = time.Hour
)

// watch gets the certificates before the first client asks for one, and says so
// when one cannot be had or is not renewed in time.
func (o *obtained) watch(ctx context.Context, log *slog.Logger) {
	known := map[string]time.Time{}
	for {
		wait := acmeCheck
		for _, host := range o.hosts {
			cert, err := o.manager.GetCertificate(modern(host))
			if err != nil {
				log.Error("no certificate", "host", host, "error", err)
				wait = acmeRetry
				continue
			}
			until := cert.Leaf.NotAfter
			if until.After(known[host]) {
				log.Info("certificate", "host", host, "until", until)
			} else if late(cert.Leaf, time.Now()) {
				log.Error("the certificate is not renewed", "host", host, "until", until)
			}
			known[host] = until
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// late reports whether less than a sixth of the lifetime is left: renewal
// begins at a third.
func late(leaf *x509.Certificate, now time.Time) bool {
	return leaf.NotAfter.Sub(now) < leaf.NotAfter.Sub(leaf.NotBefore)/6
}

// modern is what a client says that takes a certificate of an elliptic curve.
func modern(host string) *tls.ClientHelloInfo {
	return &tls.ClientHelloInfo{
		ServerName:       host,
		CipherSuites:     []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
		SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256},
		SupportedCurves:  []tls.CurveID{tls.CurveP256},
	}
}
