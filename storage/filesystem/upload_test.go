package filesystem

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

func uploadsOf(t *testing.T, s *Store) []string {
	t.Helper()
	return files(t, s.uploads)
}

// A POST, with its Suspend, touches no disk.
func TestBeginTouchesNothing(t *testing.T) {
	s := open(t, t.TempDir())
	s.syncDir = func(path string) error { t.Errorf("sync of %s", path); return nil }
	u, err := s.Begin(t.Context(), storage.Hint{})
	check(t, err)
	u = resume(t, s, suspend(t, u))
	if got := uploadsOf(t, s); len(got) != 0 {
		t.Errorf("_uploads holds %q", got)
	}
	check(t, u.Cancel(t.Context()))
}

func TestNothingIsLeftOver(t *testing.T) {
	s := open(t, t.TempDir())
	put(t, s, []byte("hello"))
	put(t, s, []byte("hello"))
	_, err := begin(t, s, []byte("hello")).Commit(t.Context(), digestOf(nil))
	if !errors.Is(err, storage.ErrDigestMismatch) {
		t.Fatal(err)
	}
	check(t, begin(t, s, []byte("hello")).Cancel(t.Context()))
	check(t, s.Check(t.Context()))
	if got := uploadsOf(t, s); len(got) != 0 {
		t.Errorf("_uploads holds %q", got)
	}
}

// The request that resumed last has the upload. The one before cannot write,
// publish or remove any more.
func TestResumeTakesOver(t *testing.T) {
	s := open(t, t.TempDir())
	state := suspend(t, begin(t, s, []byte("hello, ")))
	first := resume(t, s, state)
	_, err := first.Write([]byte("moon"))
	check(t, err)
	second := resume(t, s, state)
	if _, err := first.Write([]byte("light")); !errors.Is(err, errTaken) {
		t.Errorf("Write = %v", err)
	}
	if _, err := first.Suspend(t.Context()); !errors.Is(err, errTaken) {
		t.Errorf("Suspend = %v", err)
	}
	if _, err := first.Commit(t.Context(), digestOf([]byte("hello, moon"))); !errors.Is(err, errTaken) {
		t.Errorf("Commit = %v", err)
	}
	check(t, first.Cancel(t.Context()))
	third := resume(t, s, state)
	if _, err := second.Write([]byte("rise")); !errors.Is(err, errTaken) {
		t.Errorf("Write = %v", err)
	}
	_, err = third.Write([]byte("world"))
	check(t, err)
	key, err := third.Commit(t.Context(), digestOf([]byte("hello, world")))
	check(t, err)
	holds(t, s, key, []byte("hello, world"))
	if len(s.open) != 0 {
		t.Errorf("%d uploads are still open", len(s.open))
	}
}

// An old State, put back by a caller that lost the newer one.
func TestResumeFromOlderState(t *testing.T) {
	s := open(t, t.TempDir())
	older := suspend(t, begin(t, s, []byte("hello, ")))
	u := resume(t, s, older)
	_, err := u.Write([]byte("moon"))
	check(t, err)
	newer := suspend(t, u)
	u = resume(t, s, older)
	_, err = u.Write([]byte("you"))
	check(t, err)
	suspend(t, u)
	if _, err := s.Resume(t.Context(), newer); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Resume from bytes that were dropped = %v, want fs.ErrNotExist", err)
	}
	u = resume(t, s, older)
	_, err = u.Write([]byte("world"))
	check(t, err)
	key, err := u.Commit(t.Context(), digestOf([]byte("hello, world")))
	check(t, err)
	holds(t, s, key, []byte("hello, world"))
}

func TestResumeFromShortFile(t *testing.T) {
	s := open(t, t.TempDir())
	state := suspend(t, begin(t, s, []byte("hello")))
	check(t, os.Truncate(filepath.Join(s.uploads, uploadsOf(t, s)[0]), 4))
	if _, err := s.Resume(t.Context(), state); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("Resume = %v, want fs.ErrNotExist", err)
	}
}

var errDisk = errors.New("injected disk error")

// failingSyncs fails the syncs of directories from the nth on, until healed.
func failingSyncs(s *Store, n int) (heal func()) {
	sync := s.syncDir
	var calls atomic.Int64
	s.syncDir = func(path string) error {
		if calls.Add(1) >= int64(n) {
			return errDisk
		}
		return sync(path)
	}
	return func() { s.syncDir = sync }
}

// A Commit whose directories cannot be synced publishes nothing, leaves what
// can be resumed, and is healed by another one.
func TestDirectorySyncFails(t *testing.T) {
	body := []byte("hello")
	for n := 1; n <= 3; n++ { // <hex>, <2 hex>, <alg>
		s := open(t, t.TempDir())
		state := suspend(t, begin(t, s, body))
		heal := failingSyncs(s, n)
		for range 2 {
			if _, err := resume(t, s, state).Commit(t.Context(), digestOf(body)); !errors.Is(err, errDisk) {
				t.Fatalf("Commit with sync %d failing = %v", n, err)
			}
			absentBlob(t, s, helloDigest)
			if _, err := os.Stat(s.place(helloDigest).dir); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the blob's directory is left: %v", err)
			}
		}
		if _, err := begin(t, s, body).Commit(t.Context(), digestOf(body)); !errors.Is(err, errDisk) {
			t.Fatal(err)
		}
		if got := uploadsOf(t, s); len(got) != 1 {
			t.Errorf("_uploads holds %q, want only what has a State", got)
		}
		heal()
		key, err := resume(t, s, state).Commit(t.Context(), digestOf(body))
		check(t, err)
		holds(t, s, key, body)
	}
}

func absentBlob(t *testing.T, s *Store, key storage.Key) {
	t.Helper()
	if _, err := s.Open(t.Context(), key); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("Open = %v, want fs.ErrNotExist", err)
	}
	for info, err := range s.Walk(t.Context()) {
		t.Fatalf("Walk shows %v, %v", info, err)
	}
}

// The blob is there, but its directories cannot be synced: that is no success.
func TestDirectorySyncFailsForPresentBlob(t *testing.T) {
	s := open(t, t.TempDir())
	put(t, s, []byte("hello"))
	heal := failingSyncs(s, 1)
	if _, err := begin(t, s, []byte("hello")).Commit(t.Context(), helloDigest); !errors.Is(err, errDisk) {
		t.Fatalf("Commit = %v", err)
	}
	heal()
	holds(t, s, put(t, s, []byte("hello")), []byte("hello"))
}

// The name of a prefix is synced by the commit that made it, or by Open.
func TestPrefixIsSettledOnce(t *testing.T) {
	root := t.TempDir()
	for _, want := range [][]int64{{3, 2, 2}, {2, 2, 2}} {
		s := open(t, root)
		var syncs atomic.Int64
		sync := s.syncDir
		s.syncDir = func(path string) error { syncs.Add(1); return sync(path) }
		var counts []int64
		for range 3 {
			syncs.Store(0)
			put(t, s, []byte("hello"))
			counts = append(counts, syncs.Load())
		}
		if !slices.Equal(counts, want) {
			t.Errorf("directory syncs per commit: %v, want %v", counts, want)
		}
		check(t, s.Close())
	}
}

// A copy is whole or not there: its bytes are synced, its names are not. Who
// commits the digest for good syncs them.
func TestCopy(t *testing.T) {
	s := open(t, t.TempDir())
	sync := s.syncDir
	s.syncDir = func(path string) error { t.Errorf("sync of %s", path); return nil }
	u, err := s.Begin(t.Context(), storage.Hint{Copy: true})
	check(t, err)
	_, err = u.Write([]byte("hello"))
	check(t, err)
	_, err = u.Commit(t.Context(), helloDigest)
	check(t, err)
	if u.(*upload).dirty {
		t.Error("the bytes were not synced before their name")
	}
	holds(t, s, helloDigest, []byte("hello"))
	var synced atomic.Int64
	s.syncDir = func(path string) error { synced.Add(1); return sync(path) }
	put(t, s, []byte("hello"))
	if synced.Load() != 3 {
		t.Errorf("the next commit syncs %d directories", synced.Load())
	}
}

// Whatever changes the directories of a digest has its lock to the end.
func TestDigestIsLocked(t *testing.T) {
	s := open(t, t.TempDir())
	sync := s.syncDir
	var calls atomic.Int64
	s.syncDir = func(path string) error {
		calls.Add(1)
		if s.digests.held[helloDigest] == nil {
			t.Errorf("no lock at the sync of %s", path)
		}
		return sync(path)
	}
	put(t, s, []byte("hello"))
	put(t, s, []byte("hello"))
	check(t, s.Delete(t.Context(), helloDigest))
	if calls.Load() != 3+2+1 || len(s.digests.held) != 0 {
		t.Errorf("%d directory syncs, %d locks left; want 6, 0", calls.Load(), len(s.digests.held))
	}
}

func TestDeleteFails(t *testing.T) {
	s := open(t, t.TempDir())
	put(t, s, []byte("hello"))
	heal := failingSyncs(s, 1)
	for range 2 { // the second finds no file, but a directory that is not synced
		if err := s.Delete(t.Context(), helloDigest); !errors.Is(err, errDisk) {
			t.Fatalf("Delete = %v", err)
		}
	}
	heal()
	check(t, s.Delete(t.Context(), helloDigest))
	check(t, s.Delete(t.Context(), helloDigest))
}

func TestNoSpaceErrors(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT} {
		err := failed("write", &os.PathError{Op: "write", Path: "x", Err: errno})
		if !errors.Is(err, storage.ErrNoSpace) || !errors.Is(err, errno) {
			t.Errorf("%v must be storage.ErrNoSpace and %v", err, errno)
		}
	}
	if err := failed("write", syscall.EIO); errors.Is(err, storage.ErrNoSpace) {
		t.Errorf("%v is storage.ErrNoSpace", err)
	}
}

// A write that stops half-way because the file may not grow: what fitted is
// kept, and is a whole upload.
func TestWriteStopsHalfWay(t *testing.T) {
	root := t.TempDir()
	child := startChild(t, childFileSize, root)
	child.await("suspended")
	child.wait()
	s := open(t, root)
	state, err := os.ReadFile(filepath.Join(root, "state"))
	check(t, err)
	u := resume(t, s, state)
	if u.Size() != fileSizeLimit {
		t.Fatalf("size = %d, want %d", u.Size(), fileSizeLimit)
	}
	body := content(fileSizeLimit+1000, 1)
	_, err = u.Write(body[fileSizeLimit:])
	check(t, err)
	key, err := u.Commit(t.Context(), digestOf(body))
	check(t, err)
	holds(t, s, key, body)
}

// Root may write anywhere; TestReadOnlyDisk is for root.
func TestReadOnlyDirectory(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("permissions do not bind root")
	}
	s := open(t, t.TempDir())
	key := put(t, s, []byte("hello"))
	check(t, os.Chmod(s.uploads, 0o500))
	t.Cleanup(func() { check(t, os.Chmod(s.uploads, dirMode)) })
	u, err := s.Begin(t.Context(), storage.Hint{})
	check(t, err)
	if _, err := u.Write([]byte("x")); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Write = %v, want fs.ErrPermission", err)
	}
	if err := s.Check(t.Context()); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Check = %v, want fs.ErrPermission", err)
	}
	holds(t, s, key, []byte("hello"))
}

func TestHintAlgorithm(t *testing.T) {
	for want, hint := range map[oci.Algorithm]storage.Hint{
		oci.SHA256: {Algorithm: "md5", Digest: "md5:x"},
		oci.SHA512: {Digest: oci.FromBytes(oci.SHA512, nil)},
	} {
		if got := hintAlgorithm(hint); got != want {
			t.Errorf("hintAlgorithm(%v) = %s, want %s", hint, got, want)
		}
	}
}
