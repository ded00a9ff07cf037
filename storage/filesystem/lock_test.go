package filesystem

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"github.com/berth-registry/berth/storage"
)

func TestRootIsLocked(t *testing.T) {
	root := t.TempDir()
	s := open(t, root)
	_, err := Open(root, Options{})
	if !errors.Is(err, ErrInUse) || strings.Contains(err.Error(), "\n") {
		t.Fatalf("second Open = %v, want ErrInUse on one line", err)
	}
	check(t, s.Close())
	check(t, open(t, root).Close())
}

// The lock holds against another process, and its death, however sudden, frees
// the root.
func TestRootIsLockedByProcess(t *testing.T) {
	root := t.TempDir()
	child := startChild(t, childHold, root)
	child.await("held")
	if _, err := Open(root, Options{}); !errors.Is(err, ErrInUse) {
		t.Fatalf("Open = %v, want ErrInUse", err)
	}
	child.kill()
	open(t, root)
}

func TestClosed(t *testing.T) {
	s := open(t, t.TempDir())
	key := put(t, s, []byte("hello"))
	blob, err := s.Open(t.Context(), key)
	check(t, err)
	defer blob.Close()
	state := suspend(t, begin(t, s, []byte("state")))
	fresh, err := s.Begin(t.Context(), storage.Hint{})
	check(t, err)
	written := begin(t, s, []byte("bytes"))
	check(t, s.Close())
	check(t, s.Close())

	calls := map[string]func() error{
		"Begin":  func() error { _, err := s.Begin(t.Context(), storage.Hint{}); return err },
		"Resume": func() error { _, err := s.Resume(t.Context(), state); return err },
		"Open":   func() error { _, err := s.Open(t.Context(), key); return err },
		"Delete": func() error { return s.Delete(t.Context(), key) },
		"Check":  func() error { return s.Check(t.Context()) },
		"Write":  func() error { _, err := fresh.Write([]byte("x")); return err },
		"More":   func() error { _, err := written.Write([]byte("x")); return err },
		"Commit": func() error { _, err := written.Commit(t.Context(), digestOf([]byte("bytes"))); return err },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%s = %v, want fs.ErrClosed", name, err)
		}
	}
	if _, err := blob.Read(make([]byte, 5)); err != nil {
		t.Errorf("a blob that was open: %v", err)
	}
}

func TestDigestLocks(t *testing.T) {
	var locks digestLocks
	d, other := digestOf([]byte("one")), digestOf([]byte("two"))
	release, err := locks.acquire(t.Context(), d)
	check(t, err)
	releaseOther, err := locks.acquire(t.Context(), other)
	check(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := locks.acquire(ctx, d); !errors.Is(err, context.Canceled) {
		t.Fatalf("waiting = %v, want context.Canceled", err)
	}
	release()
	releaseOther()

	counter := 0
	var done sync.WaitGroup
	for range 8 {
		done.Go(func() {
			for range 500 {
				release, err := locks.acquire(t.Context(), d)
				if err != nil {
					t.Error(err)
					return
				}
				counter++ // the race detector watches
				release()
			}
		})
	}
	done.Wait()
	if counter != 4000 || len(locks.held) != 0 {
		t.Errorf("counted %d, %d locks left; want 4000, 0", counter, len(locks.held))
	}
}
