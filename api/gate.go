package api

import (
	"errors"
	"net/http"

	"github.com/berth-registry/berth/auth"
)

// who may call an endpoint. Administrators may call all; the zero value is for
// them alone.
type who uint8

const (
	administrator who = iota
	person            // a user, for what is the user's own; not by a token that narrows
	known             // whoever can show who it is
	everybody         // known or not; what is shown must be right
	anybody           // what is shown is not looked at
)

// caller is who calls. The zero caller is anonymous.
type caller struct {
	auth.Principal
	socket bool // nobody by name, and an administrator
}

func (c caller) administers() bool { return c.socket || c.Administers() }

func (c caller) id() string {
	if c.socket {
		return "admin socket"
	}
	return c.ID()
}

var (
	errNotAdmin = errors.New("only an administrator may do this, and not by a token that narrows")
	errNarrowed = errors.New("this takes a user's own rights: the password, or a personal token that narrows nothing")
	errPassword = errors.New("this takes the password itself, and no token")
)

// authenticate finds out who calls over the network. Who came by an API token
// must still be what it says, whatever is called.
func (a *API) authenticate(r *http.Request) (caller, error) {
	p, err := a.Auth.Authenticate(r)
	if err == nil && p.Token {
		err = a.Standing.Standing(r.Context(), p, a.Now())
	}
	if err != nil {
		return caller{}, err
	}
	return caller{Principal: p}, nil
}

// allow is the gate of every endpoint.
func (w who) allow(c caller) error {
	switch {
	case w == anybody, w == everybody, c.administers():
		return nil
	case c.Kind == auth.Anonymous:
		return auth.ErrNoCredentials
	case w == known, w == person && c.Kind == auth.User && !c.Narrowed:
		return nil
	case w == person:
		return errNarrowed
	}
	return errNotAdmin
}

// byPassword reports whether the caller has just shown a password.
func (c caller) byPassword() bool {
	return c.Kind == auth.User && !c.Token && c.Credential == ""
}
