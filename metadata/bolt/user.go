package bolt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/berth-registry/berth/metadata"
)

// User implements metadata.Users.
func (s *Store) User(ctx context.Context, name string) (u metadata.User, err error) {
	r, err := s.begin(ctx)
	if err != nil {
		return u, err
	}
	defer s.end(r, &err)
	v, err := must(r.tx, tableUsers, []byte(name))
	if err != nil {
		return u, err
	}
	return decodeUser(v)
}

// AddUser implements metadata.Users.
func (s *Store) AddUser(ctx context.Context, u metadata.User) error {
	if u.Name == "" {
		return errors.New("add a user: the name is empty")
	}
	return s.writer.do(ctx, 0, func(c *change) error {
		if has(c.tx, tableUsers, []byte(u.Name)) {
			return metadata.ErrExists
		}
		return putUser(c, u)
	})
}

// UpdateUser implements metadata.Users. edit may be called more than once,
// each time with what is stored.
func (s *Store) UpdateUser(ctx context.Context, name string, edit func(*metadata.User) error) error {
	return s.writer.do(ctx, 0, func(c *change) error {
		v, err := must(c.tx, tableUsers, []byte(name))
		if err != nil {
			return err
		}
		u, err := decodeUser(v)
		if err != nil {
			return err
		}
		if err := edit(&u); err != nil {
			return err
		}
		if u.Name != name {
			return fmt.Errorf("update a user: the name %q must stay", name)
		}
		return putUser(c, u)
	})
}

// RemoveUser implements metadata.Users.
func (s *Store) RemoveUser(ctx context.Context, name string) error {
	return s.writer.do(ctx, 0, func(c *change) error {
		if _, err := must(c.tx, tableUsers, []byte(name)); err != nil {
			return err
		}
		return c.delete(tableUsers, []byte(name))
	})
}

// Users implements metadata.Users.
func (s *Store) Users(ctx context.Context) iter.Seq2[metadata.User, error] {
	return list(ctx, s, tableUsers, nil, nil, func(_, v []byte) (metadata.User, error) { return decodeUser(v) })
}

func putUser(c *change, u metadata.User) error {
	v, err := json.Marshal(u)
	if err != nil {
		return err
	}
	return c.put(tableUsers, []byte(u.Name), v)
}

func decodeUser(v []byte) (metadata.User, error) {
	var u metadata.User
	if err := json.Unmarshal(v, &u); err != nil {
		return u, fmt.Errorf("%w: %w", errRecord, err)
	}
	return u, nil
}
