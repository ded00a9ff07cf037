package personal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/internal/cache"
	"github.com/berth-registry/berth/auth/internal/lastuse"
	"github.com/berth-registry/berth/metadata"
)

const (
	idBytes     = 10
	secretBytes = 25

	maxRemembered = 10_000
	standingFor   = 10 * time.Second // how long another replica may go on with what was revoked
)

// Owners says who a user is at the moment, as a right password would show.
// auth.ErrBadCredentials if there is none.
type Owners interface {
	Owner(ctx context.Context, name string) (auth.Principal, error)
}

// Tokens are the personal tokens of a store. They may be used concurrently.
type Tokens struct {
	store  metadata.Tokens
	owners Owners
	used   *lastuse.Recorder
	rows   *cache.Rows[metadata.Token] // of no id: there is none
}

var (
	_ auth.PasswordVerifier = (*Tokens)(nil)
	_ auth.Standing         = (*Tokens)(nil)
)

// New returns the tokens of a store, to be closed before it.
func New(store metadata.Tokens, owners Owners) *Tokens {
	t := &Tokens{store: store, owners: owners, rows: cache.NewRows[metadata.Token](maxRemembered, standingFor)}
	t.used = lastuse.New(func(ctx context.Context, id string, at time.Time) error {
		return store.UpdateToken(ctx, id, func(row *metadata.Token) error { row.Used = at; return nil })
	})
	return t
}

// Close finishes what is being recorded.
func (t *Tokens) Close() error { t.used.Close(); return nil }

// find returns the row of a token; the zero one if there is none.
func (t *Tokens) find(ctx context.Context, id string) (metadata.Token, error) {
	row, err := t.store.Token(ctx, id)
	if errors.Is(err, fs.ErrNotExist) {
		return metadata.Token{}, nil
	}
	if err != nil {
		return metadata.Token{}, fmt.Errorf("read token %s: %w", id, err)
	}
	return row, nil
}
