package storagetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"testing"

	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

// Open prepares an empty place for bytes and returns a function that opens a
// store on it. Each call of that function first closes the store that the one
// before returned, the way a process ends: uploads that are open are not
// suspended. It calls tb.Fatal on errors and cleans up with tb.Cleanup.
type Open func(tb testing.TB) (reopen func() storage.Store)

// Run runs the acceptance suite, each test on a place of its own.
func Run(t *testing.T, open Open) {
	groups := []struct {
		name  string
		tests []test
	}{
		{"Upload", uploadTests},
		{"Resume", resumeTests},
		{"Commit", commitTests},
		{"Concurrent", concurrentTests},
		{"Blob", blobTests},
		{"Walk", walkTests},
	}
	for _, group := range groups {
		t.Run(group.name, func(t *testing.T) {
			for _, tt := range group.tests {
				t.Run(tt.name, func(t *testing.T) {
					tt.run(&suite{T: t, reopen: open(t)})
				})
			}
		})
	}
}

type test struct {
	name string
	run  func(*suite)
}

// suite is one test's place. Its helpers fail the test on an unexpected error.
type suite struct {
	*testing.T
	reopen func() storage.Store
}

// content returns n bytes that depend on seed.
func content(n int, seed uint64) []byte {
	b := make([]byte, n)
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	_, _ = rand.NewChaCha8(key).Read(b) // never fails
	return b
}

func digestOf(b []byte) oci.Digest { return oci.FromBytes(oci.SHA256, b) }

func (s *suite) ok(doing string, err error) {
	s.Helper()
	if err != nil {
		s.Fatalf("%s: %v", doing, err)
	}
}

func (s *suite) is(doing string, err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Fatalf("%s: error %v, want %v", doing, err, want)
	}
}

func (s *suite) begin(st storage.Store, hint storage.Hint) storage.Upload {
	s.Helper()
	u, err := st.Begin(s.Context(), hint)
	s.ok("Begin", err)
	return u
}

func (s *suite) resume(state storage.State, size int64) storage.Upload {
	s.Helper()
	u, err := s.reopen().Resume(s.Context(), state)
	s.ok("Resume", err)
	if u.Size() != size {
		s.Fatalf("size after Resume = %d, want %d", u.Size(), size)
	}
	return u
}

func (s *suite) write(u storage.Upload, p []byte) {
	s.Helper()
	before := u.Size()
	n, err := u.Write(p)
	s.ok("Write", err)
	if n != len(p) || u.Size() != before+int64(n) {
		s.Fatalf("Write = %d, size %d -> %d, want %d more", n, before, u.Size(), len(p))
	}
}

func (s *suite) suspend(u storage.Upload) storage.State {
	s.Helper()
	state, err := u.Suspend(s.Context())
	s.ok("Suspend", err)
	if len(state) > 4<<10 {
		s.Errorf("the state has %d bytes, want a few KiB", len(state))
	}
	return bytes.Clone(state)
}

// suspended returns the state of an upload that holds body.
func (s *suite) suspended(body []byte) storage.State {
	s.Helper()
	u := s.begin(s.reopen(), storage.Hint{})
	s.write(u, body)
	return s.suspend(u)
}

func (s *suite) commit(u storage.Upload, d oci.Digest) storage.Key {
	s.Helper()
	key, err := u.Commit(s.Context(), d)
	s.ok("Commit", err)
	if key == "" {
		s.Fatal("Commit returned no key")
	}
	return key
}

func (s *suite) put(st storage.Store, body []byte) storage.Key {
	s.Helper()
	u := s.begin(st, storage.Hint{})
	s.write(u, body)
	return s.commit(u, digestOf(body))
}

// holds asserts that all ways to read key give body.
func (s *suite) holds(st storage.Store, key storage.Key, body []byte) {
	s.Helper()
	size, err := st.Stat(s.Context(), key)
	s.ok("Stat", err)
	b, err := st.Open(s.Context(), key)
	s.ok("Open", err)
	defer b.Close()
	got, err := io.ReadAll(b)
	s.ok("read", err)
	if size != int64(len(body)) || b.Size() != size || !bytes.Equal(got, body) {
		s.Fatalf("%s: Stat %d, Size %d, read %d bytes (equal: %t), want %d bytes",
			key, size, b.Size(), len(got), bytes.Equal(got, body), len(body))
	}
}

func (s *suite) gone(st storage.Store, key storage.Key) {
	s.Helper()
	_, err := st.Stat(s.Context(), key)
	s.is("Stat", err, fs.ErrNotExist)
	_, err = st.Open(s.Context(), key)
	s.is("Open", err, fs.ErrNotExist)
}

// walk returns what Walk shows, by key.
func (s *suite) walk(st storage.Store) map[storage.Key]storage.Info {
	s.Helper()
	seen := make(map[storage.Key]storage.Info)
	for info, err := range st.Walk(s.Context()) {
		s.ok("Walk", err)
		if _, again := seen[info.Key]; again {
			s.Errorf("Walk visits %s twice", info.Key)
		}
		seen[info.Key] = info
	}
	return seen
}

func (s *suite) empty() {
	s.Helper()
	if seen := s.walk(s.reopen()); len(seen) != 0 {
		s.Fatalf("the store holds %v, want nothing", seen)
	}
}

func (s *suite) cancelled() context.Context {
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	return ctx
}
