package bolt

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/berth-registry/berth/metadata"
)

// withoutTables makes the file of a version that had not the later tables.
func withoutTables(t *testing.T, names ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "berth.db")
	s := open(t, path)
	push(t, s, "a", "config", "v1")
	ok(t, s.AddUser(ctx, metadata.User{Name: "alice"}))
	ok(t, s.writer.do(ctx, 0, func(c *change) error {
		c.wrote = true
		for _, name := range names {
			if err := c.tx.DeleteBucket([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	}))
	ok(t, s.Close())
	return path
}

// TestOpenAddsTables opens files of earlier versions: nothing in them is lost,
// and what is new works.
func TestOpenAddsTables(t *testing.T) {
	for _, names := range [][]string{laterTables(), laterTables()[:1], laterTables()[1:]} {
		path := withoutTables(t, names...)
		s := open(t, path)
		verify(t, s)
		if _, err := s.User(ctx, "alice"); err != nil {
			t.Error(err)
		}
		ok(t, s.AddRobot(ctx, metadata.Robot{Name: "ci"}))
		ok(t, s.AddToken(ctx, metadata.Token{ID: "1", Owner: "alice", Name: "laptop"}, 1))
		ok(t, s.Close())
	}
}

// TestOpenWritesNothing opens a file that has everything.
func TestOpenWritesNothing(t *testing.T) {
	path := withoutTables(t)
	before, err := os.ReadFile(path)
	ok(t, err)
	s := open(t, path)
	ok(t, s.Close())
	if after, err := os.ReadFile(path); err != nil || !slices.Equal(after, before) {
		t.Errorf("the file was changed, %v", err)
	}
}

// TestOwnedIsAnIndex holds the index of the owners against the tokens.
func TestOwnedIsAnIndex(t *testing.T) {
	s := openNew(t)
	for i, owner := range []string{"a", "a", "ab", "b"} {
		ok(t, s.AddToken(ctx, metadata.Token{ID: string(rune('p' + i)), Owner: owner, Name: string(rune('n' + i))}, 10))
	}
	ok(t, s.RemoveToken(ctx, "q"))
	ok(t, s.db.View(func(tx *bbolt.Tx) error {
		var keys []string
		_ = tx.Bucket([]byte(tableOwned)).ForEach(func(k, _ []byte) error { keys = append(keys, string(k)); return nil })
		if want := []string{"a\x00p", "ab\x00r", "b\x00s"}; !slices.Equal(keys, want) {
			t.Errorf("%q, want %q", keys, want)
		}
		return nil
	}))
}
