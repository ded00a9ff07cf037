package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestMkdirAll(t *testing.T) {
	root := t.TempDir()
	deep := filepath.Join(root, "a", "b", "c")
	for range 2 { // the second time everything exists
		if err := MkdirAll(deep, 0o750); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(deep)
	if err != nil || !info.IsDir() {
		t.Fatalf("stat = %v, %v", info, err)
	}
}

func TestMkdirAllOverFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(file, "below")} {
		if err := MkdirAll(path, 0o750); !errors.Is(err, syscall.ENOTDIR) {
			t.Errorf("MkdirAll(%q) = %v, want ENOTDIR", path, err)
		}
	}
}

func TestRename(t *testing.T) {
	root := t.TempDir()
	if err := MkdirAll(filepath.Join(root, "to"), 0o750); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"same", filepath.Join("to", "other")} {
		from, to := filepath.Join(root, "from"), filepath.Join(root, name)
		if err := os.WriteFile(from, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Rename(from, to); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(to); err != nil || string(got) != name {
			t.Errorf("%s holds %q, %v", name, got, err)
		}
		if _, err := os.Stat(from); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("stat of the old name = %v", err)
		}
	}
}

func TestRenameMissing(t *testing.T) {
	root := t.TempDir()
	err := Rename(filepath.Join(root, "a"), filepath.Join(root, "b"))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("Rename = %v", err)
	}
}

func TestSyncData(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("x"); err != nil {
		t.Fatal(err)
	}
	if err := SyncData(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := SyncData(f); err == nil {
		t.Fatal("SyncData of a closed file succeeded")
	}
}

func TestSyncDirErrors(t *testing.T) {
	if err := SyncDir(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("SyncDir = %v", err)
	}
}

// A pipe can be neither synced nor mistaken for success.
func TestSyncDataRefused(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if err := SyncData(w); !errors.Is(err, syscall.EINVAL) {
		t.Fatalf("SyncData(pipe) = %v, want EINVAL", err)
	}
}

func TestOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if _, err := Open(path, os.O_RDONLY, 0); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("Open of nothing = %v", err)
	}
	f, err := Open(path, os.O_RDWR|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o640)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, text := range []string{"a", "b"} {
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); string(got) != "ab" || err != nil || f.Name() != path {
		t.Errorf("%s holds %q, %v", f.Name(), got, err)
	}
	if _, err := Open(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o640); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Open of what is there = %v", err)
	}
}
