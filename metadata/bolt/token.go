package bolt

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"iter"

	"github.com/berth-registry/berth/metadata"
)

// Token implements metadata.Tokens.
func (s *Store) Token(ctx context.Context, id string) (metadata.Token, error) {
	return readRow[metadata.Token](ctx, s, tableTokens, id)
}

// AddToken implements metadata.Tokens.
func (s *Store) AddToken(ctx context.Context, t metadata.Token, most int) error {
	return s.writer.do(ctx, 0, func(c *change) error {
		ids := tokensOf(c, t.Owner)
		for _, id := range ids {
			v, err := must(c.tx, tableTokens, []byte(id))
			if err != nil {
				return err
			}
			other, err := decodeRow[metadata.Token](v)
			if err != nil {
				return err
			}
			if other.Name == t.Name {
				return metadata.ErrExists
			}
		}
		if len(ids) >= most {
			return metadata.ErrTooMany
		}
		if err := addRow(c, tableTokens, t.ID, t); err != nil {
			return err
		}
		return c.put(tableOwned, ownedKey(nil, t.Owner, t.ID), present())
	})
}

// UpdateToken implements metadata.Tokens. edit may be called more than once,
// each time with what is stored.
func (s *Store) UpdateToken(ctx context.Context, id string, edit func(*metadata.Token) error) error {
	keeps := func(before, after metadata.Token) bool {
		return before.ID == after.ID && before.Owner == after.Owner && before.Name == after.Name
	}
	return s.writer.do(ctx, 0, func(c *change) error { return updateRow(c, tableTokens, id, edit, keeps) })
}

// RemoveToken implements metadata.Tokens.
func (s *Store) RemoveToken(ctx context.Context, id string) error {
	return s.writer.do(ctx, 0, func(c *change) error { return removeToken(c, id) })
}

func removeToken(c *change, id string) error {
	v, err := must(c.tx, tableTokens, []byte(id))
	if err != nil {
		return err
	}
	t, err := decodeRow[metadata.Token](v)
	if err != nil {
		return err
	}
	if err := c.delete(tableTokens, []byte(id)); err != nil {
		return err
	}
	return c.delete(tableOwned, ownedKey(nil, t.Owner, id))
}

func removeTokens(c *change, owner string) error {
	for _, id := range tokensOf(c, owner) {
		if err := removeToken(c, id); err != nil {
			return err
		}
	}
	return nil
}

// tokensOf returns the ids of the tokens of an owner.
func tokensOf(c *change, owner string) (ids []string) {
	prefix := ownedKey(nil, owner, "")
	cursor := c.tx.Bucket([]byte(tableOwned)).Cursor()
	for k, _ := cursor.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = cursor.Next() {
		ids = append(ids, string(k[len(prefix):]))
	}
	return ids
}

// Tokens implements metadata.Tokens.
func (s *Store) Tokens(ctx context.Context, owner, after string) iter.Seq2[metadata.Token, error] {
	if owner == "" {
		return list(ctx, s, tableTokens, nil, []byte(after), func(_, v []byte) (metadata.Token, error) { return decodeRow[metadata.Token](v) })
	}
	return s.ownTokens(ctx, owner, after)
}

// ownTokens reads the row behind each entry of an owner. One that was removed
// in between is left out.
func (s *Store) ownTokens(ctx context.Context, owner, after string) iter.Seq2[metadata.Token, error] {
	return func(yield func(metadata.Token, error) bool) {
		for id, err := range list(ctx, s, tableOwned, ownedKey(nil, owner, ""), []byte(after), name) {
			var t metadata.Token
			if err == nil {
				t, err = s.Token(ctx, id)
			}
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if !yield(t, err) || err != nil {
				return
			}
		}
	}
}
