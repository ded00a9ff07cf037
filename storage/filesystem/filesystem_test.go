package filesystem

import (
	"testing"

	"github.com/berth-registry/berth/storage"
	"github.com/berth-registry/berth/storage/storagetest"
)

func TestStore(t *testing.T)      { storagetest.Run(t, reopener) }
func BenchmarkStore(b *testing.B) { storagetest.Bench(b, reopener) }

func reopener(tb testing.TB) func() storage.Store {
	root := tb.TempDir()
	var last *Store
	shut := func() {
		if last != nil {
			if err := last.Close(); err != nil {
				tb.Error(err)
			}
		}
	}
	tb.Cleanup(shut)
	return func() storage.Store {
		shut()
		last = open(tb, root)
		return last
	}
}

// open is Open for tests, without its error.
func open(tb testing.TB, root string) *Store {
	tb.Helper()
	s, err := Open(root, Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}
