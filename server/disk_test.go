package server_test

import (
	"context"
	"os"
	"path/filepath"
)

// stored counts what is in storage.
func (s *stack) stored() (n int) {
	s.Helper()
	for _, err := range s.files.Walk(context.Background()) {
		s.must(err)
		n++
	}
	return n
}

// leftovers counts the files of uploads that have not ended.
func (s *stack) leftovers() int {
	s.Helper()
	files, err := os.ReadDir(filepath.Join(s.dir, "storage", "_uploads"))
	s.must(err)
	return len(files)
}

// file is where the bytes of a sha256 digest lie.
func (s *stack) file(digest string) string {
	hex := digest[len("sha256:"):]
	return filepath.Join(s.dir, "storage", "docker", "registry", "v2", "blobs", "sha256", hex[:2], hex, "data")
}
