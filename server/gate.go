package server

import (
	"errors"
	"net/http"
	"strings"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/oci"
)

// call is a request on its way to its handler: parsed, and by whom.
type call struct {
	Request
	who auth.Principal

	granted []auth.Access // what a token that was issued holds
	made    string        // the id of a personal token that was
	shown   string        // the credential, of audit's, where who does not tell it
}

type handler func(w http.ResponseWriter, r *http.Request, c call) error

// serveV2 is the way of every request of the distribution API. What it
// returns of the call is for the log.
func (s *Server) serveV2(w http.ResponseWriter, r *http.Request) (call, error) {
	w.Header()["Docker-Distribution-Api-Version"] = apiVersion
	req, err := Parse(r.Method, r.URL)
	if err != nil {
		return call{}, err
	}
	c := call{Request: req}
	if c.who, err = s.auth.Authenticate(r); err != nil {
		return c, s.refused(r, req, err)
	}
	if c.Repo, err = s.resolve(w, r, req); err != nil {
		return c, err
	}
	if err := s.allow(r, c); err != nil {
		return c, err
	}
	return c, s.handlers[req.Kind](w, r, c)
}

var apiVersion = []string{"registry/2.0"}

// resolve returns the canonical name of the repository that will be served,
// once: permission, content and log all go by it. A namespace that is not
// this registry's own belongs to an upstream, and none is configured.
func (s *Server) resolve(w http.ResponseWriter, r *http.Request, req Request) (string, error) {
	ns := req.Query.Namespace
	if ns == "" {
		return req.Repo, nil
	}
	if ns != s.host && !strings.EqualFold(ns, r.Host) {
		return req.Repo, oci.ErrNameUnknown.With("no upstream serves this namespace")
	}
	w.Header().Set("OCI-Namespace", ns)
	return req.Repo, nil
}

// allow decides whether the principal may. Who came with a token can get a
// wider one, so too narrow a token is a challenge; who came with a password
// has shown all there is.
func (s *Server) allow(r *http.Request, c call) error {
	var err error
	switch {
	case c.Kind == ListRepositories:
		err = s.gate.AllowCatalog(r.Context(), c.who, s.now())
	case c.route.needs != 0:
		err = s.gate.Allow(r.Context(), c.who, c.Repo, c.route.needs, s.now())
	}
	if err != nil {
		return s.refused(r, c.Request, err)
	}
	return nil
}

// refused turns an error of auth into what the client is told: a 401 whose
// challenge carries the words that clients act on, or a 403 where no token
// would help.
func (s *Server) refused(r *http.Request, req Request, err error) error {
	switch {
	case errors.Is(err, auth.ErrTooManyLogins):
		return &refusal{oci.ErrTooManyRequests.With(err.Error()), err}
	case errors.Is(err, auth.ErrDenied):
		return &refusal{oci.ErrDenied.With(err.Error()), err}
	case errors.Is(err, auth.ErrNoCredentials), errors.Is(err, auth.ErrMalformed),
		errors.Is(err, auth.ErrBadCredentials), errors.Is(err, auth.ErrInvalidToken),
		errors.Is(err, auth.ErrInsufficientScope):
		return &challengeError{auth.Challenge{
			Realm:   s.base(r) + "/token",
			Service: s.service,
			Scope:   req.scope(),
			Err:     err,
		}}
	}
	return err
}

// scope is what a token needs for the request.
func (req *Request) scope() []auth.Access {
	switch {
	case req.Kind == ListRepositories:
		return []auth.Access{auth.Catalog()}
	case req.route != nil && req.route.asks != 0:
		return []auth.Access{auth.Repository(req.Repo, req.route.asks)}
	}
	return nil
}

// mayPull judges by the live grants, whatever the token at hand was asked
// for: for the source of a mount and for each entry of a listing.
func (s *Server) mayPull(who auth.Principal, repo string) bool {
	return s.gate.Live(who, repo, auth.Pull).Allowed
}

// base is this registry's own URL as the client knows it.
func (s *Server) base(r *http.Request) string {
	if s.url != "" {
		return s.url
	}
	return s.proxies.Base(r)
}
