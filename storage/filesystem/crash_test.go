package filesystem

import (
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

// A crash between rename and directory sync, whose rename did reach the disk:
// the session still has its State, the file has moved.
func TestCrashAfterRename(t *testing.T) {
	root := t.TempDir()
	s := open(t, root)
	state := suspend(t, begin(t, s, []byte("hello")))
	check(t, s.Close())
	check(t, os.MkdirAll(filepath.Join(root, filepath.Dir(helloPath)), dirMode))
	check(t, os.Rename(filepath.Join(root, "_uploads", uploadsOf(t, s)[0]), filepath.Join(root, helloPath)))

	s = open(t, root)
	if _, err := s.Resume(t.Context(), state); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Resume = %v, want fs.ErrNotExist", err)
	}
	synced := make(chan string, 9) // Open has synced the name of the prefix
	sync := s.syncDir
	s.syncDir = func(path string) error {
		synced <- path
		return sync(path)
	}
	put(t, s, []byte("hello"))
	close(synced)
	at := s.place(helloDigest)
	if got, want := slices.Sorted(channel(synced)), []string{at.prefix, at.dir}; !slices.Equal(got, want) {
		t.Errorf("the next commit syncs %s, want %s", got, want)
	}
	holds(t, s, helloDigest, []byte("hello"))
}

// The same crash, but the rename was lost: the upload goes on. What mkdir left
// behind does no harm.
func TestCrashBeforeRename(t *testing.T) {
	root := t.TempDir()
	s := open(t, root)
	state := suspend(t, begin(t, s, []byte("hello")))
	check(t, s.Close())
	check(t, os.MkdirAll(filepath.Join(root, filepath.Dir(helloPath)), dirMode))

	s = open(t, root)
	absentBlob(t, s, helloDigest)
	_, err := resume(t, s, state).Commit(t.Context(), helloDigest)
	check(t, err)
	holds(t, s, helloDigest, []byte("hello"))
}

// kill -9 in every phase of a push. It says nothing about syncs (the page cache
// survives), but all about the order of names and bytes.
func TestKill(t *testing.T) {
	root := t.TempDir()
	phases := []string{"write", "suspend", "commit", "sync directory", "stored"}
	var stored []oci.Digest
	for i := range 10 {
		child := startChild(t, childCommits, root)
		stored = append(stored, child.killIn(phases[i%len(phases)], 3+2*i)...)
	}
	if len(stored) < 10 {
		t.Fatalf("only %d blobs were stored", len(stored))
	}
	s := open(t, root)
	for _, d := range stored {
		if got := hashOf(t, s, storage.Key(d)); got != d {
			t.Errorf("%s was acknowledged and holds %s", d, got)
		}
	}
	for info, err := range s.Walk(t.Context()) {
		check(t, err)
		if got := hashOf(t, s, info.Key); storage.Key(got) != info.Key {
			t.Errorf("%s is visible and holds %s", info.Key, got)
		}
	}
	_, err := s.Sweep(t.Context(), nil, time.Now().Add(time.Hour))
	check(t, err)
	if left := uploadsOf(t, s); len(left) != 0 {
		t.Errorf("left in _uploads: %q", left)
	}
}

// killIn kills the child when it enters the phase for the nth time, and returns
// what it was told is stored.
func (c *child) killIn(phase string, n int) (stored []oci.Digest) {
	c.t.Helper()
	for c.lines.Scan() {
		name, d, _ := strings.Cut(c.lines.Text(), " sha")
		if d != "" {
			stored = append(stored, oci.Digest("sha"+d))
		}
		if name != phase {
			continue
		}
		if n--; n == 0 {
			check(c.t, c.cmd.Process.Kill())
		}
	}
	if n > 0 {
		c.t.Fatalf("the child ended by itself, %d more of %q to come", n, phase)
	}
	_ = c.cmd.Wait()
	return stored
}

func hashOf(t *testing.T, s *Store, key storage.Key) oci.Digest {
	t.Helper()
	b, err := s.Open(t.Context(), key)
	check(t, err)
	defer b.Close()
	a := oci.Digest(key).Algorithm()
	h := a.New()
	_, err = io.Copy(h, b)
	check(t, err)
	return oci.FromHash(a, h)
}

// channel visits what is in a closed channel.
func channel[T any](c <-chan T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for v := range c {
			if !yield(v) {
				return
			}
		}
	}
}
