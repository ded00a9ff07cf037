package filesystem

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/berth-registry/berth/internal/durable"
	"github.com/berth-registry/berth/storage"
)

// blob is an open data file. A server that finds the method File serves that
// file itself: net.TCPConn sends with sendfile only what is exactly an *os.File.
type blob struct {
	file *os.File
	size int64
}

var (
	_ storage.Blob  = (*blob)(nil)
	_ storage.Filer = (*blob)(nil)
)

// File is the open file, at the blob's offset. It belongs to the blob: whoever
// takes it closes the blob, not the file.
func (b *blob) File() *os.File { return b.file }

func (b *blob) Size() int64                                  { return b.size }
func (b *blob) Read(p []byte) (int, error)                   { return b.file.Read(p) }
func (b *blob) Seek(offset int64, whence int) (int64, error) { return b.file.Seek(offset, whence) }
func (b *blob) Close() error                                 { return b.file.Close() }

// Open opens a blob. fs.ErrNotExist if there is no regular file; fs.ErrInvalid
// for a key that no store made.
func (s *Store) Open(ctx context.Context, key storage.Key) (storage.Blob, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	_, at, err := s.locate(key)
	if err != nil {
		return nil, err
	}
	f, err := durable.Open(at.data, os.O_RDONLY, 0)
	if err != nil {
		return nil, s.missing("open blob", err)
	}
	size, err := regular(f.Stat())
	if err != nil {
		f.Close()
		return nil, s.missing("open blob", err)
	}
	return &blob{file: f, size: size}, nil
}

// Stat returns the size of a blob, with the errors of Open.
func (s *Store) Stat(ctx context.Context, key storage.Key) (int64, error) {
	if err := s.usable(ctx); err != nil {
		return 0, err
	}
	_, at, err := s.locate(key)
	if err != nil {
		return 0, err
	}
	size, err := regular(os.Stat(at.data))
	if err != nil {
		return 0, s.missing("stat blob", err)
	}
	return size, nil
}

// regular takes what Stat returns. Whatever is no file holds no blob.
func regular(info os.FileInfo, err error) (size int64, _ error) {
	if err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() {
		return 0, fs.ErrNotExist
	}
	return info.Size(), nil
}

// Delete unlinks a blob durably and removes its directory. The directory is
// synced even when the file is gone: the Delete that removed it may have failed
// or crashed before it could.
func (s *Store) Delete(ctx context.Context, key storage.Key) error {
	if err := s.writable(ctx); err != nil {
		return err
	}
	d, at, err := s.locate(key)
	if err != nil {
		return err
	}
	release, err := s.digests.acquire(ctx, d)
	if err != nil {
		return err
	}
	defer release()
	if err := s.remove(at); err != nil {
		return failed("delete blob", err)
	}
	return nil
}

func (s *Store) remove(at place) error {
	err := os.Remove(at.data)
	if errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := s.syncDir(at.dir); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	// Whether the empty directory goes does not matter: it shows no blob.
	_ = os.Remove(at.dir)
	return nil
}
