package filesystem

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/berth-registry/berth/oci"
)

// lockRoot takes the lock on root until the file is closed or the process
// dies, however it dies. The file stays: removing it would let two processes
// lock two files of one name.
func lockRoot(root string) (*os.File, error) {
	path := filepath.Join(root, "_lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, err
	}
	if err := flock(f); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: %s is locked", ErrInUse, path)
		}
		return nil, &os.PathError{Op: "flock", Path: path, Err: err}
	}
	return f, nil
}

func flock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// digestLocks is one lock per digest that is being committed or deleted. The
// zero value is ready.
type digestLocks struct {
	mu   sync.Mutex
	held map[oci.Digest]*digestLock
}

type digestLock struct {
	turn  chan struct{} // full while somebody has the lock
	users int           // who has it and who waits
}

// acquire waits for the lock of d, or for the end of ctx.
func (l *digestLocks) acquire(ctx context.Context, d oci.Digest) (release func(), err error) {
	lock := l.join(d)
	select {
	case lock.turn <- struct{}{}:
		return func() {
			<-lock.turn
			l.leave(d, lock)
		}, nil
	case <-ctx.Done():
		l.leave(d, lock)
		return nil, ctx.Err()
	}
}

func (l *digestLocks) join(d oci.Digest) *digestLock {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held == nil {
		l.held = make(map[oci.Digest]*digestLock)
	}
	lock := l.held[d]
	if lock == nil {
		lock = &digestLock{turn: make(chan struct{}, 1)}
		l.held[d] = lock
	}
	lock.users++
	return lock
}

func (l *digestLocks) leave(d oci.Digest, lock *digestLock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lock.users--
	if lock.users == 0 {
		delete(l.held, d)
	}
}
