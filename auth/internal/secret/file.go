// Package secret makes up secrets, and keeps them in files: mode 0600, whole or
// absent, durable when the call returns.
//
//	.secret-* (0600) ── write, fsync ──▶ link or rename to its name ──▶ fsync of the directory
package secret

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/berth-registry/berth/internal/durable"
)

// Create writes a file that must not be there: fs.ErrExist if it is, whoever
// wrote it and however close the race. Missing directories are made with mode
// 0700.
func Create(path string, data []byte) error {
	return place(path, data, linkOrRename)
}

// Replace writes a file, and in one step takes the place of the one that is
// there.
func Replace(path string, data []byte) error {
	return place(path, data, durable.Rename)
}

// Remove removes a file durably. It is no error if there is none.
func Remove(path string) error {
	if err := os.Remove(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	return durable.SyncDir(filepath.Dir(path))
}

// place writes the bytes under a name of its own, so that nobody ever sees
// half a secret, and then moves them.
func place(path string, data []byte, move func(from, to string) error) error {
	dir := filepath.Dir(path)
	if err := durable.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".secret-*") // O_EXCL, 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // its second name after link, nothing after rename
	_, err = f.Write(data)
	if err := errors.Join(err, durable.SyncData(f), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return move(f.Name(), path)
}

// linkOrRename fails if the new name is taken. Where the file system has no
// links (FAT) it looks first, which leaves a race between two processes.
func linkOrRename(from, to string) error {
	err := os.Link(from, to)
	if err == nil {
		return durable.SyncDir(filepath.Dir(to))
	}
	if !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, syscall.EPERM) {
		return err
	}
	if _, err := os.Lstat(to); err == nil {
		return &fs.PathError{Op: "create", Path: to, Err: fs.ErrExist}
	}
	return durable.Rename(from, to)
}
