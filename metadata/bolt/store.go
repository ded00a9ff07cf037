package bolt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/berth-registry/berth/metadata"
)

// Options of Open. The zero value is good.
type Options struct {
	// Wait is how long Open waits for another process to let go of the
	// database. 0: not at all.
	Wait time.Duration
	// Now is the clock for the one time that no caller hands in: when a
	// repository was created. nil: time.Now.
	Now func() time.Time
}

// Store is metadata in one bbolt file.
type Store struct {
	at       opened
	db       *bbolt.DB
	file     *os.File // of db: closing it lets go of the lock even if db cannot be closed
	health   *health
	writer   *writer
	sessions *sessions
	now      func() time.Time
	closed   atomic.Bool
}

var _ metadata.Store = (*Store)(nil)

var errClosed = fmt.Errorf("metadata: %w", os.ErrClosed)

// Stats counts since Open.
type Stats struct {
	Commits int64 // transactions that reached the disk
	Writes  int64 // mutations in them
	Size    int64 // bytes of the database file, sparse ones too
}

// Stats is for metrics and tests.
func (s *Store) Stats() Stats {
	st := Stats{Commits: s.writer.commits.Load(), Writes: s.writer.writes.Load()}
	if info, err := s.file.Stat(); err == nil {
		st.Size = info.Size()
	}
	return st
}

// Check reports whether the database can be read, takes writes, and is still
// the file at its path, and whether its disk has room for a session.
func (s *Store) Check(ctx context.Context) (err error) {
	if err := s.health.failure(); err != nil {
		return err
	}
	r, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer s.end(r, &err)
	if err := checkSchema(r.tx); err != nil {
		return err
	}
	if err := s.at.still(); err != nil {
		return err
	}
	return s.sessions.check()
}

// Close finishes the writes that are waiting and releases the file. Whatever
// is called later gets an error that is os.ErrClosed.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.writer.close()
	err := s.sessions.close()
	if s.health.isDead.Load() { // Close of bbolt would wait for its own locks
		return errors.Join(err, s.file.Close())
	}
	return errors.Join(err, s.db.Close())
}

// reading is an open read transaction.
type reading struct {
	tx    *bbolt.Tx
	fault bool // what SetPanicOnFault was
}

// begin opens a read transaction that end must close. In between a page that
// cannot be read, or that is not what bbolt expects, is a panic, which end
// turns into an error.
func (s *Store) begin(ctx context.Context) (r reading, err error) {
	if err := ctx.Err(); err != nil {
		return r, err
	}
	if s.health.isDead.Load() {
		return r, s.health.failure()
	}
	r.fault = debug.SetPanicOnFault(true)
	defer func() {
		if p := recover(); p != nil { // not even a meta page could be read
			err = s.health.die(panicError(p))
		}
		if err != nil {
			debug.SetPanicOnFault(r.fault)
		}
	}()
	r.tx, err = s.db.Begin(false)
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		err = errClosed
	}
	return r, err
}

func (s *Store) end(r reading, err *error) {
	p := recover()
	debug.SetPanicOnFault(r.fault)
	if p != nil {
		*err = panicError(p)
	}
	if e := r.tx.Rollback(); e != nil && *err == nil {
		*err = e
	}
}

// panicError is what a panic of bbolt, or of a write function, becomes.
func panicError(p any) error {
	return fmt.Errorf("the database is damaged, or berth has a bug: %v", p)
}

func get(tx *bbolt.Tx, table string, key []byte) []byte {
	return tx.Bucket([]byte(table)).Get(key)
}

func has(tx *bbolt.Tx, table string, key []byte) bool {
	return get(tx, table, key) != nil
}

// must returns a row that there has to be.
func must(tx *bbolt.Tx, table string, key []byte) ([]byte, error) {
	if v := get(tx, table, key); v != nil {
		return v, nil
	}
	return nil, fs.ErrNotExist
}
