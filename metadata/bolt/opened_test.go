package bolt

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

// refusesWrites wants every write to fail and change nothing, and reads to go
// on: "a" has a blob, a manifest v1 and a session s.
func refusesWrites(t *testing.T, s *Store) {
	t.Helper()
	for name, err := range map[string]error{
		"LinkBlob":   s.LinkBlob(ctx, "a", testBlob("new"), "s"),
		"DeleteTag":  s.DeleteTag(ctx, "a", "v1"),
		"AddUser":    s.AddUser(ctx, metadata.User{Name: "alice"}),
		"RemoveUser": s.RemoveUser(ctx, "nobody"), // not even that is sure
		"Check":      s.Check(ctx),
	} {
		if !errors.Is(err, storage.ErrUnavailable) || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v, want storage.ErrUnavailable", name, err)
		}
	}
	_, err := s.Manifest(ctx, "a", oci.Reference{Tag: "v1"}, true)
	ok(t, err)
	if _, err := s.Blob(ctx, "a", testBlob("new").Digest); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what was refused is there: %v", err)
	}
}

// A database that was renamed or removed takes no writes that the next start
// would not find. Once it is back it does.
func TestFileIsGone(t *testing.T) {
	s := openNew(t)
	push(t, s, "a", "c", "v1")
	putSession(t, s, "s", 1)
	path := s.at.path
	ok(t, os.Rename(path, path+".away"))
	refusesWrites(t, s)
	ok(t, os.WriteFile(path, nil, 0o600))
	refusesWrites(t, s)
	ok(t, os.Rename(path+".away", path))
	ok(t, s.Check(ctx))
	ok(t, s.LinkBlob(ctx, "a", testBlob("new"), "s"))
}

// Sessions whose log is gone have not ended, and none is begun in another.
func TestSessionsAreGone(t *testing.T) {
	s := openNew(t)
	putSession(t, s, "s", 1)
	log := s.sessions.log.at.path
	ok(t, os.Rename(log, log+".away"))
	for _, another := range []bool{false, true} {
		if another {
			ok(t, os.WriteFile(log, nil, 0o600))
		}
		_, getErr := s.Session(ctx, "s")
		for name, err := range map[string]error{
			"Session":       getErr,
			"PutSession":    s.PutSession(ctx, metadata.Session{ID: "t", Version: 1}),
			"next":          s.PutSession(ctx, metadata.Session{ID: "s", Version: 2}),
			"DeleteSession": s.DeleteSession(ctx, "s"),
			"Check":         s.Check(ctx),
		} {
			if !errors.Is(err, storage.ErrUnavailable) || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %v, want storage.ErrUnavailable", name, err)
			}
		}
	}
	if info, err := os.Stat(log); err != nil || info.Size() != 0 {
		t.Errorf("the other log is %v, %v", info, err)
	}
	ok(t, os.Rename(log+".away", log))
	ok(t, s.Check(ctx))
	putSession2(t, s, "s", 2)
}

// A database that broke down is readable and says that a restart is needed.
func TestBrokenDown(t *testing.T) {
	s := openNew(t)
	push(t, s, "a", "c", "v1")
	if err := s.health.breakDown(syscall.EIO); !errors.Is(err, syscall.EIO) || !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("the error is %v", err)
	}
	refusesWrites(t, s)
	ok(t, s.Close())
	s = open(t, s.at.path)
	ok(t, s.Check(ctx))
	ok(t, s.LinkBlob(ctx, "a", testBlob("new"), ""))
}

func TestDiskError(t *testing.T) {
	write := func(cause error) error {
		return &os.PathError{Op: "write", Path: filepath.Join("data", "berth.db"), Err: cause}
	}
	for _, test := range []struct{ err, want error }{
		{write(syscall.ENOSPC), storage.ErrNoSpace},
		{write(syscall.EDQUOT), storage.ErrNoSpace},
		{bolterrors.ErrMaxSizeReached, storage.ErrNoSpace},
		{errors.New("file resize error: " + write(syscall.EFBIG).Error()), storage.ErrNoSpace},
		{write(syscall.EROFS), storage.ErrUnavailable},
		{errors.New("file sync error: " + write(syscall.EROFS).Error()), storage.ErrUnavailable},
		{write(syscall.EIO), nil},
	} {
		got, passing := diskError(test.err)
		if passing != (test.want != nil) || !errors.Is(got, test.err) || passing && !errors.Is(got, test.want) {
			t.Errorf("%v: %v, passing is %t", test.err, got, passing)
		}
	}
}
