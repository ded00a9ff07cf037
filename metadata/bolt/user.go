package bolt

import (
	"context"
	"iter"

	"github.com/berth-registry/berth/metadata"
)

// User implements metadata.Users.
func (s *Store) User(ctx context.Context, name string) (metadata.User, error) {
	return readRow[metadata.User](ctx, s, tableUsers, name)
}

// AddUser implements metadata.Users.
func (s *Store) AddUser(ctx context.Context, u metadata.User) error {
	return s.writer.do(ctx, 0, func(c *change) error {
		if err := addRow(c, tableUsers, u.Name, u); err != nil {
			return err
		}
		return removeTokens(c, u.Name)
	})
}

// UpdateUser implements metadata.Users. edit may be called more than once,
// each time with what is stored.
func (s *Store) UpdateUser(ctx context.Context, name string, edit func(*metadata.User) error) error {
	keeps := func(before, after metadata.User) bool { return before.Name == after.Name }
	return s.writer.do(ctx, 0, func(c *change) error { return updateRow(c, tableUsers, name, edit, keeps) })
}

// RemoveUser implements metadata.Users.
func (s *Store) RemoveUser(ctx context.Context, name string) error {
	return s.writer.do(ctx, 0, func(c *change) error {
		if err := removeRow(c, tableUsers, name); err != nil {
			return err
		}
		return removeTokens(c, name)
	})
}

// Users implements metadata.Users.
func (s *Store) Users(ctx context.Context) iter.Seq2[metadata.User, error] {
	return list(ctx, s, tableUsers, nil, nil, func(_, v []byte) (metadata.User, error) { return decodeRow[metadata.User](v) })
}
