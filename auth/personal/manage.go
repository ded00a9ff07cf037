package personal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/internal/secret"
	"github.com/berth-registry/berth/metadata"
)

// Limits of tokens.
const (
	MaxTokens = 100 // of one owner, those that have expired included
	maxName   = 64  // bytes
)

// Why tokens cannot be made or revoked as asked.
var (
	// ErrInvalid means a name, rule or expiry that cannot be.
	ErrInvalid = errors.New("invalid")
	// ErrExists means that the owner has a token of that name already.
	ErrExists = errors.New("there is a token of this name already")
	// ErrTooMany means that the owner has MaxTokens already.
	ErrTooMany = fmt.Errorf("there are %d tokens already: revoke one first", MaxTokens)
	// ErrNotFound means that there is no such token, or not of this owner.
	ErrNotFound = errors.New("there is no such token")
	// ErrNoOwner means that there is no user of that name.
	ErrNoOwner = errors.New("there is no such user")
)

// Token is a token as a listing shows it: never its secret.
type Token struct {
	ID      string    `json:"id"`
	Owner   string    `json:"owner"`
	Name    string    `json:"name"`
	Rules   []string  `json:"rules,omitempty"` // absent: all that its owner may
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"` // absent: never
	Used    time.Time `json:"used,omitzero"`    // to the hour; absent: never
}

// NewToken is a token to be made.
type NewToken struct {
	Owner   string
	Name    string    // to know it by, of its owner's tokens
	Rules   []string  // none: all that the owner may
	Expires time.Time // zero: never
}

// Add makes a token and returns it with what is listed of it. Nobody can get at
// it again. ErrInvalid, ErrNoOwner, ErrExists, ErrTooMany, or the store's
// error.
func (t *Tokens) Add(ctx context.Context, n NewToken, now time.Time) (token string, made Token, err error) {
	if err := checkName(n.Name); err != nil {
		return "", Token{}, err
	}
	rules, err := auth.ParseRules(n.Rules)
	if err != nil {
		return "", Token{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if !n.Expires.IsZero() && !now.Before(n.Expires) {
		return "", Token{}, fmt.Errorf("%w: it would have expired already", ErrInvalid)
	}
	if err := t.hasOwner(ctx, n.Owner); err != nil {
		return "", Token{}, err
	}
	key := secret.Random(secretBytes)
	row := metadata.Token{
		ID: secret.Random(idBytes), Owner: n.Owner, Name: n.Name, Secret: secret.Sum(key),
		Narrowed: len(rules) > 0, Rules: auth.RuleTexts(rules), Created: now, Expires: n.Expires,
	}
	if err := t.add(ctx, row); err != nil {
		return "", Token{}, err
	}
	// Who is removed takes the tokens along that are there by then. One that
	// comes a moment later would be the next owner's of that name.
	if err := t.hasOwner(ctx, n.Owner); err != nil {
		return "", Token{}, errors.Join(err, t.Revoke(ctx, row.ID, ""))
	}
	return auth.PersonalPrefix + row.ID + "_" + key, listed(row), nil
}

func (t *Tokens) hasOwner(ctx context.Context, name string) error {
	_, err := t.owners.Owner(ctx, name)
	if errors.Is(err, auth.ErrBadCredentials) {
		return ErrNoOwner
	}
	return err
}

func (t *Tokens) add(ctx context.Context, row metadata.Token) error {
	err := t.store.AddToken(ctx, row, MaxTokens)
	t.rows.Changed(row.ID)
	switch {
	case errors.Is(err, metadata.ErrExists):
		return ErrExists
	case errors.Is(err, metadata.ErrTooMany):
		return ErrTooMany
	case err != nil:
		return fmt.Errorf("add a token of %s: %w", row.Owner, err)
	}
	return nil
}

func checkName(name string) error {
	if len(name) > maxName || auth.CheckGroup(name) != nil {
		return fmt.Errorf("%w: the name of a token is visible text of 1 to %d bytes without spaces around it", ErrInvalid, maxName)
	}
	return nil
}

// Revoke removes a token. If owner is not empty it must be the token's.
// ErrNotFound, or the store's error.
func (t *Tokens) Revoke(ctx context.Context, id, owner string) error {
	row, err := t.find(ctx, id)
	if err != nil {
		return err
	}
	if row.ID == "" || owner != "" && row.Owner != owner {
		return ErrNotFound
	}
	err = t.store.RemoveToken(ctx, id)
	t.rows.Changed(id)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("revoke token %s: %w", id, err)
	}
	return nil
}

// List visits the tokens of an owner, or of all if owner is empty, whose ids
// are greater than after, in order of their ids.
func (t *Tokens) List(ctx context.Context, owner, after string) iter.Seq2[Token, error] {
	return func(yield func(Token, error) bool) {
		for row, err := range t.store.Tokens(ctx, owner, after) {
			if !yield(listed(row), err) || err != nil {
				return
			}
		}
	}
}

func listed(row metadata.Token) Token {
	return Token{ID: row.ID, Owner: row.Owner, Name: row.Name, Rules: row.Rules, Created: row.Created, Expires: row.Expires, Used: row.Used}
}
