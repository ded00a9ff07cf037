package filesystem

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/berth-registry/berth/storage"
)

// ErrInUse is the answer of Open while another process, or another Store of
// this one, has the root open.
var ErrInUse = errors.New("another process uses this storage root")

var (
	errClosed = fmt.Errorf("storage: %w", fs.ErrClosed)
	errEnded  = errors.New("the upload has ended")
	// errTaken protects the bytes: two uploads that write one file would each
	// verify what it has sent, and publish a mixture.
	errTaken = errors.New("the upload was resumed by another request")
)

// failed says what was being done, and whether the disk is full or read-only.
func failed(doing string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%s: %w: %w", doing, storage.ErrNoSpace, err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%s: %w: %w", doing, storage.ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// absent reports whether there is nothing at the path that err names. A file
// where a directory should be hides what might be below it just as well.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// missing is failed for a look-up, where to be absent is an answer, unless the
// whole root is.
func (s *Store) missing(doing string, err error) error {
	if absent(err) {
		if gone := s.sameRoot(); gone != nil {
			return failed(doing, gone)
		}
	}
	if errors.Is(err, syscall.ENOTDIR) {
		return fmt.Errorf("%s: %w: %w", doing, fs.ErrNotExist, err)
	}
	return failed(doing, err)
}
