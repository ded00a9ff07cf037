package filesystem

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/berth-registry/berth/storage"
)

// Sweep removes the bytes of uploads that nobody can resume: those that no
// State in live names, that this process does not have open, and that were
// last written before olderThan. Read the live States after choosing olderThan,
// which must lie further back than the time from a Suspend to its State being
// recorded. A State in live that does not decode ends it before anything is
// removed.
func (s *Store) Sweep(ctx context.Context, live []storage.State, olderThan time.Time) (removed int, err error) {
	if err := s.writable(ctx); err != nil {
		return 0, err
	}
	keep := make(map[uploadID]bool, len(live))
	for _, state := range live {
		v, err := decodeState(state)
		if err != nil {
			return 0, err
		}
		keep[v.id] = true
	}
	entries, err := os.ReadDir(s.uploads)
	if err != nil {
		return 0, failed("sweep uploads", err)
	}
	for _, entry := range entries {
		if err := ctx.Err(); err != nil {
			return removed, err
		}
		id, ok := parseID(entry.Name())
		if !ok || keep[id] || s.isOpen(id) || !stale(entry, olderThan) {
			continue
		}
		if err := os.Remove(s.uploadPath(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return removed, failed("sweep uploads", err)
		}
		removed++
	}
	return removed, nil
}

func stale(entry fs.DirEntry, olderThan time.Time) bool {
	info, err := entry.Info()
	return err == nil && info.Mode().IsRegular() && info.ModTime().Before(olderThan)
}

func (s *Store) isOpen(id uploadID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open[id] != nil
}
