package server

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"time"

	"github.com/berth-registry/berth/audit"
	"github.com/berth-registry/berth/auth"
)

// ClientCerts tells who the bearer of a TLS client certificate is, by the
// chain, the client's own first. auth.ErrNoCredentials if there is none;
// auth.ErrCertificate or auth.ErrDenied if it is nobody's; any other error is a
// failure of this server.
type ClientCerts interface {
	Identify(ctx context.Context, chain []*x509.Certificate, now time.Time) (auth.Principal, error)
}

// certified returns who is known by a certificate alone: at the token endpoint
// and nowhere else. Were it enough for /v2, docker login would take any
// password, because it finds no challenge, and nobody could be somebody else
// than the machine. A proxy's certificate is the proxy's, and not of who is
// behind it. auth.ErrNoCredentials, with p as it is, if no certificate counts;
// all else is a login.
func (s *Server) certified(r *http.Request, p auth.Principal) (auth.Principal, error) {
	if s.clientCerts == nil || r.TLS == nil || s.proxies.Trusts(r) {
		return p, auth.ErrNoCredentials
	}
	who, err := s.clientCerts.Identify(r.Context(), r.TLS.PeerCertificates, s.now())
	if errors.Is(err, auth.ErrNoCredentials) {
		return p, err
	}
	who.Client = p.Client
	s.logins.Note(r.Context(), who, audit.Certificate, err, s.now())
	return who, err
}
