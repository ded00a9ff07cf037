package server

import (
	"errors"
	"net/http"
	"strings"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/oci"
)

// maxTokenForm bounds the body of POST /token in bytes.
const maxTokenForm = 64 << 10

// getToken answers GET /token (distribution's "Token Authentication
// Specification"): with a password by Basic, or without one for anonymous
// rights.
func (s *Server) getToken(w http.ResponseWriter, r *http.Request) (call, error) {
	who, err := s.auth.Authenticate(r)
	switch {
	case errors.Is(err, auth.ErrNoCredentials): // who is anonymous
	case err == nil && who.Token:
		return call{who: who}, s.unknownUser(w, errors.New("a token cannot be exchanged for another"))
	case errors.Is(err, auth.ErrBadCredentials), errors.Is(err, auth.ErrInvalidToken), errors.Is(err, auth.ErrMalformed):
		return call{}, s.unknownUser(w, err)
	case err != nil:
		return call{}, s.refused(r, Request{}, err)
	}
	return call{who: who}, s.issue(w, who, r.URL.Query()["scope"])
}

// postToken answers POST /token (distribution's "OAuth2 Token
// Authentication"), which containerd and buildx try first.
func (s *Server) postToken(w http.ResponseWriter, r *http.Request) (call, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxTokenForm)
	if err := r.ParseForm(); err != nil {
		return call{}, oci.ErrBadRequest.With("the form cannot be read")
	}
	if grant := r.PostForm.Get("grant_type"); grant != "password" {
		return call{}, oci.ErrBadRequest.With("grant_type must be password")
	}
	shown := auth.Credentials{Name: r.PostForm.Get("username"), Secret: r.PostForm.Get("password"), Client: s.proxies.Client(r)}
	who, err := s.accounts.Login(r.Context(), shown, s.now())
	if errors.Is(err, auth.ErrBadCredentials) {
		return call{}, s.unknownUser(w, err)
	}
	if err != nil {
		return call{}, s.refused(r, Request{}, err)
	}
	who.Client = shown.Client
	return call{who: who}, s.issue(w, who, r.PostForm["scope"])
}

// unknownUser refuses at the token endpoint, where the way to do better is
// another password.
func (s *Server) unknownUser(w http.ResponseWriter, cause error) error {
	w.Header().Set("WWW-Authenticate", `Basic realm="`+s.service+`", charset="UTF-8"`)
	return oci.ErrUnauthorized.With(cause.Error())
}

// issue answers with a token for those of the scopes that the principal may
// have. Rights that are missing shrink the answer; they are no error.
func (s *Server) issue(w http.ResponseWriter, who auth.Principal, scopes []string) error {
	wanted, err := auth.ParseScopes(scopes)
	if err != nil {
		return oci.ErrBadRequest.With(err.Error())
	}
	granted := s.gate.Policy.Load().Intersect(who, wanted)
	token, expiresIn, err := s.issuer.Issue(who, granted, s.now())
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return writeJSON(w, http.StatusOK, struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"` // seconds; no issued_at, for clients whose clock is wrong
		Scope       string `json:"scope"`
	}{token, token, int(expiresIn.Seconds()), join(granted)})
}

func join(access []auth.Access) string {
	scopes := make([]string, len(access))
	for i, a := range access {
		scopes[i] = a.String()
	}
	return strings.Join(scopes, " ")
}
