package secret

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

func TestCreateOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made", "key")
	if err := Create(path, []byte("one")); err != nil {
		t.Fatal(err)
	}
	if err := Create(path, []byte("two")); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("second: %v", err)
	}
	check(t, path, "one")
}

func TestReplaceAndRemove(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	for _, s := range []string{"one", "two"} {
		if err := Replace(path, []byte(s)); err != nil {
			t.Fatal(err)
		}
		check(t, path, s)
	}
	for range 2 {
		if err := Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("still there: %v", err)
	}
}

// Of many that create one file one wins, and what is there is all of what it
// wrote.
func TestCreateRace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	var wins atomic.Int32
	var winner atomic.Value
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if Create(path, []byte(strconv.Itoa(i))) == nil {
				wins.Add(1)
				winner.Store(strconv.Itoa(i))
			}
		})
	}
	wg.Wait()
	if wins.Load() != 1 {
		t.Fatalf("%d winners", wins.Load())
	}
	check(t, path, winner.Load().(string))
}

// check looks at content, mode, and that nothing else is left in the directory.
func check(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%q %v, want %q", got, err, want)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("left: %v %v", entries, err)
	}
}
