package main

import (
	"crypto/tls"
	"fmt"
	"sync/atomic"

	"github.com/berth-registry/berth/config"
)

// certificate is the TLS certificate in force, from two files that may be
// replaced while serving.
type certificate struct {
	current atomic.Pointer[tls.Certificate]
}

// loadCertificate reads the files; nil without error if none are configured.
func loadCertificate(files config.TLS) (*certificate, error) {
	if files.Cert == "" {
		return nil, nil
	}
	pair, err := loadPair(files)
	if err != nil {
		return nil, err
	}
	c := new(certificate)
	c.current.Store(pair)
	return c, nil
}

func loadPair(files config.TLS) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	if err != nil {
		return nil, fmt.Errorf("http.tls: %w", err)
	}
	return &pair, nil
}

// config is Go's default TLS configuration with the certificate in force; 1.2
// is the oldest version that it speaks.
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.current.Load(), nil
		},
	}
}
