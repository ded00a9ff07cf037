package account

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/berth-registry/berth/auth/internal/secret"
)

const (
	firstAdmin  = "admin"
	initialFile = "initial-admin-password"
)

// Initial is what Bootstrap did.
type Initial struct {
	Created  bool   // the user admin
	Password string // made up, to be printed once; "" if it was given
	File     string // where the password is kept until it is changed; "" if it was given
}

// Bootstrap makes the first administrator, called admin, if there is no
// administrator yet, and none otherwise: there is never a default password
// (CVE-2026-4404).
//
// password is that of BERTH_ADMIN_PASSWORD. If it is empty 130 bits are made
// up and kept in <dir>/initial-admin-password, mode 0600, durable before the
// user exists, until the password is changed. It counts at the first start
// only: a password that was changed later is never set back by an environment
// that was forgotten. An administrator who removed admin in favour of others
// does not get it back either.
//
// ErrInvalid if the given password is against the rules. A static user called
// admin who is no administrator leaves the registry to the admin socket.
func (a *Accounts) Bootstrap(ctx context.Context, password string, now time.Time) (Initial, error) {
	a.admins.Lock()
	defer a.admins.Unlock()
	if needed, err := a.needsAdmin(ctx); err != nil || !needed {
		return Initial{}, err
	}
	if password != "" {
		return a.addGiven(ctx, password, now)
	}
	made := Initial{Password: rand.Text(), File: filepath.Join(a.dir, initialFile)}
	if err := secret.Replace(made.File, []byte(made.Password+"\n")); err != nil {
		return Initial{}, fmt.Errorf("keep the first password: %w", err)
	}
	return a.addFirst(ctx, made, made.Password, now)
}

// needsAdmin reports whether there is neither an administrator nor anybody of
// the name.
func (a *Accounts) needsAdmin(ctx context.Context) (bool, error) {
	users, err := a.List(ctx)
	return err == nil && !slices.ContainsFunc(users, func(u User) bool { return u.Admin || u.Name == firstAdmin }), err
}

// addGiven also removes the file that a start which ended too early has left.
func (a *Accounts) addGiven(ctx context.Context, password string, now time.Time) (Initial, error) {
	made, err := a.addFirst(ctx, Initial{}, password, now)
	if err != nil {
		return Initial{}, err
	}
	return made, a.dropInitial(firstAdmin)
}

func (a *Accounts) addFirst(ctx context.Context, made Initial, password string, now time.Time) (Initial, error) {
	err := a.Add(ctx, firstAdmin, password, true, nil, now)
	if errors.Is(err, ErrExists) { // another replica was faster
		return Initial{}, a.dropInitial(firstAdmin)
	}
	if err != nil {
		return Initial{}, fmt.Errorf("make the user %s: %w", firstAdmin, err)
	}
	made.Created = true
	return made, nil
}

// dropInitial removes the file of the first password if name is that of the
// first administrator.
func (a *Accounts) dropInitial(name string) error {
	if name != firstAdmin || a.dir == "" {
		return nil
	}
	if err := secret.Remove(filepath.Join(a.dir, initialFile)); err != nil {
		return fmt.Errorf("done, but the file of the first password is still there: %w", err)
	}
	return nil
}
