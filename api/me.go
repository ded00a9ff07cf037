package api

import (
	"net/http"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/account"
)

// Me is who calls.
type Me struct {
	Principal     string    `json:"principal"` // user:alice, robot:ci, "admin socket"
	Administrator bool      `json:"administrator"`
	Groups        []string  `json:"groups,omitempty"`
	Rules         []string  `json:"rules,omitempty"`    // its own, beside the grants
	Within        []string  `json:"within,omitempty"`   // what its token narrows to
	Narrowed      bool      `json:"narrowed,omitempty"` // to within, also if that is nothing
	Client        string    `json:"client,omitempty"`   // address that asks
	Expires       time.Time `json:"expires,omitzero"`   // of the API token
}

func (a *API) getMe(w http.ResponseWriter, _ *http.Request, c caller) error {
	me := Me{
		Principal: c.id(), Administrator: c.administers(), Groups: c.Groups, Rules: auth.RuleTexts(c.Own),
		Within: auth.RuleTexts(c.Within), Narrowed: c.Narrowed, Expires: c.Expires.UTC(),
	}
	if c.Expires.IsZero() {
		me.Expires = time.Time{}
	}
	if c.Client.IsValid() {
		me.Client = c.Client.String()
	}
	return reply(w, http.StatusOK, me)
}

// Session is an API token.
type Session struct {
	Token     string `json:"token"`      // to be sent as a Bearer
	ExpiresIn int    `json:"expires_in"` // seconds
}

// startSession gives an API token for what a request has come with, but for
// another API token: it would never end.
func (a *API) startSession(w http.ResponseWriter, _ *http.Request, c caller) error {
	switch {
	case c.socket:
		return account.ErrNotFound
	case c.Token:
		return errPassword
	}
	token, expiresIn, err := a.Sessions.Issue(c.Principal, nil, a.Now())
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, Session{token, int(expiresIn.Seconds())})
}

func (a *API) getDocument(w http.ResponseWriter, _ *http.Request, _ caller) error {
	w.Header().Set("Content-Type", "application/json")
	_, err := w.Write(a.document)
	return err
}
