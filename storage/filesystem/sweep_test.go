package filesystem

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/berth-registry/berth/storage"
)

func TestSweep(t *testing.T) {
	root := t.TempDir()
	before := open(t, root)
	live := suspend(t, begin(t, before, []byte("live")))
	empty, err := before.Begin(t.Context(), storage.Hint{})
	check(t, err)
	states := []storage.State{live, suspend(t, empty)}
	forgotten := suspend(t, begin(t, before, []byte("forgotten")))
	begin(t, before, []byte("its process dies"))
	check(t, before.Close())

	s := open(t, root)
	inProgress := begin(t, s, []byte("in progress"))
	plant(t, root, "_uploads/README", "not an upload")
	check(t, os.Mkdir(filepath.Join(s.uploads, newID().String()), 0o755))
	later := time.Now().Add(time.Hour)

	for _, step := range []struct {
		olderThan time.Time
		want      int
	}{{time.Now().Add(-time.Hour), 0}, {later, 2}, {later, 0}} {
		removed, err := s.Sweep(t.Context(), states, step.olderThan)
		if err != nil || removed != step.want {
			t.Fatalf("Sweep = %d, %v, want %d", removed, err, step.want)
		}
	}
	if _, err := s.Resume(t.Context(), forgotten); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Resume of what was swept = %v", err)
	}
	resume(t, s, live)
	_, err = inProgress.Commit(t.Context(), digestOf([]byte("in progress")))
	check(t, err)
	if !slices.Contains(uploadsOf(t, s), "README") {
		t.Error("Sweep removed what it does not know")
	}
}

// Sweep fails closed.
func TestSweepRefuses(t *testing.T) {
	s := open(t, t.TempDir())
	state := suspend(t, begin(t, s, []byte("hello")))
	later := time.Now().Add(time.Hour)
	if _, err := s.Sweep(t.Context(), []storage.State{[]byte("unknown")}, later); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("Sweep with an unknown State = %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Sweep(ctx, nil, later); !errors.Is(err, context.Canceled) {
		t.Errorf("Sweep = %v", err)
	}
	resume(t, s, state)
}
