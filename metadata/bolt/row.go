package bolt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/berth-registry/berth/metadata"
)

// Rows of accounts and limits are JSON: they are few, seldom read, and get new
// members.

// row is a value that stands under a key of its own.
type row interface {
	metadata.User | metadata.Robot | metadata.Token | metadata.PullLimit
}

func decodeRow[T row](v []byte) (T, error) {
	var t T
	if err := json.Unmarshal(v, &t); err != nil {
		return t, fmt.Errorf("%w: %w", errRecord, err)
	}
	return t, nil
}

func storeRow[T row](c *change, table, key string, t T) error {
	v, err := json.Marshal(t)
	if err != nil {
		return err
	}
	return c.put(table, []byte(key), v)
}

func readRow[T row](ctx context.Context, s *Store, table, key string) (t T, err error) {
	r, err := s.begin(ctx)
	if err != nil {
		return t, err
	}
	defer s.end(r, &err)
	v, err := must(r.tx, table, []byte(key))
	if err != nil {
		return t, err
	}
	return decodeRow[T](v)
}

// addRow stores a row whose key must be free.
func addRow[T row](c *change, table, key string, t T) error {
	if key == "" {
		return errors.New("add to " + table + ": the name is empty")
	}
	if has(c.tx, table, []byte(key)) {
		return metadata.ErrExists
	}
	return storeRow(c, table, key, t)
}

// updateRow has a row edited. keeps says whether what must stay has stayed.
func updateRow[T row](c *change, table, key string, edit func(*T) error, keeps func(before, after T) bool) error {
	v, err := must(c.tx, table, []byte(key))
	if err != nil {
		return err
	}
	before, err := decodeRow[T](v)
	if err != nil {
		return err
	}
	after, err := decodeRow[T](v) // shares nothing with before
	if err != nil {
		return err
	}
	if err := edit(&after); err != nil {
		return err
	}
	if !keeps(before, after) {
		return fmt.Errorf("update %s: the name of %q must stay", table, key)
	}
	return storeRow(c, table, key, after)
}

func removeRow(c *change, table, key string) error {
	if _, err := must(c.tx, table, []byte(key)); err != nil {
		return err
	}
	return c.delete(table, []byte(key))
}
