package filesystem

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"testing"

	"github.com/berth-registry/berth/storage"
)

// tmpfs mounts an empty disk with these options; remount changes them.
func tmpfs(t *testing.T, options string) (dir string, remount func(flags uintptr, options string)) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("berth", dir, "tmpfs", 0, options); err != nil {
		t.Skip("this test needs the right to mount a tmpfs: ", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir, func(flags uintptr, options string) {
		t.Helper()
		check(t, syscall.Mount("berth", dir, "tmpfs", syscall.MS_REMOUNT|flags, options))
	}
}

func isNoSpace(t *testing.T, doing string, err error) {
	t.Helper()
	if !errors.Is(err, storage.ErrNoSpace) || !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("%s: %v, want storage.ErrNoSpace and ENOSPC", doing, err)
	}
}

// A full disk: what fitted is kept, reads go on, and it heals.
func TestNoSpace(t *testing.T) {
	dir, remount := tmpfs(t, "size=1m")
	s := open(t, dir)
	small := []byte("stored before")
	key := put(t, s, small)
	body := content(2<<20, 1)
	u, err := s.Begin(t.Context(), storage.Hint{})
	check(t, err)
	n, err := u.Write(body)
	isNoSpace(t, "Write", err)
	if n == 0 || int64(n) != u.Size() {
		t.Fatalf("Write = %d, size %d", n, u.Size())
	}
	isNoSpace(t, "Check", s.Check(t.Context()))
	holds(t, s, key, small)
	state := suspend(t, u)

	remount(0, "size=8m")
	check(t, s.Check(t.Context()))
	u = resume(t, s, state)
	_, err = u.Write(body[n:])
	check(t, err)
	key, err = u.Commit(t.Context(), digestOf(body))
	check(t, err)
	holds(t, s, key, body)
}

// A body that does not fit leaves nothing, so that the next smaller one does.
func TestNoSpaceLeavesNothing(t *testing.T) {
	dir, _ := tmpfs(t, "size=1m")
	s := open(t, dir)
	body := content(2<<20, 1)
	for range 3 {
		u, err := s.Begin(t.Context(), storage.Hint{})
		check(t, err)
		_, err = io.Copy(u, io.LimitReader(endless{}, 2<<20))
		isNoSpace(t, "copy", err)
		_, err = u.Commit(t.Context(), digestOf(body))
		isNoSpace(t, "Commit", err)
	}
	put(t, s, body[:500_000])
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// No room for the directory of a blob, after its bytes are written.
func TestNoSpaceForNames(t *testing.T) {
	dir, remount := tmpfs(t, "size=1m")
	s := open(t, dir)
	state := suspend(t, begin(t, s, []byte("hello")))
	remount(0, fmt.Sprintf("size=1m,nr_inodes=%d", inodesUsed(t, dir)))
	_, err := resume(t, s, state).Commit(t.Context(), helloDigest)
	isNoSpace(t, "Commit", err)
	absentBlob(t, s, helloDigest)
	if got := uploadsOf(t, s); len(got) != 1 {
		t.Errorf("_uploads holds %q, want the upload that has a State", got)
	}
	_, err = s.Begin(t.Context(), storage.Hint{})
	check(t, err)
	remount(0, "size=1m,nr_inodes=100")
	_, err = resume(t, s, state).Commit(t.Context(), helloDigest)
	check(t, err)
	holds(t, s, helloDigest, []byte("hello"))
}

func inodesUsed(t *testing.T, dir string) uint64 {
	t.Helper()
	var stat syscall.Statfs_t
	check(t, syscall.Statfs(dir, &stat))
	return stat.Files - stat.Ffree
}

// A disk that turned read-only: writes fail and say so, reads go on.
func TestReadOnlyDisk(t *testing.T) {
	dir, remount := tmpfs(t, "size=1m")
	s := open(t, dir)
	key := put(t, s, []byte("hello"))
	state := suspend(t, begin(t, s, []byte("state")))
	fresh, err := s.Begin(t.Context(), storage.Hint{})
	check(t, err)
	remountReadOnly(t, s, remount)

	_, writeErr := fresh.Write([]byte("x"))
	_, resumeErr := s.Resume(t.Context(), state)
	for doing, err := range map[string]error{
		"Write":  writeErr,
		"Resume": resumeErr,
		"Check":  s.Check(t.Context()),
		"Delete": s.Delete(t.Context(), key),
	} {
		if !errors.Is(err, syscall.EROFS) || !errors.Is(err, storage.ErrUnavailable) {
			t.Errorf("%s = %v, want EROFS and storage.ErrUnavailable", doing, err)
		}
	}
	holds(t, s, key, []byte("hello"))
	remount(0, "size=1m")
	check(t, s.Check(t.Context()))
	_, err = resume(t, s, state).Commit(t.Context(), digestOf([]byte("state")))
	check(t, err)
}

// remountReadOnly lets go of the lock first: a disk with a file open for
// writing stays writable. The store knows its lock by the file, so it gets the
// same one back, open for reading.
func remountReadOnly(t *testing.T, s *Store, remount func(uintptr, string)) {
	t.Helper()
	check(t, s.lock.Close())
	remount(syscall.MS_RDONLY, "size=1m")
	lock, err := os.Open(s.lock.Name())
	check(t, err)
	s.lock = lock
}

// Below a disk that went away lies a directory, which must stay empty.
func TestUnmountedDisk(t *testing.T) {
	dir, _ := tmpfs(t, "size=1m")
	s := open(t, dir)
	u, err := s.Begin(t.Context(), storage.Hint{})
	check(t, err)
	check(t, syscall.Unmount(dir, syscall.MNT_DETACH))
	if err := s.Check(t.Context()); err == nil {
		t.Error("Check of an unmounted disk succeeded")
	}
	if _, err := u.Write([]byte("x")); err == nil {
		t.Error("Write to an unmounted disk succeeded")
	}
	if got := files(t, dir); len(got) != 0 {
		t.Errorf("the directory below the disk holds %q", got)
	}
	check(t, syscall.Mount("berth", dir, "tmpfs", 0, "")) // the cleanup unmounts
}
