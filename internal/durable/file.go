package durable

import (
	"os"
	"path/filepath"
)

// SyncData returns when the bytes of f and its length are on the disk. Times
// and modes may be older.
func SyncData(f *os.File) error {
	if err := syncData(f); err != nil {
		return &os.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
	}
	return nil
}

// Rename moves a file, replacing one that is there, and returns when both
// directories are on the disk. The bytes are the caller's: SyncData first.
func Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	source, target := filepath.Dir(from), filepath.Dir(to)
	if err := SyncDir(target); err != nil {
		return err
	}
	if source == target {
		return nil
	}
	return SyncDir(source)
}
