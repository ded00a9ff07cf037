package server

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/berth-registry/berth/audit"
	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/oci"
)

// maxTokenForm bounds the body of POST /token in bytes.
const maxTokenForm = 64 << 10

// errRefreshOff is told with a 401, not with RFC 6749's 400: podman and skopeo
// say of that one nothing but its number.
var errRefreshOff = errors.New("log in again, refresh tokens are switched off")

// getToken answers GET /token (distribution's "Token Authentication
// Specification"): with a password by Basic, without one by a client
// certificate, or with neither for anonymous rights.
func (s *Server) getToken(w http.ResponseWriter, r *http.Request) (c call, err error) {
	c.who, err = s.auth.Authenticate(r)
	if errors.Is(err, auth.ErrNoCredentials) {
		if c.who, err = s.certified(r, c.who); err == nil {
			c.shown = audit.Certificate
		}
	}
	switch {
	case errors.Is(err, auth.ErrNoCredentials): // who is anonymous
	case err == nil && c.who.Token:
		return c, s.unknownUser(w, fmt.Errorf("%w: a token cannot be exchanged for another", auth.ErrInvalidToken))
	case errors.Is(err, auth.ErrBadCredentials), errors.Is(err, auth.ErrCertificate), errors.Is(err, auth.ErrInvalidToken), errors.Is(err, auth.ErrMalformed):
		return c, s.unknownUser(w, err)
	case err != nil:
		return c, s.refused(r, Request{}, err)
	}
	query := r.URL.Query()
	refresh, err := s.refreshToken(r, c.who, query.Get("offline_token") == "true")
	if err != nil {
		return c, err
	}
	return s.issue(w, c, query["scope"], refresh)
}

// postToken answers POST /token (distribution's "OAuth2 Token
// Authentication"), which containerd and buildx try first.
func (s *Server) postToken(w http.ResponseWriter, r *http.Request) (call, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxTokenForm)
	if err := r.ParseForm(); err != nil {
		return call{}, oci.ErrBadRequest.With("the form cannot be read")
	}
	who, refresh, err := s.granted(r)
	c := call{who: who}
	if r.PostForm.Get("grant_type") == "refresh_token" {
		c.shown = audit.RefreshToken
	}
	if errors.Is(err, auth.ErrBadCredentials) || errors.Is(err, errRefreshOff) {
		return c, s.unknownUser(w, err)
	}
	if err != nil {
		return c, s.refused(r, Request{}, err)
	}
	return s.issue(w, c, r.PostForm["scope"], refresh)
}

// granted finds out by the grant of a form who sends it, and which refresh
// token goes with the answer.
func (s *Server) granted(r *http.Request) (who auth.Principal, refresh string, err error) {
	form, client := r.PostForm, s.proxies.Client(r)
	switch grant := form.Get("grant_type"); {
	case grant == "password":
		shown := auth.Credentials{Name: form.Get("username"), Secret: form.Get("password"), Client: client}
		if who, err = s.accounts.Login(r.Context(), shown, s.now()); err != nil {
			return auth.Principal{}, "", err
		}
		refresh, err = s.refreshToken(r, who, form.Get("access_type") == "offline")
	case grant == "refresh_token" && s.refresher != nil:
		refresh = form.Get("refresh_token") // the same again: docker and others go on to use the first
		who, err = s.refresher.Redeem(r.Context(), refresh, s.now())
	case grant == "refresh_token":
		err = errRefreshOff
	default:
		err = oci.ErrBadRequest.With("grant_type must be password or refresh_token")
	}
	who.Client = client
	return who, refresh, err
}

// refreshToken makes one if the client asks for it, and for those who may have
// one; "" otherwise.
func (s *Server) refreshToken(r *http.Request, who auth.Principal, wanted bool) (string, error) {
	if !wanted || s.refresher == nil {
		return "", nil
	}
	return s.refresher.Make(r.Context(), who, s.now())
}

// unknownUser refuses at the token endpoint, where the way to do better is
// another password.
func (s *Server) unknownUser(w http.ResponseWriter, cause error) error {
	w.Header().Set("WWW-Authenticate", `Basic realm="`+s.service+`", charset="UTF-8"`)
	return &refusal{oci.ErrUnauthorized.Because(cause.Error()), cause}
}

// issue answers with a token for those of the scopes that the principal may
// have. Rights that are missing shrink the answer; they are no error. refresh
// may be empty.
func (s *Server) issue(w http.ResponseWriter, c call, scopes []string, refresh string) (call, error) {
	wanted, err := auth.ParseScopes(scopes)
	if err != nil {
		return c, oci.ErrBadRequest.With(err.Error())
	}
	c.granted = s.gate.Policy.Load().Intersect(c.who, wanted)
	token, expiresIn, err := s.issuer.Issue(c.who, c.granted, s.now())
	if err != nil {
		return c, err
	}
	w.Header().Set("Cache-Control", "no-store")
	return c, writeJSON(w, http.StatusOK, struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"` // seconds; no issued_at, for clients whose clock is wrong
		Scope       string `json:"scope"`
		Refresh     string `json:"refresh_token,omitempty"`
	}{token, token, int(expiresIn.Seconds()), join(c.granted), refresh})
}

func join(access []auth.Access) string {
	scopes := make([]string, len(access))
	for i, a := range access {
		scopes[i] = a.String()
	}
	return strings.Join(scopes, " ")
}
