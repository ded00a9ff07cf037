package registry_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berth-registry/berth/metadata/bolt"
	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/registry"
	"github.com/berth-registry/berth/storage"
	"github.com/berth-registry/berth/storage/filesystem"
)

const (
	repo  = "team/app"
	alice = "user:alice"
	ten   = "0123456789"
)

// settings are what a test changes of a stack. The zero value is good.
type settings struct {
	meta    func(registry.Metadata) registry.Metadata
	storage func(storage.Store) storage.Store
	options func(*registry.Options)
}

// stack is a registry over the real stores in a directory.
type stack struct {
	*testing.T
	*registry.Registry
	ctx   context.Context
	dir   string
	bolt  *bolt.Store
	files *filesystem.Store
	log   *lockedBuffer

	mu sync.Mutex
	at time.Time
}

func newStack(t *testing.T, with settings) *stack {
	t.Helper()
	s := &stack{T: t, ctx: t.Context(), dir: t.TempDir(), at: time.Now(), log: new(lockedBuffer)}
	var err error
	s.bolt, err = bolt.Open(filepath.Join(s.dir, "berth.db"), bolt.Options{Now: s.now})
	s.must(err)
	s.files, err = filesystem.Open(filepath.Join(s.dir, "storage"), filesystem.Options{})
	s.must(err)
	var meta registry.Metadata = s.bolt
	if with.meta != nil {
		meta = with.meta(meta)
	}
	var store storage.Store = s.files
	if with.storage != nil {
		store = with.storage(store)
	}
	options := registry.Options{
		MaxManifest: 4 << 20, MaxSessions: 10, SessionIdle: 24 * time.Hour,
		Sparse: func(string) bool { return true }, Now: s.now,
		Log: slog.New(slog.NewTextHandler(s.log, nil)),
	}
	if with.options != nil {
		with.options(&options)
	}
	s.Registry = registry.New(meta, store, options)
	t.Cleanup(func() {
		s.Close()
		s.must(errors.Join(s.bolt.Close(), s.files.Close()))
	})
	return s
}

func (s *stack) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

func (s *stack) advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = s.at.Add(d)
}

func (s *stack) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// want fails unless err is the error that the client is to be told.
func (s *stack) want(what string, err error, want *oci.Error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Errorf("%s: %v, want %v", what, err, want)
	}
}

// start opens a session of alice.
func (s *stack) start() registry.SessionID {
	s.Helper()
	u, err := s.StartUpload(s.ctx, repo, alice, "")
	s.must(err)
	return registry.SessionID{Repo: repo, Principal: alice, ID: u.ID}
}

func (s *stack) append(id registry.SessionID, text string) {
	s.Helper()
	_, err := s.AppendUpload(s.ctx, id, chunk(text))
	s.must(err)
}

// chunk is a body that says nothing of itself.
func chunk(text string) registry.Chunk {
	return registry.Chunk{Body: strings.NewReader(text), Start: -1, Length: -1}
}

// size is what a session has; -1 if it is gone.
func (s *stack) size(id registry.SessionID) int64 {
	s.Helper()
	u, err := s.Upload(s.ctx, id)
	if errors.Is(err, oci.ErrUploadUnknown) {
		return -1
	}
	s.must(err)
	return u.Size
}

// finish ends a session and reads the blob back.
func (s *stack) finish(id registry.SessionID, rest, content string) {
	s.Helper()
	d := digestOf(content)
	_, _, err := s.FinishUpload(s.ctx, id, chunk(rest), d)
	s.must(err)
	if got := s.content(repo, d); got != content {
		s.Errorf("content %q, want %q", got, content)
	}
}

func (s *stack) content(repo string, d oci.Digest) string {
	s.Helper()
	b, err := s.Blob(s.ctx, repo, d)
	s.must(err)
	f, err := s.Open(s.ctx, b)
	s.must(err)
	defer f.Close()
	text, err := io.ReadAll(f)
	s.must(err)
	return string(text)
}

// leftovers counts the files of uploads that have not ended.
func (s *stack) leftovers() int {
	s.Helper()
	files, err := os.ReadDir(filepath.Join(s.dir, "storage", "_uploads"))
	s.must(err)
	return len(files)
}

// received counts the bytes of uploads that have not ended.
func (s *stack) received() (n int) {
	s.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, "storage", "_uploads", "*"))
	s.must(err)
	for _, f := range files {
		info, err := os.Stat(f)
		s.must(err)
		n += int(info.Size())
	}
	return n
}

func digestOf(content string) oci.Digest { return oci.FromBytes(oci.SHA256, []byte(content)) }

// lockedBuffer is a log that is written and read at the same time.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
