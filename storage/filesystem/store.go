package filesystem

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/berth-registry/berth/internal/durable"
	"github.com/berth-registry/berth/storage"
)

const (
	fileMode = 0o640
	dirMode  = 0o750
)

// Options are the settings of a Store. There are none yet.
type Options struct{}

// Store keeps blobs below a root directory. Close it to let another process
// have the root.
type Store struct {
	root    string // absolute, and so are the paths below
	uploads string
	blobs   string

	lock    *os.File
	mark    os.FileInfo // of lock: by it the root is known
	digests digestLocks
	syncDir func(path string) error // durable.SyncDir, but for tests

	mu      sync.Mutex
	closed  bool
	open    map[uploadID]*upload // those that have a file
	settled map[string]bool      // prefixes whose own names are on the disk
}

var (
	_ storage.Store   = (*Store)(nil)
	_ storage.Sweeper = (*Store)(nil)
)

// Open opens the store below root, making what is missing. The error wraps
// ErrInUse while another process has it open. The time it takes does not depend
// on the amount stored.
func Open(root string, _ Options) (*Store, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, failed("open storage", err)
	}
	s := &Store{
		root:    root,
		uploads: filepath.Join(root, "_uploads"),
		blobs:   filepath.Join(root, "docker", "registry", "v2", "blobs"),
		syncDir: durable.SyncDir,
		open:    make(map[uploadID]*upload),
		settled: make(map[string]bool),
	}
	if err := durable.MkdirAll(root, dirMode); err != nil {
		return nil, failed("open storage", err)
	}
	if s.lock, err = lockRoot(root); err != nil {
		return nil, failed("open storage", err)
	}
	if s.mark, err = s.lock.Stat(); err == nil {
		err = s.layOut()
	}
	if err != nil {
		return nil, failed("open storage", errors.Join(err, s.lock.Close()))
	}
	return s, nil
}

// layOut makes the directories that every store has. It syncs those that it
// finds too: the process that made them may have died before it could.
func (s *Store) layOut() error {
	dirs := []string{s.uploads}
	for _, a := range algorithms {
		dirs = append(dirs, filepath.Join(s.blobs, string(a)))
	}
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, dirMode); err != nil {
			return err
		}
	}
	for _, a := range algorithms {
		if err := s.settlePrefixes(filepath.Join(s.blobs, string(a))); err != nil {
			return err
		}
	}
	for dir := s.blobs; ; dir = filepath.Dir(dir) {
		if err := s.syncDir(dir); err != nil || dir == s.root {
			return err
		}
	}
}

// settlePrefixes syncs the names of the prefixes that are there, at most 256,
// so that no commit has to.
func (s *Store) settlePrefixes(alg string) error {
	prefixes, err := os.ReadDir(alg)
	if err != nil || len(prefixes) == 0 {
		return err
	}
	for _, prefix := range prefixes {
		s.settled[filepath.Join(alg, prefix.Name())] = true
	}
	return s.syncDir(alg)
}

// Close ends the uploads that are open, so that they can be resumed from their
// last State, and releases the root. Blobs that are open stay readable.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	var open []*upload
	for _, u := range s.open {
		open = append(open, u)
	}
	s.mu.Unlock()
	for _, u := range open {
		u.takeAway(errClosed)
	}
	return s.lock.Close()
}

// Check makes a small file and removes it, unsynced.
func (s *Store) Check(ctx context.Context) error {
	if err := s.writable(ctx); err != nil {
		return err
	}
	if err := probe(filepath.Join(s.uploads, "_check")); err != nil {
		return failed("check storage", err)
	}
	return nil
}

// sameRoot reports whether the root still is the directory that was opened: an
// unmounted disk leaves another one behind, empty or with an older tree.
func (s *Store) sameRoot() error {
	found, err := os.Stat(s.lock.Name())
	if err != nil {
		return fmt.Errorf("%w: %s is gone: %s", storage.ErrUnavailable, s.root, err.Error()) // its text only: a root that is gone is no miss
	}
	if !os.SameFile(s.mark, found) {
		return fmt.Errorf("%w: %s is not the directory that was opened", storage.ErrUnavailable, s.root)
	}
	return nil
}

// probe writes a byte because a full disk still has room for a name. Probes at
// the same time share the name, so the file may be gone already.
func probe(path string) error {
	err := os.WriteFile(path, []byte{'.'}, fileMode)
	if rm := os.Remove(path); err == nil && !errors.Is(rm, fs.ErrNotExist) {
		return rm
	}
	return err
}

// writable is usable for a call that changes the tree, or that takes what is
// not there for removed.
func (s *Store) writable(ctx context.Context) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	return s.sameRoot()
}

// usable is the error that every call starts with.
func (s *Store) usable(ctx context.Context) error {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return errClosed
	}
	return ctx.Err()
}
