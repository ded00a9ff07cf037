package filesystem

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"sync"

	"github.com/berth-registry/berth/internal/durable"
	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

// upload is one file in _uploads. Its caller is one goroutine; mu is there
// because a Resume by another request, or Close, may take the file away.
type upload struct {
	store *Store
	copy  bool // storage.Hint.Copy

	mu     sync.Mutex
	id     uploadID
	alg    oci.Algorithm
	hash   hash.Hash
	file   *os.File // nil until the first byte
	size   int64
	dirty  bool  // the file has changes that no SyncData has seen
	saved  bool  // a State names the file, so it outlives a failure
	broken error // of a Write; nothing can be added or published any more
	over   error // why no method does anything any more
}

var _ storage.Upload = (*upload)(nil)

// Writes go to the end of the file, which is size between any two calls. It is
// read when Commit has to hash it again.
const uploadFlags = os.O_RDWR | os.O_APPEND

// Begin starts an upload without any I/O.
func (s *Store) Begin(ctx context.Context, hint storage.Hint) (storage.Upload, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	a := hintAlgorithm(hint)
	return &upload{store: s, copy: hint.Copy, alg: a, hash: a.New()}, nil
}

// hintAlgorithm guesses: Commit hashes again if it was wrong.
func hintAlgorithm(hint storage.Hint) oci.Algorithm {
	for _, a := range []oci.Algorithm{hint.Algorithm, hint.Digest.Algorithm()} {
		if a, err := oci.ParseAlgorithm(string(a)); err == nil {
			return a
		}
	}
	return oci.SHA256
}

// Resume opens the file again and cuts off what came after state. It takes the
// upload away from a request that still has it. A State of no bytes names no
// file: resuming it starts anew, and cannot tell that the upload was cancelled.
func (s *Store) Resume(ctx context.Context, state storage.State) (storage.Upload, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	v, err := decodeState(state)
	if err != nil {
		return nil, fmt.Errorf("resume upload: %w", err)
	}
	u := &upload{store: s, id: v.id, alg: v.alg, hash: v.hash, size: v.size}
	if v.size == 0 {
		return u, nil
	}
	u.mu.Lock() // a third request waits until this one has the file
	defer u.mu.Unlock()
	if err := s.register(u); err != nil {
		return nil, err
	}
	if err := u.reopen(); err != nil {
		u.end(err)
		return nil, s.missing("resume upload", err)
	}
	return u, nil
}

func (u *upload) reopen() error {
	f, err := durable.Open(u.path(), uploadFlags, 0)
	if err != nil {
		return err
	}
	u.file, u.saved = f, true
	size, err := regular(f.Stat())
	if err != nil {
		return err
	}
	if size < u.size {
		return fmt.Errorf("%d bytes of %d are left: %w", size, u.size, fs.ErrNotExist)
	}
	if size == u.size {
		return nil
	}
	u.dirty = true
	return f.Truncate(u.size)
}

// register makes u the only upload of its file.
func (s *Store) register(u *upload) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errClosed
	}
	before := s.open[u.id]
	s.open[u.id] = u
	s.mu.Unlock()
	if before != nil {
		before.takeAway(errTaken)
	}
	return nil
}

// takeAway waits for the call that u is in and makes it the last.
func (u *upload) takeAway(why error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.over == nil {
		u.end(why)
	}
}

func (u *upload) end(why error) {
	u.over = why
	if u.file != nil {
		// What had to be durable was synced; Close has nothing to add.
		_ = u.file.Close()
	}
	u.store.mu.Lock()
	defer u.store.mu.Unlock()
	if u.store.open[u.id] == u {
		delete(u.store.open, u.id)
	}
}

func (u *upload) path() string { return u.store.uploadPath(u.id) }

func (u *upload) Size() int64 { return u.size }

// Write appends p. On an error the bytes that did fit are kept and counted, so
// that the upload can be suspended and continued when there is space again.
func (u *upload) Write(p []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.over != nil {
		return 0, u.over
	}
	if u.broken != nil || len(p) == 0 {
		return 0, u.broken
	}
	if err := u.create(); err != nil {
		u.broken = failed("begin upload", err)
		return 0, u.broken
	}
	u.dirty = true
	n, err := u.file.Write(p) // WriteAt would not tell how much of p did fit
	u.hash.Write(p[:n])
	u.size += int64(n)
	if err != nil {
		// A part of the failed call may have reached the file.
		u.broken = failed("write upload", errors.Join(err, u.file.Truncate(u.size)))
	}
	return n, u.broken
}

// create makes the file, once.
func (u *upload) create() error {
	if u.file != nil {
		return nil
	}
	if err := u.store.sameRoot(); err != nil {
		return err
	}
	u.id = newID()
	if err := u.store.register(u); err != nil {
		return err
	}
	f, err := durable.Open(u.path(), uploadFlags|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	u.file, u.dirty = f, true
	return nil
}

// sync makes the bytes durable. After an error the upload must end: a second
// sync of the same pages would succeed without having written them.
func (u *upload) sync() error {
	if !u.dirty {
		return nil
	}
	if err := durable.SyncData(u.file); err != nil {
		return err
	}
	u.dirty = false
	return nil
}

// Suspend ignores the end of ctx: it is how an interrupted request keeps what
// it was sent.
func (u *upload) Suspend(context.Context) (storage.State, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.over != nil {
		return nil, u.over
	}
	if err := u.persist(); err != nil {
		u.abandon()
		return nil, failed("suspend upload", err)
	}
	u.end(errEnded)
	return saved{alg: u.alg, id: u.id, size: u.size, hash: u.hash}.encode()
}

// persist makes the bytes durable. Their file's name in _uploads is not: an
// upload that a power cut takes away whole is begun again by its client, like
// one whose session it took. Without bytes there may be a file, whose first
// Write failed, but no State will name it.
func (u *upload) persist() error {
	if u.size == 0 {
		return u.drop()
	}
	return u.sync()
}

// Cancel ignores the end of ctx, so that a request that was given up leaves
// nothing behind.
func (u *upload) Cancel(context.Context) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.over != nil {
		return nil
	}
	if err := u.drop(); err != nil {
		return failed("cancel upload", err)
	}
	return nil
}

// drop ends the upload and removes its file.
func (u *upload) drop() error {
	u.end(errEnded)
	if u.file == nil {
		return nil
	}
	if err := os.Remove(u.path()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// abandon ends the upload after an error: the file stays if a State can bring
// it back.
func (u *upload) abandon() {
	if u.saved {
		u.end(errEnded)
		return
	}
	_ = u.drop() // the caller has a worse error to report, and Sweep comes by
}
