package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// SyncDir returns when the names in the directory are on the disk. It needs
// the right to read the directory.
func SyncDir(path string) error {
	d, err := Open(path, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	err = d.Sync()
	return errors.Join(err, d.Close())
}

// MkdirAll makes path and the directories above it that are missing, and
// returns when each one that it made is on the disk. What exists is not synced.
func MkdirAll(path string, perm os.FileMode) error {
	err := os.Mkdir(path, perm)
	parent := filepath.Dir(path)
	if errors.Is(err, fs.ErrNotExist) && parent != path {
		if err := MkdirAll(parent, perm); err != nil {
			return err
		}
		err = os.Mkdir(path, perm)
	}
	if errors.Is(err, fs.ErrExist) {
		return isDir(path)
	}
	if err != nil {
		return err
	}
	return SyncDir(parent)
}

func isDir(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return &os.PathError{Op: "mkdir", Path: path, Err: syscall.ENOTDIR}
	}
	return nil
}
