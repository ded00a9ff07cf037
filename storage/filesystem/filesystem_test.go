package filesystem

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
	"github.com/berth-registry/berth/storage/storagetest"
)

func TestStore(t *testing.T)      { storagetest.Run(t, reopener) }
func BenchmarkStore(b *testing.B) { storagetest.Bench(b, reopener) }

func reopener(tb testing.TB) func() storage.Store {
	root := tb.TempDir()
	var last *Store
	shut := func() {
		if last != nil {
			check(tb, last.Close())
		}
	}
	tb.Cleanup(shut)
	return func() storage.Store {
		shut()
		last = open(tb, root)
		return last
	}
}

// open is Open without its error. Closing twice is harmless, so it cleans up.
func open(tb testing.TB, root string) *Store {
	tb.Helper()
	s, err := Open(root, Options{})
	check(tb, err)
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// content returns n bytes that depend on seed.
func content(n int, seed uint64) []byte {
	b := make([]byte, n)
	key := [32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16), byte(seed >> 24)}
	_, _ = rand.NewChaCha8(key).Read(b) // never fails
	return b
}

func digestOf(b []byte) oci.Digest { return oci.FromBytes(oci.SHA256, b) }

// begin returns an upload of the store that holds body.
func begin(tb testing.TB, s *Store, body []byte) storage.Upload {
	tb.Helper()
	u, err := s.Begin(tb.Context(), storage.Hint{})
	check(tb, err)
	_, err = u.Write(body)
	check(tb, err)
	return u
}

func suspend(tb testing.TB, u storage.Upload) storage.State {
	tb.Helper()
	state, err := u.Suspend(tb.Context())
	check(tb, err)
	return state
}

func resume(tb testing.TB, s *Store, state storage.State) storage.Upload {
	tb.Helper()
	u, err := s.Resume(tb.Context(), state)
	check(tb, err)
	return u
}

func put(tb testing.TB, s *Store, body []byte) storage.Key {
	tb.Helper()
	key, err := begin(tb, s, body).Commit(tb.Context(), digestOf(body))
	check(tb, err)
	return key
}

func holds(tb testing.TB, s *Store, key storage.Key, body []byte) {
	tb.Helper()
	b, err := s.Open(tb.Context(), key)
	check(tb, err)
	defer b.Close()
	got, err := io.ReadAll(b)
	check(tb, err)
	if !bytes.Equal(got, body) || b.Size() != int64(len(body)) {
		tb.Fatalf("%s: %d bytes that differ from the %d stored", key, len(got), len(body))
	}
}

// files lists the files below dir, relative to it.
func files(tb testing.TB, dir string) []string {
	tb.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, strings.TrimPrefix(path, dir+"/"))
		}
		return err
	})
	check(tb, err)
	return names
}

// skip is for tests that need what a machine may not have.
func skip(tb testing.TB, why string) {
	tb.Helper()
	if os.Getenv("BERTH_REQUIRE") == "all" {
		tb.Fatal(why)
	}
	tb.Skip(why)
}
