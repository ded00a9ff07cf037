package server

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/berth-registry/berth/audit"
	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/oci"
)

// Browser is the login of people at a provider of identities. Errors of both
// are auth.ErrMalformed for an answer that is none, auth.ErrDenied, whose text
// may be shown, an *oci.Error, or a failure of this server.
type Browser interface {
	// Begin returns where the browser is to go and the secret for its cookie.
	Begin(ctx context.Context, now time.Time) (location, secret string, err error)
	// Finish returns who has logged in, by the secret and by what the provider
	// has sent the browser back with.
	Finish(ctx context.Context, secret string, answer url.Values, now time.Time) (auth.Principal, error)
}

// LoginToken is the personal token that a browser login ends in.
type LoginToken struct {
	Token   string // nobody can get at it again
	ID      string // which tells nothing of it
	Name    string // by which its owner knows it
	Expires time.Time
}

// TokenMaker makes them. An error that wraps auth.ErrDenied, whose text may be
// shown, if owner can have no more of them; any other is a failure of this
// server.
type TokenMaker interface {
	MakeToken(ctx context.Context, owner string, now time.Time) (LoginToken, error)
}

const (
	loginCookie = "berth-login"
	loginWithin = 10 * time.Minute // from GET /login to the provider's answer
)

// getLogin sends the browser to the provider. If another site has sent it here
// somebody must press a link first: a page elsewhere is not to make tokens in
// the name of whoever looks at it.
func (s *Server) getLogin(w http.ResponseWriter, r *http.Request) (call, error) {
	if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
		return call{}, s.writePage(w, http.StatusOK, page{Begin: true})
	}
	location, secret, err := s.browser.Begin(r.Context(), s.now())
	if err != nil {
		return call{}, s.loginFailed(w, err)
	}
	http.SetCookie(w, s.cookie(secret, int(loginWithin.Seconds())))
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, location, http.StatusSeeOther)
	return call{}, nil
}

// getCallback is where the provider sends the browser back to. It ends in a
// page with a new personal token.
func (s *Server) getCallback(w http.ResponseWriter, r *http.Request) (call, error) {
	secret := ""
	if c, err := r.Cookie(s.cookie("", 0).Name); err == nil {
		secret = c.Value
	}
	http.SetCookie(w, s.cookie("", -1)) // used up, however this ends
	now := s.now()
	who, err := s.browser.Finish(r.Context(), secret, r.URL.Query(), now)
	who.Client = s.proxies.Client(r)
	s.logins.Note(r.Context(), who, audit.Browser, err, now)
	if err != nil {
		return call{}, s.loginFailed(w, err)
	}
	c := call{who: who, shown: audit.Browser}
	made, err := s.tokens.MakeToken(r.Context(), who.Name, now)
	if err != nil {
		return c, s.loginFailed(w, err)
	}
	c.made = made.ID
	return c, s.writePage(w, http.StatusOK, page{
		Host: s.host, User: who.Name, Groups: who.Groups,
		Token: made.Token, Name: made.Name, Expires: made.Expires.UTC().Format("2 January 2006"),
	})
}

// cookie is of this host alone where it can be (RFC 6265bis, section 4.1.3.2).
// SameSite=Strict would keep it back when the provider sends the browser here.
func (s *Server) cookie(value string, maxAge int) *http.Cookie {
	c := &http.Cookie{Name: loginCookie, Value: value, Path: "/login", MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if strings.HasPrefix(s.url, "https://") {
		c.Name, c.Path, c.Secure = "__Host-"+loginCookie, "/", true
	}
	return c
}

// loginFailed shows why, and returns err for the log.
func (s *Server) loginFailed(w http.ResponseWriter, err error) error {
	status, why := http.StatusInternalServerError, "Something went wrong here. The log of the registry says what."
	known := (*oci.Error)(nil)
	switch {
	case errors.Is(err, auth.ErrMalformed):
		status, why = http.StatusBadRequest, "This login is over: it has been finished already, took longer than ten minutes, or was begun in another browser."
	case errors.Is(err, auth.ErrDenied):
		status, why = http.StatusForbidden, "You cannot log in: "+strings.TrimPrefix(err.Error(), auth.ErrDenied.Error()+": ")+"."
	case errors.As(err, &known):
		status, why = known.Status, "The provider of identities does not answer as it should. Try again in a moment."
		w.Header().Set("Retry-After", strconv.Itoa(auth.RetryAfter(err)))
	}
	return errors.Join(err, s.writePage(w, status, page{Failed: why}))
}
