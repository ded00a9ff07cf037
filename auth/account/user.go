package account

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/metadata"
)

// User is a user as a listing shows it.
type User struct {
	Name     string    `json:"name"`
	Groups   []string  `json:"groups,omitempty"`
	Admin    bool      `json:"admin,omitempty"`
	Static   bool      `json:"static,omitempty"`
	Provider string    `json:"provider,omitempty"` // of identities, who vouches; absent: the password is kept here
	Created  time.Time `json:"created,omitzero"`
	Changed  time.Time `json:"changed,omitzero"` // of the password; the last browser login
}

// Add stores a new user. ErrInvalid, ErrExists, or the store's error.
func (a *Accounts) Add(ctx context.Context, name, password string, admin bool, groups []string, now time.Time) error {
	if err := a.checkNew(name, groups); err != nil {
		return err
	}
	if _, ok := a.staticUser(name); ok { // before the work of a hash
		return ErrExists
	}
	hash, err := a.hash(password)
	if err != nil {
		return err
	}
	return a.add(ctx, metadata.User{
		Name: name, Bcrypt: hash, Groups: slices.Clone(groups), Admin: admin, Created: now, Changed: now,
	})
}

func (a *Accounts) add(ctx context.Context, u metadata.User) error {
	if _, ok := a.staticUser(u.Name); ok {
		return ErrExists
	}
	err := a.users.AddUser(ctx, u)
	a.standing.Changed(u.Name)
	if errors.Is(err, metadata.ErrExists) {
		return ErrExists
	}
	if err != nil {
		return fmt.Errorf("add user %s: %w", u.Name, err)
	}
	return nil
}

func (a *Accounts) checkNew(name string, groups []string) error {
	if err := auth.CheckName(name); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if slices.Contains(a.reserved, name) {
		return fmt.Errorf("%w: %s is the name of an upstream", ErrInvalid, name)
	}
	return checkGroups(groups)
}

func checkGroups(groups []string) error {
	if len(groups) > auth.MaxGroups {
		return fmt.Errorf("%w: more than %d groups", ErrInvalid, auth.MaxGroups)
	}
	for _, g := range groups {
		if err := auth.CheckGroup(g); err != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, err)
		}
	}
	return nil
}

// SetPassword changes a password, which counts from the next login on, and ends
// refresh tokens; tokens that were issued before stay good until they expire.
// With that of admin the file of the first password goes. ErrInvalid, ErrStatic, ErrProvided, ErrNotFound, or the
// store's error.
func (a *Accounts) SetPassword(ctx context.Context, name, password string, now time.Time) error {
	if _, ok := a.staticUser(name); ok {
		return ErrStatic
	}
	hash, err := a.hash(password)
	if err != nil {
		return err
	}
	err = a.change(ctx, name, func(u *metadata.User) { u.Bcrypt, u.Changed = hash, now })
	if err != nil {
		return err
	}
	return a.dropInitial(name)
}

// SetGroups replaces the groups of a user. What a token says of groups that
// the user has left pushes and deletes no more, at once. ErrInvalid,
// ErrStatic, ErrProvided, ErrNotFound, or the store's error.
func (a *Accounts) SetGroups(ctx context.Context, name string, groups []string) error {
	if _, ok := a.staticUser(name); ok {
		return ErrStatic
	}
	if err := checkGroups(groups); err != nil {
		return err
	}
	return a.change(ctx, name, func(u *metadata.User) { u.Groups = slices.Clone(groups) })
}

func (a *Accounts) change(ctx context.Context, name string, change func(*metadata.User)) error {
	err := a.users.UpdateUser(ctx, name, func(u *metadata.User) error {
		if u.Provider != "" {
			return ErrProvided
		}
		change(u)
		return nil
	})
	a.standing.Changed(name)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	if errors.Is(err, ErrProvided) {
		return ErrProvided
	}
	if err != nil {
		return fmt.Errorf("change user %s: %w", name, err)
	}
	return nil
}

// Remove removes a user with all personal tokens. ErrStatic, ErrNotFound, ErrLastAdmin, or the store's
// error.
func (a *Accounts) Remove(ctx context.Context, name string) error {
	if _, ok := a.staticUser(name); ok {
		return ErrStatic
	}
	a.admins.Lock()
	defer a.admins.Unlock()
	if err := a.removable(ctx, name); err != nil {
		return err
	}
	err := a.users.RemoveUser(ctx, name)
	a.standing.Changed(name)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("remove user %s: %w", name, err)
	}
	return a.dropInitial(name)
}

// removable refuses the last administrator. BUG: two replicas that remove the
// last two administrators at the same moment are not kept from it.
func (a *Accounts) removable(ctx context.Context, name string) error {
	u, err := a.find(ctx, name)
	if err != nil || !u.Admin {
		return err
	}
	others, err := a.countAdmins(ctx, name)
	if err == nil && others == 0 {
		return ErrLastAdmin
	}
	return err
}

// countAdmins counts the administrators but for one name.
func (a *Accounts) countAdmins(ctx context.Context, but string) (int, error) {
	users, err := a.List(ctx)
	n := 0
	for _, u := range users {
		if u.Admin && u.Name != but {
			n++
		}
	}
	return n, err
}

// Find returns a user. ErrNotFound, or the store's error.
func (a *Accounts) Find(ctx context.Context, name string) (User, error) {
	u, err := a.find(ctx, name)
	if err != nil {
		return User{}, err
	}
	_, static := a.staticUser(name)
	return listed(u, static), nil
}

// List returns all users in order of name. A stored user who is hidden by a
// static one of the same name is left out.
func (a *Accounts) List(ctx context.Context) ([]User, error) {
	var list []User
	static := *a.static.Load()
	for _, u := range static {
		list = append(list, listed(u, true))
	}
	for u, err := range a.users.Users(ctx) {
		if err != nil {
			return nil, fmt.Errorf("list users: %w", err)
		}
		if _, hidden := static[u.Name]; !hidden {
			list = append(list, listed(u, false))
		}
	}
	slices.SortFunc(list, func(x, y User) int { return strings.Compare(x.Name, y.Name) })
	return list, nil
}

func listed(u metadata.User, static bool) User {
	return User{u.Name, slices.Clone(u.Groups), u.Admin, static, u.Provider, u.Created, u.Changed}
}
