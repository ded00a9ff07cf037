package server

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/berth-registry/berth/audit"
	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/internal/httpx"
	"github.com/berth-registry/berth/oci"
)

// Authenticator tells who sends a request. Its errors are auth's:
// ErrNoCredentials, ErrInvalidToken, ErrBadCredentials; others are failures
// of this server.
type Authenticator interface {
	Authenticate(r *http.Request) (auth.Principal, error)
}

// Check is one thing that must work for the registry to be ready.
type Check struct {
	Name  string
	Check func(context.Context) error
}

// Config is what a Server is made of. Every field is needed unless its
// comment says otherwise.
type Config struct {
	Registry    Registry
	Auth        Authenticator
	Accounts    Accounts
	Issuer      Issuer
	Refresher   Refresher // nil: there are no refresh tokens
	Gate        auth.Gate
	Limits      Limiter       // nil: pulls are not limited
	Usage       Usage         // nil: nobody is told
	Flood       Flood         // nil: requests are not limited
	Service     string        // audience of the tokens
	URL         string        // external base URL; empty: as the request says
	Proxies     httpx.Proxies // may be empty
	MaxManifest int64         // bytes
	JWKS        func() []byte // the public keys in force, RFC 7517
	API         http.Handler  // of /api, which has a gate and a log of its own; nil: there is none
	Checks      []Check       // for /readyz
	Audit       audit.Recorder
	Logins      Logins
	Browser     Browser     // nil: there is no /login; otherwise URL is not empty
	Tokens      TokenMaker  // what a browser login ends in
	ClientCerts ClientCerts // nil: no client certificate says anything
	Metrics     *Recording
	MetricsHere bool // serve /metrics on this handler
	Log         *slog.Logger
	Now         func() time.Time
}

// Server is the HTTP edge, an http.Handler.
type Server struct {
	registry    Registry
	auth        Authenticator
	accounts    Accounts
	issuer      Issuer
	refresher   Refresher
	gate        auth.Gate
	limits      Limiter
	usage       Usage
	flood       Flood
	service     string
	url         string
	host        string // of url
	proxies     httpx.Proxies
	maxManifest int64
	jwks        func() []byte
	checks      []Check
	audit       audit.Recorder
	logins      Logins
	browser     Browser
	tokens      TokenMaker
	clientCerts ClientCerts
	pages       pages
	metrics     *Recording
	log         *slog.Logger
	now         func() time.Time
	cursors     *cursors
	handlers    [kindV2End]handler
	router      http.Handler
}

// New returns a server.
func New(c Config) *Server {
	s := &Server{
		registry: c.Registry, auth: c.Auth, accounts: c.Accounts, issuer: c.Issuer, refresher: c.Refresher, gate: c.Gate,
		limits: c.Limits, usage: c.Usage, flood: c.Flood,
		service: c.Service, url: c.URL, proxies: c.Proxies, maxManifest: c.MaxManifest, jwks: c.JWKS,
		checks: c.Checks, audit: c.Audit, logins: c.Logins, browser: c.Browser, tokens: c.Tokens, clientCerts: c.ClientCerts, pages: newPages(),
		metrics: c.Metrics, log: c.Log, now: c.Now, cursors: newCursors(),
	}
	if u, err := url.Parse(c.URL); err == nil {
		s.host = u.Host
	}
	s.handlers = [kindV2End]handler{
		GetBase:          s.getBase,
		HeadManifest:     s.headManifest,
		GetManifest:      s.getManifest,
		HeadPreview:      s.headPreview,
		PutManifest:      s.putManifest,
		DeleteManifest:   s.deleteManifest,
		HeadBlob:         s.headBlob,
		GetBlob:          s.getBlob,
		DeleteBlob:       s.deleteBlob,
		StartUpload:      s.startUpload,
		GetUpload:        s.getUpload,
		PatchUpload:      s.patchUpload,
		PutUpload:        s.putUpload,
		CancelUpload:     s.cancelUpload,
		ListTags:         s.listTags,
		ListReferrers:    s.listReferrers,
		ListRepositories: s.listRepositories,
	}
	s.router = s.routes(c.API, c.MetricsHere)
	return s
}

// routes mounts everything. The distribution API is one mount: repository
// names contain slashes, so Parse reads it.
func (s *Server) routes(api http.Handler, metricsHere bool) http.Handler {
	r := chi.NewRouter()
	v2 := s.observed(kindNone, s.serveV2)
	r.Handle("/v2", v2)
	r.Handle("/v2/*", v2)
	r.Get("/token", s.observed(Token, s.getToken))
	r.Post("/token", s.observed(Token, s.postToken))
	r.Get("/v1/_ping", s.observed(SearchPing, s.searchPing))
	r.Get("/v1/search", s.observed(Search, s.search))
	r.Get("/.well-known/jwks.json", s.observed(JWKS, s.getJWKS))
	if s.browser != nil {
		r.Get("/login", s.observed(Login, s.getLogin))
		r.Get("/login/callback", s.observed(LoginCallback, s.getCallback))
	}
	for path, h := range map[string]http.HandlerFunc{
		"/healthz": s.observed(Healthz, s.healthz),
		"/readyz":  s.observed(Readyz, s.readyz),
	} {
		r.Get(path, h)
		r.Head(path, h) // what some probes send
	}
	if api != nil {
		r.Handle("/api/*", s.counted(API, api))
	}
	if metricsHere {
		r.Method(http.MethodGet, "/metrics", s.metrics.Handler())
	}
	r.NotFound(s.observed(NotFound, s.notFound))
	r.MethodNotAllowed(s.observed(NotFound, s.methodNotAllowed))
	return r
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.router.ServeHTTP(w, r) }

// getBase answers end-1: whoever gets here is known.
func (s *Server) getBase(w http.ResponseWriter, _ *http.Request, _ call) error {
	return writeJSON(w, http.StatusOK, struct{}{})
}

func (s *Server) getJWKS(w http.ResponseWriter, _ *http.Request) (call, error) {
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.WriteHeader(http.StatusOK)
	_, err := w.Write(s.jwks())
	return call{}, clientGone(err)
}

func (s *Server) notFound(http.ResponseWriter, *http.Request) (call, error) {
	return call{}, oci.ErrNotFound
}

func (s *Server) methodNotAllowed(_ http.ResponseWriter, r *http.Request) (call, error) {
	allow := "GET"
	if r.URL.Path == "/token" {
		allow = "GET, POST"
	}
	return call{}, &methodError{allow: allow}
}
