package api

import (
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/berth-registry/berth/auth"
)

// Authenticator tells who sends a request. Its errors are auth's.
type Authenticator interface {
	Authenticate(r *http.Request) (auth.Principal, error)
}

// Issuer signs API tokens.
type Issuer interface {
	Issue(p auth.Principal, access []auth.Access, now time.Time) (token string, expiresIn time.Duration, err error)
}

// Config is what an API is made of. Every field is needed.
type Config struct {
	Accounts Accounts
	Robots   Robots
	Tokens   Tokens
	Policy   *auth.Live // the grants in force, for explain
	Audit    Audit
	Limits   Limits
	Usage    Usages

	Auth     Authenticator // who calls over the network
	Standing auth.Standing // of who came by an API token
	Sessions Issuer        // of API tokens
	Client   func(*http.Request) netip.Addr

	Version string
	Log     *slog.Logger
	Now     func() time.Time
}

// API is the administration interface.
type API struct {
	Config
	document []byte // openapi.json
}

// New returns an API.
func New(c Config) *API { return &API{Config: c, document: document(c.Version)} }

// Socket serves the API to who may open the admin socket: everybody there is
// an administrator.
func (a *API) Socket() http.Handler {
	return a.router(func(*http.Request) (caller, error) { return caller{socket: true}, nil })
}

// Network serves the API to who can show who they are.
func (a *API) Network() http.Handler { return a.router(a.authenticate) }
