package bolt

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/berth-registry/berth/metadata"
)

// sealed replaces the end of b with a checksum that fits.
func sealed(b []byte) []byte {
	body := slices.Clone(b[:len(b)-4])
	return binary.BigEndian.AppendUint32(body, crc32.Checksum(body, castagnoli))
}

func files(t *testing.T, s *Store) []string {
	t.Helper()
	entries, err := os.ReadDir(s.path + ".sessions")
	ok(t, err)
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func putSession(t *testing.T, s *Store, id string, versions int64) {
	t.Helper()
	for v := int64(1); v <= versions; v++ {
		ok(t, s.PutSession(ctx, metadata.Session{ID: id, Principal: "alice", Version: v, State: []byte("state")}))
	}
}

func TestSessionFiles(t *testing.T) {
	s := openNew(t)
	putSession(t, s, "one", 3)
	putSession(t, s, "two", 1)
	if got := files(t, s); !slices.Equal(got, []string{"one.3", "two.1"}) {
		t.Errorf("files: %v", got)
	}
	info, err := os.Stat(s.path + ".sessions")
	ok(t, err)
	if info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v", info.Mode())
	}
	ok(t, s.DeleteSession(ctx, "two"))
	ok(t, s.LinkBlob(ctx, "a", testBlob("x"), "one"))
	if got := files(t, s); len(got) != 0 {
		t.Errorf("files: %v", got)
	}
}

// Any cut and any flipped bit of a session file counts as absent.
func TestSessionTorn(t *testing.T) {
	s := openNew(t)
	putSession(t, s, "s", 1)
	path := filepath.Join(s.path+".sessions", "s.1")
	whole, err := os.ReadFile(path)
	ok(t, err)
	ok(t, s.Close())
	for n := range len(whole) {
		tornSession(t, s.path, path, whole[:n])
		flipped := slices.Clone(whole)
		flipped[n] ^= 0x10
		tornSession(t, s.path, path, flipped)
	}
	ok(t, os.WriteFile(path, whole, 0o600))
	s = open(t, s.path)
	_, err = s.Session(ctx, "s")
	ok(t, err)
	ok(t, os.WriteFile(path, whole[:10], 0o600)) // under a store that runs
	if _, err := s.Session(ctx, "s"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error is %v", err)
	}
	ok(t, s.DeleteSession(ctx, "s"))
}

func tornSession(t *testing.T, db, path string, b []byte) {
	t.Helper()
	ok(t, os.WriteFile(path, b, 0o600))
	ss, err := openSessions(db + ".sessions")
	ok(t, err)
	if _, err := ss.get("s"); !errors.Is(err, fs.ErrNotExist) || ss.count["alice"] != 0 {
		t.Errorf("%q was read: %v", b, err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
}

// What a crash can leave in the directory: a version that was replaced, one
// that was not written to its end, and what others put there.
func TestSessionLeftovers(t *testing.T) {
	s := openNew(t)
	putSession(t, s, "s", 9)
	dir := s.path + ".sessions"
	nine, err := os.ReadFile(filepath.Join(dir, "s.9"))
	ok(t, err)
	putSession2(t, s, "s", 10)
	ok(t, s.Close())
	ok(t, os.WriteFile(filepath.Join(dir, "s.9"), nine, 0o600))
	ok(t, os.WriteFile(filepath.Join(dir, "s.11"), nine[:20], 0o600))
	ok(t, os.WriteFile(filepath.Join(dir, "s.12"), nine, 0o600)) // says that it is version 9
	ok(t, os.WriteFile(filepath.Join(dir, "README"), nil, 0o600))
	s = open(t, s.path)
	if got := files(t, s); !slices.Equal(got, []string{"README", "s.10"}) {
		t.Errorf("files: %v", got)
	}
	got, err := s.Session(ctx, "s")
	ok(t, err)
	if n, _ := s.CountSessions(ctx, "alice"); got.Version != 10 || n != 1 {
		t.Errorf("version %d, %d sessions", got.Version, n)
	}
}

func putSession2(t *testing.T, s *Store, id string, version int64) {
	t.Helper()
	ok(t, s.PutSession(ctx, metadata.Session{ID: id, Principal: "alice", Version: version}))
}
