package bolt

import (
	"fmt"
	"os"

	"github.com/berth-registry/berth/storage"
)

// opened is a file or directory as it was opened by its path. Whoever wrote to
// it after it was removed, or its disk unmounted, would write what nobody
// finds at the next start.
type opened struct {
	path string
	info os.FileInfo
}

// newOpened is for what file has open, and keeps open: some file systems give
// another number to what nobody has.
func newOpened(path string, file *os.File) (opened, error) {
	info, err := file.Stat()
	return opened{path, info}, err
}

// still reports whether it lies at its path: storage.ErrUnavailable if not.
func (o opened) still() error {
	there, err := os.Stat(o.path)
	if err != nil {
		return fmt.Errorf("%w: %s is gone while it is in use: %s", storage.ErrUnavailable, o.path, err.Error()) // its text only: it is no miss
	}
	if !os.SameFile(o.info, there) {
		return fmt.Errorf("%w: %s was replaced while it is in use: put it back, or restart berth", storage.ErrUnavailable, o.path)
	}
	return nil
}
