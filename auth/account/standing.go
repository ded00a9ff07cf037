package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/berth-registry/berth/auth"
)

// standing is what a user is at the moment, for tokens that say what it was.
type standing struct {
	exists bool
	admin  bool
	groups []string
}

// Standing reports whether the user that a token names is still there, in all
// of the token's groups, and an administrator if the token says so. An error
// that wraps auth.ErrInvalidToken if not: with a new token the client gets
// what is left. Any other error is the store's. The answer may be 10 s old;
// what was changed through these Accounts counts at once.
func (a *Accounts) Standing(ctx context.Context, p auth.Principal, now time.Time) error {
	if p.Kind != auth.User {
		return nil
	}
	s, err := a.standingOf(ctx, p.Name, now)
	switch {
	case err != nil:
		return err
	case !s.exists:
		return fmt.Errorf("%w: the user has been removed", auth.ErrInvalidToken)
	case p.Admin && !s.admin:
		return fmt.Errorf("%w: no administrator any more", auth.ErrInvalidToken)
	}
	for _, g := range p.Groups {
		if !slices.Contains(s.groups, g) {
			return fmt.Errorf("%w: not in the group any more", auth.ErrInvalidToken)
		}
	}
	return nil
}

func (a *Accounts) standingOf(ctx context.Context, name string, now time.Time) (standing, error) {
	return a.standing.Get(name, now, func() (standing, error) {
		u, err := a.find(ctx, name)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return standing{}, err
		}
		return standing{exists: err == nil, admin: u.Admin, groups: u.Groups}, nil
	})
}
