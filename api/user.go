package api

import (
	"context"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/berth-registry/berth/auth/account"
)

// Accounts is what the API needs of the users. Errors are those of
// account.Accounts.
type Accounts interface {
	Add(ctx context.Context, name, password string, admin bool, groups []string, now time.Time) error
	SetPassword(ctx context.Context, name, password string, now time.Time) error
	Remove(ctx context.Context, name string) error
	List(ctx context.Context) ([]account.User, error)
}

var _ Accounts = (*account.Accounts)(nil)

// User is a user as the API shows it: never the password's hash.
type User = account.User

// NewUser is the body of POST /api/v1/users.
type NewUser struct {
	Name     string   `json:"name"`
	Password string   `json:"password"`
	Admin    bool     `json:"admin"`
	Groups   []string `json:"groups"`
}

// Password is the body of PUT /api/v1/users/{name}/password.
type Password struct {
	Password string `json:"password"`
}

func (h *handler) listUsers(w http.ResponseWriter, r *http.Request) error {
	users, err := h.accounts.List(r.Context())
	if err != nil {
		return err
	}
	if users == nil {
		users = []User{}
	}
	return reply(w, http.StatusOK, users)
}

func (h *handler) addUser(w http.ResponseWriter, r *http.Request) error {
	u, err := read[NewUser](w, r)
	if err != nil {
		return err
	}
	if err := h.accounts.Add(r.Context(), u.Name, u.Password, u.Admin, u.Groups, time.Now()); err != nil {
		return err
	}
	w.WriteHeader(http.StatusCreated)
	return nil
}

func (h *handler) setPassword(w http.ResponseWriter, r *http.Request) error {
	p, err := read[Password](w, r)
	if err != nil {
		return err
	}
	if err := h.accounts.SetPassword(r.Context(), chi.URLParam(r, "name"), p.Password, time.Now()); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h *handler) removeUser(w http.ResponseWriter, r *http.Request) error {
	if err := h.accounts.Remove(r.Context(), chi.URLParam(r, "name")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
