package personal

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/internal/secret"
	"github.com/berth-registry/berth/metadata"
)

// parse splits a token. ok is false for what has not its form.
func parse(token string) (id, key string, ok bool) {
	rest, ok := strings.CutPrefix(token, auth.PersonalPrefix)
	id, key, cut := strings.Cut(rest, "_")
	return id, key, ok && cut && secret.IsRandom(id, idBytes) && secret.IsRandom(key, secretBytes)
}

// Login implements auth.PasswordVerifier for secrets that begin with
// auth.PersonalPrefix. The name must be the owner's.
func (t *Tokens) Login(ctx context.Context, c auth.Credentials, now time.Time) (auth.Principal, error) {
	p, err := t.Redeem(ctx, c.Secret, c.Client, now)
	if err == nil && p.Name != c.Name {
		return auth.Principal{}, auth.ErrBadCredentials
	}
	return p, err
}

// Redeem implements auth.Redeemer. It makes no difference where a token comes
// from.
func (t *Tokens) Redeem(ctx context.Context, token string, _ netip.Addr, now time.Time) (auth.Principal, error) {
	id, key, ok := parse(token)
	if !ok {
		return auth.Principal{}, auth.ErrBadCredentials
	}
	row, err := t.find(ctx, id)
	if err != nil {
		return auth.Principal{}, err
	}
	if !secret.Fits(row.Secret, key) || !usable(row, now) {
		return auth.Principal{}, auth.ErrBadCredentials
	}
	p, err := t.owners.Owner(ctx, row.Owner)
	if err != nil {
		return auth.Principal{}, err
	}
	if p, err = narrow(p, row); err == nil {
		t.used.Note(id, row.Used, now)
	}
	return p, err
}

func usable(row metadata.Token, now time.Time) bool {
	return row.ID != "" && (row.Expires.IsZero() || now.Before(row.Expires))
}

// narrow returns the owner as the token lets it be.
func narrow(p auth.Principal, row metadata.Token) (auth.Principal, error) {
	rules, err := auth.ParseRules(row.Rules)
	if err != nil {
		return auth.Principal{}, fmt.Errorf("rules of the token %s: %w", row.ID, err)
	}
	p.Credential, p.Narrowed, p.Within = row.ID, row.Narrowed, rules
	return p, nil
}

// Standing implements auth.Standing: the personal token that p came by is
// there, is its own, and has not expired. Whether the owner stands is for who
// knows owners to say.
func (t *Tokens) Standing(ctx context.Context, p auth.Principal, now time.Time) error {
	row, err := t.rows.Get(p.Credential, now, func() (metadata.Token, error) { return t.find(ctx, p.Credential) })
	if err != nil {
		return err
	}
	if !usable(row, now) || row.Owner != p.Name || row.Narrowed != p.Narrowed {
		return fmt.Errorf("%w: the personal token has been revoked or has expired", auth.ErrInvalidToken)
	}
	return nil
}
