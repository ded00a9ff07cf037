package auth

import (
	"context"
	"time"
)

// Standing reports whether the principal of a token is still what the token
// says. An error that wraps ErrInvalidToken if not; any other is a failure of
// the server.
type Standing interface {
	Standing(ctx context.Context, p Principal, now time.Time) error
}

// Gate is the one place where a request is let through or not. The zero Gate
// denies.
type Gate struct {
	Policy   *Live
	Standing Standing // nil: tokens are good until they expire
}

// Allow reports whether p may take all the actions on a repository. The name
// is the canonical one of what is really touched.
//
// By token its entries decide, and for what changes something also the
// principal's standing: who was removed loses push and delete at once, and
// pull when the token expires. By password the grants in force decide. An
// *AccessError that wraps ErrInsufficientScope or ErrDenied if not; the error
// of Standing otherwise.
func (g Gate) Allow(ctx context.Context, p Principal, repository string, want Actions, now time.Time) error {
	need := Repository(repository, want)
	if !p.Token {
		d := g.Live(p, repository, want)
		return denied(d.Allowed, ErrDenied, need, d.Missing)
	}
	if !p.Allows(need) {
		return denied(false, ErrInsufficientScope, need, want&^p.holds(need))
	}
	if want&(Push|Delete) == 0 {
		return nil
	}
	return g.Stands(ctx, p, now)
}

// AllowCatalog reports whether p may list repositories, of which the listing
// shows those that p may pull. A token needs its registry:catalog:*, and its
// principal to stand. The errors are those of Allow.
func (g Gate) AllowCatalog(ctx context.Context, p Principal, now time.Time) error {
	if p.Token && !p.Allows(Catalog()) {
		return denied(false, ErrInsufficientScope, Catalog(), All)
	}
	return g.Stands(ctx, p, now)
}

// Stands reports whether p is still what its token says; nil if p came without
// one, for a password was just compared. Whatever asks Live for a whole list
// asks this first: the grants know nobody who was removed, but the token goes
// on to say that it is an administrator's. The error is that of Standing.
func (g Gate) Stands(ctx context.Context, p Principal, now time.Time) error {
	if !p.Token || g.Standing == nil {
		return nil
	}
	return g.Standing.Standing(ctx, p, now)
}

func denied(allowed bool, err error, need Access, missing Actions) error {
	if allowed {
		return nil
	}
	return &AccessError{Err: err, Needed: need, Missing: missing}
}

// Live asks the grants in force, whatever token p came by: for the source of a
// mount, and for each result of a listing or search.
func (g Gate) Live(p Principal, repository string, want Actions) Decision {
	return g.Policy.Load().Decide(p, repository, want)
}
