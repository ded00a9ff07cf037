package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
)

var _ auth.Admitter = (*Accounts)(nil)

// Admit implements auth.Admitter: a person is a user without a password, whose
// row says who vouches. It is written when it is new or its groups have
// changed and, for who is known by a subject, at every login, of which there
// are few; it is only read otherwise. The provider's word on groups and
// administrators replaces what was there; the name stays what it was at first.
func (a *Accounts) Admit(ctx context.Context, p auth.Person, now time.Time) (auth.Principal, error) {
	name, known, err := a.nameOf(ctx, p)
	if err != nil {
		return auth.Principal{}, err
	}
	if known {
		return a.readmit(ctx, name, p, now)
	}
	u := metadata.User{
		Name: p.Name, Groups: slices.Clone(p.Groups), Admin: p.Admin,
		Provider: p.Provider, Subject: p.Subject, Created: now, Changed: now,
	}
	if err := a.checkNew(u.Name, u.Groups); err != nil {
		return auth.Principal{}, fmt.Errorf("%w: %w", auth.ErrDenied, err)
	}
	err = a.add(ctx, u)
	if errors.Is(err, ErrExists) { // the same person, a moment earlier, or somebody else
		return a.readmit(ctx, u.Name, p, now)
	}
	if err != nil {
		return auth.Principal{}, err
	}
	return principal(u), nil
}

// nameOf returns the name of the row that is to be a person's, and whether it
// is there. The person may have got another name at the provider since: then
// all rows are searched, which only a browser login does.
func (a *Accounts) nameOf(ctx context.Context, p auth.Person) (name string, known bool, err error) {
	u, err := a.find(ctx, p.Name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return "", false, err
	}
	known = err == nil
	if known && isOf(u, p) || p.Subject == "" {
		return p.Name, known, nil
	}
	for u, err := range a.users.Users(ctx) {
		if err != nil {
			return "", false, fmt.Errorf("list users: %w", err)
		}
		if isOf(u, p) {
			return u.Name, true, nil
		}
	}
	return p.Name, known, nil
}

func isOf(u metadata.User, p auth.Person) bool {
	return p.Provider != "" && u.Provider == p.Provider && u.Subject == p.Subject
}

// readmit brings the row of a person up to date. auth.ErrDenied if it is
// somebody else's.
func (a *Accounts) readmit(ctx context.Context, name string, p auth.Person, now time.Time) (auth.Principal, error) {
	taken := fmt.Errorf("%w: the user name %s belongs to another account here", auth.ErrDenied, name)
	u, err := a.find(ctx, name)
	if err != nil {
		return auth.Principal{}, err
	}
	if !isOf(u, p) {
		return auth.Principal{}, taken
	}
	if u.Admin == p.Admin && slices.Equal(u.Groups, p.Groups) && p.Subject == "" {
		return principal(u), nil
	}
	if err := checkGroups(p.Groups); err != nil {
		return auth.Principal{}, fmt.Errorf("%w: %w", auth.ErrDenied, err)
	}
	err = a.users.UpdateUser(ctx, name, func(row *metadata.User) error {
		if !isOf(*row, p) {
			return taken
		}
		row.Groups, row.Admin = slices.Clone(p.Groups), p.Admin
		if p.Subject != "" {
			row.Changed = now
		}
		u = *row
		return nil
	})
	a.standing.Changed(name)
	if err != nil {
		return auth.Principal{}, fmt.Errorf("change user %s: %w", name, err)
	}
	return principal(u), nil
}

// Local reports whether a name is that of a user whose password is kept here.
// An error is the store's.
func (a *Accounts) Local(ctx context.Context, name string) (bool, error) {
	if !oci.ValidComponent(name) {
		return false, nil
	}
	u, err := a.find(ctx, name)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil && u.Provider == "", err
}
