package account

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"github.com/berth-registry/berth/auth"
)

// Owner returns the principal that a user's right password would show: for
// who came by something that stands for it. auth.ErrBadCredentials if there is
// no such user; any other error is the store's.
func (a *Accounts) Owner(ctx context.Context, name string) (auth.Principal, error) {
	p, _, err := a.Bond(ctx, name)
	return p, err
}

// Bond returns the principal of a user, and a text that stays the same until
// the user is removed or the password changes, and tells nothing of it: what is
// bound to it ends with it. It is "" for a user without a password. Errors are
// those of Owner.
func (a *Accounts) Bond(ctx context.Context, name string) (p auth.Principal, bond string, err error) {
	u, err := a.find(ctx, name)
	if errors.Is(err, ErrNotFound) {
		return auth.Principal{}, "", auth.ErrBadCredentials
	}
	if err != nil {
		return auth.Principal{}, "", err
	}
	if u.Bcrypt == "" {
		return principal(u), "", nil
	}
	sum := sha256.Sum256([]byte(u.Bcrypt)) // of salt and hash: nothing to guess at
	return principal(u), base64.RawURLEncoding.EncodeToString(sum[:16]), nil
}
