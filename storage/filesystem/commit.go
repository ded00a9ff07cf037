package filesystem

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"

	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

// Commit verifies and publishes; doc.go lists the order of its steps. After an
// error the last State, if there is one, can still be resumed, except after
// storage.ErrDigestMismatch.
func (u *upload) Commit(ctx context.Context, d oci.Digest) (storage.Key, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.over != nil {
		return "", u.over
	}
	err := u.commit(ctx, d)
	switch {
	case err == nil:
		u.end(errEnded)
		return storage.Key(d), nil
	case errors.Is(err, storage.ErrDigestMismatch):
		return "", errors.Join(err, u.drop())
	}
	u.abandon()
	return "", failed("commit upload", err)
}

func (u *upload) commit(ctx context.Context, d oci.Digest) error {
	if err := u.store.writable(ctx); err != nil {
		return err
	}
	if u.broken != nil {
		return u.broken
	}
	d, err := oci.ParseDigest(string(d)) // it becomes a path
	if err != nil {
		return err
	}
	if err := u.verify(ctx, d); err != nil {
		return err
	}
	if err := u.create(); err != nil { // the blob of no bytes
		return err
	}
	release, err := u.store.digests.acquire(ctx, d)
	if err != nil {
		return err
	}
	defer release()
	return u.publish(u.store.place(d))
}

// verify compares the running hash, or reads the file once when d was made by
// another algorithm.
func (u *upload) verify(ctx context.Context, d oci.Digest) error {
	h := u.hash
	if d.Algorithm() != u.alg {
		h = d.Algorithm().New()
		if err := u.readBack(ctx, h); err != nil {
			return err
		}
	}
	if got := oci.FromHash(d.Algorithm(), h); got != d {
		return fmt.Errorf("%w: got %s, want %s", storage.ErrDigestMismatch, got, d)
	}
	return nil
}

func (u *upload) readBack(ctx context.Context, h hash.Hash) error {
	if u.size == 0 {
		return nil
	}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	for offset := int64(0); offset < u.size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := (*buf)[:min(int64(len(*buf)), u.size-offset)]
		if _, err := u.file.ReadAt(p, offset); err != nil {
			return err
		}
		h.Write(p)
		offset += int64(len(p))
	}
	return nil
}

// publish gives the bytes their final name. It runs under the digest's lock, so
// that of two commits the second finds what the first has stored, and no Delete
// removes a directory between its mkdir and the rename into it.
func (u *upload) publish(at place) error {
	stored, err := makeRoom(at, u.size)
	if err != nil {
		return err
	}
	if stored {
		if err := u.settle(at); err != nil {
			return err
		}
		_ = os.Remove(u.path()) // published it is; Sweep comes by
		return nil
	}
	if err := u.moveTo(at); err != nil {
		_ = os.Remove(at.dir) // if it is empty
		return err
	}
	return nil
}

// makeRoom makes the directory for a blob and reports whether the blob is there
// already. The blob of another size is damaged: it is not there.
func makeRoom(at place, size int64) (stored bool, err error) {
	err = os.Mkdir(at.dir, dirMode)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.Mkdir(at.prefix, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
			return false, err
		}
		err = os.Mkdir(at.dir, dirMode)
	}
	if !errors.Is(err, fs.ErrExist) {
		return false, err
	}
	found, err := regular(os.Stat(at.data))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && found == size, err
}

// moveTo takes the name back when it cannot be made durable: nothing was
// published, and a later commit renames again, which is what makes the kernel
// write the directory again.
func (u *upload) moveTo(at place) error {
	if err := u.sync(); err != nil {
		return err
	}
	if err := os.Rename(u.path(), at.data); err != nil {
		return err
	}
	if err := u.settle(at); err != nil {
		return errors.Join(err, os.Rename(at.data, u.path()))
	}
	return nil
}

// settle leaves the names of a copy to the kernel.
func (u *upload) settle(at place) error {
	if u.copy {
		return nil
	}
	return u.store.settle(at)
}

// settle makes the names that lead to a blob durable, all of them at the same
// time: the syncs of one file system share their way to the disk.
func (s *Store) settle(at place) error {
	above := make(chan error, 1)
	go func() { above <- s.settlePrefix(at) }()
	err := s.syncDir(at.dir)
	return errors.Join(err, <-above)
}

// settlePrefix makes the name of the blob's directory durable. That of the
// prefix is synced by the first commit in each process: who made it may have
// crashed.
func (s *Store) settlePrefix(at place) error {
	if err := s.syncDir(at.prefix); err != nil {
		return err
	}
	s.mu.Lock()
	settled := s.settled[at.prefix]
	s.mu.Unlock()
	if settled {
		return nil
	}
	if err := s.syncDir(at.alg); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settled[at.prefix] = true
	return nil
}
