package filesystem

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/berth-registry/berth/storage"
)

// goneRoot is a store whose root goes away while it is in use.
type goneRoot struct {
	*Store
	t       *testing.T
	key     storage.Key
	absent  storage.Key
	state   storage.State
	written storage.Upload // has bytes
	fresh   storage.Upload // has none
}

func newGoneRoot(t *testing.T) *goneRoot {
	t.Helper()
	s := open(t, filepath.Join(t.TempDir(), "root"))
	g := &goneRoot{Store: s, t: t, key: put(t, s, []byte("hello")), absent: storage.Key(digestOf([]byte("absent")))}
	g.state = suspend(t, begin(t, s, []byte("state")))
	g.written = begin(t, s, []byte("bytes"))
	var err error
	g.fresh, err = s.Begin(t.Context(), storage.Hint{})
	check(t, err)
	return g
}

// refuses wants every call to fail in a way that is no answer: what is not
// found was not removed, what is not removed was not there.
func (g *goneRoot) refuses() {
	g.t.Helper()
	ctx := g.t.Context()
	calls := map[string]func() error{
		"Open":   func() error { _, err := g.Open(ctx, g.key); return err },
		"Stat":   func() error { _, err := g.Stat(ctx, g.absent); return err },
		"Delete": func() error { return g.Delete(ctx, g.key) },
		"Resume": func() error { _, err := g.Resume(ctx, g.state); return err },
		"Check":  func() error { return g.Check(ctx) },
		"Sweep":  func() error { _, err := g.Sweep(ctx, nil, time.Now().Add(time.Hour)); return err },
		"Write":  func() error { _, err := g.fresh.Write([]byte("x")); return err },
		"Commit": func() error { _, err := g.written.Commit(ctx, digestOf([]byte("bytes"))); return err },
		"Walk": func() (last error) {
			for _, err := range g.Walk(ctx) {
				last = err
			}
			return last
		},
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, storage.ErrUnavailable) || errors.Is(err, fs.ErrNotExist) {
			g.t.Errorf("%s = %v, want storage.ErrUnavailable and no fs.ErrNotExist", name, err)
		}
	}
}

// The root was renamed, or its disk unmounted from an empty directory. Once it
// is back everything goes on.
func TestRootIsGone(t *testing.T) {
	g := newGoneRoot(t)
	check(t, os.Rename(g.root, g.root+".away"))
	g.refuses()
	if _, err := os.Stat(g.root); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the root was made anew: %v", err)
	}
	check(t, os.Rename(g.root+".away", g.root))
	check(t, g.Check(t.Context()))
	holds(t, g.Store, g.key, []byte("hello"))
	key, err := resume(t, g.Store, g.state).Commit(t.Context(), digestOf([]byte("state")))
	check(t, err)
	holds(t, g.Store, key, []byte("state"))
}

// Below the disk lies another tree, of the day on which it was not mounted.
func TestRootIsAnother(t *testing.T) {
	g := newGoneRoot(t)
	check(t, os.Rename(g.root, g.root+".away"))
	check(t, open(t, g.root).Close())
	plant(t, g.root, "_uploads/"+newID().String(), "somebody else's")
	before := files(t, g.root)
	g.refuses()
	if after := files(t, g.root); !slices.Equal(before, after) {
		t.Errorf("the other tree has %q, had %q", after, before)
	}
}
