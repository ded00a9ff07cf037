package oidc

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/berth-registry/berth/oci"
)

// Bounds of what the provider may do.
const (
	timeout   = 10 * time.Second // of one answer
	maxAnswer = 1 << 20          // bytes of one
	maxReason = 512              // bytes of what it says about an error, in the log
)

// retryAfter is how long a provider that did not answer is left alone.
const retryAfter = 5 * time.Second

// discover returns the provider, which is asked once what it is and, while it
// does not answer, at most every five seconds.
func (l *Login) discover(ctx context.Context, now time.Time) (*oidc.Provider, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.provider != nil {
		return l.provider, nil
	}
	if l.failed != nil && now.Before(l.failedAt.Add(retryAfter)) {
		return nil, l.failed
	}
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, l.client), l.o.Issuer)
	if err != nil {
		err = failed("discover", err)
		if ctx.Err() == nil { // else the browser has gone, which says nothing
			l.failed, l.failedAt = err, now
		}
		return nil, err
	}
	l.provider, l.failed = provider, nil
	return provider, nil
}

// failed is an error of the provider or of how it is configured: people are
// told that it does not work now, and the log why. The library quotes answers
// in full.
func failed(doing string, err error) error {
	return fmt.Errorf("%w: provider of identities: %s: %.*s", oci.ErrUnavailable, doing, maxReason, err.Error())
}

// newClient returns a client that follows no redirects and reads no more of an
// answer than it may have.
func newClient(ca []byte) (*http.Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != nil {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(ca) {
			return nil, errors.New("the file of the provider's authorities holds no certificate")
		}
	}
	return &http.Client{
		Transport: bounded{&http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			TLSClientConfig:     config,
			ForceAttemptHTTP2:   true,
			TLSHandshakeTimeout: timeout,
			MaxIdleConns:        4,
			IdleConnTimeout:     time.Minute,
		}},
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = http.MaxBytesReader(nil, resp.Body, maxAnswer)
	return resp, nil
}
