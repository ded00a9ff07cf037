package api

import (
	"context"
	"iter"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/account"
)

// Accounts is what the API needs of the users. Errors are those of
// account.Accounts.
type Accounts interface {
	Add(ctx context.Context, name, password string, admin bool, groups []string, now time.Time) error
	SetPassword(ctx context.Context, name, password string, now time.Time) error
	SetGroups(ctx context.Context, name string, groups []string) error
	Remove(ctx context.Context, name string) error
	Find(ctx context.Context, name string) (account.User, error)
	List(ctx context.Context) ([]account.User, error)
	Import(ctx context.Context, text string, now time.Time) (account.Imported, error)
	Owner(ctx context.Context, name string) (auth.Principal, error)
}

var _ Accounts = (*account.Accounts)(nil)

// User is a user as the API shows it: never the password's hash.
type User = account.User

// NewUser is the body of POST /api/v1/users.
type NewUser struct {
	Name     string   `json:"name"`
	Password string   `json:"password"`
	Admin    bool     `json:"admin,omitempty"`
	Groups   []string `json:"groups,omitempty"`
}

// Password is the body of PUT /api/v1/users/{name}/password.
type Password struct {
	Password string `json:"password"`
}

// Groups is the body of PUT /api/v1/users/{name}/groups.
type Groups struct {
	Groups []string `json:"groups"`
}

// Htpasswd is the body of POST /api/v1/htpasswd: the text of the file.
type Htpasswd struct {
	Htpasswd string `json:"htpasswd"`
}

func (a *API) listUsers(w http.ResponseWriter, r *http.Request, _ caller) error {
	users, err := a.Accounts.List(r.Context())
	if err != nil {
		return err
	}
	after := func(last string) iter.Seq2[User, error] {
		return func(yield func(User, error) bool) {
			for _, u := range users {
				if u.Name > last && !yield(u, nil) {
					return
				}
			}
		}
	}
	return list(w, r, after, func(u User) string { return u.Name })
}

func (a *API) addUser(w http.ResponseWriter, r *http.Request, _ caller) error {
	u, err := read[NewUser](w, r)
	if err != nil {
		return err
	}
	if err := a.Accounts.Add(r.Context(), u.Name, u.Password, u.Admin, u.Groups, a.Now()); err != nil {
		return err
	}
	return a.replyUser(w, r, http.StatusCreated, u.Name)
}

func (a *API) getUser(w http.ResponseWriter, r *http.Request, _ caller) error {
	return a.replyUser(w, r, http.StatusOK, chi.URLParam(r, "name"))
}

func (a *API) replyUser(w http.ResponseWriter, r *http.Request, status int, name string) error {
	u, err := a.Accounts.Find(r.Context(), name)
	if err != nil {
		return err
	}
	return reply(w, status, u)
}

func (a *API) removeUser(w http.ResponseWriter, r *http.Request, _ caller) error {
	if err := a.Accounts.Remove(r.Context(), chi.URLParam(r, "name")); err != nil {
		return err
	}
	return done(w)
}

func (a *API) setPassword(w http.ResponseWriter, r *http.Request, _ caller) error {
	return a.changePassword(w, r, chi.URLParam(r, "name"))
}

// setOwnPassword takes the password that came with the request for the old
// one: a token that was lost must not be enough to lock its owner out.
func (a *API) setOwnPassword(w http.ResponseWriter, r *http.Request, c caller) error {
	if c.socket {
		return account.ErrNotFound
	}
	if !c.byPassword() {
		return errPassword
	}
	return a.changePassword(w, r, c.Name)
}

func (a *API) changePassword(w http.ResponseWriter, r *http.Request, name string) error {
	p, err := read[Password](w, r)
	if err != nil {
		return err
	}
	if err := a.Accounts.SetPassword(r.Context(), name, p.Password, a.Now()); err != nil {
		return err
	}
	return done(w)
}

func (a *API) setGroups(w http.ResponseWriter, r *http.Request, _ caller) error {
	g, err := read[Groups](w, r)
	if err != nil {
		return err
	}
	if err := a.Accounts.SetGroups(r.Context(), chi.URLParam(r, "name"), g.Groups); err != nil {
		return err
	}
	return done(w)
}

func (a *API) importUsers(w http.ResponseWriter, r *http.Request, _ caller) error {
	h, err := readUpTo[Htpasswd](w, r, maxImport)
	if err != nil {
		return err
	}
	imported, err := a.Accounts.Import(r.Context(), h.Htpasswd, a.Now())
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, imported)
}
