package api

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/berth-registry/berth/auth/personal"
)

// Tokens is what the API needs of the personal tokens. Errors are those of
// personal.Tokens.
type Tokens interface {
	Add(ctx context.Context, n personal.NewToken, now time.Time) (token string, made personal.Token, err error)
	Revoke(ctx context.Context, id, owner string) error
	List(ctx context.Context, owner, after string) iter.Seq2[personal.Token, error]
}

var _ Tokens = (*personal.Tokens)(nil)

// Token is a personal token as the API shows it: never its secret.
type Token = personal.Token

// NewToken is the body of POST /api/v1/tokens.
type NewToken struct {
	Owner   string    `json:"owner,omitempty"` // absent: the caller; another one for administrators only
	Name    string    `json:"name"`
	Rules   []string  `json:"rules,omitempty"`  // PATTERN:ACTIONS; absent: all that the owner may
	Expires time.Time `json:"expires,omitzero"` // absent: never
}

// MadeToken is a personal token with the token itself, which nobody sees
// again.
type MadeToken struct {
	Token  Token  `json:"token"`
	Secret string `json:"secret"` // berth_pat_…, to be used as a password
}

// owner returns whose tokens the caller means, and may: "" is everybody's.
func (c caller) owner(asked string) (string, error) {
	switch {
	case c.administers():
		return asked, nil
	case asked == "" || asked == c.Name:
		return c.Name, nil
	}
	return "", errNotAdmin
}

func (a *API) listTokens(w http.ResponseWriter, r *http.Request, c caller) error {
	owner, err := c.owner(r.URL.Query().Get("owner"))
	if err != nil {
		return err
	}
	after := func(last string) iter.Seq2[Token, error] { return a.Tokens.List(r.Context(), owner, last) }
	return list(w, r, after, func(t Token) string { return t.ID })
}

// addToken takes the password of who is no administrator, or an API token that
// a password has just bought: a personal token that was lost must not make
// others that outlive it.
func (a *API) addToken(w http.ResponseWriter, r *http.Request, c caller) error {
	if !c.administers() && c.Credential != "" {
		return errPassword
	}
	n, err := read[NewToken](w, r)
	if err != nil {
		return err
	}
	owner, err := c.owner(cmp.Or(n.Owner, c.Name))
	if err == nil && owner == "" {
		err = fmt.Errorf("%w: the owner is missing", personal.ErrInvalid)
	}
	if err != nil {
		return err
	}
	secret, made, err := a.Tokens.Add(r.Context(), personal.NewToken{Owner: owner, Name: n.Name, Rules: n.Rules, Expires: n.Expires}, a.Now())
	if err != nil {
		return err
	}
	return reply(w, http.StatusCreated, MadeToken{made, secret})
}

func (a *API) revokeToken(w http.ResponseWriter, r *http.Request, c caller) error {
	owner, err := c.owner("")
	if err != nil {
		return err
	}
	if err := a.Tokens.Revoke(r.Context(), chi.URLParam(r, "id"), owner); err != nil {
		return err
	}
	return done(w)
}
